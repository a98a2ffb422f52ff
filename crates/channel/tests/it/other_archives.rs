//! The other archive of a build: used if the lock has its sha256, and never otherwise.

use std::fs;

use envlock_channel::{FetchError, Substitution, UnpackedPackage};
use envlock_model::lock::{OtherArchive, OtherArchives};
use envlock_testkit::{Fault, LoggedRequest, TestChannel, TestMirror};
use rattler_conda_types::RepoDataRecord;
use rattler_digest::{Sha256, compute_bytes_digest};

use crate::support::{NO_OTHER_ARCHIVES, TestClients, error_text, folder, records};

type Add = fn(&mut TestChannel);

fn bz2(c: &mut TestChannel) {
    c.tar_bz2();
    c.add("app 1.0");
    c.conda();
}

fn conda(c: &mut TestChannel) {
    c.add("app 1.0");
}

const BOTH_ORDERS: [(Add, Add, &str, &str); 2] =
    [(bz2, conda, ".tar.bz2", ".conda"), (conda, bz2, ".conda", ".tar.bz2")];

/// A mirror whose index lists both archives of one build, the record of the archive that `first`
/// makes, and what a lock has about the other one.
async fn both(first: Add, second: Add) -> (TestMirror, RepoDataRecord, OtherArchives) {
    let mut mirror = TestMirror::new().channel("conda-forge", first);
    let index = TestClients::for_mirrors(&[&mirror]).index().await.unwrap();
    let record = records(&index, &["app"]).remove(0);
    mirror.update_channel("conda-forge", second);
    let index = TestClients::for_mirrors(&[&mirror]).index().await.unwrap();
    let archives = index.other_archives([&record]);
    (mirror, record, archives)
}

async fn fetch(
    clients: &TestClients,
    record: &RepoDataRecord,
    archives: &OtherArchives,
) -> Result<UnpackedPackage, FetchError> {
    let wanted = std::slice::from_ref(record);
    Ok(clients.packages_or_other_archives(wanted, archives).await?.remove(0))
}

/// The file names of the archives that were requested.
fn requested(mirror: &TestMirror) -> Vec<String> {
    let last = |logged: &LoggedRequest| {
        logged.request.path.rsplit('/').next().unwrap_or_default().to_owned()
    };
    mirror.requests("*/app-*").iter().map(last).collect()
}

#[tokio::test]
async fn an_absent_archive_is_replaced_by_the_other_one_if_the_lock_has_its_digest() {
    for (first, second, absent, other) in BOTH_ORDERS {
        let (mirror, record, archives) = both(first, second).await;
        assert_eq!(archives.len(), 1);
        mirror.add_fault(&format!("*/app-1.0-0{absent}"), Fault::status(404));
        let mut clients = TestClients::for_mirrors(&[&mirror]);
        mirror.clear_requests();
        let package = fetch(&clients, &record, &archives).await.unwrap();
        assert_eq!(fs::read_to_string(package.dir.join("share/app/of")).unwrap(), "app 1.0");
        let used = format!("app-1.0-0{other}");
        let substitution = Substitution { locked: format!("app-1.0-0{absent}"), used };
        assert_eq!(package.substitution.as_ref(), Some(&substitution));
        assert!(mirror.requests("*repodata*").is_empty(), "an index proves nothing");

        // The record is that of the archive that was unpacked.
        let file = substitution.used.as_str();
        assert_eq!(package.record.identifier.to_string(), file);
        assert!(package.record.url.path().ends_with(&format!("/linux-64/{file}")));
        let archive = &archives[&record.url];
        assert_eq!(package.record.package_record.sha256, Some(archive.sha256));
        assert_eq!(package.record.package_record.size, archive.size);
        assert_eq!(package.record.package_record.md5, None);
        assert_eq!(package.record.package_record.depends, record.package_record.depends);

        // Offline the other archive comes from the cache, and is reported again.
        clients.settings.offline = true;
        mirror.clear_requests();
        assert_eq!(fetch(&clients, &record, &archives).await.unwrap(), package);
        assert!(mirror.requests("*").is_empty());
        // Without its digest in the lock it isn't used, although it is in the cache.
        assert!(fetch(&clients, &record, &NO_OTHER_ARCHIVES).await.is_err());
    }
}

