//! The fetched indexes and their records.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use envlock_model::channel::{Channel, without_credentials};
use envlock_model::{record, spec::RecordSpec};
use envlock_report::{Finding, Place};
use rattler_conda_types::package::DistArchiveIdentifier;
use rattler_conda_types::{PackageName, PackageRecord, RepoDataRecord, Subdir};
use serde::Deserialize;
use url::Url;

use super::error::ChannelFailure;
use super::listing::{ListedArchive, Listing};
use super::skipped::{SkippedRecord, finding};
use crate::{address, parse_error};

/// The index of one subdir of one channel.
pub(crate) struct Index {
    pub(crate) channel: Channel,
    pub(crate) subdir: Subdir,
    /// The number of bytes that were downloaded for it.
    pub(crate) fetched: u64,
    /// Warnings about the index, alone and compared with the cached one.
    pub(crate) warnings: Vec<Finding>,
    /// The base URL of its packages at the origin.
    packages: Url,
    pub(crate) served_by: String,
    listing: Listing,
}

/// The records of a package in one index.
#[derive(Default)]
struct PackageRecords {
    records: Vec<RepoDataRecord>,
    skipped: Vec<SkippedRecord>,
}

impl Index {
    pub(crate) fn new(
        channel: Channel,
        subdir: Subdir,
        packages: Url,
        served_by: String,
        listing: Listing,
        fetched: u64,
    ) -> Self {
        let mut index =
            Self { channel, subdir, fetched, warnings: Vec::new(), packages, served_by, listing };
        index.warnings.extend(index.listing.skipped.finding(&index.name(), &index.served_by));
        index
    }

    /// Returns the name for messages, such as `conda-forge/noarch`.
    fn name(&self) -> String {
        format!("{}/{}", self.channel.name, self.subdir)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.listing.names()
    }

    /// Whether it lists no package.
    pub(crate) fn is_empty(&self) -> bool {
        self.listing.is_empty()
    }

    /// Returns the archives of a record's build, in all formats.
    pub(crate) fn archives_of_build(&self, record: &RepoDataRecord) -> Vec<RepoDataRecord> {
        let builds = self.listing.builds_of(record.package_record.name.as_normalized());
        let stem = record.identifier.identifier.to_string();
        let archives = builds.into_iter().flatten().filter(|archive| archive.file_stem == stem);
        archives.filter_map(|archive| self.parse(&archive).ok()).collect()
    }

    /// Returns the records of a package, with the origin's URLs: one for each build, of the
    /// preferred format. A record that can't be read is skipped.
    fn records_of(&self, name: &PackageName) -> PackageRecords {
        let mut found = PackageRecords::default();
        let builds = self.listing.builds_of(name.as_normalized());
        if builds.is_empty() {
            found.skipped = self.misnamed(name);
            return found;
        }
        for build in builds {
            if let Some(archive) = duplicated(&build) {
                let reason = "the index has two records of this file";
                found.skipped.push(SkippedRecord::new(&archive.file_name(), reason));
                continue;
            }
            for archive in build {
                match self.parse(&archive) {
                    Ok(record) => {
                        found.records.push(record);
                        break;
                    }
                    Err(reason) => {
                        found.skipped.push(SkippedRecord::new(&archive.file_name(), &reason));
                    }
                }
            }
        }
        found
    }

    /// Returns the archives whose record has the name of a package, but whose file name doesn't.
    fn misnamed(&self, name: &PackageName) -> Vec<SkippedRecord> {
        #[derive(Deserialize)]
        struct Named<'a> {
            name: &'a str,
        }
        let others = self.listing.archives_with_prefix(name.as_normalized()).into_iter();
        let same = others.filter(|archive| {
            serde_json::from_str::<Named<'_>>(archive.record)
                .is_ok_and(|named| named.name == name.as_normalized())
        });
        let reason = "its file name isn't NAME-VERSION-BUILD: a version and a build have no `-`";
        same.map(|archive| SkippedRecord::new(&archive.file_name(), reason)).collect()
    }

    /// Parses a record, or returns why it can't be read.
    fn parse(&self, archive: &ListedArchive<'_>) -> Result<RepoDataRecord, String> {
        let mut package_record: PackageRecord =
            serde_json::from_str(archive.record).map_err(|error| parse_error::describe(&error))?;
        if package_record.subdir.is_empty() {
            self.subdir.as_str().clone_into(&mut package_record.subdir);
        }
        let identifier =
            DistArchiveIdentifier::new(archive.file_stem.parse()?, archive.archive_type);
        let channel = address::with_trailing_slash(&without_credentials(&self.channel.url));
        let record = RepoDataRecord {
            url: address::join_file(&self.packages, &identifier.to_file_name()),
            channel: Some(channel.to_string()),
            package_record,
            identifier,
        };
        record::check(&record).map_err(|fault| fault.to_string())?;
        Ok(record)
    }
}

