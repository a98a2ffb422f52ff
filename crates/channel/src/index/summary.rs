//! Checks that JSON is an index of the right subdir, and summarises it.
//!
//! One pass over the bytes that keeps only `info`. A JSON error page, an index of another subdir
//! and names that aren't file names are found here, while another source can still be asked.

use std::fmt;

use rattler_conda_types::Subdir;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::parse_error;

/// The summary of an index.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct IndexSummary {
    pub(crate) base_url: Option<String>,
    /// The number of archives that it lists.
    pub(crate) records: usize,
    /// The timestamp of the newest archive, in seconds since 1970.
    pub(crate) newest: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(expecting = "a table")]
struct Info {
    subdir: Option<String>,
    base_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(expecting = "a table")]
struct Outline {
    info: Option<Info>,
    packages: Option<Names>,
    #[serde(rename = "packages.conda")]
    conda: Option<Names>,
    v3: Option<V3>,
}

#[derive(Deserialize)]
#[serde(expecting = "a table")]
struct V3 {
    #[serde(rename = "tar.bz2")]
    tar_bz2: Option<Names>,
    conda: Option<Names>,
    #[serde(rename = "whl")]
    wheel: Option<Names>,
}

/// A map of packages whose keys are checked.
#[derive(Default)]
struct Names {
    count: usize,
    newest: Option<u64>,
}

#[derive(Deserialize)]
#[serde(expecting = "a table")]
struct Record {
    timestamp: Option<serde_json::Value>,
}

impl Record {
    /// Returns the timestamp in seconds: conda writes milliseconds, and earlier wrote seconds. A
    /// time after the year 9999 is ignored.
    fn seconds(&self) -> Option<u64> {
        const LAST: u64 = 253_402_300_799;
        let written = self.timestamp.as_ref()?.as_u64()?;
        let seconds = if written > LAST { written / 1000 } else { written };
        (seconds <= LAST).then_some(seconds)
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of packages")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let mut names = Names::default();
                while let Some((name, record)) = map.next_entry::<&str, Record>()? {
                    if !is_file_name(name) {
                        return Err(A::Error::custom(format_args!(
                            "`{name}` isn't a file name of a package"
                        )));
                    }
                    names.count += 1;
                    names.newest = names.newest.max(record.seconds());
                }
                Ok(names)
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

/// Whether `name` is one path segment that needs no escaping in a URL.
fn is_file_name(name: &str) -> bool {
    let is_unsafe = |c: char| {
        matches!(c, '/' | '\\' | ':' | '?' | '#' | '%') || c.is_control() || c.is_whitespace()
    };
    !name.is_empty() && !name.starts_with('.') && !name.contains(is_unsafe)
}

/// Summarises the index of `subdir`, or returns why the JSON isn't one.
pub(crate) fn summarize(json: &[u8], subdir: Subdir) -> Result<IndexSummary, String> {
    let outline: Outline = serde_json::from_slice(json).map_err(|error| {
        if error.is_eof() {
            "the JSON is incomplete".to_owned()
        } else {
            format!("not an index: {}", parse_error::describe(&error.to_string()))
        }
    })?;
    if outline.packages.is_none() && outline.conda.is_none() && outline.v3.is_none() {
        return Err("not an index: the JSON has no `packages`".into());
    }
    let info = outline.info.unwrap_or_default();
    if let Some(other) = info.subdir.filter(|other| other != subdir.as_str()) {
        return Err(format!("the index of {other} instead of {subdir}"));
    }
    let v3 = outline.v3.into_iter().flat_map(|v3| [v3.tar_bz2, v3.conda, v3.wheel]);
    let all: Vec<Names> =
        [outline.packages, outline.conda].into_iter().chain(v3).flatten().collect();
    Ok(IndexSummary {
        base_url: info.base_url,
        records: all.iter().map(|names| names.count).sum(),
        newest: all.iter().filter_map(|names| names.newest).max(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary_of(json: &str) -> Result<IndexSummary, String> {
        super::summarize(json.as_bytes(), Subdir::NoArch)
    }

    #[test]
    fn other_json_is_not_an_index() {
        assert!(
            summary_of(
                r#"{"info":{"subdir":"noarch"},"packages":{},"packages.conda":{"a-1-0.conda":{}}}"#
            )
            .is_ok()
        );
        assert!(summary_of(r#"{"packages":{}}"#).is_ok());
        assert!(
            summary_of(r#"{"error":"not found"}"#).is_err_and(|why| why.contains("no `packages`"))
        );
        assert!(
            summary_of(r#"{"packages":{"a-1-0.conda":{"#)
                .is_err_and(|why| why.contains("incomplete"))
        );
        assert!(summary_of(r#"{"packages":{}} {}"#).is_err());
        assert!(
            summary_of(r#"{"packages":{"a-1-0.conda":7}}"#)
                .is_err_and(|why| why.contains("a table"))
        );
        assert_eq!(
            summary_of("7"),
            Err("not an index: expected a table, found integer `7`".into())
        );
    }

    #[test]
    fn the_summary_has_the_number_of_archives_and_the_newest_timestamp() {
        let about = summary_of(
            r#"{"packages":{"a-1-0.tar.bz2":{"timestamp":1700000000}},
                "packages.conda":{"a-1-0.conda":{"timestamp":1600000000123},"b-1-0.conda":{}},
                "v3":{"conda":{"c-1-0":{"timestamp":99999999999999999}}}}"#,
        );
        let wanted = IndexSummary { base_url: None, records: 4, newest: Some(1_700_000_000) };
        assert_eq!(about, Ok(wanted));
    }

    #[test]
    fn the_index_of_another_subdir_is_refused() {
        let why = summary_of(r#"{"info":{"subdir":"linux-64"},"packages":{}}"#)
            .expect_err("another subdir");
        assert_eq!(why, "the index of linux-64 instead of noarch");
    }

    #[test]
    fn names_that_are_no_file_names_are_refused() {
        for name in
            ["//evil/a-1-0.conda", "../a-1-0.conda", "http://x/a-1-0.conda", "a-1-0.conda?x", ""]
        {
            let json = format!(r#"{{"packages.conda":{{"{name}":{{}}}}}}"#);
            assert!(summary_of(&json).is_err(), "{name}");
        }
        assert!(
            summary_of(r#"{"packages":{"_x-1!2.0+cu118-py_0.tar.bz2":{},"包-1-0.conda":{}}}"#)
                .is_ok()
        );
    }
}
