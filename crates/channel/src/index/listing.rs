//! The list of an index's archives, by name, without the contents of their records.
//!
//! An index of a large channel has hundreds of megabytes, and a solve needs few of its records.
//! So one pass finds the position of each record, and a record is parsed when it is needed. An
//! entry whose file name can't be used is skipped and reported; the other entries are used.

use std::collections::HashSet;
use std::ops::Range;

use rattler_conda_types::Subdir;
use rattler_conda_types::package::{CondaArchiveType, DistArchiveType};
use serde_json::value::RawValue;

use super::lenient;
use super::outline::{Key, Outline, Table};
use super::skipped::SkippedRecords;
use crate::parse_error;

/// The archives of an index, sorted by name, then by build and format.
#[derive(Debug)]
pub(crate) struct Listing {
    json: String,
    /// `info.base_url`, as written.
    pub(crate) base_url: Option<String>,
    entries: Vec<Entry>,
    /// How many wheels it lists. They aren't used.
    wheels: usize,
    /// The entries that aren't used.
    pub(crate) skipped: SkippedRecords,
}

/// The position of one archive's record.
#[derive(Debug, Clone, Copy)]
struct Entry {
    key: Span,
    /// The length of the package's name, at the start of the key.
    name: u32,
    /// The length of the key without the extension.
    file_stem: u32,
    record: Span,
    table: IndexTable,
}

/// A part of the JSON. An index has less than 4 GiB.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    length: u32,
}

impl Span {
    fn range(self) -> Range<usize> {
        self.start as usize..self.start as usize + self.length as usize
    }
}

/// A table of an index. It decides the format of its archives. The preferred table is first:
/// `.conda` is preferred to the `.tar.bz2` of the same build, because mirrors remove the latter
/// first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum IndexTable {
    /// `v3.conda`: archives in `.conda` format. Its keys have no extension.
    V3Conda,
    /// `packages.conda`: archives in `.conda` format.
    PackagesConda,
    /// `v3."tar.bz2"`: archives in `.tar.bz2` format. Its keys have no extension.
    V3TarBz2,
    /// `packages`: archives in `.tar.bz2` format.
    Packages,
}

impl IndexTable {
    fn archive_type(self) -> CondaArchiveType {
        match self {
            Self::V3Conda | Self::PackagesConda => CondaArchiveType::Conda,
            Self::V3TarBz2 | Self::Packages => CondaArchiveType::TarBz2,
        }
    }
}

/// One archive of a listing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListedArchive<'a> {
    /// The file name without the extension.
    pub(crate) file_stem: &'a str,
    pub(crate) archive_type: CondaArchiveType,
    /// The table that lists it.
    pub(crate) table: IndexTable,
    /// The record, as JSON.
    pub(crate) record: &'a str,
}

impl ListedArchive<'_> {
    pub(crate) fn file_name(&self) -> String {
        format!("{}{}", self.file_stem, DistArchiveType::from(self.archive_type).extension())
    }
}

impl Listing {
    /// Reads the index of `subdir`, or returns why the JSON isn't one.
    pub(crate) fn read(json: String, subdir: Subdir) -> Result<Self, String> {
        match Self::read_strict(json, subdir) {
            Ok(listing) => Ok(listing),
            Err((reason, json)) => match json.and_then(|json| lenient::mended(&json)) {
                Some(json) => Self::read_strict(json, subdir).map_err(|(reason, _)| reason),
                None => Err(reason),
            },
        }
    }

