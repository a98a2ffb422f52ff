//! The dependencies and constraints of records, with conda's meaning.

use std::fmt;

use rattler_conda_types::{
    GenericVirtualPackage, MatchSpec, Matches, PackageName, PackageRecord, ParseMatchSpecOptions,
    RepodataRevision,
};

use super::Conditions;
use super::matchspec;
use crate::{record::check_match_spec, virtual_packages};

/// A dependency or a constraint of a record.
///
/// rattler reads most of them as conda does. The others, such as `certifi *.dev`, are read by the
/// parser of environment.yml.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordSpec {
    spec: MatchSpec,
    conditions: Conditions,
    /// Whether rattler would read the text in another way.
    is_translated: bool,
}

impl RecordSpec {
    /// Parses a dependency or a constraint. `None` if it is malformed, too long or nested too
    /// deeply.
    pub fn parse(text: &str) -> Option<Self> {
        check_match_spec(text).ok()?;
        let options = ParseMatchSpecOptions::lenient().with_repodata_revision(RepodataRevision::V3);
        let usual = MatchSpec::from_str(text, options).ok();
        if !Self::rattler_agrees(text)
            && let Ok(parts) = matchspec::parse(text)
        {
            let same = |usual: &MatchSpec| {
                usual.version == parts.spec.version && usual.build == parts.spec.build
            };
            if parts.conditions.version_text().is_some() || !usual.as_ref().is_some_and(same) {
                let (spec, conditions) = (parts.spec, parts.conditions);
                return Some(Self { spec, conditions, is_translated: true });
            }
        }
        usual.map(|spec| Self { spec, conditions: Conditions::default(), is_translated: false })
    }

    /// Whether rattler certainly gives a text conda's meaning. A `false` may be wrong.
    ///
    /// Only patterns have two meanings, and of these not the frequent ones, such as
    /// `python 3.10.* *_cpython`. This is much cheaper than parsing.
    pub fn rattler_agrees(text: &str) -> bool {
        if !text.contains('*') {
            return !has_single_equals(text);
        }
        let mut words = text.split(' ');
        let [name, version, build] = [words.next(), words.next(), words.next()];
        let is_usual_condition = |condition: &str| match condition.strip_suffix(".*") {
            Some(stem) => {
                let is_number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
                stem.starts_with(|c: char| c.is_ascii_digit())
                    && stem.bytes().all(is_number)
                    && !stem.ends_with(".0")
            }
            None => condition == "*" || !condition.contains('*'),
        };
        words.next().is_none()
            && name.is_some_and(|name| !name.contains(['*', '=', '<', '>', '!', '~', '[', ':']))
            && version.is_none_or(|version| version.split([',', '|']).all(is_usual_condition))
            && build.is_none_or(|build| !build.contains(['=', ',', '|', '[']))
    }

    /// Returns the normalised name of the package. It is empty if the name is a pattern.
    pub fn package(&self) -> &str {
        self.spec.name.as_exact().map_or("", PackageName::as_normalized)
    }

    /// Returns the match spec, without the conditions that rattler has no form for.
    pub fn spec(&self) -> &MatchSpec {
        &self.spec
    }

    /// Returns the condition on the version that rattler has no form for, as it is written.
    pub fn version_condition(&self) -> Option<&str> {
        self.conditions.version_text()
    }

    /// Whether a record meets the dependency or the constraint.
    pub fn matches(&self, record: &PackageRecord) -> bool {
        self.spec.matches(record) && self.conditions.match_record(record)
    }

    /// Whether a machine with this virtual package meets the dependency or the constraint.
    pub fn matches_virtual(&self, package: &GenericVirtualPackage) -> bool {
        virtual_packages::meets(package, &self.spec, &self.conditions)
    }

    /// Rewrites the text so that rattler matches the same of `versions` as conda, where `versions`
    /// are all versions of the package. `None` if rattler gives the original conda's meaning.
    pub fn translate_for_rattler<'v>(
        &self,
        versions: impl IntoIterator<Item = &'v str>,
    ) -> Option<String> {
        if !self.is_translated {
            return None;
        }
        let version = match (&self.spec.version, self.conditions.version_text()) {
            (_, Some(_)) => {
                let mut exact: Vec<_> = versions
                    .into_iter()
                    .filter(|version| self.conditions.match_version(version))
                    .map(|version| format!("=={version}"))
                    .collect();
                exact.sort_unstable();
                exact.dedup();
                // No version meets both, so that nothing matches.
                if exact.is_empty() { "<0,>=0".to_owned() } else { exact.join("|") }
            }
            (Some(version), None) => version.to_string(),
            (None, None) => "*".to_owned(),
        };
        let build = self.spec.build.as_ref().map(|build| format!(" {build}")).unwrap_or_default();
        Some(format!("{} {version}{build}", self.package()))
    }
}

impl fmt::Display for RecordSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.version_condition(), &self.spec.build) {
            (None, _) => write!(f, "{}", self.spec),
            (Some(version), None) => write!(f, "{} {version}", self.package()),
            (Some(version), Some(build)) => write!(f, "{} {version} {build}", self.package()),
        }
    }
}

