//! What is at a prefix before and after.

use std::os::unix::fs::MetadataExt;

use envlock_install::{Change, Dist, InstallError, PrefixState, inspect, state, verify};
use envlock_model::progress::{Event, NoProgress, Notice, Phase};
use envlock_report::{AsFindings, Exit};
use rattler_conda_types::PrefixRecord;

use crate::support::{
    Package, Recorder, World, install, install_observed, names, placeholder, tree,
};

fn app(world: &World, version: &str) -> Package {
    let text = format!("#!{}/bin/sh\necho {version}\n", placeholder());
    let binary = [b"\x7fELF", placeholder().as_bytes(), b"/lib\0tail"].concat();
    world
        .package("app", version)
        .bytes("bin/app", text.as_bytes(), Some("text"))
        .bytes("lib/libapp.so", &binary, Some("binary"))
        .file("share/app/版本", version)
        .link("lib/app", "../share/app")
        .listed("var/empty", "directory")
        .done()
}

#[test]
fn a_prefix_has_its_final_path_and_nothing_remains_next_to_it() {
    let world = World::new();
    let wanted = world.wanted("环 境", vec![app(&world, "1")]);
    let installed = install(&wanted).unwrap();
    assert!(installed.changed());
    assert_eq!((installed.packages, installed.files, installed.moved_aside()), (1, 5, None));
    let prefix = wanted.prefix.to_str().unwrap();
    let script = std::fs::read_to_string(wanted.prefix.join("bin/app")).unwrap();
    // A space can't be in a shebang.
    assert!(script.starts_with("#!/usr/bin/env sh\n"), "{script}");
    let binary = std::fs::read(wanted.prefix.join("lib/libapp.so")).unwrap();
    let expected = [prefix.as_bytes(), b"/lib\0"].concat();
    assert_eq!(&binary[4..4 + expected.len()], expected);
    assert_eq!(binary.len(), 4 + placeholder().len() + b"/lib\0tail".len());
    assert!(wanted.prefix.join("var/empty").is_dir());
    assert_eq!(names(wanted.prefix.parent().unwrap()), [".环 境~lock", "环 境"]);
    assert_eq!(verify(&wanted.prefix, 2, &NoProgress).unwrap().differences, []);
}

#[test]
fn files_are_hard_links_to_the_cache() {
    let world = World::new();
    let package = app(&world, "1");
    let cached = std::fs::metadata(package.dir.join("share/app/版本")).unwrap();
    let wanted = world.wanted("env", vec![package]);
    install(&wanted).unwrap();
    let linked = std::fs::metadata(wanted.prefix.join("share/app/版本")).unwrap();
    assert_eq!(cached.ino(), linked.ino());
}

#[test]
fn a_prefix_that_is_right_is_not_touched() {
    let world = World::new();
    let wanted = world.wanted("env", vec![app(&world, "1")]);
    install(&wanted).unwrap();
    let look = |path: &std::path::Path| {
        let found = std::fs::metadata(path).unwrap();
        (found.ino(), found.mtime(), found.mtime_nsec(), found.ctime_nsec())
    };
    let parent = wanted.prefix.parent().unwrap();
    let before = (look(&wanted.prefix), look(parent), look(&parent.join(".env~lock")));
    let installed = install(&wanted).unwrap();
    assert!(!installed.changed());
    assert_eq!((look(&wanted.prefix), look(parent), look(&parent.join(".env~lock"))), before);
}

#[test]
fn the_environment_before_is_kept_one_generation() {
    let world = World::new();
    for version in ["1", "2", "3"] {
        install(&world.wanted("env", vec![app(&world, version)])).unwrap();
    }
    let read =
        |name: &str| std::fs::read_to_string(world.prefix(name).join("share/app/版本")).unwrap();
    assert_eq!((read("env").as_str(), read("env~previous").as_str()), ("3", "2"));
    assert_eq!(names(&world.root.path().join("envs")), [".env~lock", "env", "env~previous"]);
}