    /// Reads an index. The error has the text if it isn't JSON.
    fn read_strict(json: String, subdir: Subdir) -> Result<Self, (String, Option<String>)> {
        let outline: Outline<'_> = match serde_json::from_str(&json) {
            Ok(outline) => outline,
            Err(error) if error.is_eof() => return Err(("the JSON is incomplete".into(), None)),
            Err(error) => {
                let reason = format!("not an index: {}", parse_error::describe(&error));
                return Err((reason, Some(json)));
            }
        };
        if outline.packages.is_none() && outline.conda.is_none() && outline.v3.is_none() {
            return Err(("not an index: the JSON has no `packages`".into(), None));
        }
        let info = outline.info.unwrap_or_default();
        if let Some(other) = info.subdir.filter(|other| other != subdir.as_str()) {
            return Err((format!("the index of {other} instead of {subdir}"), None));
        }
        let mut reader = Reader {
            json: &json,
            removed: outline.removed.map(removed).unwrap_or_default(),
            entries: Vec::new(),
            wheels: 0,
            skipped: SkippedRecords::default(),
        };
        let v3 = outline.v3.map(|v3| (v3.conda, v3.tar_bz2, v3.wheel));
        let (v3_conda, v3_tar_bz2, wheel) = v3.unwrap_or_default();
        reader.wheels += wheel.map_or(0, |counted| counted.0);
        reader.add_table(v3_conda, Some(IndexTable::V3Conda));
        reader.add_table(v3_tar_bz2, Some(IndexTable::V3TarBz2));
        reader.add_table(outline.conda, None);
        reader.add_table(outline.packages, None);
        let Reader { mut entries, wheels, skipped, .. } = reader;
        entries.sort_unstable_by_key(|entry| sort_key(&json, entry));
        Ok(Self { json, base_url: info.base_url, entries, wheels, skipped })
    }

    /// Returns the number of archives that are listed, in all formats.
    pub(crate) fn len(&self) -> usize {
        self.entries.len() + self.wheels
    }

    /// Whether no archive is listed that can be used.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the names of the packages, sorted and without duplicates.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let mut last = None;
        let names = self.entries.iter().map(|entry| name_of(&self.json, entry));
        names.filter(move |name| last.replace(*name) != Some(*name))
    }

    /// Returns all archives.
    pub(crate) fn archives(&self) -> impl Iterator<Item = ListedArchive<'_>> {
        self.entries.iter().map(|entry| self.archive(entry))
    }

    /// Returns the archives of a package, grouped by build; the preferred format first.
    pub(crate) fn builds_of(&self, name: &str) -> Vec<Vec<ListedArchive<'_>>> {
        let start = self.entries.partition_point(|entry| name_of(&self.json, entry) < name);
        let own =
            self.entries[start..].iter().take_while(|entry| name_of(&self.json, entry) == name);
        self.grouped(own)
    }

    /// Returns the archives whose names start with `name-` and aren't those of the package `name`:
    /// such a file name can be one of the package with a malformed version.
    pub(crate) fn archives_with_prefix(&self, name: &str) -> Vec<ListedArchive<'_>> {
        let prefix = format!("{name}-");
        let start =
            self.entries.partition_point(|entry| name_of(&self.json, entry) < prefix.as_str());
        self.entries[start..]
            .iter()
            .take_while(|entry| name_of(&self.json, entry).starts_with(&prefix))
            .map(|entry| self.archive(entry))
            .collect()
    }

    fn grouped<'a>(
        &'a self,
        entries: impl Iterator<Item = &'a Entry>,
    ) -> Vec<Vec<ListedArchive<'a>>> {
        let mut builds: Vec<Vec<ListedArchive<'_>>> = Vec::new();
        for archive in entries.map(|entry| self.archive(entry)) {
            match builds.last_mut() {
                Some(build) if build[0].file_stem == archive.file_stem => build.push(archive),
                _ => builds.push(vec![archive]),
            }
        }
        builds
    }

    fn archive(&self, entry: &Entry) -> ListedArchive<'_> {
        ListedArchive {
            file_stem: stem_of(&self.json, entry),
            archive_type: entry.table.archive_type(),
            table: entry.table,
            record: &self.json[entry.record.range()],
        }
    }
}

fn name_of<'a>(json: &'a str, entry: &Entry) -> &'a str {
    &json[entry.key.range()][..entry.name as usize]
}

fn stem_of<'a>(json: &'a str, entry: &Entry) -> &'a str {
    &json[entry.key.range()][..entry.file_stem as usize]
}

fn sort_key<'a>(json: &'a str, entry: &Entry) -> (&'a str, &'a str, IndexTable) {
    (name_of(json, entry), stem_of(json, entry), entry.table)
}

/// Returns the file names in `removed`. Anything else in it is ignored.
fn removed(list: &RawValue) -> HashSet<String> {
    let list: Vec<&RawValue> = serde_json::from_str(list.get()).unwrap_or_default();
    list.into_iter().filter_map(|name| serde_json::from_str(name.get()).ok()).collect()
}

