//! The cache of indexes, from run to run.

use std::fs;
use std::path::PathBuf;

use envlock_testkit::{Fault, TestMirror, files_containing};

use crate::support::{TestClients, records, small_mirror};

fn statuses(mirror: &TestMirror) -> Vec<Option<u16>> {
    mirror.requests("*/repodata.json*").iter().map(|logged| logged.status).collect()
}

fn cached(clients: &TestClients, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(clients.cache().join("index")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        let name = path.to_str().unwrap();
        name.ends_with(ending) && (ending == ".info.json" || !name.ends_with(".info.json"))
    });
    files
}

#[tokio::test]
async fn every_run_sends_one_request_per_subdir_and_an_unchanged_index_gives_status_304() {
    let mirror = small_mirror();
    let clients = TestClients::for_mirrors(&[&mirror]);
    let first = records(&clients.index().await.unwrap(), &["numpy", "idna"]);
    mirror.clear_requests();
    let second = records(&clients.index().await.unwrap(), &["numpy", "idna"]);
    assert_eq!(statuses(&mirror), [Some(304), Some(304)]);
    assert_eq!(first, second);
}

#[tokio::test]
async fn a_changed_index_is_fetched_again() {
    let mut mirror = small_mirror();
    let clients = TestClients::for_mirrors(&[&mirror]);
    clients.index().await.unwrap();
    mirror.update_channel("conda-forge", |c| {
        c.add("numpy 1.26.0 py311_0");
    });
    assert_eq!(records(&clients.index().await.unwrap(), &["numpy"]).len(), 3);
}

#[tokio::test]
async fn a_damaged_cached_index_is_detected_and_fetched_again() {
    let mirror = small_mirror();
    let clients = TestClients::for_mirrors(&[&mirror]);
    clients.index().await.unwrap();
    for (ending, damage) in
        [(".json", &b"{\"packages\":{}}"[..]), (".json", b""), (".info.json", b"{")]
    {
        for file in cached(&clients, ending) {
            fs::write(file, damage).unwrap();
        }
        mirror.clear_requests();
        assert_eq!(records(&clients.index().await.unwrap(), &["numpy"]).len(), 2);
        assert_eq!(statuses(&mirror), [Some(200), Some(200)], "{ending} {damage:?}");
    }
    for file in cached(&clients, ".json") {
        fs::remove_file(file).unwrap();
    }
    assert_eq!(records(&clients.index().await.unwrap(), &["numpy"]).len(), 2);
}

#[tokio::test]
async fn the_validators_of_one_source_are_never_sent_to_another() {
    let (first, second) = (small_mirror(), small_mirror());
    let mut clients = TestClients::for_mirrors(&[&first]);
    clients.index().await.unwrap();
    let cache = clients.settings.cache_dir.clone();
    clients.settings = TestClients::for_mirrors(&[&second]).settings;
    clients.settings.cache_dir = cache;
    clients.index().await.unwrap();
    assert_eq!(statuses(&second), [Some(200), Some(200)]);
    assert!(
        second.requests("*").iter().all(|logged| logged.request.header("if-none-match").is_none())
    );
}

#[tokio::test]
async fn an_index_that_is_no_longer_available_is_an_error_and_the_cached_one_is_not_used() {
    let mirror = small_mirror();
    let clients = TestClients::for_mirrors(&[&mirror]);
    clients.index().await.unwrap();
    mirror.add_fault("*/repodata.json*", Fault::status(403));
    assert!(clients.index().await.is_err());
    mirror.clear_faults();
    clients.index().await.unwrap();
}

#[tokio::test]
async fn an_incomplete_download_leaves_no_file_that_the_next_run_uses() {
    let mirror = small_mirror().with_fault("*/repodata.json*", Fault::Truncate(30));
    let clients = TestClients::for_mirrors(&[&mirror]);
    assert!(clients.index().await.is_err());
    assert_eq!(files_containing(&clients.cache(), b"packages").len(), 0);
    assert!(!clients.cache().join("index").exists());
    mirror.clear_faults();
    assert_eq!(records(&clients.index().await.unwrap(), &["numpy"]).len(), 2);
}

