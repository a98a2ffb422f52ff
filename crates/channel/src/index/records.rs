//! The fetched indexes and their records.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use envlock_model::channel::without_credentials;
use envlock_report::Finding;
use rattler_conda_types::{PackageName, RepoDataRecord, Subdir};
use rattler_repodata_gateway::sparse::{PackageFormatSelection, SparseRepoData};
use url::Url;

use super::error::IndexError;
use crate::{address, parse_error};
use envlock_model::channel::Channel;

/// `.conda` is preferred to the `.tar.bz2` of the same build: mirrors remove the latter first.
const FORMATS: PackageFormatSelection = PackageFormatSelection::PreferConda;

/// The index of one subdir of one channel.
pub(crate) struct Index {
    pub(crate) channel: Channel,
    pub(crate) subdir: Subdir,
    /// The number of bytes that were downloaded for it.
    pub(crate) fetched: u64,
    /// Warnings compared with the cached index.
    pub(crate) warnings: Vec<Finding>,
    /// The base URL of its packages at the origin.
    packages: Url,
    pub(crate) served_by: String,
    records: SparseRepoData,
}

impl Index {
    pub(crate) fn read(
        channel: Channel,
        subdir: Subdir,
        packages: Url,
        served_by: String,
        json: Bytes,
        fetched: u64,
    ) -> Result<Self, String> {
        let base = rattler_conda_types::Channel::from_url(without_credentials(&channel.url));
        let records =
            SparseRepoData::from_bytes(base, subdir.to_string(), json, None).map_err(|error| {
                format!("not an index: {}", parse_error::describe(&error.to_string()))
            })?;
        let warnings = Vec::new();
        Ok(Self { channel, subdir, fetched, warnings, packages, served_by, records })
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.records.package_names(FORMATS)
    }

    /// Whether it lists no package.
    pub(crate) fn is_empty(&self) -> bool {
        self.names().next().is_none()
    }

    /// Returns the archives of a record's build, in all formats.
    pub(crate) fn archives_of_build(&self, record: &RepoDataRecord) -> Vec<RepoDataRecord> {
        let name = &record.package_record.name;
        let mut records = self.load(name, PackageFormatSelection::Both).unwrap_or_default();
        records.retain(|other| other.identifier.identifier == record.identifier.identifier);
        records
    }

    /// Returns the records of a package, with the origin's URLs.
    fn records_of(&self, name: &PackageName) -> Result<Vec<RepoDataRecord>, IndexError> {
        self.load(name, FORMATS)
    }

    fn load(
        &self,
        name: &PackageName,
        formats: PackageFormatSelection,
    ) -> Result<Vec<RepoDataRecord>, IndexError> {
        let mut records =
            self.records.load_records(name, formats).map_err(|error| IndexError::Record {
                index: format!("{}/{}", self.channel.name, self.subdir),
                package: name.as_source().to_owned(),
                served_by: self.served_by.clone(),
                reason: parse_error::describe(&error.to_string()),
            })?;
        for record in &mut records {
            record.url = address::join_file(&self.packages, &record.identifier.to_file_name());
            record.channel = Some(
                address::with_trailing_slash(&without_credentials(&self.channel.url)).to_string(),
            );
        }
        Ok(records)
    }
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
    pub unhashed: Vec<RepoDataRecord>,
}

/// The indexes of the channels.
#[derive(Clone)]
pub struct Indexes {
    indexes: Vec<Arc<Index>>,
    /// Warnings, such as platforms that a channel doesn't have.
    pub warnings: Vec<Finding>,
}

impl std::fmt::Debug for Indexes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names =
            self.indexes.iter().map(|index| format!("{}/{}", index.channel.name, index.subdir));
        f.debug_list().entries(names).finish()
    }
}

impl Indexes {
    pub(crate) fn new(indexes: Vec<Index>, warnings: Vec<Finding>) -> Self {
        Self { indexes: indexes.into_iter().map(Arc::new).collect(), warnings }
    }

    /// Returns the indexes that can be used on `platform`: its own subdirs and noarch. Shares the
    /// data. The result has no warnings.
    #[must_use]
    pub fn for_platform(&self, platform: Subdir) -> Self {
        let fits = |index: &&Arc<Index>| index.subdir == platform || index.subdir == Subdir::NoArch;
        Self { indexes: self.indexes.iter().filter(fits).cloned().collect(), warnings: Vec::new() }
    }

    /// Returns every package name with the channels that have it, in their order.
    pub fn names(&self) -> BTreeMap<&str, Vec<&Channel>> {
        let mut names: BTreeMap<&str, Vec<&Channel>> = BTreeMap::new();
        for index in &self.indexes {
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
    /// each channel, in the order of the channels. Needs CPU time: don't call it in an async task.
    pub fn load(&self, names: &[PackageName]) -> Result<Vec<SubdirRecords>, IndexError> {
        let mut found = self.empty();
        let mut seen: BTreeSet<PackageName> = names.iter().cloned().collect();
        let mut pending: Vec<PackageName> = seen.iter().cloned().collect();
        while let Some(name) = pending.pop() {
            self.add_package(&name, &mut found, |record| {
                let package = &record.package_record;
                for spec in package.depends.iter().chain(package.extra_depends.values().flatten()) {
                    let dependency = PackageName::from_matchspec_str_unchecked(spec);
                    if !seen.contains(&dependency) {
                        seen.insert(dependency.clone());
                        pending.push(dependency);
                    }
                }
            })?;
        }
        Ok(sorted(found))
    }

    /// Loads the records of only these packages.
    pub fn load_names(&self, names: &[PackageName]) -> Result<Vec<SubdirRecords>, IndexError> {
        let mut found = self.empty();
        for name in names.iter().collect::<BTreeSet<_>>() {
            self.add_package(name, &mut found, |_| {})?;
        }
        Ok(sorted(found))
    }

    fn empty(&self) -> Vec<SubdirRecords> {
        let empty = |index: &Arc<Index>| SubdirRecords {
            channel: index.channel.clone(),
            subdir: index.subdir,
            records: Vec::new(),
            unhashed: Vec::new(),
        };
        self.indexes.iter().map(empty).collect()
    }

    /// Adds a package's records to each subdir, and calls `seen` for each candidate.
    fn add_package(
        &self,
        name: &PackageName,
        found: &mut [SubdirRecords],
        mut seen: impl FnMut(&RepoDataRecord),
    ) -> Result<(), IndexError> {
        for (index, found) in self.indexes.iter().zip(found) {
            for record in index.records_of(name)? {
                if record.package_record.sha256.is_some() {
                    seen(&record);
                    found.records.push(record);
                } else {
                    found.unhashed.push(record);
                }
            }
        }
        Ok(())
    }
}

/// Sorts the records, so that the same inputs give the same order.
fn sorted(mut found: Vec<SubdirRecords>) -> Vec<SubdirRecords> {
    for subdir in &mut found {
        for records in [&mut subdir.records, &mut subdir.unhashed] {
            records.sort_by_cached_key(|record| {
                (record.package_record.name.clone(), record.identifier.to_file_name())
            });
        }
    }
    found
}