#[tokio::test]
async fn an_archive_that_the_index_lists_and_the_lock_does_not_is_never_requested() {
    for (first, second, absent, other) in BOTH_ORDERS {
        let (mirror, record, archives) = both(first, second).await;
        mirror.add_fault(&format!("*/app-1.0-0{absent}"), Fault::status(404));
        mirror.clear_requests();
        let clients = TestClients::for_mirrors(&[&mirror]);
        let error = fetch(&clients, &record, &NO_OTHER_ARCHIVES).await.unwrap_err();
        let (text, exit) = error_text(&error);
        assert_eq!(exit, 3);
        assert!(text.contains(&format!("app-1.0-0{absent}: 404 not found")), "{text}");
        assert!(requested(&mirror).iter().all(|file| !file.ends_with(other)));

        // Nor is one whose digest differs from that in the lock, whatever the index says.
        let mut foreign = archives.clone();
        let digest = compute_bytes_digest::<Sha256>(b"other");
        foreign.insert(record.url.clone(), OtherArchive { sha256: digest, size: None });
        let clients = TestClients::for_mirrors(&[&mirror]);
        assert!(fetch(&clients, &record, &foreign).await.is_err());
        assert!(!clients.cache().join("pkgs").exists());
    }
}

#[tokio::test]
async fn the_digest_of_an_md5_or_a_size_alone_is_no_proof() {
    let (mirror, mut record, _) = both(conda, bz2).await;
    mirror.add_fault("*.conda", Fault::status(404));
    record.package_record.legacy_bz2_md5 = Some([1; 16].into());
    record.package_record.legacy_bz2_size = record.package_record.size;
    let index = TestClients::for_mirrors(&[&mirror]).index().await.unwrap();
    record.package_record.sha256 = Some(compute_bytes_digest::<Sha256>(b"other"));
    assert!(index.other_archives([&record]).is_empty());
    mirror.clear_requests();
    let clients = TestClients::for_mirrors(&[&mirror]);
    assert!(fetch(&clients, &record, &NO_OTHER_ARCHIVES).await.is_err());
    assert!(requested(&mirror).iter().all(|file| file.ends_with("-0.conda")));
}

#[tokio::test]
async fn an_other_archive_with_other_bytes_than_in_the_lock_is_rejected() {
    let (mirror, record, archives) = both(bz2, conda).await;
    mirror.add_fault("*.tar.bz2", Fault::status(404));
    mirror.add_fault("*.conda", Fault::Corrupt);
    let clients = TestClients::for_mirrors(&[&mirror]);
    let (text, _) = error_text(&fetch(&clients, &record, &archives).await.unwrap_err());
    assert!(text.contains("app-1.0-0.tar.bz2: 404") && text.contains("wrong sha256"), "{text}");
}

#[tokio::test]
async fn after_a_denial_the_other_archive_is_not_requested() {
    let (mirror, record, archives) = both(bz2, conda).await;
    mirror.add_fault("*.tar.bz2", Fault::status(403));
    mirror.clear_requests();
    let clients = TestClients::for_mirrors(&[&mirror]);
    assert!(fetch(&clients, &record, &archives).await.is_err());
    assert!(requested(&mirror).iter().all(|file| file.ends_with(".tar.bz2")));
}

#[tokio::test]
async fn a_bundle_has_the_other_archive_under_its_own_name_and_digest() {
    let (mirror, record, archives) = both(bz2, conda).await;
    mirror.add_fault("*.tar.bz2", Fault::status(404));
    let to = tempfile::tempdir().unwrap();
    let (wanted, events) = ([record.clone()], envlock_model::progress::NoProgress);
    let client = TestClients::for_mirrors(&[&mirror]).client();
    assert!(client.write_channel(&wanted, &NO_OTHER_ARCHIVES, to.path(), &events).await.is_err());
    let used = client.write_channel(&wanted, &archives, to.path(), &events).await.unwrap();
    assert_eq!(used.len(), 1);
    assert!(to.path().join("linux-64/app-1.0-0.conda").is_file());
    assert!(!to.path().join("linux-64/app-1.0-0.tar.bz2").exists());
    let mut offline = TestClients::for_urls(&[]);
    offline.settings.offline = true;
    let listed = records(&offline.indexes(&[folder(to.path())]).await.unwrap(), &["app"]);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].package_record.sha256, Some(archives[&record.url].sha256));
    // The second run finds the file and needs no request for it.
    let again = client.write_channel(&wanted, &archives, to.path(), &events).await.unwrap();
    assert_eq!(again, used);
}
