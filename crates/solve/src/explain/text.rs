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

/// Returns the line that requests the package of `request` in the same versions and any build.
pub(super) fn spec_line(request: &RequestedSpec) -> String {
    let package = request.package();
    let pattern = request.conditions.version_text();
    let pattern = pattern.map(|pattern| match plain_stem(pattern) {
        Some(stem) => format!("{stem}.*"),
        None => pattern.to_owned(),
    });
    let version = request.spec.version.as_ref().map(ToString::to_string);
    let Some(text) = pattern.or(version) else { return package.to_owned() };
    match text.strip_suffix(".*").unwrap_or(&text) {
        "*" => package.to_owned(),
        _ if text.contains('(') => format!("{package}[version='{text}']"),
        _ if text.starts_with(['=', '!', '<', '>', '~']) => format!("{package}{text}"),
        stem if stem.contains([',', '|', '*']) => format!("{package} {text}"),
        stem => format!("{package}={stem}"),
    }
}

/// A function that returns a record's value of a key.
pub(super) type ReadValue = fn(&RepoDataRecord) -> String;

/// Returns the keys of a request except the version and digests, which don't help a reader.
pub(super) fn other_spec_keys(request: &RequestedSpec) -> Vec<(&'static str, ReadValue)> {
    let spec = &request.spec;
    let has = |key| request.conditions.keys().any(|other| other == key);
    let keys: [(bool, &str, ReadValue); 6] = [
        (spec.build.is_some(), "build", |r| r.package_record.build.to_string()),
        (spec.build_number.is_some(), "build_number", |r| {
            r.package_record.build_number.to_string()
        }),
        (has("license"), "license", |r| or_none(r.package_record.license.clone())),
        (has("license_family"), "license_family", |r| {
            or_none(r.package_record.license_family.clone())
        }),
        (has("track_features"), "track_features", |r| {
            let features = r.package_record.track_features.join(" ");
            or_none((!features.is_empty()).then_some(features))
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
    match request.conditions.version_text() {
        Some(pattern) => plain_stem(pattern).unwrap_or(pattern).to_owned(),
        None => version_text(&request.spec),
    }
}

/// Returns `1.0.0` for `1.0.0.*` and `1.0.0*`; `None` for any other pattern.
fn plain_stem(pattern: &str) -> Option<&str> {
    let stem = pattern.strip_suffix('*')?;
    let stem = stem.strip_suffix('.').unwrap_or(stem);
    let is_plain = !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    is_plain.then_some(stem)
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
    fn a_line_for_any_build_can_be_parsed() {
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
            ("x=3.4.*+aws", "x 3.4.*+aws*"),
            ("x *.dev", "x *.dev"),
            ("x >=2.10*,<3 py_0", "x>=2.10*,<3"),
            ("x", "x"),
        ] {
            let read = |text| {
                let place = envlock_report::Place::new("", 1, 1);
                envlock_model::spec::parse_spec(text, place).expect(text)
            };
            let request = read(asked);
            assert_eq!(spec_line(&request), line);
            assert_eq!(read(line).spec.version, request.spec.version, "{line}");
            let [a, b] =
                [&read(line), &request].map(|r| r.conditions.version_text().map(str::to_owned));
            assert_eq!(a, b, "{line}");
        }
    }

    #[test]
    fn the_nearest_version_differs_last_and_least() {
        let mut versions = vec!["2.10.0", "2.13.1", "2.14.0", "1.13.0"];
        versions.sort_by_key(|version| distance("2.13.0", version));
        assert_eq!(versions, ["2.13.1", "2.14.0", "2.10.0", "1.13.0"]);
    }
}
