//! The parts of a match spec that rattler's type can't express, or matches in another way.

use std::str::FromStr;

use rattler_conda_types::{PackageRecord, StringMatcher};

use super::version_conditions::{VersionConditions, matches_pattern};

/// Conditions on a record in addition to those of a [`MatchSpec`](rattler_conda_types::MatchSpec).
///
/// The match spec that they belong to is empty in these parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    pub(super) version: Option<VersionConditions>,
    pub(super) license: Option<String>,
    pub(super) license_family: Option<String>,
    pub(super) track_features: Option<Vec<String>>,
}

impl Conditions {
    /// Whether there are none, so that the match spec says everything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a record meets the conditions.
    pub fn match_record(&self, record: &PackageRecord) -> bool {
        self.match_version(&record.version.as_str())
            && has_text(self.license.as_deref(), record.license.as_deref())
            && has_text(self.license_family.as_deref(), record.license_family.as_deref())
            && self.track_features.as_ref().is_none_or(|features| {
                let mut present: Vec<_> = record.track_features.iter().collect();
                present.sort_unstable();
                present.dedup();
                features.iter().eq(present)
            })
    }

    /// Whether a version meets the condition on the version.
    pub fn match_version(&self, version: &str) -> bool {
        self.version.as_ref().is_none_or(|conditions| conditions.matches(version))
    }

    /// Returns the condition on the version as it is written, if there is one.
    pub fn version_text(&self) -> Option<&str> {
        self.version.as_ref().map(VersionConditions::text)
    }

    /// Returns the keys other than the version that have a condition.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        let keys = [
            (self.license.is_some(), "license"),
            (self.license_family.is_some(), "license_family"),
            (self.track_features.is_some(), "track_features"),
        ];
        keys.into_iter().filter_map(|(has, key)| has.then_some(key))
    }
}

/// Compares as conda does: without case, `*` is any text, `^…$` is a regular expression, a missing
/// value is `None`.
fn has_text(wanted: Option<&str>, value: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| {
        if is_regex(wanted) {
            let regex = StringMatcher::from_str(wanted);
            return regex.is_ok_and(|regex| regex.matches(value.unwrap_or("None")));
        }
        matches_pattern(&wanted.to_lowercase(), &value.unwrap_or("None").to_lowercase())
    })
}

/// Whether conda reads a text as a regular expression.
pub(super) fn is_regex(text: &str) -> bool {
    text.starts_with('^') && text.ends_with('$')
}

/// Splits the value of `track_features`, sorted and without duplicates.
pub(super) fn features(value: &str) -> Vec<String> {
    let mut features: Vec<_> =
        value.split([',', ' ']).filter(|f| !f.is_empty()).map(str::to_owned).collect();
    features.sort_unstable();
    features.dedup();
    features
}
