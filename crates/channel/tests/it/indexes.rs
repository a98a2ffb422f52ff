//! Which sources are requested for an index, and the results of their responses.

use envlock_model::progress::RequestedFile;
use envlock_testkit::{Fault, TestMirror};

use crate::support::{
    FORGE, TestClients, error_text, folder, records, request, small_mirror, unreachable_url,
};

#[tokio::test]
async fn the_compressed_format_is_requested_first_and_then_the_plain_one_from_the_same_source() {
    let mirror = small_mirror();
    let clients = TestClients::for_mirrors(&[&mirror]);
    clients.index().await.unwrap();
    assert_eq!(mirror.requests("*/repodata.json.zst").len(), 2);
    assert_eq!(mirror.requests("*/repodata.json").len(), 0);

    let mirror = TestMirror::new().channel("conda-forge", |c| {
        c.add("a 1");
        c.json_only();
    });
    let clients = TestClients::for_mirrors(&[&mirror]);
    let indexes = clients.index().await.unwrap();
    assert_eq!(indexes.names().into_keys().collect::<Vec<_>>(), ["a"]);
    assert!(clients.events.notices().is_empty(), "{:?}", clients.events.notices());
}

#[tokio::test]
async fn the_format_of_a_source_is_cached_and_no_head_request_is_sent() {
    let mirror = TestMirror::new().channel("conda-forge", |c| {
        c.add("a 1");
        c.json_only();
    });
    let clients = TestClients::for_mirrors(&[&mirror]);
    clients.index().await.unwrap();
    mirror.clear_requests();
    clients.index().await.unwrap();
    assert_eq!(mirror.requests("*.zst").len(), 0);
    let all = mirror.requests("*");
    assert!(all.iter().all(|logged| logged.request.method == "GET"));
    assert!(
        all.iter().all(|logged| logged.request.header("user-agent") == Some("envlock/0.0.0-test"))
    );
}

