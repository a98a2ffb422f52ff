//! A `.tar.bz2` that is gone, its `.conda`, and the other way round.

use std::fs;

use envlock_model::progress::Notice;
use envlock_testkit::{Fault, TestChannel, TestMirror};
use rattler_conda_types::RepoDataRecord;

use crate::support::{TestClients, error_text, records};

fn bz2(c: &mut TestChannel) {
    c.tar_bz2();
    c.add("app 1.0");
    c.conda();
}

fn conda(c: &mut TestChannel) {
    c.add("app 1.0");
}

/// A world with both archives of one build listed, and the record of the one that `first`
/// makes, as a lock has it.
async fn both(
    first: fn(&mut TestChannel),
    second: fn(&mut TestChannel),
) -> (TestMirror, RepoDataRecord) {
    let mut world = TestMirror::new().channel("conda-forge", first);
    let record =
        records(&TestClients::for_mirrors(&[&world]).index().await.unwrap(), &["app"]).remove(0);
    world.update_channel("conda-forge", second);
    (world, record)
}

#[tokio::test]
async fn an_archive_that_is_gone_is_replaced_by_the_other_one_of_its_build() {
    for (first, second, gone, twin) in [
        (bz2 as fn(&mut TestChannel), conda as fn(&mut TestChannel), ".tar.bz2", ".conda"),
        (conda, bz2, ".conda", ".tar.bz2"),
    ] {
        let (world, record) = both(first, second).await;
        world.add_fault(&format!("*/app-1.0-0{gone}"), Fault::status(404));
        let mut clients = TestClients::for_mirrors(&[&world]);
        let wanted = std::slice::from_ref(&record);
        let paths = clients.packages(wanted).await.unwrap();
        assert_eq!(fs::read_to_string(paths[0].join("share/app/of")).unwrap(), "app 1.0");
        let notices = clients.events.notices();
        assert_eq!(
            notices,
            [Notice::OtherArchiveUsed {
                locked: format!("app-1.0-0{gone}"),
                used: format!("app-1.0-0{twin}"),
            }]
        );
        // From the cache, and offline, it is the same.
        clients.settings.offline = true;
        world.clear_requests();
        assert_eq!(clients.packages(wanted).await.unwrap(), paths);
        assert!(world.requests("*").is_empty());
    }
}

#[tokio::test]
async fn another_build_of_the_same_name_is_no_twin() {
    let (world, mut record) = both(bz2, conda).await;
    world.add_fault("*.tar.bz2", Fault::status(404));
    record.package_record.sha256 =
        Some(rattler_digest::compute_bytes_digest::<rattler_digest::Sha256>(b"other"));
    record.package_record.md5 = None;
    let clients = TestClients::for_mirrors(&[&world]);
    let (text, exit) = error_text(&clients.packages(&[record]).await.unwrap_err());
    assert_eq!(exit, 3);
    assert!(text.contains("app-1.0-0.tar.bz2: 404 not found"), "{text}");
    assert!(world.requests("*.conda").is_empty());
}

#[tokio::test]
async fn a_twin_with_other_bytes_than_its_own_hash_is_refused() {
    let (world, record) = both(bz2, conda).await;
    world.add_fault("*.tar.bz2", Fault::status(404));
    world.add_fault("*.conda", Fault::Corrupt);
    assert!(TestClients::for_mirrors(&[&world]).packages(&[record]).await.is_err());
}

#[tokio::test]
async fn where_the_archive_is_only_refused_no_twin_is_looked_for() {
    let (world, record) = both(bz2, conda).await;
    world.add_fault("*.tar.bz2", Fault::status(403));
    world.clear_requests();
    assert!(TestClients::for_mirrors(&[&world]).packages(&[record]).await.is_err());
    assert!(world.requests("*repodata*").is_empty());
}
