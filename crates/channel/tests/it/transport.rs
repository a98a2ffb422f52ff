//! Second tries, hosts that are down, redirects.

use std::time::Duration;

use envlock_testkit::{Fault, Pace, TestMirror};

use crate::support::{TestClients, error_text, records, small_mirror, unreachable_url};

fn asked(world: &TestMirror, pattern: &str) -> usize {
    world.requests(pattern).len()
}

#[tokio::test]
async fn a_source_is_asked_a_second_time_where_that_may_help_and_not_a_third() {
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
        let world = small_mirror();
        let wanted =
            records(&TestClients::for_mirrors(&[&world]).index().await.unwrap(), &["libblas"]);
        world.add_fault("*.conda", fault.clone());
        assert!(TestClients::for_mirrors(&[&world]).packages(&wanted).await.is_err());
        assert_eq!(asked(&world, "*.conda"), times, "{fault:?}");
    }
}

#[tokio::test]
async fn a_second_try_that_succeeds_is_not_worth_a_word() {
    let world = small_mirror().with_fault_times(1, "*.conda", Fault::status(503)).with_fault_times(
        1,
        "*/noarch/*",
        Fault::Close,
    );
    let clients = TestClients::for_mirrors(&[&world]);
    let wanted = records(&clients.index().await.unwrap(), &["libblas"]);
    clients.packages(&wanted).await.unwrap();
    assert!(clients.events.notices().is_empty(), "{:?}", clients.events.notices());
}

#[tokio::test]
async fn a_host_that_is_silent_is_put_aside_for_the_rest_of_the_run() {
    let (bad, good) = (small_mirror(), small_mirror());
    bad.add_fault("*", Fault::Hang);
    let mut clients = TestClients::for_mirrors(&[&bad, &good]).with_short_timeouts();
    clients.settings.jobs = 1;
    let client = clients.client();
    let wanted = [crate::support::request("conda-forge", crate::support::FORGE)];
    let indexes = client.indexes(&wanted, &clients.events).await.unwrap();
    let all = records(&indexes, &["numpy", "idna"]);
    client.packages(&all, &clients.events).await.unwrap();
    assert_eq!(asked(&bad, "*"), 1);
    assert_eq!(clients.events.notices().len(), 1, "{:?}", clients.events.notices());
}

#[tokio::test]
async fn when_everything_is_down_one_message_says_it_once_for_all_packages() {
    let world = small_mirror();
    let wanted = records(&TestClients::for_mirrors(&[&world]).index().await.unwrap(), &["numpy"]);
    let mut clients = TestClients::for_urls(&[&unreachable_url()]);
    clients.settings.jobs = 1;
    let (text, exit) = error_text(&clients.packages(&wanted).await.unwrap_err());
    assert_eq!(exit, 3);
    assert!(text.contains("no source delivers 2 packages"), "{text}");
    assert_eq!(text.matches("the connection was refused").count(), 1, "{text}");
    assert!(text.contains("no source was left to ask for 1 more package:\n  "), "{text}");
}

#[tokio::test]
async fn connections_to_one_host_are_bounded() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.synthetic(12, 2);
    });
    let wanted =
        records(&TestClients::for_mirrors(&[&world]).index().await.unwrap(), &["synth-all"]);
    world.add_fault("*/synth-*", Fault::Hang);
    let mut clients = TestClients::for_mirrors(&[&world]).with_short_timeouts();
    clients.settings.jobs = 3;
    assert!(clients.packages(&wanted).await.is_err());
    // The first three, and once more those that then were the last hope.
    assert_eq!(asked(&world, "*/synth-*"), 6);
}

#[tokio::test]
async fn redirects_are_followed_and_endless_ones_are_not() {
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
async fn a_slow_source_is_waited_for_as_long_as_something_comes() {
    let slow = Fault::slow(Pace { chunk: 200, pause: Duration::from_millis(20) });
    let world = small_mirror();
    let wanted = records(&TestClients::for_mirrors(&[&world]).index().await.unwrap(), &["libblas"]);
    world.add_fault("*.conda", slow);
    TestClients::for_mirrors(&[&world]).packages(&wanted).await.unwrap();
}

#[tokio::test]
async fn clients_can_be_used_from_several_tasks() {
    let world = small_mirror();
    let clients = TestClients::for_mirrors(&[&world]);
    let client = std::sync::Arc::new(clients.client());
    let tasks = (0..3).map(|_| {
        let client = std::sync::Arc::clone(&client);
        tokio::spawn(async move {
            let wanted = [crate::support::request("conda-forge", crate::support::FORGE)];
            let indexes =
                client.indexes(&wanted, &envlock_model::progress::NoProgress).await.unwrap();
            client
                .packages(&records(&indexes, &["numpy"]), &envlock_model::progress::NoProgress)
                .await
                .unwrap()
                .len()
        })
    });
    for task in futures::future::join_all(tasks).await {
        assert_eq!(task.unwrap(), 2);
    }
}