/// Whether a text has an `=` that is no part of another operator, as in `x =1.0`.
fn has_single_equals(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        *byte == b'='
            && bytes.get(at + 1) != Some(&b'=')
            && before.is_none_or(|before| !b"=!<>~".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use rattler_conda_types::{Version, VersionWithSource, package::BuildString};

    use super::*;

    fn record(version: &str, build: &str) -> PackageRecord {
        let parsed: Version = version.parse().expect("a version");
        PackageRecord::new(
            PackageName::new_unchecked("x"),
            VersionWithSource::new(parsed, version),
            BuildString::new_unchecked(build),
        )
    }

    /// Each row was compared with conda's `MatchSpec`.
    const CASES: &[(&str, &[&str], &[&str])] = &[
        ("x *.dev", &["2024.8.1.dev 0"], &["2024.8.1 0", "2024.8.1.dev1 0"]),
        ("x * .dev", &["1 .dev"], &["1 0", "1.dev 0"]),
        ("x 3.4.*+aws", &["3.4.3+aws 0"], &["3.4.3 0", "3.5.3+aws 0"]),
        ("x =3.4.*+aws", &["3.4.3+aws 0", "3.4.3+aws.1 0"], &["3.4.3 0"]),
        ("x *.*", &["1.2 0", "1.2.3 0"], &["3 0"]),
        ("x 2.*.*", &["2.7.1 0", "2.7.1.2 0"], &["2.7 0", "2 0", "3.1.1 0"]),
        ("x ==2.7.*.*", &["2.7.1.2 0"], &["2.7.1 0", "2.7 0"]),
        ("x 0.2.*.", &[], &["0.2.1 0", "0.2 0"]),
        ("x >=2.10*", &["2.10 0", "2.10a0 0", "2.10.3 0", "3 0"], &["2.9 0"]),
        ("x >2.10*", &["2.10 0", "2.10.3 0"], &["2.9.9 0"]),
        ("x <2.10*", &["2.9 0"], &["2.10a0 0", "2.10 0"]),
        ("x <=1.5*", &["1.4 0"], &["1.5 0"]),
        ("x >=7.*", &["7 0", "8 0"], &["6.9 0"]),
        ("x >7.*", &["7.1 0"], &["7 0"]),
        ("x >=1,<2.*", &["1.9 0"], &["2 0"]),
        ("x !=1.2*", &["1.2 0", "1.3 0"], &[]),
        ("x !=1.2.*", &["1.3 0"], &["1.2.1 0"]),
        ("x 1.0.0.*", &["1.0 0", "1.0.0 0", "1.0.0.2 0"], &["1.0a1 0", "1.0rc1 0", "1.0.1 0"]),
        ("x =1.0.0", &["1.0 0", "1.0.0.2 0"], &["1.0rc1 0", "1.1 0"]),
        ("x =1.0.0.0", &["1.0 0"], &["1.0.post1 0"]),
        ("x !=1.0.0.*", &["1.0rc1 0", "1.1 0"], &["1.0 0", "1.0.0.2 0"]),
        ("x >=1,1.0.*", &["1.0 0", "1.0.1 0"], &["1.1 0"]),
        ("x 1.2a*", &["1.2a0 0", "1.2alpha 0"], &["1.2 0", "1.2b0 0"]),
        ("x =3.9.0=27*_mkl", &["3.9.0 27_mkl"], &["3.9.0.1 27_mkl", "3.9.0 28_mkl"]),
        ("x ==1.*|>=3.4", &["1 0", "3.4 0"], &["2 0"]),
        ("x *", &["1 0"], &[]),
        ("x 1.2.* py*", &["1.2.9 py_0"], &["1.2.9 0", "1.20 py_0"]),
    ];

    #[test]
    fn a_text_keeps_the_version_that_rattler_has_no_form_for() {
        for text in ["x >=5.1,!=6.0.*", "x *.dev", "x 1.0.0.* py_0", "x >=1,<2.0a0"] {
            assert_eq!(RecordSpec::parse(text).expect(text).to_string(), text);
        }
    }

    #[test]
    fn the_patterns_of_indexes_match_as_in_conda() {
        for (text, yes, no) in CASES {
            let spec = RecordSpec::parse(text).expect(text);
            let matches = |candidate: &&str| {
                let (version, build) = candidate.split_once(' ').expect("version and build");
                spec.matches(&record(version, build))
            };
            let wrong: Vec<_> = yes
                .iter()
                .filter(|candidate| !matches(candidate))
                .chain(no.iter().filter(|candidate| matches(candidate)))
                .collect();
            assert!(wrong.is_empty(), "{text}: {wrong:?}");
        }
    }

    #[test]
    fn deep_and_long_texts_are_malformed() {
        for text in [
            format!("x {}1{}", "(".repeat(5000), ")".repeat(5000)),
            "x [".repeat(5000),
            format!("x {}", "*".repeat(1_000_000)),
        ] {
            assert_eq!(RecordSpec::parse(&text), None);
        }
    }

    #[test]
    fn the_text_for_rattler_matches_the_same_records() {
        for (text, yes, no) in CASES {
            let candidates: Vec<_> = yes.iter().chain(*no).copied().collect();
            let versions = candidates.iter().filter_map(|c| c.split_once(' ')).map(|(v, _)| v);
            let spec = RecordSpec::parse(text).expect(text);
            let translated =
                spec.translate_for_rattler(versions).unwrap_or_else(|| (*text).to_owned());
            let options = ParseMatchSpecOptions::lenient();
            let translated_spec =
                MatchSpec::from_str(&translated, options).unwrap_or_else(|e| panic!("{text}: {e}"));
            for candidate in candidates {
                let (version, build) = candidate.split_once(' ').expect("version and build");
                let record = record(version, build);
                let same = spec.matches(&record) == translated_spec.matches(&record);
                assert!(same, "{text} as {translated}: {candidate}");
            }
        }
    }
}