/// Returns an archive of a build that one table of the index lists twice.
fn duplicated<'a, 'b>(build: &'b [ListedArchive<'a>]) -> Option<&'b ListedArchive<'a>> {
    build.windows(2).find(|pair| pair[0].table == pair[1].table).map(|pair| &pair[0])
}

/// The records of one subdir of one channel.
#[derive(Debug, Clone)]
pub struct SubdirRecords {
    /// The channel.
    pub channel: Channel,
    /// The subdir.
    pub subdir: Subdir,
    /// The candidates, sorted by name and file name: the records with a sha256.
    pub records: Vec<RepoDataRecord>,
    /// Records without a sha256. They aren't candidates, because they can't be checked.
    pub without_sha256: Vec<RepoDataRecord>,
    /// Records that can't be read, by the name of the package.
    pub skipped: BTreeMap<PackageName, Vec<SkippedRecord>>,
    served_by: String,
}

impl SubdirRecords {
    /// Returns a note about the records that can't be read; `None` if there are none.
    pub fn skipped_finding(&self) -> Option<Finding> {
        let all: Vec<SkippedRecord> = self.skipped.values().flatten().cloned().collect();
        let name = format!("{}/{}", self.channel.name, self.subdir);
        (!all.is_empty()).then(|| finding(&name, all.len(), &all, &self.served_by))
    }
}

/// The indexes of the channels.
#[derive(Clone)]
pub struct Indexes {
    all: Vec<Arc<Index>>,
    /// Warnings, such as platforms that a channel doesn't have.
    pub warnings: Vec<Finding>,
    absent_members: Arc<[ChannelFailure]>,
}

impl std::fmt::Debug for Indexes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.all.iter().map(|index| format!("{}/{}", index.channel.name, index.subdir));
        f.debug_list().entries(names).finish()
    }
}

impl Indexes {
    pub(crate) fn new(
        indexes: Vec<Index>,
        warnings: Vec<Finding>,
        absent_members: Vec<ChannelFailure>,
    ) -> Self {
        let indexes = indexes.into_iter().map(Arc::new).collect();
        Self { all: indexes, warnings, absent_members: absent_members.into() }
    }

    /// Returns a warning for each member of a multichannel that no source has. `place` returns
    /// where a channel is written.
    pub fn absent_member_warnings(
        &self,
        place: impl Fn(&Channel) -> Option<Place>,
    ) -> Vec<Finding> {
        self.absent_members.iter().map(|member| member.member_warning(&place)).collect()
    }

    /// Returns the indexes that can be used on `platform`: its own subdirs and noarch. Shares the
    /// data. The result has no warnings.
    #[must_use]
    pub fn for_platform(&self, platform: Subdir) -> Self {
        let fits = |index: &&Arc<Index>| index.subdir == platform || index.subdir == Subdir::NoArch;
        let indexes = self.all.iter().filter(fits).cloned().collect();
        Self { all: indexes, warnings: Vec::new(), absent_members: Arc::default() }
    }

    /// Returns the archives of a record's build by index, of the indexes of its channel.
    pub(crate) fn archives_of_build(&self, record: &RepoDataRecord) -> Vec<Vec<RepoDataRecord>> {
        let channel = record.channel.as_deref().unwrap_or_default().trim_end_matches('/');
        let is_channel = |index: &&Arc<Index>| {
            without_credentials(&index.channel.url).as_str().trim_end_matches('/') == channel
        };
        let indexes = self.all.iter().filter(is_channel);
        indexes.map(|index| index.archives_of_build(record)).collect()
    }

