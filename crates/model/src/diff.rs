//! Compares two locks package by package.

use std::collections::BTreeMap;

use rattler_conda_types::{RepoDataRecord, Subdir};

use crate::lock::{Lock, LockedPlatform};
use crate::wheel::is_wheel;

/// A package that was added, removed or changed on one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageDifference {
    /// The platform.
    pub platform: Subdir,
    /// The package's name.
    pub package: String,
    /// The version and build before. `None` if the package was added.
    pub before: Option<String>,
    /// The version and build after. `None` if the package was removed.
    pub after: Option<String>,
}

/// Returns the differences from `before` to `after`, sorted by platform and name. A package
/// with another archive of the same version counts as changed.
pub fn differences(before: Option<&Lock>, after: &Lock) -> Vec<PackageDifference> {
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
            let (before, after) = (old.get(&name), new.get(&name));
            if before.map(|r| (&r.url, r.package_record.sha256))
                != after.map(|r| (&r.url, r.package_record.sha256))
            {
                all.push(PackageDifference {
                    platform,
                    package: name.0.to_owned(),
                    before: before.map(|r| version_and_build(r)),
                    after: after.map(|r| version_and_build(r)),
                });
            }
        }
    }
    all
}

/// Returns the packages by name. A conda package and a wheel can have the same name.
fn by_name(lock: &Lock, platform: Subdir) -> BTreeMap<(&str, bool), &RepoDataRecord> {
    let locked = lock.platforms.get(&platform).into_iter();
    let records = locked.flat_map(LockedPlatform::all_records);
    let named = records.map(|record| (record.package_record.name.as_normalized(), record));
    named.map(|(name, record)| ((name, is_wheel(record)), record)).collect()
}

fn version_and_build(record: &RepoDataRecord) -> String {
    format!("{} {}", record.package_record.version, record.package_record.build)
}

#[cfg(test)]
mod tests {
    use rattler_conda_types::{PackageName, PackageRecord, Version, package::BuildString};

    use super::*;
    use crate::lock_inputs::Priority;

    /// Creates a lock for linux-64. Each package is a text `name version build`.
    fn lock(packages: &[&str]) -> Lock {
        let records = packages.iter().map(|line| record(line)).collect();
        let locked = LockedPlatform {
            specs: Vec::new(),
            pip: Vec::new(),
            virtual_packages: Vec::new(),
            records,
            wheels: None,
        };
        Lock {
            name: String::new(),
            channels: Vec::new(),
            platforms: BTreeMap::from([(Subdir::Linux64, locked)]),
            variables: BTreeMap::new(),
            priority: Priority::Strict,
            exclude_newer: None,
            needs: None,
            other_archives: BTreeMap::new(),
        }
    }

    fn record(line: &str) -> RepoDataRecord {
        let [name, version, build] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("`{line}` isn't `name version build`")
        };
        let number: Version = version.parse().expect("a version");
        let build = BuildString::new_unchecked(build);
        let file = format!("{name}-{version}-{build}.conda");
        RepoDataRecord {
            package_record: PackageRecord::new(PackageName::new_unchecked(name), number, build),
            identifier: file.parse().expect("an archive's name"),
            url: format!("https://x/linux-64/{file}").parse().expect("a URL"),
            channel: None,
        }
    }

    fn lines(before: Option<&Lock>, after: &Lock) -> Vec<String> {
        let text = |side: Option<String>| side.unwrap_or_else(|| "-".to_owned());
        let all = differences(before, after).into_iter();
        all.map(|d| format!("{}: {} => {}", d.package, text(d.before), text(d.after))).collect()
    }

    #[test]
    fn added_removed_and_changed_packages_are_listed_by_name() {
        let before = lock(&["changed 1 0", "rebuilt 1 0", "removed 1 0", "same 1 0"]);
        let after = lock(&["added 1 0", "changed 2 0", "rebuilt 1 1", "same 1 0"]);
        assert_eq!(
            lines(Some(&before), &after),
            ["added: - => 1 0", "changed: 1 0 => 2 0", "rebuilt: 1 0 => 1 1", "removed: 1 0 => -"]
        );
        assert_eq!(lines(Some(&after), &after), Vec::<String>::new());
        assert_eq!(lines(None, &lock(&["added 1 0"])), ["added: - => 1 0"]);
    }

    #[test]
    fn another_archive_of_the_same_version_is_a_change() {
        let (before, mut after) = (lock(&["a 1 0"]), lock(&["a 1 0"]));
        let locked = after.platforms.get_mut(&Subdir::Linux64).expect("linux-64 is locked");
        locked.records[0].package_record.sha256 = Some([1; 32].into());
        assert_eq!(lines(Some(&before), &after), ["a: 1 0 => 1 0"]);
    }

    #[test]
    fn the_packages_of_a_removed_platform_are_removed() {
        let before = lock(&["a 1 0"]);
        let after = Lock { platforms: BTreeMap::new(), ..before.clone() };
        assert_eq!(lines(Some(&before), &after), ["a: 1 0 => -"]);
    }
}
