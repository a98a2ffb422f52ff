//! Uses the other archive of a build, if no source has the locked one.
//!
//! The lock decides: the other archive is used only if the lock has its sha256. What an index says
//! at install time is not considered, because a mirror can write any digest into its index.

use std::collections::BTreeMap;

use envlock_model::lock::{OtherArchive, OtherArchives};
use envlock_model::progress::Observer;
use envlock_report::{Code, Finding};
use rattler_conda_types::RepoDataRecord;
use url::Url;

use super::error::FetchError;
use super::fetch::UnavailablePackage;
use super::store::PackageDir;
use crate::Client;
use crate::index::Indexes;

/// An archive that was used instead of the locked one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substitution {
    /// The file name of the locked archive.
    pub locked: String,
    /// The file name of the archive that was used.
    pub used: String,
}

impl Substitution {
    pub(super) fn new(locked: &RepoDataRecord, used: &RepoDataRecord) -> Self {
        Self { locked: locked.identifier.to_string(), used: used.identifier.to_string() }
    }

    /// Returns the warning about this substitution.
    pub fn finding(&self) -> Finding {
        let message = format!("{} was used instead of {}", self.used, self.locked);
        Finding::new(Code::OtherArchiveUsed, message)
            .with_note("no source has the locked archive; the lock has the sha256 of the other one")
            .with_help("run `envlock solve --upgrade` to lock archives that the sources have")
    }
}

/// A locked package and the record of its other archive.
pub(super) struct OtherRecord<'a> {
    pub(super) locked: UnavailablePackage<'a>,
    pub(super) record: RepoDataRecord,
}

/// Splits unavailable packages into those whose other archive may be used and the others.
pub(super) fn with_other_archive<'a>(
    unavailable: Vec<UnavailablePackage<'a>>,
    archives: &OtherArchives,
) -> (Vec<OtherRecord<'a>>, Vec<UnavailablePackage<'a>>) {
    let (mut others, mut remaining) = (Vec::new(), Vec::new());
    for package in unavailable {
        let archive = archives.get(&package.record.url);
        let archive = archive.filter(|_| package.may_have_other_archive());
        match archive.and_then(|archive| archive.record(package.record)) {
            Some(record) => others.push(OtherRecord { locked: package, record }),
            None => remaining.push(package),
        }
    }
    (others, remaining)
}

impl Client {
    /// Fetches the other archives of unavailable packages into the cache. Returns the records that
    /// are used, by the folder of the locked archive, and the packages that remain unavailable.
    pub(super) async fn fetch_other_archives<'a>(
        &self,
        unavailable: Vec<UnavailablePackage<'a>>,
        archives: &OtherArchives,
        observer: &dyn Observer,
    ) -> Result<(BTreeMap<PackageDir, RepoDataRecord>, Vec<UnavailablePackage<'a>>), FetchError>
    {
        let (others, mut remaining) = with_other_archive(unavailable, archives);
        let mut used = BTreeMap::new();
        for OtherRecord { mut locked, record } in others {
            let dir = PackageDir::for_record(self.cache_dir(), &record)?;
            let missing = self.missing_packages(vec![(dir, &record)], observer).await;
            let unavailable = self.fetch_all(missing, observer).await?;
            if unavailable.is_empty() {
                drop(unavailable);
                used.insert(locked.dir, record);
            } else {
                for other in &unavailable {
                    locked.add_attempts(other);
                }
                remaining.push(locked);
            }
        }
        Ok((used, remaining))
    }
}

impl Indexes {
    /// Returns the other archives of these records, as far as the indexes that list the records
    /// list them, too. Needs CPU time: don't call it in an async task.
    pub fn other_archives<'a>(
        &self,
        records: impl IntoIterator<Item = &'a RepoDataRecord>,
    ) -> OtherArchives {
        let mut archives = OtherArchives::new();
        for record in records {
            if archives.contains_key(&record.url) {
                continue;
            }
            for builds in self.archives_of_build(record) {
                if let Some(archive) = other_archive(record, &builds) {
                    archives.insert(record.url.clone(), archive);
                }
            }
        }
        archives
    }
}

/// Returns the other archive of `locked` among the archives of its build in one index. The index
/// must list the locked archive with its digest.
fn other_archive(locked: &RepoDataRecord, builds: &[RepoDataRecord]) -> Option<OtherArchive> {
    let is_locked = |build: &RepoDataRecord| {
        build.url == locked.url && build.package_record.sha256 == locked.package_record.sha256
    };
    builds.iter().any(is_locked).then_some(())?;
    let other = builds.iter().find(|build| OtherArchive::is_pair(locked, build))?;
    let same_folder = |a: &Url, b: &Url| a.join(".").ok() == b.join(".").ok();
    same_folder(&locked.url, &other.url).then_some(())?;
    let package = &other.package_record;
    Some(OtherArchive { sha256: package.sha256?, size: package.size })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record of `a-1-0` with a sha256 of these digits.
    fn record(ending: &str, digit: &str, fields: &serde_json::Value) -> RepoDataRecord {
        let mut json = serde_json::json!({
            "name": "a", "version": "1", "build": "0", "build_number": 0, "subdir": "linux-64",
            "depends": [], "sha256": digit.repeat(64), "md5": digit.repeat(32), "size": 7,
            "fn": format!("a-1-0{ending}"), "url": format!("https://h/c/linux-64/a-1-0{ending}"),
            "channel": "https://h/c/",
        });
        let fields = fields.as_object().expect("a table").clone();
        json.as_object_mut().expect("a table").extend(fields);
        serde_json::from_value(json).expect("a record")
    }

    #[test]
    fn the_other_archive_is_found_by_its_build_next_to_the_locked_digest() {
        let none = serde_json::json!({});
        for (first, second) in [(".tar.bz2", ".conda"), (".conda", ".tar.bz2")] {
            let (locked, other) = (record(first, "1", &none), record(second, "2", &none));
            let found = |builds: &[RepoDataRecord]| other_archive(&locked, builds);
            let archive = found(&[locked.clone(), other.clone()]).expect("the other archive");
            assert_eq!(archive, OtherArchive { sha256: [0x22; 32].into(), size: Some(7) });
            let used = archive.record(&locked).expect("a record");
            assert_eq!((&used.url, &used.identifier), (&other.url, &other.identifier));
            assert_eq!(used.package_record.sha256, other.package_record.sha256);
            assert_eq!(used.package_record.md5, None);

            assert_eq!(found(std::slice::from_ref(&other)), None);
            assert_eq!(found(&[record(first, "3", &none), other.clone()]), None);
            for fields in [
                serde_json::json!({ "sha256": null }),
                serde_json::json!({ "version": "2" }),
                serde_json::json!({ "build_number": 1 }),
                serde_json::json!({ "subdir": "noarch" }),
                serde_json::json!({ "url": format!("https://h/d/linux-64/a-1-0{second}") }),
            ] {
                assert_eq!(
                    found(&[locked.clone(), record(second, "2", &fields)]),
                    None,
                    "{fields}"
                );
            }
            // An MD5 digest proves nothing.
            let legacy = serde_json::json!({ "legacy_bz2_md5": "1".repeat(32) });
            assert_eq!(found(&[record(second, "2", &legacy)]), None);
        }
    }
}
