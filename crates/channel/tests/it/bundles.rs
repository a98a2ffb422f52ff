//! Writes packages as a channel.

use std::fs;
use std::path::Path;

use envlock_channel::FetchError;
use envlock_testkit::{Fault, TestMirror};
use rattler_conda_types::RepoDataRecord;

use crate::support::{
    FORGE, NO_OTHER_ARCHIVES, RecordedEvents, TestClients, error_text, folder, records, request,
};

/// Two channels, two platforms' subdirs, both formats.
fn world() -> TestMirror {
    TestMirror::new()
        .channel("conda-forge", |c| {
            c.add("app 1.0 | lib; idna");
            c.noarch("idna 3.4");
        })
        .channel("pytorch", |c| {
            c.tar_bz2();
            c.add("lib 1.2");
        })
}

async fn wanted(clients: &TestClients) -> Vec<RepoDataRecord> {
    let pytorch = request("pytorch", "https://conda.anaconda.org/pytorch/");
    let both = [request("conda-forge", FORGE), pytorch];
    records(&clients.indexes(&both).await.unwrap(), &["app"])
}

async fn bundled(
    clients: &TestClients,
    records: &[RepoDataRecord],
    to: &Path,
) -> Result<(), FetchError> {
    clients
        .client()
        .write_channel(records, &NO_OTHER_ARCHIVES, to, &RecordedEvents::default())
        .await
        .map(drop)
}

#[tokio::test]
async fn packages_of_several_channels_become_one_channel_with_their_digests() {
    let world = world();
    let clients = TestClients::for_mirrors(&[&world]);
    let wanted = wanted(&clients).await;
    let to = tempfile::tempdir().unwrap();
    let to = to.path().join("离线 1");
    bundled(&clients, &wanted, &to).await.unwrap();

    let mut offline = TestClients::for_urls(&[]);
    offline.settings.offline = true;
    let again = records(&offline.indexes(&[folder(&to)]).await.unwrap(), &["app"]);
    let package = |record: &RepoDataRecord| record.package_record.clone();
    let sorted = |records: &[RepoDataRecord]| {
        let mut all: Vec<_> = records.iter().map(package).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    };
    assert_eq!(sorted(&again), sorted(&wanted));
    offline.packages(&again).await.unwrap();
    let names = |folder: &Path| {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(
        names(&to.join("linux-64")),
        ["app-1.0-0.conda", "lib-1.2-0.tar.bz2", "repodata.json", "repodata.json.zst"]
    );
    assert_eq!(
        names(&to.join("noarch")),
        ["idna-3.4-0.conda", "repodata.json", "repodata.json.zst"]
    );
}

#[tokio::test]
async fn an_archive_with_the_right_digest_is_not_fetched_again() {
    let world = world();
    let clients = TestClients::for_mirrors(&[&world]);
    let wanted = wanted(&clients).await;
    let to = tempfile::tempdir().unwrap();
    bundled(&clients, &wanted, to.path()).await.unwrap();
    fs::write(to.path().join("linux-64/app-1.0-0.conda"), "damaged").unwrap();
    world.clear_requests();
    bundled(&clients, &wanted, to.path()).await.unwrap();
    let asked: Vec<_> = world.requests("*").into_iter().map(|logged| logged.request.path).collect();
    assert_eq!(asked, ["/anaconda/cloud/conda-forge/linux-64/app-1.0-0.conda"]);
}

#[tokio::test]
async fn without_all_archives_there_is_no_index() {
    let world = world();
    let mut clients = TestClients::for_mirrors(&[&world]);
    let wanted = wanted(&clients).await;
    world.add_fault("*/lib-*", Fault::Corrupt);
    let to = tempfile::tempdir().unwrap();
    let (text, exit) = error_text(&bundled(&clients, &wanted, to.path()).await.unwrap_err());
    assert_eq!(exit, 3);
    assert!(text.contains("lib-1.2-0.tar.bz2") && text.contains("wrong sha256"), "{text}");
    assert!(!to.path().join("linux-64/repodata.json").exists());
    assert!(!to.path().join("linux-64/lib-1.2-0.tar.bz2").exists());

    clients.settings.offline = true;
    let (text, exit) = error_text(&bundled(&clients, &wanted, to.path()).await.unwrap_err());
    assert_eq!(exit, 3);
    assert!(text.starts_with("not-cached: the archive of 1 package can't be downloaded"), "{text}");
}

#[tokio::test]
async fn two_archives_with_the_same_file_name_are_rejected() {
    let world = TestMirror::new()
        .channel("conda-forge", |c| {
            c.add("lib 1.2");
        })
        .channel("pytorch", |c| {
            c.package(&envlock_testkit::parse_package("lib 1.2").file("share/lib/of", "another"));
        });
    let clients = TestClients::for_mirrors(&[&world]);
    let pytorch = request("pytorch", "https://conda.anaconda.org/pytorch/");
    let both = [request("conda-forge", FORGE), pytorch];
    let wanted = records(&clients.indexes(&both).await.unwrap(), &["lib"]);
    let to = tempfile::tempdir().unwrap();
    let (text, exit) = error_text(&bundled(&clients, &wanted, to.path()).await.unwrap_err());
    assert_eq!(exit, 2);
    assert!(
        text.starts_with("bundle-conflict: two packages have the file name lib-1.2-0.conda"),
        "{text}"
    );
}
