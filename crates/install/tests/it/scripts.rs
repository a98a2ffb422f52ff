//! Post-link scripts.

use envlock_install::{InstallError, PrefixState, state, verify};
use envlock_model::progress::{NoProgress, Notice, Recovery};
use envlock_report::AsFindings;

use crate::support::{Recorder, World, install, install_observed, names};

#[test]
fn scripts_are_not_run_and_their_packages_are_named() {
    let world = World::new();
    let package =
        world.package("a", "1").script("bin/.a-post-link.sh", "touch \"$PREFIX/ran\"\n").done();
    let wanted = world.wanted("env", vec![package]);
    let installed = install(&wanted).unwrap();
    assert_eq!(installed.post_link_scripts, ["a"]);
    assert!(!installed.scripts_run() && !wanted.prefix.join("ran").exists());
    assert!(!install(&wanted).unwrap().changed());
    let mut asked = wanted;
    asked.link_scripts = true;
    assert!(install(&asked).unwrap().scripts_run(), "the same lock, but now it is asked for");
    assert!(asked.prefix.join("ran").exists());
}

#[test]
fn scripts_run_with_the_final_path_and_what_they_make_is_known() {
    let world = World::new();
    let script =
        "echo \"$PREFIX $PKG_NAME $PKG_VERSION $PKG_BUILDNUM $CONDA_PREFIX\" > \"$PREFIX/made\"\n";
    let package = world.package("a", "1").script("bin/.a-post-link.sh", script).done();
    let mut wanted = world.wanted("环 境", vec![package]);
    wanted.link_scripts = true;
    assert!(install(&wanted).unwrap().scripts_run());
    let prefix = wanted.prefix.display();
    let made = std::fs::read_to_string(wanted.prefix.join("made")).unwrap();
    assert_eq!(made, format!("{prefix} a 1 0 {prefix}\n"));
    assert_eq!(verify(&wanted.prefix, 1, &NoProgress).unwrap().differences, []);
    assert!(!install(&wanted).unwrap().changed());
    wanted.stamp = "next".into();
    assert!(install(&wanted).unwrap().changed(), "what a script made is not foreign");
}

#[test]
fn what_a_script_changes_and_removes_is_right_afterwards() {
    let world = World::new();
    let script = "rm \"$PREFIX/gone\" \"$PREFIX/longer\"; echo longer > \"$PREFIX/longer\"\n";
    let package = world.package("a", "1").file("gone", "1").file("longer", "1");
    let package = package.script("bin/.a-post-link.sh", script).done();
    let mut wanted = world.wanted("env", vec![package]);
    wanted.link_scripts = true;
    assert!(install(&wanted).unwrap().changed());
    assert!(!install(&wanted).unwrap().changed());
    std::fs::remove_file(wanted.prefix.join("longer")).unwrap();
    assert!(install(&wanted).unwrap().changed());
}

#[test]
fn the_message_of_a_script_is_reported_and_its_file_removed() {
    let world = World::new();
    let script = "echo 'read the licence' > \"$PREFIX/.messages.txt\"\n";
    let package = world.package("a", "1").script("bin/.a-post-link.sh", script).done();
    let mut wanted = world.wanted("env", vec![package]);
    wanted.link_scripts = true;
    let recorder = Recorder::default();
    install_observed(&wanted, &recorder).unwrap();
    let (package, text) = ("a".to_owned(), "read the licence".to_owned());
    assert_eq!(recorder.notices(), [Notice::ScriptMessage { package, text }]);
    assert!(!wanted.prefix.join(".messages.txt").exists());
}

#[test]
fn a_script_that_fails_leaves_what_was_there_before() {
    let world = World::new();
    let old = |version: &str| world.package("a", version).file("share/a", version).done();
    install(&world.wanted("env", vec![old("1")])).unwrap();
    install(&world.wanted("env", vec![old("2")])).unwrap();
    let package = world
        .package("a", "3")
        .file("share/a", "3")
        .script("bin/.a-post-link.sh", "echo no room >&2\nexit 7\n")
        .done();
    let mut wanted = world.wanted("env", vec![package.clone()]);
    wanted.link_scripts = true;
    let error = install(&wanted).unwrap_err();
    assert!(matches!(&error, InstallError::Script { package, .. } if package == "a"), "{error}");
    assert!(error.findings()[0].notes[0].contains("no room"), "{error:?}");
    let read = |name: &str| std::fs::read_to_string(world.prefix(name).join("share/a")).unwrap();
    assert_eq!((read("env").as_str(), read("env~previous").as_str()), ("2", "1"));
    assert_eq!(names(&world.root.path().join("envs")), [".env~lock", "env", "env~previous"]);

    let mut fresh = world.wanted("fresh", vec![package]);
    fresh.link_scripts = true;
    install(&fresh).unwrap_err();
    assert_eq!(state(&fresh.prefix).unwrap(), PrefixState::Absent);
}

#[test]
fn a_process_that_dies_while_scripts_run_is_taken_back() {
    let world = World::new();
    let old = world.package("a", "1").file("share/a", "1").done();
    install(&world.wanted("env", vec![old])).unwrap();
    let new = |version: &str| world.package("a", version).file("share/a", version).done();
    install(&world.wanted("env", vec![new("2")])).unwrap();
    // As the stamp is while scripts run.
    let stamp = world.prefix("env/conda-meta/envlock");
    let text = std::fs::read_to_string(&stamp).unwrap().replace("true", "false");
    std::fs::write(&stamp, text).unwrap();
    assert_eq!(state(&world.prefix("env")).unwrap(), PrefixState::Interrupted);
    let recorder = Recorder::default();
    install_observed(&world.wanted("env", vec![new("3")]), &recorder).unwrap();
    let read = |name: &str| std::fs::read_to_string(world.prefix(name).join("share/a")).unwrap();
    assert_eq!((read("env").as_str(), read("env~previous").as_str()), ("3", "1"));
    let prefix = world.prefix("env");
    let recovery = Recovery::PreviousRestored;
    assert_eq!(recorder.notices()[0], Notice::Recovered { prefix, recovery });
}
