//! The contents of a prefix before and after an install.

use std::os::unix::fs::MetadataExt;

use envlock_install::{
    InstallError, PackageChange, PackageId, PrefixState, inspect, state, verify,
};
use envlock_model::progress::{Event, NoProgress, Notice, Phase};
use envlock_report::{AsFindings, Exit};
use rattler_conda_types::PrefixRecord;

use crate::support::{
    Package, Recorder, TestCache, install, install_observed, names, placeholder, tree,
};

fn app(cache: &TestCache, version: &str) -> Package {
    let text = format!("#!{}/bin/sh\necho {version}\n", placeholder());
    let binary = [b"\x7fELF", placeholder().as_bytes(), b"/lib\0tail"].concat();
    cache
        .package("app", version)
        .bytes("bin/app", text.as_bytes(), Some("text"))
        .bytes("lib/libapp.so", &binary, Some("binary"))
        .file("share/app/版本", version)
        .link("lib/app", "../share/app")
        .listed("var/empty", "directory")
        .build()
}

#[test]
fn a_prefix_is_made_with_its_final_path_and_only_a_lock_next_to_it() {
    let cache = TestCache::new();
    let request = cache.request("环 境", vec![app(&cache, "1")]);
    let installed = install(&request).unwrap();
    assert!(installed.changed());
    assert_eq!((installed.packages, installed.files, installed.moved_aside()), (1, 5, None));
    let prefix = request.prefix.to_str().unwrap();
    let script = std::fs::read_to_string(request.prefix.join("bin/app")).unwrap();
    // A space can't be in a shebang.
    assert!(script.starts_with("#!/usr/bin/env sh\n"), "{script}");
    let binary = std::fs::read(request.prefix.join("lib/libapp.so")).unwrap();
    let expected = [prefix.as_bytes(), b"/lib\0"].concat();
    assert_eq!(&binary[4..4 + expected.len()], expected);
    assert_eq!(binary.len(), 4 + placeholder().len() + b"/lib\0tail".len());
    assert!(request.prefix.join("var/empty").is_dir());
    assert_eq!(names(request.prefix.parent().unwrap()), [".环 境~lock", "环 境"]);
    assert_eq!(verify(&request.prefix, 2, &NoProgress).unwrap().differences, []);
}

#[test]
fn files_are_hard_links_to_the_cache() {
    let cache = TestCache::new();
    let package = app(&cache, "1");
    let cached = std::fs::metadata(package.dir.join("share/app/版本")).unwrap();
    let request = cache.request("env", vec![package]);
    install(&request).unwrap();
    let linked = std::fs::metadata(request.prefix.join("share/app/版本")).unwrap();
    assert_eq!(cached.ino(), linked.ino());
}

#[test]
fn a_prefix_that_is_right_is_not_touched() {
    let cache = TestCache::new();
    let request = cache.request("env", vec![app(&cache, "1")]);
    install(&request).unwrap();
    let look = |path: &std::path::Path| {
        let found = std::fs::metadata(path).unwrap();
        (found.ino(), found.mtime(), found.mtime_nsec(), found.ctime_nsec())
    };
    let parent = request.prefix.parent().unwrap();
    let before = (look(&request.prefix), look(parent), look(&parent.join(".env~lock")));
    let installed = install(&request).unwrap();
    assert!(!installed.changed());
    assert_eq!((look(&request.prefix), look(parent), look(&parent.join(".env~lock"))), before);
}

#[test]
fn the_environment_before_is_kept_one_generation() {
    let cache = TestCache::new();
    for version in ["1", "2", "3"] {
        install(&cache.request("env", vec![app(&cache, version)])).unwrap();
    }
    let read =
        |name: &str| std::fs::read_to_string(cache.prefix(name).join("share/app/版本")).unwrap();
    assert_eq!((read("env").as_str(), read("env~previous").as_str()), ("3", "2"));
    assert_eq!(names(&cache.root.path().join("envs")), [".env~lock", "env", "env~previous"]);
}

#[test]
fn the_history_has_every_install() {
    let cache = TestCache::new();
    let mut request = cache.request("env", vec![app(&cache, "1")]);
    request.requested.insert("app".into(), vec!["app >=1".into()]);
    install(&request).unwrap();
    install(&cache.request("env", vec![app(&cache, "2")])).unwrap();
    let history = std::fs::read_to_string(request.prefix.join("conda-meta/history")).unwrap();
    let expected = "\
==> 2026-11-23 18:30:12 <==
# cmd: envlock install
# envlock version: 0.1.0
+conda-forge/linux-64::app-1-0
# update specs: [\"app >=1\"]
==> 2026-11-23 18:30:12 <==
# cmd: envlock install
# envlock version: 0.1.0
-conda-forge/linux-64::app-1-0
+conda-forge/linux-64::app-2-0
# update specs: []
";
    assert_eq!(history, expected);
}

