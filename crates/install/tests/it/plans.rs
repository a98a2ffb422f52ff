//! A dry run's plan, what `apply` reports and what is on the disk are the same.

use std::collections::BTreeMap;
use std::path::Path;

use envlock_install::{InstallError, Installed, PackageId, PrefixState, Steps, state};
use envlock_model::progress::{Notice, Recovery};

use crate::support::{
    Package, Recorder, Request, TestCache, install, install_observed, names, tree,
};

/// A set of packages: a version by name.
type Set = BTreeMap<&'static str, &'static str>;

/// All sets of two packages, each absent or in one of two versions.
fn sets() -> Vec<Set> {
    let mut sets = Vec::new();
    for a in [None, Some("1"), Some("2")] {
        for b in [None, Some("1"), Some("2")] {
            sets.push(
                [("a", a), ("b", b)].into_iter().filter_map(|(n, v)| Some((n, v?))).collect(),
            );
        }
    }
    sets
}

/// Packages with a post-link script that leaves a trace.
fn packages(cache: &TestCache, set: &Set) -> Vec<Package> {
    let package = |(name, version): (&&str, &&str)| {
        let script = format!("touch \"$PREFIX/ran-{name}\"\n");
        cache
            .package(name, version)
            .file(&format!("share/{name}"), version)
            .script(&format!("bin/.{name}-post-link.sh"), &script)
            .build()
    };
    set.iter().map(package).collect()
}

/// The packages at a prefix, by their records.
fn installed_at(prefix: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = std::fs::read_dir(prefix.join("conda-meta")) else { return BTreeMap::new() };
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| {
            let mut parts = name.strip_suffix(".json")?.split('-').map(str::to_owned);
            Some((parts.next()?, parts.next()?))
        })
        .collect()
}

fn owned(set: &Set) -> BTreeMap<String, String> {
    set.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned())).collect()
}

/// What the steps make of the packages that are there.
fn carried_out(before: &BTreeMap<String, String>, steps: &Steps) -> BTreeMap<String, String> {
    let mut after = before.clone();
    let version = |dist: &PackageId| (dist.name.clone(), dist.version.clone());
    for dist in &steps.unchanged {
        assert_eq!(after.get(&dist.name), Some(&dist.version));
    }
    for dist in &steps.removed {
        assert_eq!(after.remove(&dist.name), Some(dist.version.clone()));
    }
    for change in &steps.changed {
        assert_eq!(
            after.insert(change.to.name.clone(), change.to.version.clone()),
            Some(change.from.version.clone())
        );
    }
    for dist in &steps.added {
        let (name, version) = version(dist);
        assert_eq!(after.insert(name, version), None);
    }
    after
}

/// Installs, and compares the plan of a dry run with the report and with the disk.
fn check(cache: &TestCache, request: &Request, case: &str) -> Installed {
    let prefix = &request.prefix;
    let before = installed_at(prefix);
    let files = tree(prefix.parent().unwrap());
    let dry = request.plan().unwrap_or_else(|error| panic!("{case}: {error}"));
    assert_eq!(tree(prefix.parent().unwrap()), files, "{case}: a dry run writes nothing");
    let recorder = Recorder::default();
    let installed = install_observed(request, &recorder).unwrap();
    assert_eq!(installed.plan.steps(), dry.steps(), "{case}");
    assert!(!recorder.notices().iter().any(|n| matches!(n, Notice::PlannedAgain { .. })), "{case}");
    let Some(steps) = dry.steps() else {
        assert_eq!(tree(prefix.parent().unwrap()), files, "{case}: nothing is done");
        return installed;
    };
    let after = installed_at(prefix);
    assert_eq!(after, carried_out(&before, steps), "{case}");
    let mut beside = vec![".env~lock".to_owned(), "env".to_owned()];
    if let Some(moved) = &steps.moved_aside {
        beside.push("env~previous".to_owned());
        assert_eq!(moved.to, cache.prefix("env~previous"), "{case}");
        assert_eq!(installed_at(&moved.to), before, "{case}");
        for file in &moved.untracked.files {
            assert!(moved.to.join(file).exists() && !prefix.join(file).exists(), "{case}");
        }
    }
    assert_eq!(names(prefix.parent().unwrap()), beside, "{case}: nothing else is made");
    for name in after.keys() {
        let ran = prefix.join(format!("ran-{name}")).exists();
        assert_eq!(ran, steps.runs_scripts, "{case}: the script of {name}");
    }
    let variables = std::fs::read_to_string(prefix.join("conda-meta/state")).unwrap_or_default();
    assert_eq!(variables.contains("OMP"), steps.variables == ["OMP"], "{case}");
    installed
}