#[tokio::test]
async fn after_a_damaged_compressed_index_the_plain_one_of_the_same_source_is_used() {
    for fault in [
        Fault::status(403),
        Fault::status(500),
        Fault::Html,
        Fault::Corrupt,
        Fault::Truncate(20),
        Fault::Close,
    ] {
        let mirror = small_mirror().with_fault("*.zst", fault.clone());
        let indexes = TestClients::for_mirrors(&[&mirror]).index().await;
        assert_eq!(records(&indexes.unwrap(), &["numpy"]).len(), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn after_a_source_fails_the_next_is_used_and_a_notice_reports_it() {
    let not_an_index = Fault::Bytes(br#"{"error": "not today"}"#.to_vec().into());
    let cases = [
        (Fault::status(403), "403 forbidden"),
        (Fault::status(429), "429 too many requests"),
        (Fault::status(503), "503 service unavailable"),
        (Fault::Html, "a web page instead"),
        (Fault::Truncate(10), "cut short: 10 of"),
        (Fault::Close, "reset"),
        (Fault::Hang, "nothing was received for 30 s"),
        (not_an_index, "no `packages`"),
    ];
    for (fault, words) in cases {
        let (bad, good) =
            (small_mirror().with_fault("*/repodata.json*", fault.clone()), small_mirror());
        let clients = TestClients::for_mirrors(&[&bad, &good]);
        let indexes = clients.index().await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_eq!(records(&indexes, &["numpy"]).len(), 2);
        let failures = clients.events.failures();
        assert_eq!(failures.len(), clients.events.notices().len());
        assert!(
            failures.iter().any(|(_, _, reason, _)| reason.contains(words)),
            "{fault:?}: {failures:?}"
        );
        for (file, _, _, next) in &failures {
            assert!(
                matches!(file, RequestedFile::Index { channel, .. } if channel == "conda-forge")
            );
            assert!(next.starts_with("127.0.0.1:"), "{failures:?}");
        }
    }
}

#[tokio::test]
async fn after_a_refused_connection_the_next_source_is_used() {
    let good = small_mirror();
    let clients = TestClients::for_urls(&[&unreachable_url(), &good.url()]);
    clients.index().await.unwrap();
    let failures = clients.events.failures();
    assert!(failures[0].2.contains("the connection was refused"), "{failures:?}");
}

#[tokio::test]
async fn the_index_of_another_subdir_is_not_used() {
    let (bad, good) = (small_mirror(), small_mirror());
    let dir = bad.channel_dir("conda-forge");
    for file in ["repodata.json", "repodata.json.zst"] {
        std::fs::copy(dir.join("noarch").join(file), dir.join("linux-64").join(file)).unwrap();
    }
    let clients = TestClients::for_mirrors(&[&bad, &good]);
    let indexes = clients.index().await.unwrap();
    assert_eq!(records(&indexes, &["numpy"]).len(), 2);
    assert!(clients.events.failures()[0].2.contains("the index of noarch instead of linux-64"));
}

#[tokio::test]
async fn when_all_sources_fail_one_error_names_every_attempt_of_every_subdir() {
    let (first, second) =
        (small_mirror().with_fault("*/repodata.json*", Fault::status(403)), small_mirror());
    second.add_fault("*/noarch/*", Fault::status(503));
    second.add_fault("*/linux-64/*", Fault::Html);
    let error = TestClients::for_mirrors(&[&first, &second]).index().await.unwrap_err();
    let (text, exit) = error_text(&error);
    assert_eq!(exit, 3);
    for part in [
        "index-unavailable: no source delivers the index of conda-forge/linux-64",
        "index-unavailable: no source delivers the index of conda-forge/noarch",
        &format!("{}/anaconda/cloud/conda-forge/noarch/repodata.json: 403 forbidden", first.url()),
        &format!(
            "{}/anaconda/cloud/conda-forge/noarch/repodata.json: 503 service unavailable",
            second.url()
        ),
        "linux-64/repodata.json: a web page instead",
        "--mirror PREFIX=URL",
    ] {
        assert!(text.contains(part), "{part:?} isn't in:\n{text}");
    }
}

#[tokio::test]
async fn a_subdir_that_one_source_lacks_is_requested_from_the_next_without_a_notice() {
    let partial = TestMirror::new().channel("conda-forge", |c| {
        c.noarch("idna 3.4");
    });
    let whole = small_mirror();
    let clients = TestClients::for_mirrors(&[&partial, &whole]);
    let indexes = clients.index().await.unwrap();
    assert_eq!(records(&indexes, &["numpy"]).len(), 2);
    assert!(indexes.warnings.is_empty() && clients.events.notices().is_empty());
}

#[tokio::test]
async fn a_platform_that_no_source_has_is_empty_with_a_warning_if_the_channel_has_noarch() {
    let mirror = TestMirror::new().channel("conda-forge", |c| {
        c.noarch("idna 3.4");
    });
    let clients = TestClients::for_mirrors(&[&mirror]);
    for _ in 0..2 {
        let indexes = clients.index().await.unwrap();
        assert_eq!(indexes.warnings.len(), 1);
        assert_eq!(indexes.warnings[0].message, "the channel conda-forge has nothing for linux-64");
        assert_eq!(records(&indexes, &["idna"]).len(), 1);
    }
}

#[tokio::test]
async fn a_channel_without_noarch_gives_no_warning() {
    let mirror = small_mirror().with_fault("*/noarch/*", Fault::status(410));
    let indexes = TestClients::for_mirrors(&[&mirror]).index().await.unwrap();
    assert!(indexes.warnings.is_empty());
    assert_eq!(indexes.names().len(), 2);
}

#[tokio::test]
async fn a_channel_that_no_source_has_is_an_error_that_suggests_the_right_name() {
    let mirror = small_mirror();
    let clients = TestClients::for_mirrors(&[&mirror]);
    let wrong = request("pkgs/conda-forge", "https://repo.anaconda.com/pkgs/conda-forge/");
    let (text, exit) = error_text(&clients.indexes(&[wrong]).await.unwrap_err());
    assert_eq!(exit, 3);
    assert!(text.contains("channel-not-found: the channel pkgs/conda-forge has no noarch nor linux-64: is the name right?"), "{text}");
    assert!(text.contains("write `conda-forge`"), "{text}");
    assert!(
        text.contains("/anaconda/pkgs/conda-forge/noarch/repodata.json: 404 not found"),
        "{text}"
    );
}

#[tokio::test]
async fn if_one_source_fails_the_channel_is_never_reported_as_missing() {
    let (absent, failing) =
        (TestMirror::new(), small_mirror().with_fault("*/linux-64/*", Fault::status(403)));
    let (text, _) =
        error_text(&TestClients::for_mirrors(&[&absent, &failing]).index().await.unwrap_err());
    assert!(
        text.contains("index-unavailable")
            && text.contains("404 not found")
            && text.contains("403"),
        "{text}"
    );
}

#[tokio::test]
async fn without_a_mirror_and_without_the_origin_the_exit_code_is_that_of_a_usage_error() {
    let (text, exit) = error_text(&TestClients::for_urls(&[]).index().await.unwrap_err());
    assert_eq!(exit, 2);
    assert!(text.contains(&format!("--mirror {FORGE}=URL")), "{text}");
}

#[tokio::test]
async fn channels_are_fetched_concurrently_and_keep_their_order() {
    let mirror = small_mirror().channel("pytorch", |c| {
        c.add("libblas 4.0.0 0");
    });
    let clients = TestClients::for_mirrors(&[&mirror]);
    let wanted =
        [request("pytorch", "https://conda.anaconda.org/pytorch/"), request("conda-forge", FORGE)];
    let indexes = clients.indexes(&wanted).await.unwrap();
    let channels: Vec<&str> =
        indexes.names()["libblas"].iter().map(|channel| channel.name.as_str()).collect();
    assert_eq!(channels, ["pytorch", "conda-forge"]);
    assert_eq!(records(&indexes, &["libblas"])[0].package_record.version.to_string(), "4.0.0");
}

#[tokio::test]
async fn a_folder_with_any_name_can_be_a_channel() {
    let mirror = small_mirror();
    let folder_name = mirror.root().join("频道 1");
    std::fs::rename(mirror.channel_dir("conda-forge"), &folder_name).unwrap();
    let clients = TestClients::for_urls(&[]);
    let indexes = clients.indexes(&[folder(&folder_name)]).await.unwrap();
    let found = records(&indexes, &["numpy"]);
    assert!(
        found[0].url.as_str().contains("/%E9%A2%91%E9%81%93%201/linux-64/"),
        "{}",
        found[0].url
    );
    clients.packages(&found).await.unwrap();

    let (text, exit) =
        error_text(&clients.indexes(&[folder(&mirror.root().join("nowhere"))]).await.unwrap_err());
    assert_eq!(exit, 3);
    assert!(text.contains("no such file"), "{text}");
}

#[tokio::test]
async fn a_folder_can_be_a_mirror() {
    let mirror = small_mirror();
    let url = url::Url::from_directory_path(mirror.root()).unwrap();
    let clients = TestClients::for_urls(&[url.as_str().trim_end_matches('/')]);
    let found = records(&clients.index().await.unwrap(), &["numpy"]);
    assert!(found[0].url.as_str().starts_with(FORGE));
    clients.packages(&found).await.unwrap();
}