#[test]
fn a_record_has_its_source_and_its_requests_but_no_credential() {
    let cache = TestCache::new();
    let mut package = app(&cache, "1");
    package.record.url = "https://me:pw@h.org/t/tk-1/ch/linux-64/app-1-0.conda".parse().unwrap();
    package.record.channel = Some("https://me:pw@h.org/t/tk-1/ch".into());
    let mut request = cache.request("env", vec![package]);
    request.requested.insert("app".into(), vec!["app >=1".into(), "app".into()]);
    request.lock_digest = "opaque".into();
    request.variables.insert("OMP_NUM_THREADS".into(), "4".into());
    install(&request).unwrap();
    let meta = request.prefix.join("conda-meta");
    let record = PrefixRecord::from_path(meta.join("app-1-0.json")).unwrap();
    assert_eq!(record.repodata_record.url.as_str(), "https://h.org/ch/linux-64/app-1-0.conda");
    assert_eq!(record.requested_specs, ["app >=1", "app"]);
    assert_eq!(record.files.len(), 5);
    for (name, bytes) in tree(&meta) {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("tk-1") && !text.contains("pw@"), "{}", name.display());
    }
    let state = std::fs::read_to_string(meta.join("state")).unwrap();
    assert_eq!(state, r#"{"version":1,"env_vars":{"OMP_NUM_THREADS":"4"}}"#);
    // What other tools call to read an environment.
    let all: Vec<PrefixRecord> = PrefixRecord::collect_from_prefix(&request.prefix).unwrap();
    assert_eq!(all.len(), 1);
}

#[test]
fn files_that_no_package_brought_are_named_and_need_replace() {
    let cache = TestCache::new();
    install(&cache.request("env", vec![app(&cache, "1")])).unwrap();
    let site = cache.prefix("env").join("lib/python3.10/site-packages/mine-1.0.dist-info");
    std::fs::create_dir_all(&site).unwrap();
    std::fs::write(site.join("RECORD"), "").unwrap();
    let mut request = cache.request("env", vec![app(&cache, "2")]);
    let error = install(&request).unwrap_err();
    assert_eq!(error.exit(), Exit::Findings);
    let finding = &error.findings()[0];
    assert_eq!(finding.code, "untracked-files");
    assert!(finding.notes[0].contains("mine-1.0.dist-info/RECORD"), "{finding:?}");
    assert!(finding.notes[1].ends_with(": mine 1.0"), "{finding:?}");
    assert!(finding.help.as_deref().unwrap().contains("--replace"));
    assert!(cache.prefix("env/bin/app").exists());

    request.replace = true;
    let recorder = Recorder::default();
    let installed = install_observed(&request, &recorder).unwrap();
    assert_eq!(installed.moved_aside().unwrap().untracked.distributions, ["mine 1.0"]);
    assert!(!site.exists());
    assert!(
        cache
            .prefix("env~previous/lib/python3.10/site-packages/mine-1.0.dist-info/RECORD")
            .exists()
    );
    let previous = cache.prefix("env~previous");
    assert_eq!(recorder.notices(), [Notice::MovedAside { files: 1, packages: 0, previous }]);
}

#[test]
fn what_python_compiled_itself_is_not_untracked_and_no_difference() {
    let cache = TestCache::new();
    let package = cache.package("a", "1").file("lib/m.py", "").build();
    install(&cache.request("env", vec![package])).unwrap();
    let pycache = cache.prefix("env/lib/__pycache__");
    std::fs::create_dir(&pycache).unwrap();
    std::fs::write(pycache.join("m.cpython-310.pyc"), "").unwrap();
    let mut request = cache.request("env", Vec::new()).spec;
    request.lock_digest = "another".into();
    let untracked = || inspect(&request).unwrap().untracked().files.len();
    assert_eq!(untracked(), 0);
    assert_eq!(verify(&cache.prefix("env"), 1, &NoProgress).unwrap().differences, []);
    std::fs::write(pycache.join("other.cpython-310.pyc"), "").unwrap();
    assert_eq!(untracked(), 1);
}

