//! Mirrors: which sources are used, in which order, and how failures are handled.

use envlock_testkit::{Fault, Subdir, TestMirror};

use crate::support::Lab;

const YML: &str = "channels: [conda-forge]\ndependencies: [app]\n";

fn world() -> TestMirror {
    TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0");
        c.noarch("any 1.0 | app");
    })
}

/// `PREFIX=URL` for conda.anaconda.org.
fn mirror(world: &TestMirror) -> String {
    format!("https://conda.anaconda.org/={}/anaconda/cloud/", world.url())
}

/// `solve` with these mirrors in this order.
fn solve(lab: &Lab, mirrors: &[&TestMirror], args: &[&str]) -> envlock_testkit::Output {
    let mirrors: Vec<_> = mirrors.iter().map(|world| mirror(world)).collect();
    let mirrors = mirrors.iter().flat_map(|mirror| ["--mirror", mirror.as_str()]);
    lab.project.envlock(["solve", "-q"].into_iter().chain(mirrors).chain(args.iter().copied()))
}

#[test]
fn mirrors_are_used_in_the_order_given() {
    let (first, second) = (world(), world());
    let lab = Lab::new(TestMirror::new(), YML);
    solve(&lab, &[&first, &second], &["--no-origin"]).success();
    assert!(!first.requests("*/repodata.json*").is_empty());
    assert!(second.requests("*").is_empty());
    let from_first = lab.lock();
    let lab = Lab::new(TestMirror::new(), YML);
    solve(&lab, &[&second, &first], &["--no-origin"]).success();
    assert!(!second.requests("*/repodata.json*").is_empty());
    assert_eq!(lab.lock(), from_first);
}

#[test]
fn a_missing_file_is_requested_from_the_next_source_without_a_warning() {
    let empty = TestMirror::new();
    let full = world();
    let lab = Lab::new(TestMirror::new(), YML);
    let output = solve(&lab, &[&empty, &full], &["--no-origin"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{}", output.stderr);
    assert!(!empty.requests("*").is_empty());
}

#[test]
fn a_missing_subdir_is_requested_from_the_next_source() {
    let noarch_only = TestMirror::new().channel("conda-forge", |c| {
        c.noarch("any 1.0 | app");
    });
    fs_err::remove_dir_all(noarch_only.channel_dir("conda-forge").join("linux-64")).ok();
    let full = world();
    let lab = Lab::new(TestMirror::new(), "channels: [conda-forge]\ndependencies: [any]\n");
    solve(&lab, &[&noarch_only, &full], &["--no-origin"]).success();
    assert_eq!(lab.locked("linux-64"), ["any-1.0-0", "app-1.0-0"]);
}

#[test]
fn a_platform_that_no_source_has_is_empty_with_a_warning_if_there_is_a_noarch() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.package(&envlock_testkit::parse_package("data 1.0").noarch_generic());
    });
    fs_err::remove_dir_all(world.channel_dir("conda-forge").join("linux-64")).ok();
    let lab = Lab::new(world, "channels: [conda-forge]\ndependencies: [data]\n");
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-q"])), @"
    -- stdout
    linux-64  1 package  758 B to download at most
    wrote envlock.lock
    -- stderr
    warning[subdir-empty]: the channel conda-forge has nothing for linux-64
      - no source has that index; the channel's noarch packages are used
    -- exit 0
    ");
}

#[test]
fn a_channel_that_no_source_has_ends_with_3() {
    let lab = Lab::new(world(), "channels: [conda-froge]\ndependencies: [app]\n");
    let output = lab.solve(&["-q"]);
    assert_eq!(output.code, Some(3));
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[channel-not-found]: the channel conda-froge has no noarch nor linux-64: is
      the name right?
      --> environment.yml:1:12
      1 | channels: [conda-froge]
        |            ^^^^^^^^^^^
      | requested:
      |   http://mirror/anaconda/cloud/conda-froge/linux-64/repodata.json:
      |     404 not found
      |   http://mirror/anaconda/cloud/conda-froge/noarch/repodata.json:
      |     404 not found
      help: did you mean `conda-forge`?
    -- exit 3
    ");
}

#[test]
fn a_failing_mirror_is_followed_by_the_next_with_a_message() {
    let failing = world().with_fault("*repodata*", Fault::status(403));
    let lab = Lab::new(world(), YML);
    let mirrors = [mirror(&failing), mirror(&lab.world)];
    let output =
        lab.envlock(&["solve", "--no-origin", "--mirror", &mirrors[0], "--mirror", &mirrors[1]]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stderr.contains("403"), "{}", output.stderr);
    assert_eq!(lab.locked("linux-64"), ["app-1.0-0"]);
}

