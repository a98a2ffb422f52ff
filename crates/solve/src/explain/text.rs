//! Formats requirements and versions in short form.

use envlock_model::lock_inputs::RequestedSpec;
use rattler_conda_types::{MatchSpec, RepoDataRecord};

/// Returns `3.11` for `>=3.11,<3.12.0a0` and `3.10` for `3.10.*` or `=3.10`; else the text
/// unchanged.
pub(super) fn version_text(spec: &MatchSpec) -> String {
    let Some(version) = &spec.version else { return "any".to_owned() };
    let text = version.to_string();
    if let Some((low, high)) = text.split_once(',')
        && let (Some(low), Some(high)) = (low.strip_prefix(">="), high.strip_prefix('<'))
        && is_next(low, high)
    {
        return low.to_owned();
    }
    let plain = text.trim_start_matches('=').trim_end_matches(".*").trim_end_matches('*');
    let is_plain =
        !plain.is_empty() && plain.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    if is_plain { plain.to_owned() } else { text }
}

/// Whether `high` (`3.12.0a0`) is the release after `low` (`3.11`) at its last number.
fn is_next(low: &str, high: &str) -> bool {
    let high = high.trim_end_matches(".0a0").trim_end_matches("a0");
    let numbers = |text: &str| -> Option<Vec<u64>> {
        text.split('.').map(|part| part.parse().ok()).collect()
    };
    let (Some(low), Some(high)) = (numbers(low), numbers(high)) else { return false };
    let Some(last) = high.len().checked_sub(1) else { return false };
    low.len() == high.len() && low[..last] == high[..last] && high[last] == low[last] + 1
}

/// Returns the line that requests `package` in the versions of `spec` and any build.
pub(super) fn spec_line(package: &str, spec: &MatchSpec) -> String {
    let Some(version) = &spec.version else { return package.to_owned() };
    let text = version.to_string();
    match text.strip_suffix(".*").unwrap_or(&text) {
        "*" => package.to_owned(),
        _ if text.contains('(') => format!("{package}[version='{text}']"),
        _ if text.starts_with(['=', '!', '<', '>', '~']) => format!("{package}{text}"),
        stem if stem.contains([',', '|']) => format!("{package} {text}"),
        stem => format!("{package}={stem}"),
    }
}

/// Reads a record's value of a key.
pub(super) type RecordValue = fn(&RepoDataRecord) -> String;

/// Returns the keys of a spec except the version and digests, which don't help a reader.
pub(super) fn other_spec_keys(spec: &MatchSpec) -> Vec<(&'static str, RecordValue)> {
    let keys: [(bool, &str, RecordValue); 6] = [
        (spec.build.is_some(), "build", |r| r.package_record.build.to_string()),
        (spec.build_number.is_some(), "build_number", |r| {
            r.package_record.build_number.to_string()
        }),
        (spec.license.is_some(), "license", |r| or_none(r.package_record.license.clone())),
        (spec.license_family.is_some(), "license_family", |r| {
            or_none(r.package_record.license_family.clone())
        }),
        (spec.track_features.is_some(), "track_features", |r| {
            or_none(r.package_record.track_features.first().cloned())
        }),
        (spec.url.is_some(), "url", |r| r.url.to_string()),
    ];
    keys.into_iter().filter(|(asked, ..)| *asked).map(|(_, key, value)| (key, value)).collect()
}

fn or_none(value: Option<String>) -> String {
    value.unwrap_or_else(|| "none".to_owned())
}

/// Returns the version of a request: `2.13.0`, `3.10`.
pub(super) fn requested_version(request: &RequestedSpec) -> String {
    version_text(&request.spec)
}

/// Returns the distance of two versions: the index of the first number that differs (a later one
/// is nearer), then the difference.
pub(super) fn distance(a: &str, b: &str) -> (usize, u64) {
    let numbers = |text: &str| -> Vec<u64> {
        text.split(|c: char| !c.is_ascii_digit())
            .filter(|part| !part.is_empty())
            .map(|part| part.parse().unwrap_or(u64::MAX))
            .collect()
    };
    let (a, b) = (numbers(a), numbers(b));
    let longest = a.len().max(b.len());
    let at = |list: &[u64], index: usize| list.get(index).copied().unwrap_or(0);
    for index in 0..longest {
        let (x, y) = (at(&a, index), at(&b, index));
        if x != y {
            return (usize::MAX - index, x.abs_diff(y));
        }
    }
    (0, 0)
}

#[cfg(test)]
mod tests {
    use rattler_conda_types::ParseMatchSpecOptions;

    use super::*;

    fn shown(text: &str) -> String {
        version_text(&MatchSpec::from_str(text, ParseMatchSpecOptions::lenient()).expect(text))
    }

    #[test]
    fn a_range_of_one_release_is_formatted_as_that_release() {
        assert_eq!(shown("python >=3.11,<3.12.0a0"), "3.11");
        assert_eq!(shown("python 3.10.*"), "3.10");
        assert_eq!(shown("python=3.10"), "3.10");
        assert_eq!(shown("tensorflow==2.13.0"), "2.13.0");
        assert_eq!(
            shown("numpy >=1.22,<2.0a0"),
            "1.22".to_owned().replace("1.22", ">=1.22,<2.0a0")
        );
        assert_eq!(shown("numpy"), "any");
    }

    #[test]
    fn a_line_for_any_build_is_one_that_is_read() {
        for (asked, line) in [
            ("x >=3.8 zzz_*", "x>=3.8"),
            ("x=1.24.3=foo", "x==1.24.3"),
            ("x=1.24", "x=1.24"),
            ("x 1.2.*|3.* foo", "x 1.2.*|3.*"),
            ("x>=1,<2|>3", "x>=1,<2|>3"),
            ("x !=1.2.*", "x!=1.2.*"),
            ("x ~=1.2", "x~=1.2"),
            ("x[version='(>=1|<0.5),!=2',build=foo]", "x[version='(>=1|<0.5),!=2']"),
            ("x[license=MIT]", "x"),
            ("x", "x"),
        ] {
            let read = |text| {
                let place = envlock_report::Place::new("", 1, 1);
                envlock_model::spec::parse_spec(text, place).expect(text).spec.version
            };
            let spec = MatchSpec { version: read(asked), ..MatchSpec::default() };
            assert_eq!(self::spec_line("x", &spec), line);
            assert_eq!(read(line), spec.version, "{line}");
        }
    }

    #[test]
    fn the_nearest_version_differs_last_and_least() {
        let mut versions = vec!["2.10.0", "2.13.1", "2.14.0", "1.13.0"];
        versions.sort_by_key(|version| distance("2.13.0", version));
        assert_eq!(versions, ["2.13.1", "2.14.0", "2.10.0", "1.13.0"]);
    }
}