#[test]
fn a_directory_with_files_of_the_user_is_never_replaced() {
    let cache = TestCache::new();
    std::fs::create_dir_all(cache.prefix("env")).unwrap();
    std::fs::write(cache.prefix("env/thesis.txt"), "").unwrap();
    assert_eq!(state(&cache.prefix("env")).unwrap(), PrefixState::NotAnEnvironment);
    let mut request = cache.request("env", vec![app(&cache, "1")]);
    for replace in [false, true] {
        request.replace = replace;
        let error = install(&request).unwrap_err();
        assert!(matches!(error, InstallError::NotAnEnvironment(_)), "{error}");
        assert_eq!(error.exit(), Exit::Usage);
    }
    assert!(cache.prefix("env/thesis.txt").exists());
}

#[test]
fn a_directory_with_the_name_of_the_previous_one_is_never_removed() {
    let cache = TestCache::new();
    install(&cache.request("env", vec![app(&cache, "1")])).unwrap();
    std::fs::create_dir_all(cache.prefix("env~previous")).unwrap();
    std::fs::write(cache.prefix("env~previous/thesis.txt"), "").unwrap();
    let mut request = cache.request("env", vec![app(&cache, "1")]);
    request.replace = true;
    assert!(matches!(install(&request).unwrap_err(), InstallError::PreviousTaken(_)));
    assert!(cache.prefix("env~previous/thesis.txt").exists());
}

#[test]
fn an_empty_directory_becomes_the_prefix() {
    let cache = TestCache::new();
    std::fs::create_dir_all(cache.prefix("env")).unwrap();
    assert_eq!(state(&cache.prefix("env")).unwrap(), PrefixState::Absent);
    assert!(install(&cache.request("env", vec![app(&cache, "1")])).unwrap().changed());
}

#[test]
fn a_symbolic_link_is_refused_by_the_name_of_its_target() {
    let cache = TestCache::new();
    std::fs::create_dir_all(cache.prefix("real")).unwrap();
    std::os::unix::fs::symlink("real", cache.prefix("env")).unwrap();
    let error = install(&cache.request("env", vec![app(&cache, "1")])).unwrap_err();
    let help = error.findings()[0].help.clone().unwrap();
    assert!(help.contains(cache.prefix("real").to_str().unwrap()), "{help}");
}

#[test]
fn another_tools_environment_needs_replace() {
    let cache = TestCache::new();
    std::fs::create_dir_all(cache.prefix("env/conda-meta")).unwrap();
    std::fs::write(cache.prefix("env/conda-meta/history"), "==> old <==").unwrap();
    assert_eq!(state(&cache.prefix("env")).unwrap(), PrefixState::MadeByOtherTool);
    let mut request = cache.request("env", vec![app(&cache, "1")]);
    assert!(matches!(install(&request).unwrap_err(), InstallError::MadeByOtherTool(_)));
    request.replace = true;
    install(&request).unwrap();
    let history = std::fs::read_to_string(cache.prefix("env/conda-meta/history")).unwrap();
    assert!(history.starts_with("==> old <==\n==> 2026"), "{history}");
}

#[test]
fn what_another_tool_installed_since_is_named_and_needs_replace() {
    let cache = TestCache::new();
    let mut request = cache.request("env", vec![app(&cache, "1")]);
    install(&request).unwrap();
    let meta = cache.prefix("env/conda-meta");
    let record = std::fs::read_to_string(meta.join("app-1-0.json")).unwrap();
    let more = record.replace("\"name\": \"app\"", "\"name\": \"more\"");
    std::fs::write(meta.join("more-1-0.json"), more).unwrap();
    assert!(matches!(state(&request.prefix).unwrap(), PrefixState::Modified { .. }));
    let error = install(&request).unwrap_err();
    assert!(error.to_string().ends_with("has 1 package that the lock doesn't have"), "{error}");
    assert_eq!(error.findings()[0].notes, ["installed by another tool since: more-1-0"]);
    request.replace = true;
    assert!(install(&request).unwrap().changed());
    assert!(!meta.join("more-1-0.json").exists());
}

#[test]
fn a_record_that_another_tool_removed_is_put_back() {
    let cache = TestCache::new();
    let request = cache.request("env", vec![app(&cache, "1"), cache.package("b", "1").build()]);
    install(&request).unwrap();
    std::fs::remove_file(cache.prefix("env/conda-meta/b-1-0.json")).unwrap();
    assert!(matches!(state(&request.prefix).unwrap(), PrefixState::Modified { .. }));
    assert!(install(&request).unwrap().changed());
    assert!(cache.prefix("env/conda-meta/b-1-0.json").exists());
}

