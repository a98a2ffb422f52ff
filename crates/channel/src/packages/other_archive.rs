//! Uses the other archive format of a build: mirrors remove a `.tar.bz2` when its `.conda` exists,
//! and a lock may still name the former.
//!
//! The same name isn't enough. The channel's index must list the locked archive with its hash, and
//! the other archive of the same build with a hash; or one archive must have the hash of the other
//! as `legacy_bz2_md5`.

use std::collections::BTreeMap;

use envlock_model::channel::Channel;
use envlock_model::channel::without_credentials;
use envlock_model::progress::{Event, Notice, Observer};
use rattler_conda_types::{RepoDataRecord, Subdir};
use url::Url;

use super::error::FetchError;
use super::fetch::UnavailablePackage;
use super::store::PackageDir;
use crate::{Client, address};

/// A package whose other archive is used instead of the locked one.
pub(super) struct Substituted {
    /// The folder of the locked archive.
    pub(super) locked: PackageDir,
    /// The folder of the other archive.
    pub(super) used: PackageDir,
}

impl Client {
    /// Fetches the other archives of unavailable packages. Returns the substitutions, and the
    /// packages that remain unavailable.
    pub(super) async fn fetch_other_archives<'a>(
        &self,
        unavailable: Vec<UnavailablePackage<'a>>,
        observer: &dyn Observer,
    ) -> Result<(Vec<Substituted>, Vec<UnavailablePackage<'a>>), FetchError> {
        let mut by_index: BTreeMap<(Url, Subdir), Vec<UnavailablePackage<'a>>> = BTreeMap::new();
        let (mut substitutions, mut remaining) = (Vec::new(), Vec::new());
        for package in unavailable {
            match index_of(package.record).filter(|_| package.may_have_other_archive()) {
                Some(index) => by_index.entry(index).or_default().push(package),
                None => remaining.push(package),
            }
        }
        for ((url, subdir), unavailable) in by_index {
            let name = url.as_str().trim_end_matches('/').to_owned();
            let channel = Channel { name, url, multichannel: None };
            let index = self.index_or_cached(&channel, subdir, observer).await;
            for package in unavailable {
                let builds = index.as_ref().map(|index| index.archives_of_build(package.record));
                let other =
                    builds.and_then(|builds| other_archive(package.record, &builds).cloned());
                let Some((other, dir)) = other.and_then(|other| {
                    let dir = PackageDir::for_record(self.cache_dir(), &other)?;
                    Some((other, dir))
                }) else {
                    remaining.push(package);
                    continue;
                };
                let missing = self.missing_packages(vec![(dir.clone(), &other)], observer).await;
                if self.fetch_all(missing, observer).await?.is_empty() {
                    observer.observe(Event::Notice(Notice::OtherArchiveUsed {
                        locked: package.record.identifier.to_string(),
                        used: other.identifier.to_string(),
                    }));
                    substitutions.push(Substituted { locked: package.dir, used: dir });
                } else {
                    remaining.push(package);
                }
            }
        }
        Ok((substitutions, remaining))
    }
}

/// Returns the channel and the subdir whose index lists a record.
fn index_of(record: &RepoDataRecord) -> Option<(Url, Subdir)> {
    let subdir = record.package_record.subdir.parse().ok()?;
    let named = record.channel.as_deref().and_then(|channel| Url::parse(channel).ok());
    let from_url = || record.url.join("../").ok();
    Some((address::with_trailing_slash(&without_credentials(&named.or_else(from_url)?)), subdir))
}

/// Finds the other archive of `locked` among the archives of its build in an index.
fn other_archive<'a>(
    locked: &RepoDataRecord,
    builds: &'a [RepoDataRecord],
) -> Option<&'a RepoDataRecord> {
    let is_itself = |other: &&RepoDataRecord| {
        other.identifier.archive_type == locked.identifier.archive_type
            && other.package_record.sha256 == locked.package_record.sha256
    };
    let itself = builds.iter().find(is_itself);
    builds.iter().find(|other| {
        let names = |one: &RepoDataRecord, hash: &RepoDataRecord| {
            one.package_record.legacy_bz2_md5.is_some()
                && one.package_record.legacy_bz2_md5 == hash.package_record.md5
        };
        other.identifier.archive_type != locked.identifier.archive_type
            && other.package_record.sha256.is_some()
            && (itself.is_some() || names(other, locked) || names(locked, other))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record of `a-1-0` with a sha256 of these digits.
    fn record(ending: &str, digit: &str, more: &serde_json::Value) -> RepoDataRecord {
        let mut json = serde_json::json!({
            "name": "a", "version": "1", "build": "0", "build_number": 0, "subdir": "linux-64",
            "depends": [], "sha256": digit.repeat(64), "md5": digit.repeat(32),
            "fn": format!("a-1-0{ending}"), "url": format!("https://h/c/linux-64/a-1-0{ending}"),
            "channel": "https://h/c/",
        });
        let fields = more.as_object().expect("a table").clone();
        json.as_object_mut().expect("a table").extend(fields);
        serde_json::from_value(json).expect("a record")
    }

    #[test]
    fn the_other_archive_is_accepted_by_hashes_and_never_by_name_alone() {
        let none = serde_json::json!({});
        let legacy = |digit: &str| serde_json::json!({ "legacy_bz2_md5": digit.repeat(32) });
        let locked = record(".tar.bz2", "1", &none);
        let conda = record(".conda", "2", &none);
        let found = |builds: &[RepoDataRecord]| other_archive(&locked, builds).is_some();
        assert!(found(&[locked.clone(), conda.clone()]));
        assert!(!found(std::slice::from_ref(&conda)));
        assert!(!found(&[record(".tar.bz2", "3", &none), conda.clone()]));
        assert!(found(&[record(".conda", "2", &legacy("1"))]));
        assert!(!found(&[record(".conda", "2", &legacy("3"))]));
        let unhashed = serde_json::json!({ "sha256": null });
        assert!(!found(&[locked.clone(), record(".conda", "2", &unhashed)]));

        let locked = record(".conda", "2", &legacy("1"));
        assert!(other_archive(&locked, &[record(".tar.bz2", "1", &none)]).is_some());
        assert!(other_archive(&locked, &[record(".tar.bz2", "3", &none)]).is_none());
    }
}
