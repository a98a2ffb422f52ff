//! Is this JSON an index at all, whole and of the subdir that was asked for?
//!
//! One pass over the bytes that keeps nothing but `info`. A JSON error page, an index of
//! another subdir and names that would lead to another place are found here, while another
//! source can still be asked.

use std::fmt;

use rattler_conda_types::Subdir;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// What an index says of itself.
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(expecting = "a table")]
pub(crate) struct About {
    subdir: Option<String>,
    pub(crate) base_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(expecting = "a table")]
struct Outline {
    info: Option<About>,
    packages: Option<Names>,
    #[serde(rename = "packages.conda")]
    conda: Option<Names>,
    v3: Option<V3>,
}

#[derive(Deserialize)]
#[serde(expecting = "a table")]
struct V3 {
    #[serde(rename = "tar.bz2")]
    _tar_bz2: Option<Names>,
    #[serde(rename = "conda")]
    _conda: Option<Names>,
    #[serde(rename = "whl")]
    _wheel: Option<Names>,
}

/// A map whose keys were looked at.
struct Names;

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of packages")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                while let Some((name, IgnoredAny)) = map.next_entry::<&str, _>()? {
                    if !is_file_name(name) {
                        return Err(A::Error::custom(format_args!(
                            "`{name}` is no name of a package's file"
                        )));
                    }
                }
                Ok(Names)
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

/// One path segment that a URL takes as it is: nothing in it can lead elsewhere.
fn is_file_name(name: &str) -> bool {
    let odd = |c: char| {
        matches!(c, '/' | '\\' | ':' | '?' | '#' | '%') || c.is_control() || c.is_whitespace()
    };
    !name.is_empty() && !name.starts_with('.') && !name.contains(odd)
}

/// What the index of `subdir` says of itself, or why it is none.
pub(crate) fn read(json: &[u8], subdir: Subdir) -> Result<About, String> {
    let outline: Outline = serde_json::from_slice(json).map_err(|error| {
        if error.is_eof() {
            "the JSON ends in the middle".to_owned()
        } else {
            format!("no index: {error}")
        }
    })?;
    if outline.packages.is_none() && outline.conda.is_none() && outline.v3.is_none() {
        return Err("JSON, but no index: it has no `packages`".into());
    }
    let about = outline.info.unwrap_or_default();
    match &about.subdir {
        Some(other) if other != subdir.as_str() => {
            Err(format!("the index of {other} instead of {subdir}"))
        }
        _ => Ok(about),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<About, String> {
        super::read(json.as_bytes(), Subdir::NoArch)
    }

    #[test]
    fn an_index_is_told_from_other_json() {
        assert!(
            read(
                r#"{"info":{"subdir":"noarch"},"packages":{},"packages.conda":{"a-1-0.conda":{}}}"#
            )
            .is_ok()
        );
        assert!(read(r#"{"packages":{}}"#).is_ok());
        assert!(read(r#"{"error":"not found"}"#).is_err_and(|why| why.contains("no `packages`")));
        assert!(
            read(r#"{"packages":{"a-1-0.conda":{"#).is_err_and(|why| why.contains("in the middle"))
        );
        assert!(read(r#"{"packages":{}} {}"#).is_err());
        assert_eq!(
            read("7"),
            Err("no index: invalid type: integer `7`, expected a table at line 1 column 1".into())
        );
    }

    #[test]
    fn the_index_of_another_subdir_is_refused() {
        let why =
            read(r#"{"info":{"subdir":"linux-64"},"packages":{}}"#).expect_err("another subdir");
        assert_eq!(why, "the index of linux-64 instead of noarch");
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in
            ["//evil/a-1-0.conda", "../a-1-0.conda", "http://x/a-1-0.conda", "a-1-0.conda?x", ""]
        {
            let json = format!(r#"{{"packages.conda":{{"{name}":{{}}}}}}"#);
            assert!(read(&json).is_err(), "{name}");
        }
        assert!(
            read(r#"{"packages":{"_x-1!2.0+cu118-py_0.tar.bz2":{},"包-1-0.conda":{}}}"#).is_ok()
        );
    }
}