#[test]
fn pins_of_the_user_are_kept() {
    let cache = TestCache::new();
    install(&cache.request("env", vec![app(&cache, "1")])).unwrap();
    std::fs::write(cache.prefix("env/conda-meta/pinned"), "app 1").unwrap();
    install(&cache.request("env", vec![app(&cache, "2")])).unwrap();
    assert_eq!(std::fs::read_to_string(cache.prefix("env/conda-meta/pinned")).unwrap(), "app 1");
}

#[test]
fn a_damaged_record_is_named_and_replace_installs_anyway() {
    let cache = TestCache::new();
    install(&cache.request("env", vec![app(&cache, "1")])).unwrap();
    std::fs::write(cache.prefix("env/conda-meta/app-1-0.json"), "{").unwrap();
    let mut request = cache.request("env", vec![app(&cache, "2")]);
    let error = install(&request).unwrap_err();
    assert!(error.to_string().contains("app-1-0.json` can't be read"), "{error}");
    request.replace = true;
    assert!(install(&request).unwrap().changed());
}

#[test]
fn a_prefix_that_was_moved_is_built_anew() {
    let cache = TestCache::new();
    install(&cache.request("env", vec![app(&cache, "1")])).unwrap();
    std::fs::rename(cache.prefix("env"), cache.prefix("moved")).unwrap();
    let installed = install(&cache.request("moved", vec![app(&cache, "1")])).unwrap();
    assert!(installed.changed());
}

#[test]
fn a_plan_names_what_is_added_removed_changed_and_kept() {
    let cache = TestCache::new();
    let package = |name: &str, version: &str| cache.package(name, version).build();
    install(&cache.request("env", vec![package("a", "1"), package("b", "1"), package("c", "1")]))
        .unwrap();
    let new = vec![package("a", "1"), package("b", "2"), package("d", "1")];
    let plan = cache.request("env", new).plan().unwrap();
    let steps = plan.steps().unwrap();
    let shown = |dist: &PackageId| format!("{} {} ({})", dist.name, dist.version, dist.channel);
    let all = |dists: &[PackageId]| dists.iter().map(shown).collect::<Vec<_>>();
    assert_eq!(all(&steps.added), ["d 1 (conda-forge)"]);
    assert_eq!(all(&steps.removed), ["c 1 (conda-forge)"]);
    assert_eq!(all(&steps.unchanged), ["a 1 (conda-forge)"]);
    let [PackageChange { from, to }] = &steps.changed[..] else { panic!("{steps:?}") };
    assert_eq!((shown(from), shown(to)), ("b 1 (conda-forge)".into(), "b 2 (conda-forge)".into()));
}

#[test]
fn a_binary_without_room_for_the_path_is_an_error_before_anything_is_written() {
    let cache = TestCache::new();
    let name = format!("{}/env", "深".repeat(80));
    let error = install(&cache.request(&name, vec![app(&cache, "1")])).unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    assert!(error.to_string().contains("`lib/libapp.so` of app-1-0 has room for 254"), "{error}");
}

#[test]
fn a_missing_file_in_the_cache_leaves_the_old_environment() {
    let cache = TestCache::new();
    install(&cache.request("env", vec![app(&cache, "1")])).unwrap();
    let broken = app(&cache, "2");
    std::fs::remove_file(broken.dir.join("share/app/版本")).unwrap();
    let error = install(&cache.request("env", vec![broken])).unwrap_err();
    assert!(matches!(error, InstallError::DamagedPackage { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(cache.prefix("env/share/app/版本")).unwrap(), "1");
    assert_eq!(names(&cache.root.path().join("envs")), [".env~lock", "env"]);
}

#[test]
fn a_folder_of_the_cache_that_holds_another_package_is_refused() {
    let cache = TestCache::new();
    let mut package = app(&cache, "1");
    package.dir = app(&cache, "2").dir;
    let error = install(&cache.request("env", vec![package])).unwrap_err();
    assert!(error.to_string().ends_with("contains app-2-0, not app-1-0"), "{error}");
}

#[test]
fn progress_ends_where_it_was_expected() {
    let cache = TestCache::new();
    let recorder = Recorder::default();
    let packages = vec![app(&cache, "1"), cache.package("b", "1").file("share/b", "b").build()];
    install_observed(&cache.request("env", packages), &recorder).unwrap();
    let (mut expected, mut advanced) = (0, 0);
    for event in recorder.0.lock().unwrap().iter() {
        match event {
            Event::Expect { phase: Phase::Link, units } => expected += units,
            Event::Advance { phase: Phase::Link, units } => advanced += units,
            _ => {}
        }
    }
    assert_eq!((expected, advanced), (6, 6));
}
