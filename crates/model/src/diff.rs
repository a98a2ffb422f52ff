//! The difference between two locks, package by package.

use std::collections::BTreeMap;

use rattler_conda_types::{RepoDataRecord, Subdir};

use crate::lock::Lock;

/// What became of one package on one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The platform.
    pub platform: Subdir,
    /// The package's name.
    pub package: String,
    /// `version build` before; none when it is new.
    pub before: Option<String>,
    /// `version build` after; none when it is gone.
    pub after: Option<String>,
}

/// The differences from `before` to `after`, by platform and name. A package counts as
/// changed when its archive is another one, be it of the same version.
pub fn differences(before: Option<&Lock>, after: &Lock) -> Vec<Difference> {
    let mut all = Vec::new();
    let mut platforms: Vec<_> = after.platforms.keys().copied().collect();
    platforms.extend(before.into_iter().flat_map(|lock| lock.platforms.keys().copied()));
    platforms.sort();
    platforms.dedup();
    for platform in platforms {
        let old = before.map(|lock| by_name(lock, platform)).unwrap_or_default();
        let new = by_name(after, platform);
        let mut names: Vec<_> = old.keys().chain(new.keys()).copied().collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let (before, after) = (old.get(name), new.get(name));
            if before.map(|r| (&r.url, r.package_record.sha256))
                != after.map(|r| (&r.url, r.package_record.sha256))
            {
                all.push(Difference {
                    platform,
                    package: name.to_owned(),
                    before: before.map(|r| words(r)),
                    after: after.map(|r| words(r)),
                });
            }
        }
    }
    all
}

fn by_name(lock: &Lock, platform: Subdir) -> BTreeMap<&str, &RepoDataRecord> {
    let records = lock.platforms.get(&platform).into_iter().flat_map(|locked| &locked.records);
    records.map(|record| (record.package_record.name.as_normalized(), record)).collect()
}

fn words(record: &RepoDataRecord) -> String {
    format!("{} {}", record.package_record.version, record.package_record.build)
}
