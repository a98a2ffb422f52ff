//! Retries, hosts that are down, redirects.

use std::time::Duration;

use envlock_testkit::{Fault, Pace, TestMirror};

use crate::support::{
    NO_OTHER_ARCHIVES, TestClients, error_text, records, small_mirror, unreachable_url,
};

fn asked(mirror: &TestMirror, pattern: &str) -> usize {
    mirror.requests(pattern).len()
}

#[tokio::test]
async fn a_source_is_requested_a_second_time_only_after_an_error_that_may_be_over_and_never_a_third()
 {
    let after = |seconds: &str| Fault::Status(429, vec![("retry-after", seconds.to_owned())]);
    for (fault, times) in [
        (Fault::status(503), 2),
        (Fault::status(429), 2),
        (Fault::Close, 2),
        (after("0"), 2),
        (after("3600"), 1),
        (Fault::status(403), 1),
        (Fault::status(404), 1),
        (Fault::Truncate(10), 2),
    ] {
        let mirror = small_mirror();
        let wanted =
            records(&TestClients::for_mirrors(&[&mirror]).index().await.unwrap(), &["libblas"]);
        mirror.add_fault("*.conda", fault.clone());
        assert!(TestClients::for_mirrors(&[&mirror]).packages(&wanted).await.is_err());
        assert_eq!(asked(&mirror, "*.conda"), times, "{fault:?}");
    }
}

#[tokio::test]
async fn a_second_request_that_succeeds_gives_no_notice() {
    let mirror = small_mirror()
        .with_fault_times(1, "*.conda", Fault::status(503))
        .with_fault_times(1, "*/noarch/*", Fault::Close);
    let clients = TestClients::for_mirrors(&[&mirror]);
    let wanted = records(&clients.index().await.unwrap(), &["libblas"]);
    clients.packages(&wanted).await.unwrap();
    assert!(clients.events.notices().is_empty(), "{:?}", clients.events.notices());
}

#[tokio::test]
async fn a_host_that_sends_nothing_is_suspended_for_the_rest_of_the_run() {
    let (bad, good) = (small_mirror(), small_mirror());
    bad.add_fault("*", Fault::Hang);
    let mut clients = TestClients::for_mirrors(&[&bad, &good]);
    clients.settings.jobs = 1;
    let client = clients.client();
    let wanted = [crate::support::request("conda-forge", crate::support::FORGE)];
    let indexes = client.indexes(&wanted, &clients.events).await.unwrap();
    let all = records(&indexes, &["numpy", "idna"]);
    client.packages(&all, &NO_OTHER_ARCHIVES, &clients.events).await.unwrap();
    assert_eq!(asked(&bad, "*"), 1);
    assert_eq!(clients.events.notices().len(), 1, "{:?}", clients.events.notices());
}

#[tokio::test]
async fn when_all_hosts_are_down_one_message_reports_it_once_for_all_packages() {
    let mirror = small_mirror();
    let wanted = records(&TestClients::for_mirrors(&[&mirror]).index().await.unwrap(), &["numpy"]);
    let mut clients = TestClients::for_urls(&[&unreachable_url()]);
    clients.settings.jobs = 1;
    let (text, exit) = error_text(&clients.packages(&wanted).await.unwrap_err());
    assert_eq!(exit, 3);
    assert!(text.contains("no source delivers 2 packages"), "{text}");
    assert_eq!(text.matches("the connection was refused").count(), 1, "{text}");
    assert!(text.contains("no source is left for 1 more package:\n  "), "{text}");
}

#[tokio::test]
async fn the_number_of_connections_to_one_host_is_limited() {
    let mirror = TestMirror::new().channel("conda-forge", |c| {
        c.synthetic(12, 2);
    });
    let wanted =
        records(&TestClients::for_mirrors(&[&mirror]).index().await.unwrap(), &["synth-all"]);
    mirror.add_fault("*/synth-*", Fault::Hang);
    let mut clients = TestClients::for_mirrors(&[&mirror]);
    clients.settings.jobs = 3;
    assert!(clients.packages(&wanted).await.is_err());
    // The first three, and the same three again in the last round.
    let asked = asked(&mirror, "*/synth-*");
    assert!((3..=6).contains(&asked), "{asked}");
}

#[tokio::test]
async fn redirects_are_followed_at_most_ten_times() {
    let (front, back) = (small_mirror(), small_mirror());
    let wanted = records(&TestClients::for_mirrors(&[&back]).index().await.unwrap(), &["libblas"]);
    let path = "/anaconda/cloud/conda-forge/linux-64/libblas-3.9.0-0.conda";
    front.add_fault(
        "*.conda",
        Fault::Status(302, vec![("location", format!("{}{path}", back.url()))]),
    );
    TestClients::for_mirrors(&[&front]).packages(&wanted).await.unwrap();

    front.clear_faults();
    front.add_fault("*.conda", Fault::Status(302, vec![("location", path.to_owned())]));
    let (text, _) =
        error_text(&TestClients::for_mirrors(&[&front]).packages(&wanted).await.unwrap_err());
    assert!(text.contains("a redirect that isn't followed: more than 10 redirects"), "{text}");
}

#[tokio::test]
async fn a_slow_source_delivers_as_long_as_it_sends_data() {
    let slow = Fault::slow(Pace { chunk: 200, pause: Duration::from_millis(20) });
    let mirror = small_mirror();
    let wanted =
        records(&TestClients::for_mirrors(&[&mirror]).index().await.unwrap(), &["libblas"]);
    mirror.add_fault("*.conda", slow);
    TestClients::for_mirrors(&[&mirror]).packages(&wanted).await.unwrap();
}

#[tokio::test]
async fn one_client_can_be_used_from_several_tasks() {
    let mirror = small_mirror();
    let clients = TestClients::for_mirrors(&[&mirror]);
    let client = std::sync::Arc::new(clients.client());
    let tasks = (0..3).map(|_| {
        let client = std::sync::Arc::clone(&client);
        tokio::spawn(async move {
            let wanted = [crate::support::request("conda-forge", crate::support::FORGE)];
            let indexes =
                client.indexes(&wanted, &envlock_model::progress::NoProgress).await.unwrap();
            client
                .packages(
                    &records(&indexes, &["numpy"]),
                    &NO_OTHER_ARCHIVES,
                    &envlock_model::progress::NoProgress,
                )
                .await
                .unwrap()
                .len()
        })
    });
    for task in futures::future::join_all(tasks).await {
        assert_eq!(task.unwrap(), 2);
    }
}
