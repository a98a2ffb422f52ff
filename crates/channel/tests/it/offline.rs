//! Offline runs, which send no request.

use envlock_testkit::{Fault, TestMirror};

use crate::support::{FORGE, TestClients, error_text, folder, records, request, small_mirror};

#[tokio::test]
async fn offline_the_cache_is_used_and_no_request_is_sent() {
    let mirror = small_mirror();
    let mut clients = TestClients::for_mirrors(&[&mirror]);
    let online = records(&clients.index().await.unwrap(), &["numpy", "idna"]);
    clients.packages(&online).await.unwrap();
    mirror.clear_requests();
    clients.settings.offline = true;
    let offline = records(&clients.index().await.unwrap(), &["numpy", "idna"]);
    assert_eq!(online, offline);
    clients.packages(&offline).await.unwrap();
    assert!(mirror.requests("*").is_empty());
}

#[tokio::test]
async fn missing_packages_and_indexes_are_named_with_sizes_and_the_command() {
    let mirror = small_mirror();
    let mut clients = TestClients::for_mirrors(&[&mirror]);
    let wanted = records(&clients.index().await.unwrap(), &["numpy"]);
    clients.settings.offline = true;
    let (text, exit) = error_text(&clients.packages(&wanted).await.unwrap_err());
    assert_eq!(exit, 3);
    assert!(
        text.starts_with("not-cached: 2 packages are not in the cache, and this is offline"),
        "{text}"
    );
    assert!(
        text.contains("  numpy-1.24.3-py310_0.conda (") && text.contains("without `--offline`"),
        "{text}"
    );

    let other = request("pytorch", "https://conda.anaconda.org/pytorch/");
    let (text, exit) = error_text(&clients.indexes(&[other]).await.unwrap_err());
    assert_eq!(exit, 3);
    assert!(
        text.contains("the index of pytorch/linux-64 isn't in the cache, and this is offline"),
        "{text}"
    );
    assert!(text.contains("the index of pytorch/noarch isn't in the cache"), "{text}");
}

#[tokio::test]
async fn offline_the_cache_has_recorded_that_a_channel_lacks_a_platform() {
    let mirror = TestMirror::new().channel("conda-forge", |c| {
        c.noarch("idna 3.4");
    });
    let mut clients = TestClients::for_mirrors(&[&mirror]);
    clients.index().await.unwrap();
    clients.settings.offline = true;
    assert_eq!(clients.index().await.unwrap().warnings.len(), 1);
}

#[tokio::test]
async fn offline_local_folders_are_read_again() {
    let mut mirror = small_mirror();
    let mut clients = TestClients::for_urls(&[]);
    clients.settings.offline = true;
    let wanted = [folder(&mirror.channel_dir("conda-forge"))];
    assert_eq!(records(&clients.indexes(&wanted).await.unwrap(), &["numpy"]).len(), 2);
    mirror.update_channel("conda-forge", |c| {
        c.add("libblas 4 0");
    });
    let found = records(&clients.indexes(&wanted).await.unwrap(), &["numpy"]);
    assert_eq!(found.len(), 3);
    clients.packages(&found).await.unwrap();
    assert!(mirror.requests("*").is_empty());
}

#[tokio::test]
async fn offline_a_mirror_that_is_a_folder_is_read() {
    let mirror = small_mirror();
    let url = url::Url::from_directory_path(mirror.root()).unwrap();
    let mut clients = TestClients::for_urls(&[&mirror.url(), url.as_str().trim_end_matches('/')]);
    clients.settings.offline = true;
    let found = records(&clients.index().await.unwrap(), &["numpy"]);
    clients.packages(&found).await.unwrap();
    assert!(mirror.requests("*").is_empty());
}

#[tokio::test]
async fn offline_a_cached_index_is_used_after_its_mirror_was_removed_from_the_settings() {
    let mirror = small_mirror().with_fault("*.conda", Fault::status(404));
    let mut clients = TestClients::for_mirrors(&[&mirror]);
    clients.index().await.unwrap();
    clients.settings.sources = envlock_channel::Sources::new(Vec::new(), false);
    clients.settings.offline = true;
    let indexes = clients.indexes(&[request("conda-forge", FORGE)]).await.unwrap();
    assert_eq!(records(&indexes, &["numpy"]).len(), 2);
}
