//! Packages: fetched, checked, unpacked, verified.

use std::fs;
use std::path::{Path, PathBuf};

use envlock_channel::FetchError;
use envlock_model::progress::{Notice, Phase, RequestedFile};
use envlock_testkit::{Fault, Package, TestMirror, files_containing};
use rattler_conda_types::RepoDataRecord;

use crate::support::{
    NO_OTHER_ARCHIVES, TestClients, error_text, records, small_mirror, unreachable_url,
};

async fn found(world: &TestMirror, names: &[&str]) -> Vec<RepoDataRecord> {
    records(&TestClients::for_mirrors(&[world]).index().await.unwrap(), names)
}

/// Returns the temporary files and folders that remain.
fn temporary_files(clients: &TestClients) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(clients.cache().join("tmp")) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).filter(|path| !path.ends_with("gate")).collect()
}

#[tokio::test]
async fn packages_of_both_formats_are_unpacked_and_returned_in_the_order_of_the_records() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.add("a 1");
        c.tar_bz2();
        c.add("b 1");
    });
    let clients = TestClients::for_mirrors(&[&world]);
    let mut wanted = found(&world, &["a", "b"]).await;
    wanted.reverse();
    let paths = clients.packages(&wanted).await.unwrap();
    for (path, name) in paths.iter().zip(["b", "a"]) {
        assert_eq!(
            fs::read_to_string(path.join(format!("share/{name}/of"))).unwrap(),
            format!("{name} 1")
        );
    }
    let sizes: u64 = wanted.iter().filter_map(|record| record.package_record.size).sum();
    assert_eq!(clients.events.units(Phase::Download), (sizes, sizes));
    assert!(temporary_files(&clients).is_empty());
}

#[tokio::test]
async fn a_cached_package_is_verified_and_not_fetched() {
    let world = small_mirror();
    let clients = TestClients::for_mirrors(&[&world]);
    let wanted = found(&world, &["numpy"]).await;
    let first = clients.packages(&wanted).await.unwrap();
    world.clear_requests();
    assert_eq!(clients.packages(&wanted).await.unwrap(), first);
    assert!(world.requests("*").is_empty());
    let (expected, done) = clients.events.units(Phase::Verify);
    assert!(expected > 0 && expected == done);
}

#[tokio::test]
async fn a_package_with_an_edited_file_is_fetched_again() {
    let world = small_mirror();
    let clients = TestClients::for_mirrors(&[&world]);
    let wanted = found(&world, &["libblas"]).await;
    let path = clients.packages(&wanted).await.unwrap().remove(0);
    let file = path.join("share/libblas/of");
    let right = fs::read_to_string(&file).unwrap();
    for damage in ["LIBBLAS 3.9.0 0", "short"] {
        fs::write(&file, damage).unwrap();
        assert_eq!(clients.packages(&wanted).await.unwrap(), [path.as_path()]);
        assert_eq!(fs::read_to_string(&file).unwrap(), right);
    }
    fs::remove_file(&file).unwrap();
    clients.packages(&wanted).await.unwrap();
    fs::write(path.join("info/paths.json"), "{").unwrap();
    clients.packages(&wanted).await.unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), right);
    let notices = clients.events.notices();
    assert_eq!(notices.len(), 4, "{notices:?}");
    let Notice::DamagedPackage { file, reason } = &notices[0] else { panic!("{notices:?}") };
    assert_eq!(file, "libblas-3.9.0-0.conda");
    assert!(reason.contains("share/libblas/of"), "{notices:?}");
}

#[tokio::test]
async fn an_edited_package_that_cannot_be_fetched_again_is_kept_and_is_an_error() {
    let world = small_mirror();
    let clients = TestClients::for_mirrors(&[&world]);
    let wanted = found(&world, &["libblas"]).await;
    let path = clients.packages(&wanted).await.unwrap().remove(0);
    fs::write(path.join("share/libblas/of"), "edited").unwrap();
    world.add_fault("*.conda", Fault::status(403));
    assert!(clients.packages(&wanted).await.is_err());
    assert_eq!(fs::read_to_string(path.join("share/libblas/of")).unwrap(), "edited");
}

