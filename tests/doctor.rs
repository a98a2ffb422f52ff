//! `envlock doctor`: what is configured, tried.

use envlock_testkit::{Fault, Output, TestMirror};

use crate::support::Lab;

const YML: &str = "channels: [conda-forge]\ndependencies: [app]\n";

fn world() -> TestMirror {
    TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0");
    })
}

/// The lines about one topic.
fn about<'a>(output: &'a Output, topic: &str) -> Vec<&'a str> {
    let is_it = |line: &&str| line.split_whitespace().nth(1) == Some(topic);
    output.stdout.lines().filter(is_it).collect()
}

#[test]
fn without_problems_each_check_is_one_line() {
    let lab = Lab::new(world(), YML);
    let output = lab.with_mirrors("doctor", &[]);
    assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
    let source = about(&output, "source");
    assert_eq!(source.len(), 1);
    assert!(source[0].starts_with("ok "), "{source:?}");
    assert!(source[0].ends_with("linux-64 as repodata.json.zst"), "{source:?}");
    for topic in ["cache", "links", "clock", "proxy", "trust"] {
        assert!(!about(&output, topic).is_empty(), "{topic}: {}", output.stdout);
    }
    assert!(output.stdout.contains("by hard links"), "{}", output.stdout);
}

#[test]
fn no_file_remains_next_to_the_environment() {
    let lab = Lab::new(world(), YML);
    lab.with_mirrors("doctor", &[]).success();
    let names: Vec<_> = fs_err::read_dir(lab.project.root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, ["environment.yml"]);
}

#[test]
fn a_failing_source_is_wrong_even_if_another_one_works() {
    let failing = world().with_fault("*repodata*", Fault::status(403));
    let lab = Lab::new(world(), YML);
    let mirror =
        |world: &TestMirror| format!("https://conda.anaconda.org/={}/anaconda/cloud/", world.url());
    let (first, second) = (mirror(&failing), mirror(&lab.world));
    let args = ["doctor", "--no-origin", "--mirror", &first, "--mirror", &second];
    let output = lab.envlock(&args);
    assert_eq!(output.code, Some(1), "{}", output.stdout);
    let source = about(&output, "source");
    assert!(source[0].starts_with("wrong ") && source[0].contains("403"), "{source:?}");
    assert!(source[1].starts_with("ok "), "{source:?}");
    assert!(output.stderr.contains("help: "), "{}", output.stderr);
}

#[test]
fn a_login_page_and_an_outdated_format_are_distinguished() {
    let page = world().with_fault("*repodata*", Fault::Html);
    let lab = Lab::new(page, YML);
    let output = lab.with_mirrors("doctor", &[]);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("in a browser"), "{}", output.stderr);
    let json = TestMirror::new().channel("conda-forge", |c| {
        c.json_only();
        c.add("app 1.0");
    });
    let output = Lab::new(json, YML).with_mirrors("doctor", &[]);
    assert!(about(&output, "source")[0].ends_with("as repodata.json"), "{}", output.stdout);
}

#[test]
fn a_wrong_url_is_reported_with_the_right_one() {
    let lab = Lab::new(world(), "channels: [pkgs/conda-forge]\ndependencies: [app]\n");
    let output = lab.with_mirrors("doctor", &[]);
    assert_eq!(output.code, Some(1), "{}", output.stdout);
    assert!(output.stderr.contains("write `conda-forge`"), "{}", output.stderr);
}

#[test]
fn without_an_environment_the_channels_of_condarc_are_checked() {
    let world = world();
    let folder = world.channel_url("conda-forge");
    let lab = Lab::new(world, YML);
    fs_err::remove_file(lab.project.path("environment.yml")).unwrap();
    let condarc =
        format!("channels: ['{folder}']\nproxy_servers: {{https: 'http://me:geheim@p:1'}}\n");
    fs_err::write(lab.project.home().join(".condarc"), condarc).unwrap();
    let output = lab.envlock(&["doctor"]);
    assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
    // A long address stands on a line of its own below its row.
    assert_eq!(about(&output, "source").len(), 1, "{}", output.stdout);
    assert!(output.stdout.contains(&folder), "{}", output.stdout);
    assert!(
        about(&output, "proxy")[0].contains("http://me:***@p:1 for https"),
        "{}",
        output.stdout
    );
    assert!(!output.stdout.contains("geheim"));
}

#[test]
fn disabled_verification_is_wrong_and_offline_sources_are_unknown() {
    let lab = Lab::new(world(), YML);
    let output = lab.with_mirrors("doctor", &["--offline"]);
    assert_eq!(output.code, Some(3), "{}", output.stdout);
    assert!(output.stdout.contains("conda-forge: not checked"), "{}", output.stdout);
    assert!(output.stderr.contains("`--offline`"), "{}", output.stderr);
    assert!(!output.stderr.contains("allowed"), "{}", output.stderr);
    assert!(lab.world.requests("*").is_empty());
    fs_err::write(lab.project.home().join(".condarc"), "ssl_verify: false\n").unwrap();
    let output = lab.with_mirrors("doctor", &[]);
    assert_eq!(output.code, Some(1), "{}", output.stdout);
    assert!(about(&output, "trust")[0].starts_with("wrong "), "{}", output.stdout);
}

#[test]
fn a_channel_without_a_mirror_and_without_its_own_server_is_not_checked() {
    let lab = Lab::new(world(), YML);
    let output = lab.envlock(&["doctor", "--no-origin"]);
    assert_eq!(output.code, Some(3), "{}", output.stdout);
    assert!(output.stdout.contains("conda-forge: not checked"), "{}", output.stdout);
    assert!(output.stderr.contains("`--no-origin`"), "{}", output.stderr);
    assert!(!output.stderr.contains("`--offline`"), "{}", output.stderr);
}

#[test]
fn a_cache_that_can_not_be_written_is_wrong() {
    let lab = Lab::new(world(), YML);
    fs_err::write(lab.project.path("file"), "").unwrap();
    let cache = lab.project.path("file/cache").display().to_string();
    let lab = lab.env("ENVLOCK_CACHE_DIR", cache);
    let output = lab.with_mirrors("doctor", &[]);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("ENVLOCK_CACHE_DIR"), "{}", output.stderr);
}

#[test]
fn json_has_every_check() {
    let lab = Lab::new(world(), YML);
    let text = lab.with_mirrors("doctor", &["--format", "json"]).success();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let checks = report["result"]["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["verdict"] == "ok"), "{text}");
    assert!(checks.iter().any(|check| check["topic"] == "clock"));
}