/// Collects the entries of an index.
struct Reader<'a> {
    json: &'a str,
    removed: HashSet<String>,
    entries: Vec<Entry>,
    wheels: usize,
    skipped: SkippedRecords,
}

impl Reader<'_> {
    /// Adds the entries of a table. `v3` names a table whose keys have no extension. In the other
    /// tables the extension of a key decides.
    fn add_table(&mut self, table: Option<Table<'_>>, v3: Option<IndexTable>) {
        for (key, record) in table.into_iter().flat_map(|table| table.0) {
            match key {
                Key::Plain(key) => match self.entry(key, record, v3) {
                    Ok(entry) => self.entries.extend(entry),
                    Err(reason) => self.skipped.add(key, &reason),
                },
                Key::Escaped(key) => {
                    self.skipped.add(&key, "its file name has escape sequences");
                }
            }
        }
    }

    /// Returns the entry; `None` if the index lists the archive as removed, or as a wheel.
    fn entry(
        &mut self,
        key: &str,
        record: &RawValue,
        v3: Option<IndexTable>,
    ) -> Result<Option<Entry>, String> {
        let (stem, table) = match (v3, DistArchiveType::split_str(key)) {
            (Some(table), _) => (key, table),
            (None, Some((stem, DistArchiveType::Conda(CondaArchiveType::Conda)))) => {
                (stem, IndexTable::PackagesConda)
            }
            (None, Some((stem, DistArchiveType::Conda(CondaArchiveType::TarBz2)))) => {
                (stem, IndexTable::Packages)
            }
            (None, Some((_, DistArchiveType::Wheel(_)))) => {
                self.wheels += 1;
                return Ok(None);
            }
            (None, None) => return Err("it isn't the name of an archive".to_owned()),
        };
        if !is_file_name(key) {
            return Err("it isn't a file name".to_owned());
        }
        let name = stem.rsplitn(3, '-').nth(2).filter(|name| !name.is_empty());
        let name = name.ok_or("the file name isn't NAME-VERSION-BUILD")?;
        if !record.get().starts_with('{') {
            return Err("its record isn't a table".to_owned());
        }
        let extension = DistArchiveType::from(table.archive_type()).extension();
        if !self.removed.is_empty() && self.removed.contains(&format!("{stem}{extension}")) {
            return Ok(None);
        }
        let number = |length: usize| u32::try_from(length).map_err(|_| "it is too long".to_owned());
        Ok(Some(Entry {
            key: self.span_of(key)?,
            name: number(name.len())?,
            file_stem: number(stem.len())?,
            record: self.span_of(record.get())?,
            table,
        }))
    }

    /// Returns the position of a part of the JSON.
    fn span_of(&self, part: &str) -> Result<Span, String> {
        let start = part.as_ptr() as usize - self.json.as_ptr() as usize;
        let number = |length: usize| {
            u32::try_from(length).map_err(|_| "the index is larger than 4 GiB".to_owned())
        };
        Ok(Span { start: number(start)?, length: number(part.len())? })
    }
}