#[tokio::test]
async fn several_clients_use_one_cache_at_the_same_time() {
    let mut mirror = small_mirror();
    let clients = TestClients::for_mirrors(&[&mirror]);
    for round in 0..4 {
        let runs = (0..6).map(|_| clients.index());
        for indexes in futures::future::join_all(runs).await {
            assert_eq!(records(&indexes.unwrap(), &["libblas"]).len(), 1 + round);
        }
        mirror.update_channel("conda-forge", |c| {
            c.add(&format!("libblas 3.9.{} 0", round + 1));
        });
    }
}

#[tokio::test]
async fn a_source_that_changes_its_format_still_delivers() {
    let mut mirror = TestMirror::new().channel("conda-forge", |c| {
        c.add("a 1");
        c.json_only();
    });
    let clients = TestClients::for_mirrors(&[&mirror]);
    clients.index().await.unwrap();
    for subdir in ["linux-64", "noarch"] {
        fs::remove_file(mirror.channel_dir("conda-forge").join(subdir).join("repodata.json"))
            .unwrap();
    }
    mirror.update_channel("conda-forge", envlock_testkit::TestChannel::zst_only);
    clients.index().await.unwrap();
}

#[tokio::test]
async fn a_credential_of_a_mirror_is_never_written_to_disk() {
    let mirror = small_mirror();
    let url = mirror.url().replace("http://", "http://me:canary-7@");
    let clients = TestClients::for_urls(&[&url]);
    let found = records(&clients.index().await.unwrap(), &["numpy"]);
    clients.packages(&found).await.unwrap();
    assert_eq!(files_containing(&clients.cache(), b"canary-7"), Vec::<PathBuf>::new());
    mirror.add_fault("*", Fault::status(403));
    let (text, _) = crate::support::error_text(&clients.index().await.unwrap_err());
    assert!(text.contains("403") && !text.contains("canary-7"), "{text}");
}

#[tokio::test]
async fn the_next_run_removes_the_files_of_a_killed_one_even_if_it_stores_nothing() {
    let mirror = small_mirror();
    let mut clients = TestClients::for_mirrors(&[&mirror]);
    let wanted = records(&clients.index().await.unwrap(), &["numpy"]);
    clients.packages(&wanted).await.unwrap();
    let tmp = clients.cache().join("tmp");
    let kill = || {
        fs::create_dir_all(tmp.join("run-dead/package")).unwrap();
        fs::write(tmp.join("run-dead/package/file"), "half of it").unwrap();
        fs::write(tmp.join("run-dead.lock"), "").unwrap();
    };
    for offline in [false, true] {
        clients.settings.offline = offline;
        kill();
        clients.index().await.unwrap();
        assert_eq!(fs::read_dir(&tmp).unwrap().count(), 0, "index, offline: {offline}");
        kill();
        clients.packages(&wanted).await.unwrap();
        assert_eq!(fs::read_dir(&tmp).unwrap().count(), 0, "packages, offline: {offline}");
    }
}

#[tokio::test]
async fn a_failed_run_waits_for_its_threads_and_leaves_no_file() {
    let mirror = TestMirror::new().channel("conda-forge", |c| {
        c.synthetic(6, 40);
    });
    let clients = TestClients::for_mirrors(&[&mirror]);
    let wanted = records(&clients.index().await.unwrap(), &["synth-all"]);
    // The folder of one package can't be replaced, which is an error while others are unpacked.
    let first = clients.packages(&wanted).await.unwrap().remove(0);
    fs::remove_dir_all(clients.cache().join("pkgs")).unwrap();
    fs::create_dir(clients.cache().join("pkgs")).unwrap();
    fs::write(first, "a file").unwrap();
    assert!(clients.packages(&wanted).await.is_err());
    assert_eq!(fs::read_dir(clients.cache().join("tmp")).unwrap().count(), 0);
}