#[tokio::test]
async fn a_source_that_fails_for_one_archive_is_followed_by_the_next_with_a_notice() {
    let cases = [
        (Fault::status(404), "404 not found"),
        (Fault::status(403), "403 forbidden"),
        (Fault::status(429), "429 too many requests"),
        (Fault::status(500), "500 internal server error"),
        (Fault::Html, "a web page instead"),
        (Fault::Truncate(10), "cut short: 10 of"),
        (Fault::Corrupt, "wrong sha256: expected"),
        (Fault::Bytes(vec![b'x'; 100].into()), "wrong size: expected"),
        (Fault::Bytes(vec![b'x'; 1_000_000].into()), "got 1000000"),
        (Fault::Bytes(Vec::new().into()), "got 0"),
        (Fault::Close, "the connection was reset"),
        (Fault::Hang, "nothing was received for"),
    ];
    for (fault, words) in cases {
        let (bad, good) = (small_mirror().with_fault("*/numpy-*", fault.clone()), small_mirror());
        let clients = TestClients::for_mirrors(&[&bad, &good]);
        let wanted = found(&good, &["numpy"]).await;
        let paths =
            clients.packages(&wanted).await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert!(paths.iter().all(|path| path.join("info/index.json").is_file()));
        let notices = clients.events.notices();
        assert_eq!(notices.len(), 1, "{fault:?}: {notices:?}");
        let (file, source, reason, _) = clients.events.failures().remove(0);
        assert_eq!(file, RequestedFile::Archive("numpy-1.24.3-py310_0.conda".into()));
        assert!(source.starts_with("127.0.0.1:"), "{notices:?}");
        assert!(reason.contains(words), "{fault:?}: {notices:?}");
        let (expected, done) = clients.events.units(Phase::Download);
        assert_eq!(expected, done, "{fault:?}");
        assert!(temporary_files(&clients).is_empty());
    }
}

#[tokio::test]
async fn all_unavailable_packages_are_in_one_error_with_each_attempt() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        for name in ["a", "b", "c"] {
            c.add(&format!("{name} 1"));
        }
    });
    let wanted = found(&world, &["a", "b", "c"]).await;
    world.add_fault("*/a-1*", Fault::Corrupt);
    world.add_fault("*/b-1*", Fault::status(403));
    let clients = TestClients::for_urls(&[&unreachable_url(), &world.url()]);
    let (text, exit) = error_text(&clients.packages(&wanted).await.unwrap_err());
    assert_eq!(exit, 3);
    for part in [
        "packages-unavailable: no source delivers 2 packages",
        "a-1-0.conda:\n  http://127.0.0.1",
        "the connection was refused",
        "b-1-0.conda: 403 forbidden",
        "wrong sha256: expected ",
        "nothing was changed",
    ] {
        assert!(text.contains(part), "{part:?} isn't in:\n{text}");
    }
    let cached: Vec<_> = fs::read_dir(clients.cache().join("pkgs")).unwrap().collect();
    assert_eq!(cached.len(), 1);
    world.clear_faults();
    clients.packages(&wanted).await.unwrap();
}

#[tokio::test]
async fn an_archive_with_wrong_bytes_is_never_unpacked() {
    let world = small_mirror().with_fault("*.conda", Fault::Corrupt);
    let clients = TestClients::for_mirrors(&[&world]);
    let wanted = found(&world, &["numpy"]).await;
    assert!(clients.packages(&wanted).await.is_err());
    assert!(!clients.cache().join("pkgs").exists());
    assert!(temporary_files(&clients).is_empty());
}

#[tokio::test]
async fn two_archives_of_the_same_name_version_and_build_do_not_share_a_folder() {
    let world = TestMirror::new()
        .channel("conda-forge", |c| {
            c.add("a 1");
        })
        .channel("pytorch", |c| {
            c.package(&envlock_testkit::parse_package("a 1").file("share/a/of", "another a"));
        });
    let wanted = [
        crate::support::request("conda-forge", crate::support::FORGE),
        crate::support::request("pytorch", "https://conda.anaconda.org/pytorch/"),
    ];
    let clients = TestClients::for_mirrors(&[&world]);
    let both = records(&clients.indexes(&wanted).await.unwrap(), &["a"]);
    let paths = clients.packages(&both).await.unwrap();
    let texts: Vec<String> =
        paths.iter().map(|path| fs::read_to_string(path.join("share/a/of")).unwrap()).collect();
    assert_eq!(texts, ["a 1", "another a"]);
}

