//! No request leaves the machine.

use envlock_testkit::{Fault, TestMirror};

use crate::support::{FORGE, TestClients, error_text, folder, records, request, small_mirror};

#[tokio::test]
async fn caches_answer_and_nobody_is_asked() {
    let world = small_mirror();
    let mut clients = TestClients::for_mirrors(&[&world]);
    let online = records(&clients.index().await.unwrap(), &["numpy", "idna"]);
    clients.packages(&online).await.unwrap();
    world.clear_requests();
    clients.settings.offline = true;
    let offline = records(&clients.index().await.unwrap(), &["numpy", "idna"]);
    assert_eq!(online, offline);
    clients.packages(&offline).await.unwrap();
    assert!(world.requests("*").is_empty());
}

#[tokio::test]
async fn what_is_missing_is_named_with_sizes_and_the_command() {
    let world = small_mirror();
    let mut clients = TestClients::for_mirrors(&[&world]);
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
async fn that_a_channel_lacks_a_platform_is_known_offline_too() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.noarch("idna 3.4");
    });
    let mut clients = TestClients::for_mirrors(&[&world]);
    clients.index().await.unwrap();
    clients.settings.offline = true;
    assert_eq!(clients.index().await.unwrap().warnings.len(), 1);
}

#[tokio::test]
async fn folders_are_read_offline_as_they_are_now() {
    let mut world = small_mirror();
    let mut clients = TestClients::for_urls(&[]);
    clients.settings.offline = true;
    let wanted = [folder(&world.channel_dir("conda-forge"))];
    assert_eq!(records(&clients.indexes(&wanted).await.unwrap(), &["numpy"]).len(), 2);
    world.update_channel("conda-forge", |c| {
        c.add("libblas 4 0");
    });
    let found = records(&clients.indexes(&wanted).await.unwrap(), &["numpy"]);
    assert_eq!(found.len(), 3);
    clients.packages(&found).await.unwrap();
    assert!(world.requests("*").is_empty());
}

#[tokio::test]
async fn a_mirror_that_is_a_folder_is_read_offline() {
    let world = small_mirror();
    let url = url::Url::from_directory_path(world.root()).unwrap();
    let mut clients = TestClients::for_urls(&[&world.url(), url.as_str().trim_end_matches('/')]);
    clients.settings.offline = true;
    let found = records(&clients.index().await.unwrap(), &["numpy"]);
    clients.packages(&found).await.unwrap();
    assert!(world.requests("*").is_empty());
}

#[tokio::test]
async fn a_cached_index_serves_offline_after_its_mirror_is_gone_from_the_settings() {
    let world = small_mirror().with_fault("*.conda", Fault::status(404));
    let mut clients = TestClients::for_mirrors(&[&world]);
    clients.index().await.unwrap();
    clients.settings.sources = envlock_channel::Sources::new(Vec::new(), false);
    clients.settings.offline = true;
    let indexes = clients.indexes(&[request("conda-forge", FORGE)]).await.unwrap();
    assert_eq!(records(&indexes, &["numpy"]).len(), 2);
}
