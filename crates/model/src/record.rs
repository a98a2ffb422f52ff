//! Checks the fields of a record before anything else uses it.
//!
//! The same check applies to the records of an index and to those of a lock. After it a record
//! names one file in one subdir: its names can be parts of a path and of a URL, and its match
//! specs can be parsed within a small stack.

use std::fmt;
use std::path::{Component, Path};

use envlock_text::excerpt;
use envlock_text::limits::{
    MATCH_SPEC_BYTES, MATCH_SPEC_DEPTH, MATCH_SPEC_OPERATORS, RECORD_NAME, RECORD_SPECS,
};
use rattler_conda_types::{PackageName, PackageRecord, RepoDataRecord, Subdir};
use url::Url;

use crate::wheel::{is_wheel, normalized};

/// Why a record isn't used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MalformedRecord {
    /// The subdir isn't a platform that conda knows.
    Subdir(String),
    /// A field has characters that aren't allowed, is empty or is too long.
    Field {
        /// The name of the field.
        field: &'static str,
        /// The value.
        value: String,
    },
    /// The file name doesn't consist of the name, the version and the build.
    FileName {
        /// The file name.
        file: String,
        /// The file name without extension that the record's fields give.
        expected: String,
    },
    /// The URL doesn't end in the file name, or its scheme isn't http, https or file.
    Url(String),
    /// A match spec is too long or has too many brackets within brackets.
    MatchSpec {
        /// The name of the field.
        field: &'static str,
        /// The error.
        fault: MatchSpecFault,
    },
    /// A field lists too many match specs.
    TooManySpecs {
        /// The name of the field.
        field: &'static str,
        /// The number of match specs.
        count: usize,
    },
}

/// Why a match spec isn't parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchSpecFault {
    /// It has more bytes than the limit: the number of bytes.
    Length(usize),
    /// Its brackets are nested too deeply.
    Depth,
    /// It has more `,` and `|` than the limit.
    Operators,
    /// It has a regular expression.
    Regex,
}

impl fmt::Display for MatchSpecFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(bytes) => {
                write!(f, "it has {bytes} bytes; the limit is {MATCH_SPEC_BYTES}")
            }
            Self::Depth => {
                write!(f, "its brackets are nested more than {MATCH_SPEC_DEPTH} levels deep")
            }
            Self::Operators => {
                write!(f, "it has more than {MATCH_SPEC_OPERATORS} `,` and `|`")
            }
            Self::Regex => write!(f, "it has a regular expression"),
        }
    }
}

impl fmt::Display for MalformedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subdir(subdir) => write!(f, "its subdir `{}` isn't a platform", short(subdir)),
            Self::Field { field, value } => {
                write!(f, "its {field} `{}` isn't valid", short(value))
            }
            Self::FileName { file, expected } => write!(
                f,
                "its file name is {}, but its name, version and build give {}",
                short(file),
                short(expected)
            ),
            Self::Url(url) => write!(f, "its URL {} isn't that of its file", short(url)),
            Self::MatchSpec { field, fault } => {
                write!(f, "a match spec of its `{field}` can't be used: {fault}")
            }
            Self::TooManySpecs { field, count } => {
                write!(f, "its `{field}` has {count} match specs; the limit is {RECORD_SPECS}")
            }
        }
    }
}

/// The number of characters of a value that a message shows.
const SHOWN: usize = 60;

fn short(text: &str) -> String {
    excerpt(text, SHOWN)
}

/// Checks the fields of a record, its file name and its URL.
pub fn check(record: &RepoDataRecord) -> Result<(), MalformedRecord> {
    let package = &record.package_record;
    check_package(package)?;
    let file = record.identifier.to_file_name();
    let own = &record.identifier.identifier;
    // The file of a wheel has the name and the version as its author writes them.
    let is_named = if is_wheel(record) {
        normalized(&own.name) == normalized(package.name.as_source())
            && own.build_string.replace('-', "_") == package.build.as_str()
    } else {
        own.name.eq_ignore_ascii_case(package.name.as_source())
            && own.version == package.version.as_str()
            && own.build_string == package.build.as_str()
    };
    if !is_named {
        let (name, version) = (package.name.as_source(), package.version.as_str());
        let expected = format!("{name}-{version}-{}", package.build);
        return Err(MalformedRecord::FileName { file, expected });
    }
    if file.len() > RECORD_NAME {
        return Err(MalformedRecord::Field { field: "file name", value: file });
    }
    if is_url_of(&record.url, &file) {
        Ok(())
    } else {
        Err(MalformedRecord::Url(record.url.to_string()))
    }
}