#[test]
fn no_origin_disables_the_origin_and_requires_a_mirror() {
    let lab = Lab::new(TestMirror::new(), YML);
    let output = lab.envlock(&["solve", "-q", "--no-origin"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[no-source]: no mirror has the channel conda-forge, and its origin may not
      be asked
      --> environment.yml:1:12
      1 | channels: [conda-forge]
        |            ^^^^^^^^^^^
      help: leave `--no-origin` out, or name a mirror:
            `--mirror https://conda.anaconda.org/conda-forge/=URL`
    -- exit 2
    ");
}

#[test]
fn plain_json_of_the_same_source_is_used_if_zst_is_missing_or_damaged() {
    let first = TestMirror::new().channel("conda-forge", |c| {
        c.json_only();
        c.add("app 1.0");
    });
    let second = world();
    let lab = Lab::new(TestMirror::new(), YML);
    solve(&lab, &[&first, &second], &["--no-origin"]).success();
    assert!(second.requests("*").is_empty());
    let damaged = world().with_fault("*.zst", Fault::Corrupt);
    let lab = Lab::new(TestMirror::new(), YML);
    solve(&lab, &[&damaged, &second], &["--no-origin"]).success();
    assert!(second.requests("*").is_empty());
}

#[test]
fn a_mirror_is_http_or_a_folder_and_others_are_errors() {
    let lab = Lab::new(world(), YML);
    for wrong in [
        "tunna",
        "conda-forge=http://127.0.0.1/",
        "https://conda.anaconda.org/=ftp://127.0.0.1/",
        "https://conda.anaconda.org/=",
        "=http://127.0.0.1/",
        "",
    ] {
        let output = lab.envlock(&["solve", "--mirror", wrong]);
        assert_eq!(output.code, Some(2), "{wrong}: {}", output.stderr);
        assert!(output.stderr.starts_with("error["), "{}", output.stderr);
        assert!(output.stderr.contains("help: "), "{}", output.stderr);
    }
    insta::assert_snapshot!(lab.shown(&lab.envlock(&["solve", "--mirror", "tunna"])), @"
    -- stderr
    error[mirror-malformed]: no mirror is called `tunna`, and it isn't PREFIX=URL
      - known by name: aliyun, bfsu, nju, pku, sjtug, tuna, ustc, zju
      help: did you mean `--mirror tuna`?
    -- exit 2
    ");
}

#[test]
fn any_url_prefix_can_be_mirrored() {
    let world = world();
    let lab =
        Lab::new(world, "channels: ['https://conda.corp.example/team']\ndependencies: [app]\n");
    let mirror =
        format!("https://conda.corp.example/team={}", lab.world.channel_url("conda-forge"));
    lab.envlock(&["solve", "-q", "--no-origin", "--mirror", &mirror]).success();
    assert!(lab.lock().contains("https://conda.corp.example/team/linux-64/app-1.0-0.conda"));
    assert!(!lab.lock().contains("127.0.0.1"));
}

#[test]
fn the_url_of_a_channel_that_is_no_mirror_is_not_changed() {
    let world = world();
    let url = world.channel_url("conda-forge");
    let lab = Lab::new(world, &format!("channels: ['{url}']\ndependencies: [app]\n"));
    lab.envlock(&["solve", "-q"]).success();
    assert!(lab.lock().contains(&format!("{url}/linux-64/app-1.0-0.conda")));
    assert!(!lab.lock().contains("anaconda.org"));
}

#[test]
fn a_second_run_sends_one_conditional_request_per_subdir() {
    let lab = Lab::solved(world(), YML);
    lab.world.clear_requests();
    lab.solve(&["-q"]).success();
    let statuses: Vec<_> = lab.world.requests("*").iter().map(|asked| asked.status).collect();
    assert_eq!(statuses, [Some(304), Some(304)]);
}

#[test]
fn only_the_index_of_the_requested_platform_is_fetched() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.add_for(Subdir::LinuxAarch64, "app 1.0");
    });
    let lab = Lab::new(world, YML);
    lab.solve(&["-q", "--platform", "linux-aarch64"]).success();
    assert!(lab.world.requests("*/linux-64/*").is_empty());
}

#[test]
fn no_credential_of_a_mirror_is_in_the_prefix() {
    let lab = Lab::new(world(), YML);
    let server = lab.world.url().replace("http://", "http://me:geheim@");
    let mirror = format!("https://conda.anaconda.org/={server}/anaconda/cloud/");
    let run = |command| lab.envlock(&[command, "--no-origin", "--mirror", &mirror]);
    let shown = run("solve").success();
    assert!(shown.contains("me:***@"), "{shown}");
    run("install").success();
    let history = lab.project.read(".envlock/project/conda-meta/history");
    assert!(history.contains("me:***@"), "{history}");
    let lock = lab.project.read(".envlock/.project~lock");
    assert!(!lock.contains("geheim"), "{lock}");
    for wrong in ["http://127.0.0.1:9/cloud?key=geheim", "ftp://me:geheim@h/"] {
        let output = lab.envlock(&["solve", "--mirror", &format!("https://a.example/={wrong}")]);
        assert_eq!(output.code, Some(2), "{wrong}");
        assert!(!output.stderr.contains("geheim"), "{}", output.stderr);
    }
}

#[test]
fn no_credential_of_a_mirror_is_shown() {
    const SECRET: &str = "hunter2geheim";
    let lab = Lab::new(world(), YML);
    let server = lab.world.url().replace("http://", &format!("http://me:{SECRET}@"));
    let mirror = format!("https://conda.anaconda.org/={server}/anaconda/cloud/");
    let run = |command: &str| {
        let human = lab.envlock(&[command, "--no-origin", "--mirror", &mirror]);
        let json = lab.envlock(&[command, "--no-origin", "--mirror", &mirror, "--format", "json"]);
        for output in [&human, &json] {
            assert!(!output.stdout.contains(SECRET), "{}", output.stdout);
            assert!(!output.stderr.contains(SECRET), "{}", output.stderr);
        }
        human.code
    };
    assert_eq!(run("solve"), Some(0));
    assert_eq!(run("install"), Some(0));
    lab.world.add_fault("*", Fault::status(403));
    fs_err::remove_dir_all(lab.project.cache()).unwrap();
    fs_err::remove_dir_all(lab.prefix()).unwrap();
    assert_eq!(run("solve"), Some(3));
    assert_eq!(run("install"), Some(3));
    lab.world.clear_faults();
    assert_eq!(run("install"), Some(0));
    let around = lab.project.root().parent().unwrap().to_owned();
    assert_eq!(
        envlock_testkit::files_containing(&around, SECRET),
        Vec::<std::path::PathBuf>::new()
    );
}
