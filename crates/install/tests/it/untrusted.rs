//! What somebody else put next to a prefix is neither read, written, moved nor removed.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use envlock_install::{Distrust, InstallError, PrefixState, state, verify};
use envlock_model::progress::{NoProgress, Notice};
use envlock_report::{AsFindings, Code, Exit};

use crate::support::{
    Package, Recorder, Request, TestCache, install, install_observed, names, tree,
};

fn package(cache: &TestCache, version: &str) -> Package {
    cache.package("a", version).file("share/a", version).build()
}

fn request(cache: &TestCache, version: &str) -> Request {
    std::fs::create_dir_all(cache.prefix("")).unwrap();
    cache.request("env", vec![package(cache, version)])
}

/// The installs and the dry run refuse the path, and nothing next to the prefix changes.
fn refused(cache: &TestCache, request: &Request, name: &str) -> Distrust {
    let before = tree(&cache.prefix(""));
    let error = install(request).unwrap_err();
    assert_eq!(tree(&cache.prefix("")), before, "{name}");
    assert_eq!((error.findings()[0].code, error.exit()), (Code::UntrustedPath, Exit::Usage));
    match error {
        InstallError::Untrusted { path, why } => {
            assert_eq!(path, cache.prefix(name));
            why
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_journal_that_this_prefix_has_not_written_moves_nothing() {
    let cache = TestCache::new();
    let request = request(&cache, "1");
    let secret = cache.root.path().join("home/.ssh");
    std::fs::create_dir_all(&secret).unwrap();
    std::fs::write(secret.join("id"), "key").unwrap();
    let prefix = request.prefix.to_str().unwrap();
    let journal = |prefix: &str, next: &str| {
        format!(r#"{{"version":2,"prefix":"{prefix}","next":"{next}","id":"0"}}"#)
    };
    let texts = [
        format!(r#"{{"next":"{}"}}"#, secret.display()),
        "{".to_owned(),
        String::new(),
        " ".repeat(100_000),
        journal(prefix, "../home/.ssh"),
        journal(prefix, secret.to_str().unwrap()),
        journal(prefix, ".."),
        journal(prefix, ""),
        journal(prefix, "other"),
        journal("/another/env", ".env~next-x"),
    ];
    for text in texts {
        std::fs::write(cache.prefix(".env~journal"), text).unwrap();
        assert_eq!(refused(&cache, &request, ".env~journal"), Distrust::Content);
        assert!(state(&request.prefix).is_err());
    }
    assert_eq!(names(&secret), ["id"]);
}

#[test]
fn a_journal_whose_directory_has_another_mark_moves_nothing() {
    let cache = TestCache::new();
    let mut request = request(&cache, "1");
    request.replace = true;
    let next = cache.prefix(".env~next-x");
    std::fs::create_dir_all(next.join("conda-meta")).unwrap();
    let prefix = request.prefix.to_str().unwrap();
    let journal = format!(r#"{{"version":2,"prefix":"{prefix}","next":".env~next-x","id":"1"}}"#);
    std::fs::write(cache.prefix(".env~journal"), journal).unwrap();
    let mark = |id: &str| format!(r#"{{"prefix":"{prefix}","id":"{id}"}}"#);
    std::fs::write(next.join("conda-meta/envlock-mark"), mark("2")).unwrap();
    assert_eq!(refused(&cache, &request, ".env~next-x"), Distrust::Mark);
    // A link to the user's own directory, though the mark in it agrees.
    let target = cache.root.path().join("target");
    std::fs::rename(&next, &target).unwrap();
    std::fs::write(target.join("conda-meta/envlock-mark"), mark("1")).unwrap();
    symlink(&target, &next).unwrap();
    assert_eq!(refused(&cache, &request, ".env~next-x"), Distrust::Symlink);
    // The install that was killed has the right mark.
    std::fs::remove_file(&next).unwrap();
    std::fs::rename(&target, &next).unwrap();
    assert_eq!(state(&request.prefix).unwrap(), PrefixState::Interrupted);
    install(&request).unwrap();
    assert_eq!(verify(&request.prefix, 1, &NoProgress).unwrap().differences, []);
}

#[test]
fn a_lock_or_a_journal_that_is_a_link_is_not_followed() {
    for name in [".env~lock", ".env~journal"] {
        let cache = TestCache::new();
        let request = request(&cache, "1");
        let precious = cache.root.path().join("precious");
        std::fs::write(&precious, "precious").unwrap();
        symlink(&precious, cache.prefix(name)).unwrap();
        assert_eq!(refused(&cache, &request, name), Distrust::Symlink);
        std::fs::remove_file(cache.prefix(name)).unwrap();
        symlink("/no/such/file", cache.prefix(name)).unwrap();
        assert_eq!(refused(&cache, &request, name), Distrust::Symlink);
        std::fs::remove_file(cache.prefix(name)).unwrap();
        std::fs::hard_link(&precious, cache.prefix(name)).unwrap();
        assert_eq!(refused(&cache, &request, name), Distrust::HardLink);
        assert_eq!(std::fs::read_to_string(&precious).unwrap(), "precious");
        std::fs::remove_file(cache.prefix(name)).unwrap();
        std::fs::create_dir(cache.prefix(name)).unwrap();
        assert_eq!(refused(&cache, &request, name), Distrust::NotAFile);
        std::fs::remove_dir(cache.prefix(name)).unwrap();
        let status = std::process::Command::new("mkfifo").arg(cache.prefix(name)).status().unwrap();
        assert!(status.success());
        let why = match install(&request).unwrap_err() {
            InstallError::Untrusted { why, .. } => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(why, Distrust::NotAFile);
    }
}

#[test]
fn a_lock_with_something_of_the_user_in_it_is_not_overwritten() {
    let cache = TestCache::new();
    let request = request(&cache, "1");
    std::fs::write(cache.prefix(".env~lock"), "a year of work").unwrap();
    assert_eq!(refused(&cache, &request, ".env~lock"), Distrust::Content);
    // What a killed install left is overwritten.
    for text in ["", "{\"pid\"", "{\"pid\":1,\"command\":\"x\",\"since\":\"y\"}"] {
        std::fs::write(cache.prefix(".env~lock"), text).unwrap();
        let mut request = request.clone();
        request.lock_digest = text.to_owned();
        assert!(install(&request).unwrap().changed());
    }
}

#[test]
fn a_lock_or_a_journal_of_another_user_is_not_used() {
    if std::os::unix::fs::chown(std::env::temp_dir(), None, None).is_err() {
        return;
    }
    for name in [".env~lock", ".env~journal"] {
        let cache = TestCache::new();
        let request = request(&cache, "1");
        std::fs::write(cache.prefix(name), "").unwrap();
        if std::os::unix::fs::chown(cache.prefix(name), Some(12345), None).is_err() {
            return;
        }
        assert_eq!(refused(&cache, &request, name), Distrust::Owner(12345));
    }
}

#[test]
fn only_staging_directories_of_this_prefix_are_removed() {
    let cache = TestCache::new();
    let request = request(&cache, "1");
    let of_user = cache.prefix(".env~next-important");
    std::fs::create_dir_all(&of_user).unwrap();
    std::fs::write(of_user.join("thesis"), "a year of work").unwrap();
    let copied = cache.prefix(".env~next-copied");
    std::fs::create_dir_all(copied.join("conda-meta")).unwrap();
    let mark = r#"{"prefix":"/elsewhere/env","id":"1"}"#;
    std::fs::write(copied.join("conda-meta/envlock-mark"), mark).unwrap();
    let file = cache.prefix(".env~next-journal");
    std::fs::write(&file, "a year of work").unwrap();
    let link = cache.prefix(".env~next-link");
    symlink(cache.root.path(), &link).unwrap();
    let recorder = Recorder::default();
    install_observed(&request, &recorder).unwrap();
    assert!(
        of_user.join("thesis").exists() && copied.exists() && file.exists() && link.is_symlink()
    );
    let kept: Vec<PathBuf> = recorder
        .notices()
        .into_iter()
        .filter_map(|notice| match notice {
            Notice::NotRemoved { path, .. } => Some(path),
            _ => None,
        })
        .collect();
    assert_eq!(kept, [copied, of_user, file, link]);
}

#[test]
fn what_was_put_aside_with_files_of_the_user_is_never_removed() {
    let cache = TestCache::new();
    install(&request(&cache, "1")).unwrap();
    let results = request(&cache, "1").prefix.join("results.csv");
    std::fs::write(&results, "a year of work").unwrap();
    let mut second = request(&cache, "2");
    second.replace = true;
    install(&second).unwrap();
    let third = request(&cache, "3");
    let kept = cache.prefix("env~previous-2");
    let steps = third.plan().unwrap();
    let moved = steps.steps().unwrap().moved_aside.clone().unwrap();
    assert_eq!((moved.removes_older, moved.keeps_older), (false, Some(kept.clone())));
    let recorder = Recorder::default();
    install_observed(&third, &recorder).unwrap();
    assert_eq!(std::fs::read_to_string(kept.join("results.csv")).unwrap(), "a year of work");
    let (from, to) = (cache.prefix("env~previous"), kept);
    assert!(recorder.notices().contains(&Notice::PreviousKept { from, to }));
    // Unchanged environments are still kept for one generation only.
    install(&request(&cache, "4")).unwrap();
    install(&request(&cache, "5")).unwrap();
    assert_eq!(names(&cache.prefix("")), [".env~lock", "env", "env~previous", "env~previous-2"]);
}

#[test]
fn an_edited_file_and_another_tools_environment_at_the_previous_path_are_kept() {
    let edits: [fn(&TestCache); 3] = [
        // The file is a hard link to the cache: another file takes its place.
        |cache| {
            let path = cache.prefix("env~previous/share/a");
            std::fs::remove_file(&path).unwrap();
            std::fs::write(path, "a year of work").unwrap();
        },
        // Same size, later time.
        |cache| {
            let path = cache.prefix("env~previous/share/a");
            std::fs::remove_file(&path).unwrap();
            let record = cache.prefix("env~previous/conda-meta/envlock");
            let time = record.metadata().unwrap().modified().unwrap();
            std::fs::write(&path, "9").unwrap();
            let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            file.set_modified(time + std::time::Duration::from_mins(1)).unwrap();
        },
        |cache| {
            std::fs::remove_dir_all(cache.prefix("env~previous")).unwrap();
            std::fs::create_dir_all(cache.prefix("env~previous/conda-meta")).unwrap();
            std::fs::write(cache.prefix("env~previous/precious"), "of another tool").unwrap();
        },
    ];
    for edit in edits {
        let cache = TestCache::new();
        install(&request(&cache, "1")).unwrap();
        install(&request(&cache, "2")).unwrap();
        edit(&cache);
        let before = tree(&cache.prefix("env~previous"));
        install(&request(&cache, "3")).unwrap();
        assert_eq!(tree(&cache.prefix("env~previous-2")), before);
    }
}

#[test]
fn an_install_that_fails_puts_the_kept_environment_back() {
    let cache = TestCache::new();
    install(&request(&cache, "1")).unwrap();
    install(&request(&cache, "2")).unwrap();
    std::fs::write(cache.prefix("env~previous/notes"), "of the user").unwrap();
    let script = cache.package("a", "3").script("bin/.a-post-link.sh", "exit 1\n").build();
    let mut failing = cache.request("env", vec![script]);
    failing.run_post_link_scripts = true;
    assert!(matches!(install(&failing), Err(InstallError::PostLinkScript { .. })));
    assert_eq!(names(&cache.prefix("")), [".env~lock", "env", "env~previous"]);
    assert!(cache.prefix("env~previous/notes").exists());
}

#[test]
fn a_link_at_the_previous_path_is_refused_and_kept() {
    let cache = TestCache::new();
    install(&request(&cache, "1")).unwrap();
    let target = cache.root.path().join("home");
    std::fs::create_dir_all(target.join("conda-meta")).unwrap();
    for to in [target.clone(), PathBuf::from("/no/such/directory")] {
        symlink(&to, cache.prefix("env~previous")).unwrap();
        let mut second = request(&cache, "2");
        second.replace = true;
        assert!(matches!(install(&second), Err(InstallError::PreviousTaken(_))));
        std::fs::remove_file(cache.prefix("env~previous")).unwrap();
    }
    assert_eq!(names(&target), ["conda-meta"]);
}

#[test]
fn what_a_killed_install_left_is_removed_next_to_a_prefix_that_is_up_to_date() {
    let cache = TestCache::new();
    let request = request(&cache, "1");
    install(&request).unwrap();
    let left = cache.prefix(".env~next-AbCdEf");
    std::fs::create_dir_all(left.join("conda-meta")).unwrap();
    let mark = format!(r#"{{"prefix":"{}","id":"1"}}"#, request.prefix.display());
    std::fs::write(left.join("conda-meta/envlock-mark"), mark).unwrap();
    std::fs::write(left.join("file"), "").unwrap();
    // Another install is at work: it may be its own.
    let lock = std::fs::File::open(cache.prefix(".env~lock")).unwrap();
    lock.lock().unwrap();
    assert!(!install(&request).unwrap().changed());
    assert!(left.exists());
    drop(lock);
    assert!(!install(&request).unwrap().changed());
    assert_eq!(names(&cache.prefix("")), [".env~lock", "env"]);
}

#[test]
fn files_without_end_in_conda_meta_are_not_read() {
    for name in ["history", "envlock", "envlock-files", "pinned", "b-1-0.json"] {
        let cache = TestCache::new();
        install(&request(&cache, "1")).unwrap();
        let path = cache.prefix("env/conda-meta").join(name);
        let _ = std::fs::remove_file(&path);
        symlink("/dev/zero", &path).unwrap();
        let mut second = request(&cache, "2");
        second.replace = true;
        // Refused or replaced, but never read to the end.
        let _ = install(&second);
        let _ = verify(&second.prefix, 1, &NoProgress);
    }
}