#[test]
fn the_plan_the_report_and_the_disk_agree_for_every_change_of_a_small_set() {
    for (number, before) in sets().iter().enumerate() {
        for (other, after) in sets().iter().enumerate() {
            let (has_untracked, scripts) = ((number + other) % 2 == 1, other % 3 == 1);
            let case = format!("{before:?} to {after:?}, {has_untracked}, {scripts}");
            let cache = TestCache::new();
            std::fs::create_dir_all(cache.prefix("env").parent().unwrap()).unwrap();
            let mut first = cache.request("env", packages(&cache, before));
            first.lock_digest = "first".into();
            check(&cache, &first, &case);
            if has_untracked {
                std::fs::write(cache.prefix("env/notes.txt"), "mine").unwrap();
            }
            let mut second = cache.request("env", packages(&cache, after));
            second.lock_digest = "second".into();
            second.run_post_link_scripts = scripts;
            if other % 2 == 0 {
                second.variables.insert("OMP".into(), "4".into());
            }
            if has_untracked {
                assert!(matches!(second.plan(), Err(InstallError::UntrackedContents { .. })));
                second.replace = true;
            }
            let installed = check(&cache, &second, &case);
            assert_eq!(installed_at(&second.prefix), owned(after), "{case}");
            let untracked = &installed.moved_aside().unwrap().untracked.files;
            assert_eq!(untracked.len(), usize::from(has_untracked), "{case}");
            second.replace = false;
            assert!(!check(&cache, &second, &case).changed(), "{case}");
        }
    }
}

fn applied(
    request: &Request,
    meanwhile: impl FnOnce(),
) -> (Result<Installed, InstallError>, Vec<Notice>) {
    let plan = request.plan().unwrap();
    meanwhile();
    let recorder = Recorder::default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let packages = request.packages.clone();
    let installed = runtime.block_on(envlock_install::apply(plan, packages, &recorder));
    (installed, recorder.notices())
}

fn planned_again(cache: &TestCache) -> Notice {
    Notice::PlannedAgain { prefix: cache.prefix("env") }
}

#[test]
fn a_prefix_that_changed_since_the_plan_is_planned_again_and_the_report_has_the_new_plan() {
    let cache = TestCache::new();
    let set = |names: &[&'static str], version| names.iter().map(|name| (*name, version)).collect();
    let request = cache.request("env", packages(&cache, &set(&["a", "b"], "2")));
    let other = cache.request("env", packages(&cache, &set(&["a"], "1")));
    let (installed, notices) = applied(&request, || drop(install(&other).unwrap()));
    let installed = installed.unwrap();
    assert_eq!(notices, [planned_again(&cache)]);
    let steps = installed.plan.steps().unwrap();
    assert_eq!((steps.changed.len(), steps.added.len()), (1, 1));
    assert_eq!(installed_at(&cache.prefix("env~previous")), owned(&set(&["a"], "1")));
}

#[test]
fn what_another_install_has_done_meanwhile_is_not_done_again() {
    let cache = TestCache::new();
    let set: Set = [("a", "1")].into_iter().collect();
    let request = cache.request("env", packages(&cache, &set));
    let (installed, notices) = applied(&request, || drop(install(&request).unwrap()));
    assert!(!installed.unwrap().changed());
    assert_eq!(notices, [planned_again(&cache)]);
    assert!(!cache.prefix("env~previous").exists());
}

#[test]
fn a_file_that_appears_after_the_plan_is_not_moved_aside_without_replace() {
    let cache = TestCache::new();
    let set = |version| [("a", version)].into_iter().collect();
    install(&cache.request("env", packages(&cache, &set("1")))).unwrap();
    let request = cache.request("env", packages(&cache, &set("2")));
    let notes = cache.prefix("env/notes.txt");
    let (installed, _) = applied(&request, || std::fs::write(&notes, "mine").unwrap());
    assert!(matches!(installed, Err(InstallError::UntrackedContents { .. })), "{installed:?}");
    assert_eq!(std::fs::read_to_string(notes).unwrap(), "mine");
    assert_eq!(installed_at(&cache.prefix("env")), owned(&set("1")));
}

#[test]
fn a_plan_after_a_killed_install_is_the_one_that_is_carried_out() {
    let cache = TestCache::new();
    let set = |version| [("a", version)].into_iter().collect();
    for version in ["1", "2"] {
        install(&cache.request("env", packages(&cache, &set(version)))).unwrap();
    }
    // As the record of the install is while scripts run.
    let record = cache.prefix("env/conda-meta/envlock");
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, text.replace("\"complete\": true", "\"complete\": false")).unwrap();
    assert_eq!(state(&cache.prefix("env")).unwrap(), PrefixState::Interrupted);
    let request = cache.request("env", packages(&cache, &set("3")));
    let plan = request.plan().unwrap();
    assert!(plan.needs_recovery());
    assert_eq!(plan.steps().unwrap().changed[0].from.version, "1");
    let (installed, notices) = applied(&request, || {});
    assert_eq!(installed.unwrap().plan.steps(), plan.steps());
    let prefix = cache.prefix("env");
    assert_eq!(notices, [Notice::Recovered { prefix, recovery: Recovery::PreviousRestored }]);
    assert_eq!(installed_at(&cache.prefix("env~previous")), owned(&set("1")));
}
