//! No request leaves the machine.

use envlock_testkit::{Fault, TestMirror};

use crate::support::{FORGE, Site, folder, records, request, small, told};

#[tokio::test]
async fn caches_answer_and_nobody_is_asked() {
    let world = small();
    let mut site = Site::on(&[&world]);
    let online = records(&site.index().await.unwrap(), &["numpy", "idna"]);
    site.packages(&online).await.unwrap();
    world.clear_requests();
    site.settings.offline = true;
    let offline = records(&site.index().await.unwrap(), &["numpy", "idna"]);
    assert_eq!(online, offline);
    site.packages(&offline).await.unwrap();
    assert!(world.requests("*").is_empty());
}

#[tokio::test]
async fn what_is_missing_is_named_with_sizes_and_the_command() {
    let world = small();
    let mut site = Site::on(&[&world]);
    let wanted = records(&site.index().await.unwrap(), &["numpy"]);
    site.settings.offline = true;
    let (text, exit) = told(&site.packages(&wanted).await.unwrap_err());
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
    let (text, exit) = told(&site.indexes(&[other]).await.unwrap_err());
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
    let mut site = Site::on(&[&world]);
    site.index().await.unwrap();
    site.settings.offline = true;
    assert_eq!(site.index().await.unwrap().warnings.len(), 1);
}

#[tokio::test]
async fn folders_are_read_offline_as_they_are_now() {
    let mut world = small();
    let mut site = Site::of(&[]);
    site.settings.offline = true;
    let wanted = [folder(&world.channel_dir("conda-forge"))];
    assert_eq!(records(&site.indexes(&wanted).await.unwrap(), &["numpy"]).len(), 2);
    world.update_channel("conda-forge", |c| {
        c.add("libblas 4 0");
    });
    let found = records(&site.indexes(&wanted).await.unwrap(), &["numpy"]);
    assert_eq!(found.len(), 3);
    site.packages(&found).await.unwrap();
    assert!(world.requests("*").is_empty());
}

#[tokio::test]
async fn a_mirror_that_is_a_folder_is_read_offline() {
    let world = small();
    let url = url::Url::from_directory_path(world.root()).unwrap();
    let mut site = Site::of(&[&world.url(), url.as_str().trim_end_matches('/')]);
    site.settings.offline = true;
    let found = records(&site.index().await.unwrap(), &["numpy"]);
    site.packages(&found).await.unwrap();
    assert!(world.requests("*").is_empty());
}

#[tokio::test]
async fn a_cached_index_serves_offline_after_its_mirror_is_gone_from_the_settings() {
    let world = small().with_fault("*.conda", Fault::status(404));
    let mut site = Site::on(&[&world]);
    site.index().await.unwrap();
    site.settings.sources = envlock_channel::Sources::new(Vec::new(), false);
    site.settings.offline = true;
    let indexes = site.indexes(&[request("conda-forge", FORGE)]).await.unwrap();
    assert_eq!(records(&indexes, &["numpy"]).len(), 2);
}