/// Checks the fields of a record.
pub fn check_package(package: &PackageRecord) -> Result<(), MalformedRecord> {
    if package.subdir.parse::<Subdir>().is_err() {
        return Err(MalformedRecord::Subdir(package.subdir.clone()));
    }
    let field = |field, value: &str, is_valid: bool| {
        if is_valid && value.len() <= RECORD_NAME {
            Ok(())
        } else {
            Err(MalformedRecord::Field { field, value: value.to_owned() })
        }
    };
    let name = package.name.as_source();
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let is_name = starts_well
        && PackageName::try_from(name).is_ok()
        && name.chars().all(|c| is_plain(c) || c == '-');
    field("name", name, is_name)?;
    let version: &str = &package.version.as_str();
    let is_version = !version.is_empty()
        && !version.starts_with('.')
        && version.chars().all(|c| is_plain(c) || matches!(c, '+' | '!'));
    field("version", version, is_version)?;
    let build = package.build.as_str();
    let is_build = !build.starts_with('.') && build.chars().all(|c| is_plain(c) || c == '+');
    field("build", build, is_build)?;
    if let Some(path) = &package.python_site_packages_path {
        let is_inside = Path::new(path).components().all(|p| matches!(p, Component::Normal(_)));
        field("python_site_packages_path", path, is_inside && !path.is_empty())?;
    }
    check_specs("depends", &package.depends)?;
    check_specs("constrains", &package.constrains)?;
    for specs in package.extra_depends.values() {
        check_specs("extra_depends", specs)?;
    }
    Ok(())
}

/// Checks that a match spec is short and simple enough to be parsed. The parser is recursive:
/// without this check a text of a few kilobytes overflows the stack. A regular expression of ten
/// bytes, such as `^\w{999}{9}$`, can take a second to compile, and no public channel has one.
pub fn check_match_spec(text: &str) -> Result<(), MatchSpecFault> {
    if text.len() > MATCH_SPEC_BYTES {
        return Err(MatchSpecFault::Length(text.len()));
    }
    let (mut depth, mut operators, mut is_regex) = (0_usize, 0, false);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b',' | b'|' => operators += 1,
            b'^' => is_regex = true,
            _ => {}
        }
        if operators > MATCH_SPEC_OPERATORS {
            return Err(MatchSpecFault::Operators);
        }
        if depth > MATCH_SPEC_DEPTH {
            return Err(MatchSpecFault::Depth);
        }
    }
    if is_regex { Err(MatchSpecFault::Regex) } else { Ok(()) }
}

fn check_specs(field: &'static str, specs: &[String]) -> Result<(), MalformedRecord> {
    if specs.len() > RECORD_SPECS {
        return Err(MalformedRecord::TooManySpecs { field, count: specs.len() });
    }
    for spec in specs {
        check_match_spec(spec).map_err(|fault| MalformedRecord::MatchSpec { field, fault })?;
    }
    Ok(())
}

/// Whether a character is allowed in each part of the file name.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.')
}