/// Whether `name` is one path segment that needs no escaping in a URL.
fn is_file_name(name: &str) -> bool {
    let is_unsafe = |c: char| {
        matches!(c, '/' | '\\' | ':' | '?' | '#' | '%') || c.is_control() || c.is_whitespace()
    };
    !name.is_empty() && !name.starts_with('.') && !name.contains(is_unsafe)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(json: &str) -> Result<Listing, String> {
        Listing::read(json.to_owned(), Subdir::NoArch)
    }

    fn files(listing: &Listing) -> Vec<String> {
        listing.archives().map(|archive| archive.file_name()).collect()
    }

    #[test]
    fn other_json_is_not_an_index() {
        assert!(
            listing(
                r#"{"info":{"subdir":"noarch"},"packages":{},"packages.conda":{"a-1-0.conda":{}}}"#
            )
            .is_ok()
        );
        assert!(listing(r#"{"packages":{}}"#).is_ok());
        let error = |json: &str| listing(json).expect_err("not an index");
        assert!(error(r#"{"error":"not found"}"#).contains("no `packages`"));
        assert!(error(r#"{"packages":{"a-1-0.conda":{"#).contains("incomplete"));
        assert!(error(r#"{"packages":{}} {}"#).contains("not an index"));
        assert!(error(r#"{"packages":[]}"#).contains("expected a table of packages"));
        assert!(error(r#"{"info":7,"packages":{}}"#).contains("expected a table"));
        assert_eq!(error("7"), "not an index: invalid type: integer `7`, expected a table");
    }

    #[test]
    fn the_index_of_another_subdir_is_refused() {
        let why = listing(r#"{"info":{"subdir":"linux-64"},"packages":{}}"#).expect_err("another");
        assert_eq!(why, "the index of linux-64 instead of noarch");
    }

    #[test]
    fn archives_are_sorted_by_name_and_build_with_the_preferred_format_first() {
        let listing = listing(
            r#"{"packages":{"clang-13-13.0-h_0.tar.bz2":{},"clang-12.0-h_0.tar.bz2":{},
                            "a-1-0.tar.bz2":{"x":"tar.bz2"}},
                "packages.conda":{"clang-13.0-h_0.conda":{},"a-1-0.conda":{"x":"conda"}},
                "v3":{"conda":{"a-1-0":{"x":"v3"},"b-1-0.tar.bz2":{}}}}"#,
        )
        .expect("an index");
        assert_eq!(listing.names().collect::<Vec<_>>(), ["a", "b", "clang", "clang-13"]);
        let builds = listing.builds_of("a");
        assert_eq!(builds.len(), 1);
        let records: Vec<_> = builds[0].iter().map(|archive| archive.record).collect();
        assert_eq!(records, [r#"{"x":"v3"}"#, r#"{"x":"conda"}"#, r#"{"x":"tar.bz2"}"#]);
        assert_eq!(listing.builds_of("b")[0][0].file_name(), "b-1-0.tar.bz2.conda");
        assert_eq!(listing.builds_of("clang").len(), 2);
        assert!(listing.builds_of("cl").is_empty() && listing.builds_of("zz").is_empty());
        let others: Vec<_> = listing.archives_with_prefix("clang");
        assert_eq!(others[0].file_name(), "clang-13-13.0-h_0.tar.bz2");
    }

    #[test]
    fn removed_archives_and_wheels_are_not_listed() {
        let listing = listing(
            r#"{"packages":{"a-1-0.tar.bz2":{},"a-2-0.tar.bz2":{},"w-1-0.whl":{}},
                "v3":{"whl":{"x":{}}},"removed":["a-1-0.tar.bz2",7,"no-dash"]}"#,
        )
        .expect("an index");
        assert_eq!(files(&listing), ["a-2-0.tar.bz2"]);
        assert_eq!((listing.len(), listing.skipped.count()), (3, 0));
    }

    #[test]
    fn an_entry_that_cannot_be_used_is_left_out_and_the_others_are_used() {
        let odd = [
            r#""//evil/a-1-0.conda":{}"#,
            r#""../a-1-0.conda":{}"#,
            r#""http://x/a-1-0.conda":{}"#,
            r#""a-1-0.conda?x":{}"#,
            r#""":{}"#,
            r#""a.conda":{}"#,
            r#""a-1.conda":{}"#,
            r#""-1-0.conda":{}"#,
            r#""a-1-0.zip":{}"#,
            r#""a-1-0 .conda":{}"#,
            r#""\u0061-1-0.conda":{}"#,
            r#""a-1\n-0.conda":{}"#,
            r#""c-1-0.conda":7"#,
            r#""c-1-0.conda":[]"#,
            r#""c-1-0.conda":null"#,
            r#""c-1\ud800-0.conda":{}"#,
            "\"c-1\n-0.conda\":{}",
            r#""c\x-1-0.conda":{}"#,
        ];
        for odd in odd {
            let json = format!(r#"{{"packages.conda":{{"b-1-0.conda":{{}},{odd}}}}}"#);
            let listing = listing(&json).unwrap_or_else(|error| panic!("{odd}: {error}"));
            assert_eq!(files(&listing), ["b-1-0.conda"], "{odd}");
            assert_eq!(listing.skipped.count(), 1, "{odd}");
        }
        let good = r#"{"packages":{"_x-1!2.0+cu118-py_0.tar.bz2":{},"包-1-0.conda":{}}}"#;
        assert_eq!(listing(good).expect("an index").skipped.count(), 0);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_an_index_or_an_error(text in "\\PC{0,60}") {
            let _ = listing(&text);
            let _ = listing(&format!("{{\"packages\":{{{text}}}}}"));
        }
    }
}
