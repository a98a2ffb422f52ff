//! Sources that fail in the middle of a run, and channels with only one source.

use envlock_channel::{Sources, parse_mirror};
use envlock_testkit::{Fault, TestMirror};

use crate::support::{
    FORGE, NO_OTHER_ARCHIVES, TestClients, error_text, records, request, small_mirror,
    unreachable_url,
};

fn sixty() -> TestMirror {
    TestMirror::new().channel("conda-forge", |c| {
        c.synthetic(59, 3);
    })
}

#[tokio::test]
async fn after_a_mirror_stops_in_the_middle_of_sixty_packages_the_second_delivers_the_rest() {
    let (first, second) = (sixty(), sixty());
    let clients = TestClients::for_mirrors(&[&first, &second]);
    let client = clients.client();
    let wanted = [request("conda-forge", FORGE)];
    let found = records(&client.indexes(&wanted, &clients.events).await.unwrap(), &["synth-all"]);
    assert_eq!(found.len(), 60);
    let (url, packages) =
        (first.url(), client.packages(&found, &NO_OTHER_ARCHIVES, &clients.events));
    let killed = async {
        while first.requests("*/synth-*").len() < 20 {
            tokio::task::yield_now().await;
        }
        drop(first);
    };
    let (paths, ()) = tokio::join!(packages, killed);
    assert_eq!(paths.unwrap().len(), 60);
    assert!(second.requests("*/synth-*").len() >= 30);
    let dead = url.trim_start_matches("http://");
    assert!(
        clients.events.failures().iter().all(|(_, source, ..)| source == dead),
        "{:?}",
        clients.events.notices()
    );
}

#[tokio::test]
async fn a_mirror_that_refuses_every_file_is_suspended_and_not_requested_for_each_file() {
    let (first, second) = (sixty(), sixty());
    let mut clients = TestClients::for_mirrors(&[&first, &second]);
    clients.settings.jobs = 2;
    let found = records(&clients.index().await.unwrap(), &["synth-all"]);
    first.add_fault("*", Fault::status(403));
    first.clear_requests();
    clients.packages(&found).await.unwrap();
    let asked = first.requests("*").len();
    assert!((3..=5).contains(&asked), "{asked}");
    assert!(clients.events.notices().len() <= asked);
}

#[tokio::test]
async fn a_file_that_only_a_suspended_mirror_has_is_still_requested_from_it() {
    let (first, second) = (sixty(), sixty());
    let mut clients = TestClients::for_mirrors(&[&first, &second]);
    clients.settings.jobs = 1;
    let found = records(&clients.index().await.unwrap(), &["synth-all"]);
    first.add_fault("*/synth-00*", Fault::status(403));
    second.add_fault("*/synth-02*", Fault::status(404));
    assert_eq!(clients.packages(&found).await.unwrap().len(), 60);
}

#[tokio::test]
async fn when_all_sources_are_down_there_is_one_message_and_no_request_for_every_package() {
    let mirror = sixty();
    let found =
        records(&TestClients::for_mirrors(&[&mirror]).index().await.unwrap(), &["synth-all"]);
    let clients = TestClients::for_urls(&[&unreachable_url(), &unreachable_url()]);
    let (text, exit) = error_text(&clients.packages(&found).await.unwrap_err());
    assert_eq!(exit, 3);
    assert_eq!(text.matches("packages-unavailable").count(), 1);
    assert!(text.contains("no source delivers 60 packages"), "{text}");
    // The eight concurrent requests at two URLs, not sixty times two.
    assert!(text.matches("the connection was refused").count() <= 16, "{text}");
    assert!(text.contains("name another source with `--mirror PREFIX=URL`"), "{text}");
}

#[tokio::test]
async fn a_retry_after_is_honoured_within_the_maximum_pause() {
    let mirror = small_mirror();
    let found = records(&TestClients::for_mirrors(&[&mirror]).index().await.unwrap(), &["libblas"]);
    let date = |seconds: u64| {
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        vec![
            ("date", httpdate::fmt_http_date(std::time::UNIX_EPOCH)),
            ("retry-after", httpdate::fmt_http_date(time)),
        ]
    };
    for (headers, times) in [(date(0), 2), (date(3600), 1), (Vec::new(), 2)] {
        mirror.clear_faults();
        mirror.add_fault("*.conda", Fault::Status(429, headers.clone()));
        mirror.clear_requests();
        assert!(TestClients::for_mirrors(&[&mirror]).packages(&found).await.is_err());
        assert_eq!(mirror.requests("*.conda").len(), times, "{headers:?}");
    }
}

#[tokio::test]
async fn a_private_channel_that_cannot_be_reached_is_an_error_and_no_other_source_is_requested() {
    // A mirror of both public hosts, with packages of the same names.
    let public = TestMirror::new()
        .channel("lab", |c| {
            c.add("secret 1.0");
        })
        .channel("conda-forge", |c| {
            c.add("secret 1.0");
        });
    for lab in [unreachable_url(), TestMirror::new().url()] {
        let mut clients = TestClients::for_mirrors(&[&public]);
        let mut mirrors = Vec::new();
        for prefix in ["https://conda.anaconda.org/", "https://repo.anaconda.com/"] {
            let mirror = format!("{prefix}={}/anaconda/cloud/", public.url());
            mirrors.extend(parse_mirror(&mirror).unwrap());
        }
        clients.settings.sources = Sources::new(mirrors, true);
        let url = format!("{lab}/lab/");
        let error = clients.indexes(&[request(&url, &url)]).await.unwrap_err();
        assert_eq!(error_text(&error).1, 3);
        assert!(public.requests("*").is_empty());
    }
}

#[tokio::test]
async fn an_older_or_smaller_index_is_used_with_a_warning() {
    let rich = TestMirror::new().channel("conda-forge", |c| {
        for version in 0..6 {
            c.add(&format!("app 1.{version}"));
        }
        let new = envlock_testkit::parse_package("app 2.0").timestamp(Some(4_000_000_000_000));
        c.package(&new);
    });
    let poor = TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0");
    });
    let mut clients = TestClients::for_mirrors(&[&rich, &poor]);
    assert!(clients.index().await.unwrap().warnings.is_empty());
    rich.add_fault("*", Fault::status(403));
    let indexes = clients.index().await.unwrap();
    let codes: Vec<_> = indexes.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["index-shrunk", "index-older"]);
    assert!(indexes.warnings[0].notes[0].contains(&poor.url()));
    assert_eq!(records(&indexes, &["app"]).len(), 1);

    // The next run compares with the smaller index. An empty index is a warning without a cached one.
    assert!(clients.index().await.unwrap().warnings.is_empty());
    let index = br#"{"info":{"subdir":"linux-64"},"packages":{}}"#;
    poor.add_fault("*/linux-64/repodata.json*", Fault::Bytes(index.to_vec().into()));
    clients.settings.cache_dir = clients.settings.cache_dir.join("another");
    let warnings = clients.index().await.unwrap().warnings;
    assert_eq!(warnings[0].message, "the channel conda-forge has nothing for linux-64");
}
