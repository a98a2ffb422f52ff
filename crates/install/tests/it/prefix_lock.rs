//! Two installers on one prefix.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use envlock_install::verify;
use envlock_model::progress::{Event, Installer, NoProgress, Notice, Observer};
use tokio::sync::Notify;

use crate::support::{TestCache, install, names, tree};

/// Reports that another install waits.
struct Waits(Arc<Notify>, AtomicUsize, std::sync::Mutex<Vec<Notice>>);

impl Observer for Waits {
    fn observe(&self, event: Event) {
        if let Event::Notice(notice) = event {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.2.lock().unwrap().push(notice);
            self.0.notify_one();
        }
    }
}

#[test]
fn the_second_waits_names_the_first_and_then_installs() {
    let cache = TestCache::new();
    let package = cache.package("a", "1").file("share/a", "1").build();
    let request = cache.request("env", vec![package]);
    std::fs::create_dir_all(request.prefix.parent().unwrap()).unwrap();
    let path = request.prefix.with_file_name(".env~lock");
    let holder = std::fs::File::create(&path).unwrap();
    holder.lock().unwrap();
    let text = r#"{"pid":4242,"command":"envlock install -n 环境","since":"2026-11-23T18:30:12Z"}"#;
    std::fs::write(&path, text).unwrap();
    let waiting = Arc::new(Notify::new());
    let waits = Waits(Arc::clone(&waiting), AtomicUsize::new(0), std::sync::Mutex::default());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let installed = runtime.block_on(async {
        let release = async {
            waiting.notified().await;
            assert!(!request.prefix.exists());
            drop(holder);
        };
        tokio::join!(request.install(&waits), release).0
    });
    assert!(installed.unwrap().changed());
    assert_eq!(waits.1.load(Ordering::Relaxed), 1, "it is reported once");
    let holder = Installer {
        pid: 4242,
        command: "envlock install -n 环境".into(),
        since: "2026-11-23T18:30:12Z".into(),
    };
    assert_eq!(
        *waits.2.lock().unwrap(),
        [Notice::WaitingForInstaller { prefix: request.prefix.clone(), installer: Some(holder) }]
    );
}

#[test]
fn waiting_can_be_cancelled() {
    let cache = TestCache::new();
    let package = cache.package("a", "1").file("share/a", "1").build();
    let request = cache.request("env", vec![package]);
    std::fs::create_dir_all(request.prefix.parent().unwrap()).unwrap();
    let holder = std::fs::File::create(request.prefix.with_file_name(".env~lock")).unwrap();
    holder.lock().unwrap();
    let waiting = Arc::new(Notify::new());
    let waits = Waits(Arc::clone(&waiting), AtomicUsize::new(0), std::sync::Mutex::default());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        tokio::select! {
            _ = request.install(&waits) => panic!("the lock is held"),
            () = waiting.notified() => {}
        }
    });
    assert!(!request.prefix.exists());
}

#[test]
fn many_installers_of_different_sets_leave_one_whole_environment() {
    let cache = TestCache::new();
    let many: Vec<_> = (0..6)
        .map(|n| {
            let version = n.to_string();
            let mut builder = cache.package("a", &version);
            for file in 0..40 {
                builder = builder.file(&format!("share/{file}"), &format!("{version} {file}"));
            }
            cache.request("env", vec![builder.build()])
        })
        .collect();
    std::thread::scope(|scope| {
        for request in &many {
            scope.spawn(|| install(request).unwrap());
        }
    });
    assert_eq!(verify(&cache.prefix("env"), 2, &NoProgress).unwrap().differences, []);
    // The previous environment is whole, too: it has all files of one version.
    let mut previous = tree(&cache.prefix("env~previous"));
    previous.retain(|path, _| path.starts_with("share"));
    let versions: std::collections::BTreeSet<_> =
        previous.values().map(|bytes| bytes.split(|byte| *byte == b' ').next()).collect();
    assert_eq!((previous.len(), versions.len()), (40, 1));
    assert_eq!(names(&cache.root.path().join("envs")), [".env~lock", "env", "env~previous"]);
}

/// Completes the work of an install and releases its lock as soon as another process waits for it.
struct Completes {
    lock: std::sync::Mutex<Option<std::fs::File>>,
    unfinished: std::path::PathBuf,
}

impl Observer for Completes {
    fn observe(&self, event: Event) {
        if let Event::Notice(Notice::WaitingForInstaller { .. }) = event {
            std::fs::remove_file(&self.unfinished).unwrap();
            assert!(self.lock.lock().unwrap().take().is_some(), "it is reported once");
        }
    }
}

#[test]
fn verify_waits_for_a_running_install_and_compares_what_it_has_made() {
    let cache = TestCache::new();
    let package = cache.package("a", "1").file("share/a", "1").build();
    let request = cache.request("env", vec![package]);
    install(&request).unwrap();
    let holder = std::fs::File::open(request.prefix.with_file_name(".env~lock")).unwrap();
    holder.lock().unwrap();
    let unfinished = request.prefix.join("share/unfinished");
    std::fs::write(&unfinished, "").unwrap();
    let install = Completes { lock: std::sync::Mutex::new(Some(holder)), unfinished };
    assert_eq!(verify(&request.prefix, 2, &install).unwrap().differences, []);
    assert!(install.lock.lock().unwrap().is_none());
}