#[test]
fn the_history_has_every_install() {
    let world = World::new();
    let mut wanted = world.wanted("env", vec![app(&world, "1")]);
    wanted.requested.insert("app".into(), vec!["app >=1".into()]);
    install(&wanted).unwrap();
    install(&world.wanted("env", vec![app(&world, "2")])).unwrap();
    let history = std::fs::read_to_string(wanted.prefix.join("conda-meta/history")).unwrap();
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
fn a_record_says_where_it_is_from_and_who_asked_but_no_credential() {
    let world = World::new();
    let mut package = app(&world, "1");
    package.record.url = "https://me:pw@h.org/t/tk-1/ch/linux-64/app-1-0.conda".parse().unwrap();
    package.record.channel = Some("https://me:pw@h.org/t/tk-1/ch".into());
    let mut wanted = world.wanted("env", vec![package]);
    wanted.requested.insert("app".into(), vec!["app >=1".into(), "app".into()]);
    wanted.stamp = "opaque".into();
    wanted.variables.insert("OMP_NUM_THREADS".into(), "4".into());
    install(&wanted).unwrap();
    let meta = wanted.prefix.join("conda-meta");
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
    let all: Vec<PrefixRecord> = PrefixRecord::collect_from_prefix(&wanted.prefix).unwrap();
    assert_eq!(all.len(), 1);
}

#[test]
fn files_that_no_package_brought_are_named_and_need_replace() {
    let world = World::new();
    install(&world.wanted("env", vec![app(&world, "1")])).unwrap();
    let site = world.prefix("env").join("lib/python3.10/site-packages/mine-1.0.dist-info");
    std::fs::create_dir_all(&site).unwrap();
    std::fs::write(site.join("RECORD"), "").unwrap();
    let mut wanted = world.wanted("env", vec![app(&world, "2")]);
    let error = install(&wanted).unwrap_err();
    assert_eq!(error.exit(), Exit::Findings);
    let diagnostic = &error.findings()[0];
    assert_eq!(diagnostic.code, "untracked-files");
    assert!(diagnostic.notes[0].contains("mine-1.0.dist-info/RECORD"), "{diagnostic:?}");
    assert!(diagnostic.notes[1].ends_with(": mine 1.0"), "{diagnostic:?}");
    assert!(diagnostic.help.as_deref().unwrap().contains("--replace"));
    assert!(world.prefix("env/bin/app").exists());

    wanted.replace = true;
    let recorder = Recorder::default();
    let installed = install_observed(&wanted, &recorder).unwrap();
    assert_eq!(installed.moved_aside().unwrap().untracked.distributions, ["mine 1.0"]);
    assert!(!site.exists());
    assert!(
        world
            .prefix("env~previous/lib/python3.10/site-packages/mine-1.0.dist-info/RECORD")
            .exists()
    );
    let previous = world.prefix("env~previous");
    assert_eq!(recorder.notices(), [Notice::MovedAside { files: 1, packages: 0, previous }]);
}

#[test]
fn what_python_compiled_itself_is_not_foreign_and_no_difference() {
    let world = World::new();
    let package = world.package("a", "1").file("lib/m.py", "").done();
    install(&world.wanted("env", vec![package])).unwrap();
    let cache = world.prefix("env/lib/__pycache__");
    std::fs::create_dir(&cache).unwrap();
    std::fs::write(cache.join("m.cpython-310.pyc"), "").unwrap();
    let mut wanted = world.wanted("env", Vec::new()).wanted;
    wanted.stamp = "another".into();
    let untracked = || inspect(&wanted).unwrap().untracked().files.len();
    assert_eq!(untracked(), 0);
    assert_eq!(verify(&world.prefix("env"), 1, &NoProgress).unwrap().differences, []);
    std::fs::write(cache.join("other.cpython-310.pyc"), "").unwrap();
    assert_eq!(untracked(), 1);
}

#[test]
fn a_directory_with_other_files_is_never_replaced() {
    let world = World::new();
    std::fs::create_dir_all(world.prefix("env")).unwrap();
    std::fs::write(world.prefix("env/thesis.txt"), "").unwrap();
    assert_eq!(state(&world.prefix("env")).unwrap(), PrefixState::NotAnEnvironment);
    let mut wanted = world.wanted("env", vec![app(&world, "1")]);
    for replace in [false, true] {
        wanted.replace = replace;
        let error = install(&wanted).unwrap_err();
        assert!(matches!(error, InstallError::NotAnEnvironment(_)), "{error}");
        assert_eq!(error.exit(), Exit::Usage);
    }
    assert!(world.prefix("env/thesis.txt").exists());
}

#[test]
fn a_directory_with_the_name_of_the_previous_one_is_never_removed() {
    let world = World::new();
    install(&world.wanted("env", vec![app(&world, "1")])).unwrap();
    std::fs::create_dir_all(world.prefix("env~previous")).unwrap();
    std::fs::write(world.prefix("env~previous/thesis.txt"), "").unwrap();
    let mut wanted = world.wanted("env", vec![app(&world, "1")]);
    wanted.replace = true;
    assert!(matches!(install(&wanted).unwrap_err(), InstallError::PreviousTaken(_)));
    assert!(world.prefix("env~previous/thesis.txt").exists());
}

#[test]
fn an_empty_directory_becomes_the_prefix() {
    let world = World::new();
    std::fs::create_dir_all(world.prefix("env")).unwrap();
    assert_eq!(state(&world.prefix("env")).unwrap(), PrefixState::Absent);
    assert!(install(&world.wanted("env", vec![app(&world, "1")])).unwrap().changed());
}

#[test]
fn a_symbolic_link_is_refused_by_the_name_of_its_target() {
    let world = World::new();
    std::fs::create_dir_all(world.prefix("real")).unwrap();
    std::os::unix::fs::symlink("real", world.prefix("env")).unwrap();
    let error = install(&world.wanted("env", vec![app(&world, "1")])).unwrap_err();
    let help = error.findings()[0].help.clone().unwrap();
    assert!(help.contains(world.prefix("real").to_str().unwrap()), "{help}");
}

#[test]
fn another_tools_environment_needs_replace() {
    let world = World::new();
    std::fs::create_dir_all(world.prefix("env/conda-meta")).unwrap();
    std::fs::write(world.prefix("env/conda-meta/history"), "==> old <==").unwrap();
    assert_eq!(state(&world.prefix("env")).unwrap(), PrefixState::NotOurs);
    let mut wanted = world.wanted("env", vec![app(&world, "1")]);
    assert!(matches!(install(&wanted).unwrap_err(), InstallError::OtherTool(_)));
    wanted.replace = true;
    install(&wanted).unwrap();
    let history = std::fs::read_to_string(world.prefix("env/conda-meta/history")).unwrap();
    assert!(history.starts_with("==> old <==\n==> 2026"), "{history}");
}

#[test]
fn what_another_tool_installed_since_is_named_and_needs_replace() {
    let world = World::new();
    let mut wanted = world.wanted("env", vec![app(&world, "1")]);
    install(&wanted).unwrap();
    let meta = world.prefix("env/conda-meta");
    let record = std::fs::read_to_string(meta.join("app-1-0.json")).unwrap();
    let more = record.replace("\"name\": \"app\"", "\"name\": \"more\"");
    std::fs::write(meta.join("more-1-0.json"), more).unwrap();
    assert!(matches!(state(&wanted.prefix).unwrap(), PrefixState::Altered { .. }));
    let error = install(&wanted).unwrap_err();
    assert!(error.to_string().ends_with("has 1 package that the lock doesn't have"), "{error}");
    assert_eq!(error.findings()[0].notes, ["installed by another tool since: more-1-0"]);
    wanted.replace = true;
    assert!(install(&wanted).unwrap().changed());
    assert!(!meta.join("more-1-0.json").exists());
}

#[test]
fn a_record_that_another_tool_removed_is_put_back() {
    let world = World::new();
    let wanted = world.wanted("env", vec![app(&world, "1"), world.package("b", "1").done()]);
    install(&wanted).unwrap();
    std::fs::remove_file(world.prefix("env/conda-meta/b-1-0.json")).unwrap();
    assert!(matches!(state(&wanted.prefix).unwrap(), PrefixState::Altered { .. }));
    assert!(install(&wanted).unwrap().changed());
    assert!(world.prefix("env/conda-meta/b-1-0.json").exists());
}

#[test]
fn pins_of_the_user_are_kept() {
    let world = World::new();
    install(&world.wanted("env", vec![app(&world, "1")])).unwrap();
    std::fs::write(world.prefix("env/conda-meta/pinned"), "app 1").unwrap();
    install(&world.wanted("env", vec![app(&world, "2")])).unwrap();
    assert_eq!(std::fs::read_to_string(world.prefix("env/conda-meta/pinned")).unwrap(), "app 1");
}

#[test]
fn a_damaged_record_is_named_and_replace_continues() {
    let world = World::new();
    install(&world.wanted("env", vec![app(&world, "1")])).unwrap();
    std::fs::write(world.prefix("env/conda-meta/app-1-0.json"), "{").unwrap();
    let mut wanted = world.wanted("env", vec![app(&world, "2")]);
    let error = install(&wanted).unwrap_err();
    assert!(error.to_string().contains("app-1-0.json` can't be read"), "{error}");
    wanted.replace = true;
    assert!(install(&wanted).unwrap().changed());
}

#[test]
fn a_prefix_that_was_moved_is_built_anew() {
    let world = World::new();
    install(&world.wanted("env", vec![app(&world, "1")])).unwrap();
    std::fs::rename(world.prefix("env"), world.prefix("moved")).unwrap();
    let installed = install(&world.wanted("moved", vec![app(&world, "1")])).unwrap();
    assert!(installed.changed());
}

#[test]
fn a_plan_names_what_comes_goes_changes_and_stays() {
    let world = World::new();
    let package = |name: &str, version: &str| world.package(name, version).done();
    install(&world.wanted("env", vec![package("a", "1"), package("b", "1"), package("c", "1")]))
        .unwrap();
    let new = vec![package("a", "1"), package("b", "2"), package("d", "1")];
    let plan = world.wanted("env", new).plan().unwrap();
    let steps = plan.steps().unwrap();
    let shown = |dist: &Dist| format!("{} {} ({})", dist.name, dist.version, dist.channel);
    let all = |dists: &[Dist]| dists.iter().map(shown).collect::<Vec<_>>();
    assert_eq!(all(&steps.link), ["d 1 (conda-forge)"]);
    assert_eq!(all(&steps.unlink), ["c 1 (conda-forge)"]);
    assert_eq!(all(&steps.keep), ["a 1 (conda-forge)"]);
    let [Change { from, to }] = &steps.change[..] else { panic!("{steps:?}") };
    assert_eq!((shown(from), shown(to)), ("b 1 (conda-forge)".into(), "b 2 (conda-forge)".into()));
}

#[test]
fn a_binary_without_room_for_the_path_is_an_error_before_anything_is_written() {
    let world = World::new();
    let name = format!("{}/env", "深".repeat(80));
    let error = install(&world.wanted(&name, vec![app(&world, "1")])).unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    assert!(error.to_string().contains("`lib/libapp.so` of app-1-0 has room for 254"), "{error}");
}

#[test]
fn a_missing_file_in_the_cache_leaves_the_old_environment() {
    let world = World::new();
    install(&world.wanted("env", vec![app(&world, "1")])).unwrap();
    let broken = app(&world, "2");
    std::fs::remove_file(broken.dir.join("share/app/版本")).unwrap();
    let error = install(&world.wanted("env", vec![broken])).unwrap_err();
    assert!(matches!(error, InstallError::Damaged { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(world.prefix("env/share/app/版本")).unwrap(), "1");
    assert_eq!(names(&world.root.path().join("envs")), [".env~lock", "env"]);
}

#[test]
fn a_folder_of_the_cache_that_holds_another_package_is_refused() {
    let world = World::new();
    let mut package = app(&world, "1");
    package.dir = app(&world, "2").dir;
    let error = install(&world.wanted("env", vec![package])).unwrap_err();
    assert!(error.to_string().ends_with("holds app-2-0, not app-1-0"), "{error}");
}

#[test]
fn progress_ends_where_it_was_expected() {
    let world = World::new();
    let recorder = Recorder::default();
    let packages = vec![app(&world, "1"), world.package("b", "1").file("share/b", "b").done()];
    install_observed(&world.wanted("env", packages), &recorder).unwrap();
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
