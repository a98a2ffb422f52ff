//! Post-link scripts.

use envlock_install::{InstallError, PrefixState, state, verify};
use envlock_model::progress::{NoProgress, Notice, Recovery};
use envlock_report::AsFindings;

use crate::support::{Recorder, TestCache, install, install_observed, names};

#[test]
fn scripts_are_not_run_and_their_packages_are_named() {
    let cache = TestCache::new();
    let package =
        cache.package("a", "1").script("bin/.a-post-link.sh", "touch \"$PREFIX/ran\"\n").build();
    let request = cache.request("env", vec![package]);
    let installed = install(&request).unwrap();
    assert_eq!(installed.post_link_scripts, ["a"]);
    assert!(!installed.scripts_run() && !request.prefix.join("ran").exists());
    assert!(!install(&request).unwrap().changed());
    let mut with_scripts = request;
    with_scripts.run_post_link_scripts = true;
    assert!(
        install(&with_scripts).unwrap().scripts_run(),
        "the same lock, but now scripts are requested"
    );
    assert!(with_scripts.prefix.join("ran").exists());
}

#[test]
fn scripts_run_with_the_final_path_and_what_they_make_is_known() {
    let cache = TestCache::new();
    let script =
        "echo \"$PREFIX $PKG_NAME $PKG_VERSION $PKG_BUILDNUM $CONDA_PREFIX\" > \"$PREFIX/made\"\n";
    let package = cache.package("a", "1").script("bin/.a-post-link.sh", script).build();
    let mut request = cache.request("环 境", vec![package]);
    request.run_post_link_scripts = true;
    assert!(install(&request).unwrap().scripts_run());
    let prefix = request.prefix.display();
    let made = std::fs::read_to_string(request.prefix.join("made")).unwrap();
    assert_eq!(made, format!("{prefix} a 1 0 {prefix}\n"));
    assert_eq!(verify(&request.prefix, 1, &NoProgress).unwrap().differences, []);
    assert!(!install(&request).unwrap().changed());
    request.lock_digest = "next".into();
    assert!(install(&request).unwrap().changed(), "what a script made is not untracked");
}

#[test]
fn what_a_script_changes_and_removes_is_right_afterwards() {
    let cache = TestCache::new();
    let script = "rm \"$PREFIX/gone\" \"$PREFIX/longer\"; echo longer > \"$PREFIX/longer\"\n";
    let package = cache.package("a", "1").file("gone", "1").file("longer", "1");
    let package = package.script("bin/.a-post-link.sh", script).build();
    let mut request = cache.request("env", vec![package]);
    request.run_post_link_scripts = true;
    assert!(install(&request).unwrap().changed());
    assert!(!install(&request).unwrap().changed());
    std::fs::remove_file(request.prefix.join("longer")).unwrap();
    assert!(install(&request).unwrap().changed());
}

#[test]
fn the_message_of_a_script_is_reported_and_its_file_removed() {
    let cache = TestCache::new();
    let script = "echo 'read the licence' > \"$PREFIX/.messages.txt\"\n";
    let package = cache.package("a", "1").script("bin/.a-post-link.sh", script).build();
    let mut request = cache.request("env", vec![package]);
    request.run_post_link_scripts = true;
    let recorder = Recorder::default();
    install_observed(&request, &recorder).unwrap();
    let (package, text) = ("a".to_owned(), "read the licence".to_owned());
    assert_eq!(recorder.notices(), [Notice::ScriptMessage { package, text }]);
    assert!(!request.prefix.join(".messages.txt").exists());
}

#[test]
fn a_script_that_fails_leaves_what_was_there_before() {
    let cache = TestCache::new();
    let old = |version: &str| cache.package("a", version).file("share/a", version).build();
    install(&cache.request("env", vec![old("1")])).unwrap();
    install(&cache.request("env", vec![old("2")])).unwrap();
    let package = cache
        .package("a", "3")
        .file("share/a", "3")
        .script("bin/.a-post-link.sh", "echo no room >&2\nexit 7\n")
        .build();
    let mut request = cache.request("env", vec![package.clone()]);
    request.run_post_link_scripts = true;
    let error = install(&request).unwrap_err();
    assert!(
        matches!(&error, InstallError::PostLinkScript { package, .. } if package == "a"),
        "{error}"
    );
    assert!(error.findings()[0].notes[0].contains("no room"), "{error:?}");
    let read = |name: &str| std::fs::read_to_string(cache.prefix(name).join("share/a")).unwrap();
    assert_eq!((read("env").as_str(), read("env~previous").as_str()), ("2", "1"));
    assert_eq!(names(&cache.root.path().join("envs")), [".env~lock", "env", "env~previous"]);

    let mut fresh = cache.request("fresh", vec![package]);
    fresh.run_post_link_scripts = true;
    install(&fresh).unwrap_err();
    assert_eq!(state(&fresh.prefix).unwrap(), PrefixState::Absent);
}

/// Makes the record of the install what it is while scripts run.
fn interrupt(cache: &TestCache) {
    let record = cache.prefix("env/conda-meta/envlock");
    let text = std::fs::read_to_string(&record).unwrap().replace("true", "false");
    std::fs::write(&record, text).unwrap();
    assert_eq!(state(&cache.prefix("env")).unwrap(), PrefixState::Interrupted);
}

#[test]
fn a_process_that_dies_while_scripts_run_is_taken_back() {
    let cache = TestCache::new();
    let old = cache.package("a", "1").file("share/a", "1").build();
    install(&cache.request("env", vec![old])).unwrap();
    let new = |version: &str| cache.package("a", version).file("share/a", version).build();
    install(&cache.request("env", vec![new("2")])).unwrap();
    interrupt(&cache);
    let recorder = Recorder::default();
    install_observed(&cache.request("env", vec![new("3")]), &recorder).unwrap();
    let read = |name: &str| std::fs::read_to_string(cache.prefix(name).join("share/a")).unwrap();
    assert_eq!((read("env").as_str(), read("env~previous").as_str()), ("3", "1"));
    let prefix = cache.prefix("env");
    let recovery = Recovery::PreviousRestored;
    assert_eq!(recorder.notices()[0], Notice::Recovered { prefix, recovery });
}

#[test]
fn files_of_the_user_in_an_unfinished_prefix_are_kept() {
    for with_previous in [false, true] {
        let cache = TestCache::new();
        let new = |version: &str| cache.package("a", version).file("share/a", version).build();
        if with_previous {
            install(&cache.request("env", vec![new("1")])).unwrap();
        }
        install(&cache.request("env", vec![new("2")])).unwrap();
        interrupt(&cache);
        std::fs::create_dir(cache.prefix("env/results")).unwrap();
        std::fs::write(cache.prefix("env/results/mine"), "mine").unwrap();
        let recorder = Recorder::default();
        install_observed(&cache.request("env", vec![new("3")]), &recorder).unwrap();
        let to = cache.prefix("env~previous-2");
        assert_eq!(std::fs::read_to_string(to.join("results/mine")).unwrap(), "mine");
        assert_eq!(std::fs::read_to_string(cache.prefix("env/share/a")).unwrap(), "3");
        assert!(!cache.prefix("env/results").exists());
        assert_eq!(recorder.notices()[1..], [Notice::UnfinishedKept { to }]);
        // The next installs keep it, too.
        install(&cache.request("env", vec![new("4")])).unwrap();
        let expected = [".env~lock", "env", "env~previous", "env~previous-2"];
        assert_eq!(names(&cache.root.path().join("envs")), expected);
    }
}