    /// Returns every package name with the channels that have it, in their order.
    pub fn names(&self) -> BTreeMap<&str, Vec<&Channel>> {
        let mut names: BTreeMap<&str, Vec<&Channel>> = BTreeMap::new();
        for index in &self.all {
            for name in index.names() {
                let channels = names.entry(name).or_default();
                if channels.last() != Some(&&index.channel) {
                    channels.push(&index.channel);
                }
            }
        }
        names
    }

    /// Loads the records of these packages and of all that they may depend on, for each subdir of
    /// each channel, in the order of the channels. Records that can't be read are skipped.
    ///
    /// Needs CPU time: don't call it in an async task.
    pub fn load(&self, names: &[PackageName]) -> Vec<SubdirRecords> {
        let mut found = self.empty();
        let mut seen: BTreeSet<PackageName> = names.iter().cloned().collect();
        let mut pending: Vec<PackageName> = seen.iter().cloned().collect();
        let mut specs = SpecCheck::default();
        while let Some(name) = pending.pop() {
            self.add_package(&name, &mut found, &mut specs, |record| {
                let package = &record.package_record;
                for spec in package.depends.iter().chain(package.extra_depends.values().flatten()) {
                    let dependency = PackageName::from_matchspec_str_unchecked(spec);
                    if !seen.contains(&dependency) {
                        seen.insert(dependency.clone());
                        pending.push(dependency);
                    }
                }
            });
        }
        sorted(found)
    }

    /// Loads the records of only these packages.
    pub fn load_names(&self, names: &[PackageName]) -> Vec<SubdirRecords> {
        let mut found = self.empty();
        let mut specs = SpecCheck::default();
        for name in names.iter().collect::<BTreeSet<_>>() {
            self.add_package(name, &mut found, &mut specs, |_| {});
        }
        sorted(found)
    }

    fn empty(&self) -> Vec<SubdirRecords> {
        let empty = |index: &Arc<Index>| SubdirRecords {
            channel: index.channel.clone(),
            subdir: index.subdir,
            records: Vec::new(),
            without_sha256: Vec::new(),
            skipped: BTreeMap::new(),
            served_by: index.served_by.clone(),
        };
        self.all.iter().map(empty).collect()
    }

    /// Adds a package's records to each subdir, and calls `seen` for each candidate.
    fn add_package(
        &self,
        name: &PackageName,
        found: &mut [SubdirRecords],
        specs: &mut SpecCheck,
        mut seen: impl FnMut(&RepoDataRecord),
    ) {
        for (index, found) in self.all.iter().zip(found) {
            let PackageRecords { mut records, mut skipped } = index.records_of(name);
            records.retain(|record| match specs.check(&record.package_record) {
                Ok(()) => true,
                Err(reason) => {
                    let file = record.identifier.to_file_name();
                    skipped.push(SkippedRecord::new(&file, &reason));
                    false
                }
            });
            if !skipped.is_empty() {
                found.skipped.insert(name.clone(), skipped);
            }
            for record in records {
                if record.package_record.sha256.is_some() {
                    seen(&record);
                    found.records.push(record);
                } else {
                    found.without_sha256.push(record);
                }
            }
        }
    }
}

/// Checks that dependencies and constraints can be parsed. The solver leaves a record that has
/// another one out without a word.
#[derive(Default)]
struct SpecCheck {
    /// Whether a text can be parsed. Most texts occur in many records.
    known: HashMap<String, bool>,
}

impl SpecCheck {
    /// Returns an error that names the field and the text.
    fn check(&mut self, package: &PackageRecord) -> Result<(), String> {
        for (field, specs) in [("depends", &package.depends), ("constrains", &package.constrains)] {
            if let Some(text) = specs.iter().find(|text| !self.is_readable(text)) {
                return Err(format!("`{text}` of its `{field}` isn't a match spec"));
            }
        }
        Ok(())
    }

    fn is_readable(&mut self, text: &str) -> bool {
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let is_readable = RecordSpec::parse(text).is_some();
        self.known.insert(text.to_owned(), is_readable);
        is_readable
    }
}

/// Sorts the records, so that the same inputs give the same order.
fn sorted(mut found: Vec<SubdirRecords>) -> Vec<SubdirRecords> {
    for subdir in &mut found {
        for records in [&mut subdir.records, &mut subdir.without_sha256] {
            records.sort_by_cached_key(|record| {
                (record.package_record.name.clone(), record.identifier.to_file_name())
            });
        }
    }
    found
}
