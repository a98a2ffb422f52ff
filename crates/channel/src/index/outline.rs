//! Parses the tables of an index, without the contents of the records.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The table `info` of an index.
#[derive(Default, Deserialize)]
#[serde(expecting = "a table")]
pub(super) struct Info {
    pub(super) subdir: Option<String>,
    pub(super) base_url: Option<String>,
}

/// The tables of an index.
#[derive(Deserialize)]
#[serde(expecting = "a table")]
pub(super) struct Outline<'a> {
    pub(super) info: Option<Info>,
    #[serde(borrow)]
    pub(super) packages: Option<Table<'a>>,
    #[serde(borrow, rename = "packages.conda")]
    pub(super) conda: Option<Table<'a>>,
    #[serde(borrow)]
    pub(super) v3: Option<V3<'a>>,
    #[serde(borrow)]
    pub(super) removed: Option<&'a RawValue>,
}

/// The table `v3` of an index: further tables of records, one for each format of archives.
#[derive(Deserialize)]
#[serde(expecting = "a table")]
pub(super) struct V3<'a> {
    #[serde(borrow, rename = "tar.bz2")]
    pub(super) tar_bz2: Option<Table<'a>>,
    #[serde(borrow)]
    pub(super) conda: Option<Table<'a>>,
    #[serde(rename = "whl")]
    pub(super) wheel: Option<Counted>,
}

/// A table of records.
pub(super) struct Table<'a>(pub(super) Vec<(Key<'a>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Table<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Table<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of packages")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Table(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// A key of a table.
pub(super) enum Key<'a> {
    /// The key has no escape sequences.
    Plain(&'a str),
    /// The key has escape sequences.
    Escaped(String),
}

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a file name")
            }

            fn visit_borrowed_bytes<E>(self, text: &'de [u8]) -> Result<Key<'de>, E> {
                Ok(match std::str::from_utf8(text) {
                    Ok(text) => Key::Plain(text),
                    Err(_) => Key::Escaped(String::from_utf8_lossy(text).into_owned()),
                })
            }

            fn visit_bytes<E>(self, text: &[u8]) -> Result<Key<'de>, E> {
                Ok(Key::Escaped(String::from_utf8_lossy(text).into_owned()))
            }
        }
        // As a string, an escape sequence that isn't a character would make the table unreadable.
        deserializer.deserialize_bytes(Text)
    }
}

/// The number of entries of a table.
pub(super) struct Counted(pub(super) usize);

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Counted;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of packages")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Counted, A::Error> {
                let mut count = 0;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Counted(count))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}