/// Whether the last segment of a URL is the file, and its scheme is supported.
fn is_url_of(url: &Url, file: &str) -> bool {
    let last = url.path_segments().and_then(Iterator::last).unwrap_or_default();
    let decoded = percent_encoding::percent_decode_str(last).decode_utf8();
    matches!(url.scheme(), "http" | "https" | "file")
        && decoded.is_ok_and(|decoded| decoded == file)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// Creates the record of `a-1-0.conda` with these fields replaced.
    fn record(fields: &Value) -> RepoDataRecord {
        let mut json = json!({
            "name": "a", "version": "1", "build": "0", "build_number": 0, "subdir": "linux-64",
            "depends": [], "fn": "a-1-0.conda", "url": "https://h/c/linux-64/a-1-0.conda",
            "channel": "https://h/c/",
        });
        let fields = fields.as_object().expect("a table").clone();
        json.as_object_mut().expect("a table").extend(fields);
        serde_json::from_value(json).expect("a record")
    }

    /// Returns the message for a record with these fields.
    fn fault(fields: &Value) -> String {
        check(&record(fields)).map_or_else(|fault| fault.to_string(), |()| "none".to_owned())
    }

    #[test]
    fn records_of_public_channels_are_valid() {
        for (name, version, build, subdir) in [
            ("a", "1", "0", "linux-64"),
            ("_libgcc_mutex", "0.1", "conda_forge", "noarch"),
            ("r-base", "1!4.3.1+local.1", "h_1", "osx-arm64"),
            ("ca-certificates", "2024.2.2", "", "win-64"),
            ("PyYAML", "6.0", "py310_0", "linux-aarch64"),
            ("backports.zoneinfo", "0.2.1", "py38h497a2fe_5+x", "linux-64"),
        ] {
            let file = format!("{name}-{version}-{build}.tar.bz2");
            let record = record(&json!({
                "name": name, "version": version, "build": build, "subdir": subdir, "fn": file,
                "url": format!("https://conda.anaconda.org/c/{subdir}/{file}"),
            }));
            assert_eq!(check(&record), Ok(()), "{file}");
        }
    }

    #[test]
    fn a_field_that_leads_out_of_a_folder_is_rejected() {
        for subdir in ["../x", "/etc", "", "linux-64/..", "linux-65"] {
            assert!(fault(&json!({ "subdir": subdir })).contains("isn't a platform"), "{subdir}");
        }
        for (field, value) in [
            ("build", "../../x"),
            ("build", "a/b"),
            ("build", "a\\b"),
            ("build", ".hidden"),
            ("build", "a b"),
            ("build", "a\n"),
            ("name", "../a"),
            ("name", "/a"),
            ("name", ".a"),
            ("name", "-rf"),
            ("name", "a/b"),
            ("name", "a\u{202e}b"),
            ("python_site_packages_path", "../../x"),
            ("python_site_packages_path", "/x"),
        ] {
            let fault = fault(&json!({ field: value }));
            assert!(fault.contains(field) && fault.contains("isn't valid"), "{value}: {fault}");
        }
        let long = "x".repeat(RECORD_NAME + 1);
        assert!(fault(&json!({ "build": long })).contains("build"));
    }

    #[test]
    fn a_record_of_another_file_is_rejected() {
        for (field, value) in [("name", "b"), ("version", "2"), ("version", "1.0"), ("build", "1")]
        {
            let fault = fault(&json!({ field: value }));
            assert!(fault.contains("its file name is a-1-0.conda"), "{fault}");
        }
        for url in [
            "https://h/c/linux-64/b-1-0.conda",
            "https://h/c/linux-64/a-1-0.tar.bz2",
            "https://h/c/linux-64/..%2Fa-1-0.conda",
            "https://h/c/linux-64/",
            "ftp://h/c/linux-64/a-1-0.conda",
        ] {
            assert!(fault(&json!({ "url": url })).contains("its URL"), "{url}");
        }
        assert_eq!(fault(&json!({ "url": "file:///c/linux-64/a-1-0%2Econda" })), "none");
    }

    #[test]
    fn match_specs_have_limits() {
        let deep = format!("b {}1{}", "(".repeat(5000), ")".repeat(5000));
        let open = format!("b[version='{}'", "(".repeat(MATCH_SPEC_DEPTH + 1));
        let long = format!("b {}", "|1".repeat(MATCH_SPEC_BYTES));
        let alternatives = format!("b 1{}", "|1".repeat(MATCH_SPEC_OPERATORS + 1));
        let in_brackets = format!("b[version='1{}']", ",>1".repeat(MATCH_SPEC_OPERATORS + 1));
        for field in ["depends", "constrains"] {
            assert!(fault(&json!({ field: [alternatives] })).contains("more than 200 `,` and `|`"));
            assert!(fault(&json!({ field: [in_brackets] })).contains("more than 200 `,` and `|`"));
            for regex in ["^x{9}$ 1", "b 1 ^\\w{999}{9}$", "b[build='^\\w{999}{9}$']"] {
                assert!(fault(&json!({ field: [regex] })).contains("a regular expression"));
            }
            assert!(fault(&json!({ field: [deep] })).contains(field));
            assert!(fault(&json!({ field: [open] })).contains("levels deep"));
            assert!(fault(&json!({ field: [long] })).contains("bytes"));
            let many = vec!["b"; RECORD_SPECS + 1];
            assert!(fault(&json!({ field: many })).contains("match specs"));
        }
        assert!(fault(&json!({ "extra_depends": { "x": [deep] } })).contains("extra_depends"));
        assert_eq!(fault(&json!({ "depends": ["b[version='>=1,(<2|>3)',build=x*]"] })), "none");
        let most = format!("b 1{}", "|1".repeat(MATCH_SPEC_OPERATORS));
        assert_eq!(fault(&json!({ "depends": [most] })), "none");
    }

    #[test]
    fn a_message_is_short_and_shows_no_credential() {
        for password in ["geheim".to_owned(), "geheim".repeat(50)] {
            let url = format!("https://me:{password}@h/{}", "x".repeat(5000));
            let fault = fault(&json!({ "url": url }));
            assert!(fault.len() < 200 && !fault.contains("geheim"), "{fault}");
        }
    }

    /// Creates a random text of brackets, operators and words of match specs.
    fn spec_like() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            Just("("),
            Just(")"),
            Just("["),
            Just("]"),
            Just("{"),
            Just("}"),
            Just("|"),
            Just(","),
            Just(">="),
            Just("=="),
            Just("!="),
            Just("~="),
            Just("="),
            Just("*"),
            Just("^"),
            Just("$"),
            Just("'"),
            Just("\""),
            Just(" "),
            Just("a"),
            Just("1.0"),
            Just("version="),
            Just("when="),
            Just(" and "),
            Just(" or "),
            Just("not "),
            Just(";"),
            Just("::"),
            Just("+"),
            Just("-"),
            Just("!"),
            Just("."),
            Just("\u{e9}"),
        ];
        prop::collection::vec(part, 0..60).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn a_match_spec_within_the_limits_is_parsed_without_a_panic(text in spec_like()) {
            use rattler_conda_types::{MatchSpec, ParseMatchSpecOptions, RepodataRevision};
            let options =
                ParseMatchSpecOptions::lenient().with_repodata_revision(RepodataRevision::V3);
            if check_match_spec(&text).is_ok() {
                let _ = MatchSpec::from_str(&text, options);
                let _ = PackageName::normalized_name_from_matchspec_str(&text);
            }
        }

        #[test]
        fn a_valid_record_names_one_file_in_one_folder(
            name in "\\PC{1,8}", version in "[0-9./\\\\]{1,4}", build in "\\PC{0,6}",
        ) {
            let Ok(parsed) = version.parse::<rattler_conda_types::Version>() else { return Ok(()) };
            let mut record = record(&json!({}));
            let package = &mut record.package_record;
            package.name = PackageName::new_unchecked(name.as_str());
            package.version =
                rattler_conda_types::VersionWithSource::new(parsed, version.as_str());
            package.build =
                rattler_conda_types::package::BuildString::new_unchecked(build.as_str());
            if check_package(&record.package_record).is_ok() {
                let file = format!("{name}-{version}-{build}");
                let parts: Vec<_> = Path::new(&file).components().collect();
                prop_assert_eq!(parts.len(), 1);
                prop_assert!(matches!(parts[0], Component::Normal(_)));
                prop_assert!(!file.contains(['/', '\\', ':', '?', '#', '%']));
            }
        }
    }
}
