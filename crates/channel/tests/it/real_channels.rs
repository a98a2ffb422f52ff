//! The real records of the shared channels, where they are there.

use envlock_testkit::{IndexFormats, TestMirror};

use crate::support::{FORGE, TestClients, name, request};

#[tokio::test]
async fn sixty_thousand_real_records_are_read_with_their_origins_urls() {
    let Some(mirror) = TestMirror::shared_channels(IndexFormats::ZST) else { return };
    let clients = TestClients::for_mirrors(&[&mirror]);
    let wanted = [
        request("pytorch", "https://conda.anaconda.org/pytorch/"),
        request("nvidia", "https://conda.anaconda.org/nvidia/"),
        request("conda-forge", FORGE),
    ];
    let indexes = clients.indexes(&wanted).await.unwrap();
    let names: Vec<_> = ["python", "numpy", "pandas", "pytorch", "jupyter"].map(name).into();
    let found = indexes.load(&names);
    let records: usize = found.iter().map(|subdir| subdir.records.len()).sum();
    assert!(records > 9_000, "{records}");
    for record in found.iter().flat_map(|subdir| &subdir.records) {
        assert!(record.url.as_str().starts_with("https://conda.anaconda.org/"), "{}", record.url);
        assert!(record.package_record.sha256.is_some());
    }
    mirror.clear_requests();
    clients.indexes(&wanted).await.unwrap();
    assert!(mirror.requests("*").iter().all(|logged| logged.status == Some(304)));
}