#[tokio::test]
async fn an_archive_writes_nothing_outside_of_its_folder() {
    let target = tempfile::tempdir().unwrap();
    let outside = target.path().to_str().unwrap();
    let hostile = [
        ("dots", Package::new("h", "1").file_with_raw_path("../../../../canary", "canary")),
        ("deep", Package::new("h", "1").file_with_raw_path("a/../../../../canary", "canary")),
        (
            "link",
            Package::new("h", "1")
                .symlink("out", outside)
                .file_with_raw_path("out/canary", "canary"),
        ),
        (
            "up",
            Package::new("h", "1")
                .symlink("out", "../../..")
                .file_with_raw_path("out/canary", "canary"),
        ),
    ];
    for (what, package) in hostile {
        for bz2 in [false, true] {
            let world = TestMirror::new().channel("conda-forge", |c| {
                if bz2 {
                    c.tar_bz2();
                }
                c.package(&package);
            });
            let clients = TestClients::for_mirrors(&[&world]);
            let wanted = found(&world, &["h"]).await;
            let (text, exit) = error_text(&clients.packages(&wanted).await.unwrap_err());
            assert_eq!(exit, 3);
            assert!(text.starts_with("package-malformed: h-1-0."), "{what}: {text}");
            assert_eq!(
                files_containing(&clients.cache(), b"canary"),
                Vec::<PathBuf>::new(),
                "{what}"
            );
            assert_eq!(fs::read_dir(target.path()).unwrap().count(), 0, "{what}");
            assert!(temporary_files(&clients).is_empty(), "{what}");
        }
    }
}

#[tokio::test]
async fn an_absolute_name_in_an_archive_stays_in_its_folder() {
    let target = tempfile::tempdir().unwrap();
    let path = target.path().join("canary");
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.package(&Package::new("h", "1").file_with_raw_path(path.to_str().unwrap(), "canary"));
    });
    let wanted = found(&world, &["h"]).await;
    let clients = TestClients::for_mirrors(&[&world]);
    // The installer decides whether it is an error. Here nothing is written to that path.
    let _ = clients.packages(&wanted).await;
    assert!(!path.exists());
}

#[tokio::test]
async fn without_a_mirror_and_without_the_origin_no_package_is_requested() {
    let world = small_mirror();
    let wanted = found(&world, &["libblas"]).await;
    let (text, exit) = error_text(&TestClients::for_urls(&[]).packages(&wanted).await.unwrap_err());
    assert_eq!(exit, 3);
    assert!(text.contains("libblas-3.9.0-0.conda: no mirror has its channel"), "{text}");
}

#[tokio::test]
async fn a_record_without_a_digest_is_rejected() {
    let world = small_mirror();
    let mut wanted = found(&world, &["libblas"]).await;
    wanted[0].package_record.sha256 = None;
    let error = TestClients::for_mirrors(&[&world]).packages(&wanted).await.unwrap_err();
    assert!(matches!(&error, FetchError::NoSha256 { file } if file == "libblas-3.9.0-0.conda"));
}

#[tokio::test]
async fn a_record_whose_names_lead_out_of_a_folder_is_rejected() {
    let world = small_mirror();
    let mut wanted = found(&world, &["libblas"]).await;
    wanted[0].package_record.build =
        rattler_conda_types::package::BuildString::new_unchecked("../../x");
    assert!(TestClients::for_mirrors(&[&world]).packages(&wanted).await.is_err());
}

#[tokio::test]
async fn after_an_interrupted_run_the_next_one_uses_only_complete_packages() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.synthetic(6, 40);
    });
    let wanted = found(&world, &["synth-all"]).await;
    let clients = TestClients::for_mirrors(&[&world]);
    world.add_fault("*/synth-003*", Fault::Hang);
    // The run is dropped after some packages are unpacked, while one request hangs.
    let (client, cache) = (clients.client(), clients.cache());
    tokio::select! {
        result = client.packages(&wanted, &NO_OTHER_ARCHIVES, &clients.events) => { assert!(result.is_err()); }
        () = until_some_are_unpacked(&cache) => {}
    }
    drop(client);
    world.clear_faults();
    let paths = clients.packages(&wanted).await.unwrap();
    assert_eq!(paths.len(), 7);
    assert!(paths.iter().all(|path| path.join("info/paths.json").is_file()));
    assert!(
        clients
            .events
            .notices()
            .iter()
            .all(|notice| !matches!(notice, Notice::DamagedPackage { .. }))
    );
}

async fn until_some_are_unpacked(cache: &Path) {
    while fs::read_dir(cache.join("pkgs")).map_or(0, Iterator::count) < 2 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn concurrent_clients_share_the_packages_of_one_cache() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.synthetic(8, 10);
    });
    let wanted = found(&world, &["synth-all"]).await;
    let clients = TestClients::for_mirrors(&[&world]);
    let runs = futures::future::join_all((0..4).map(|_| clients.packages(&wanted))).await;
    let first = runs[0].as_ref().unwrap().clone();
    assert!(runs.iter().all(|run| run.as_ref().unwrap() == &first));
    assert_eq!(fs::read_dir(clients.cache().join("pkgs")).unwrap().count(), 9);
    assert!(clients.events.notices().is_empty(), "{:?}", clients.events.notices());
}
