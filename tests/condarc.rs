//! `.condarc` and envlock.toml: the instructions of mirrors, configured names, forbidden channels.

use envlock_testkit::{Project, TestMirror};

use crate::support::{BINARY, Lab, one_line, shown, urls};

const YML: &str = "channels: [conda-forge, defaults]\nplatforms: [linux-64, win-64]\n\
                   dependencies: [app, tool, 'pytorch::torch']\n";

fn world() -> TestMirror {
    TestMirror::new()
        .channel("conda-forge", |c| {
            c.add("app 1.0 | python");
            c.add_for(envlock_testkit::Subdir::Win64, "app 1.0 | python");
        })
        .channel("pytorch", |c| {
            c.add("torch 2.0");
            c.add_for(envlock_testkit::Subdir::Win64, "torch 2.0");
        })
        .channel("pkgs/main", |c| {
            c.add("python 3.10.1");
            c.add_for(envlock_testkit::Subdir::Win64, "python 3.10.1");
        })
        .channel("pkgs/r", |c| {
            c.add("tool 1.0");
            c.add_for(envlock_testkit::Subdir::Win64, "r-base 4.1");
        })
        .channel("pkgs/msys2", |c| {
            c.add_for(envlock_testkit::Subdir::Win64, "tool 1.0");
        })
}

/// A project whose home has this `.condarc`.
fn with_condarc(world: TestMirror, yml: &str, condarc: &str) -> Lab {
    let lab = Lab::new(world, yml);
    fs_err::write(lab.project.home().join(".condarc"), condarc).unwrap();
    lab
}

/// The `.condarc` from the help page of a mirror.
fn snippet(base: &str) -> String {
    format!(
        "channels:\n  - defaults\nshow_channel_urls: true\ndefault_channels:\n  \
         - {base}/pkgs/main\n  - {base}/pkgs/r\n  - {base}/pkgs/msys2\ncustom_channels:\n  \
         conda-forge: {base}/cloud\n  pytorch: {base}/cloud\n"
    )
}

#[test]
fn the_condarc_of_each_mirrors_help_page_gives_the_same_lock_as_the_origin() {
    let origin = Lab::solved(world(), YML).lock();
    assert!(origin.contains("https://conda.anaconda.org/conda-forge/linux-64/app-1.0-0.conda"));
    // The URLs are those of the help pages. The test server answers instead of the mirrors.
    for base in [
        "https://mirrors.tuna.tsinghua.edu.cn/anaconda",
        "https://mirrors.ustc.edu.cn/anaconda",
        "https://mirrors.bfsu.edu.cn/anaconda",
        "http://mirrors.aliyun.com/anaconda",
        "https://mirror.sjtu.edu.cn/anaconda",
        "https://mirrors.sjtug.sjtu.edu.cn/anaconda",
        "https://mirror.nju.edu.cn/anaconda",
    ] {
        let lab = with_condarc(world(), YML, &snippet(base));
        lab.solve(&[]).success();
        assert_eq!(lab.lock(), origin, "{base}");
    }
}

#[test]
fn a_declared_tree_of_the_same_layout_is_used_and_is_not_in_the_lock() {
    let origin = Lab::solved(world(), YML).lock();
    let world = world();
    let base = format!("{}/anaconda", world.url());
    let lab = with_condarc(world, YML, &snippet(&base));
    let declared = format!(
        "mirrors = [\n  \"https://conda.anaconda.org/={base}/cloud/\",\n  \
         \"https://repo.anaconda.com/={base}/\",\n]\nno-origin = true\n"
    );
    lab.project.write("envlock.toml", declared);
    lab.envlock(&["solve"]).success();
    assert_eq!(lab.lock(), origin);
    assert!(!lab.world.requests("*/pkgs/main/linux-64/*").is_empty());
    // The lock alone is enough to install through it.
    fs_err::remove_file(lab.project.path("environment.yml")).unwrap();
    lab.world.clear_requests();
    lab.envlock(&["install", "--frozen"]).success();
    assert!(!lab.world.requests("*/cloud/conda-forge/linux-64/*.conda").is_empty());
}

#[test]
fn an_undeclared_tree_is_its_own_origin_and_no_public_host_is_asked() {
    let world = TestMirror::new().channel("lab", |c| {
        c.add("app 1.0");
    });
    let folder = world.channel_url("lab").trim_end_matches("/lab").to_owned();
    let condarc = format!("custom_channels:\n  lab: {folder}\n");
    let lab = with_condarc(world, "channels: [lab]\ndependencies: [app]\n", &condarc);
    lab.envlock(&["solve", "-q"]).success();
    assert_eq!(urls(&lab.lock(), "linux-64"), [format!("{folder}/lab/linux-64/app-1.0-0.conda")]);
    assert!(!lab.lock().contains("anaconda.org"));
}

#[test]
fn an_unreachable_private_channel_is_an_error_and_no_public_host_is_used() {
    // Requests to public hosts would go to this server.
    let public = TestMirror::new().channel("lab", |c| {
        c.add("app 6.6.6");
    });
    let condarc = "custom_channels:\n  lab: http://127.0.0.1:9/conda\n";
    let lab = with_condarc(public, "channels: [lab]\ndependencies: [app]\n", condarc);
    let mirror = format!("https://conda.anaconda.org/={}/anaconda/cloud/", lab.world.url());
    let output = lab.envlock(&["solve", "-q", "--mirror", &mirror]);
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    assert!(lab.world.requests("*").is_empty());
    assert!(!lab.project.path("envlock.lock").exists());
}

#[test]
fn mirrored_channels_are_used_in_order_and_the_origin_only_if_it_is_listed() {
    let (first, second) = (world(), world());
    let folder = |world: &TestMirror| world.channel_url("conda-forge");
    let condarc = format!(
        "mirrored_channels:\n  conda-forge:\n    - {}\n    - {}\n",
        folder(&first),
        folder(&second)
    );
    let yml =
        "channels: [conda-forge]\nplatforms: [linux-64]\ndependencies: ['conda-forge::app']\n";
    let lab = with_condarc(TestMirror::new(), yml, &condarc);
    first.add_fault("*repodata*", envlock_testkit::Fault::status(403));
    let output = lab.envlock(&["solve"]);
    // app needs a python that conda-forge doesn't have. Without the origin the result is that
    // there is no solution.
    assert_eq!(output.code, Some(6), "{}", output.stderr);
    assert!(!first.requests("*repodata*").is_empty());
    assert!(!second.requests("*repodata*").is_empty());
}

#[test]
fn channels_of_condarc_are_used_for_an_environment_that_lists_none() {
    let condarc = "channels: [pytorch]\n";
    let lab = with_condarc(world(), "dependencies: [torch]\n", condarc);
    let output = lab.solve(&["-q"]);
    assert!(one_line(&output.stderr).contains("]: no channel is listed: those of "));
    assert!(output.stderr.contains("help: list them: `channels: [pytorch]`"), "{}", output.stderr);
    assert_eq!(lab.locked("linux-64"), ["torch-2.0-0"]);
    let lab = with_condarc(world(), "channels: [conda-forge]\ndependencies: [torch]\n", condarc);
    assert_eq!(lab.solve(&["-q"]).code, Some(6));
}

#[test]
fn variables_have_priority_over_files_and_a_final_value_over_variables() {
    let yml = "channels: [ours]\ndependencies: [torch]\n";
    let world = world();
    let folder = world.channel_url("pytorch").trim_end_matches("/pytorch").to_owned();
    let condarc = format!("channel_alias: {folder}  #!final\n");
    let lab = with_condarc(world, &yml.replace("ours", "pytorch"), &condarc);
    let lab = lab.env("CONDA_CHANNEL_ALIAS", "http://127.0.0.1:9");
    lab.envlock(&["solve", "-q"]).success();
    assert!(lab.lock().contains(&format!("{folder}/pytorch/linux-64/torch-2.0-0.conda")));
}

#[test]
fn multichannels_are_one_channel_of_several() {
    let condarc = "custom_multichannels:\n  ours: [conda-forge, pytorch]\n";
    let yml = "channels: [ours, defaults]\nplatforms: [linux-64]\ndependencies: [torch, app]\n";
    let lab = with_condarc(world(), yml, condarc);
    lab.solve(&["-q"]).success();
    assert_eq!(lab.locked("linux-64"), ["app-1.0-0", "python-3.10.1-0", "torch-2.0-0"]);
}

#[test]
fn the_file_of_the_highest_priority_sets_the_channel_priority() {
    let priority = |lab: &Lab| {
        let lock: serde_yaml::Value = serde_yaml::from_str(&lab.lock()).unwrap();
        lock["envlock"]["requested"]["channel-priority"].as_str().map(str::to_owned)
    };
    let yml = "channels: [pytorch]\ndependencies: [torch]\n";
    let lab = with_condarc(world(), yml, "channel_priority: flexible\n");
    lab.solve(&["-q"]).success();
    assert_eq!(priority(&lab).as_deref(), Some("flexible"));
    lab.project.write("envlock.toml", "channel-priority = \"disabled\"\n");
    lab.solve(&["-q"]).success();
    assert_eq!(priority(&lab).as_deref(), Some("disabled"));
    lab.solve(&["-q", "--channel-priority", "strict"]).success();
    assert_eq!(priority(&lab).as_deref(), Some("strict"));
    // The project's file can make a lock stale; this machine's file can't.
    fs_err::remove_file(lab.project.path("envlock.toml")).unwrap();
    assert_eq!(lab.solve(&["-q", "--check"]).code, Some(0));
    lab.project.write("envlock.toml", "channel-priority = \"disabled\"\n");
    assert_eq!(lab.solve(&["-q", "--check"]).code, Some(5));
}

#[test]
fn an_invalid_condarc_ends_with_2_and_a_place() {
    let lab = with_condarc(world(), YML, "channels:\n  - defaults\nssl_verify: [a]\n");
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-q"])), @"
    -- stderr
    error[wrong-type]: ssl_verify must be a single value, and this is a list
      --> ~/home/.condarc:3:13
      3 | ssl_verify: [a]
        |             ^^
    -- exit 2
    ");
    let lab = with_condarc(world(), YML, "channels: [defaults\n");
    let output = lab.solve(&["-q"]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("home/.condarc:2:1"), "{}", output.stderr);
    let yml = "channels: [lab]\ndependencies: [app]\n";
    let lab = with_condarc(world(), yml, "custom_channels: {lab: lab.example}\n");
    assert!(lab.solve(&["-q"]).stderr.contains("home/.condarc:1:24"));
}

#[test]
fn unused_keys_are_named_once() {
    let condarc = "changeps1: false\nauto_activate_base: false\nshow_channel_urls: true\n";
    let lab = with_condarc(world(), "channels: [pytorch]\ndependencies: [torch]\n", condarc);
    let output = lab.solve(&[]);
    let note = "envlock doesn't use these keys of .condarc: auto_activate_base, changeps1";
    let words: Vec<_> = output.stderr.split_whitespace().collect();
    assert_eq!(words.join(" ").matches(note).count(), 1, "{}", output.stderr);
    assert!(!output.stderr.contains("show_channel_urls"));
}

#[test]
fn without_verification_every_run_has_a_warning() {
    let lab = with_condarc(
        world(),
        "channels: [pytorch]\ndependencies: [torch]\n",
        "ssl_verify: false\n",
    );
    for output in [lab.solve(&["-q"]), lab.install(&["-q"])] {
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        assert!(output.stderr.contains("no server's certificate is verified"), "{}", output.stderr);
    }
}

#[test]
fn offline_in_condarc_sends_no_request() {
    let lab = with_condarc(world(), YML, "offline: true\n");
    let output = lab.solve(&["-q"]);
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    assert!(lab.world.requests("*").is_empty());
}

#[test]
fn a_proxy_of_condarc_is_used_for_other_hosts() {
    // The test server is the proxy. The Host header has the requested server.
    // An address without a scheme is one of an HTTP proxy, as in conda.
    for scheme in ["http://", ""] {
        let proxy = TestMirror::new();
        let url = proxy.url().replace("http://", scheme);
        let condarc = format!("proxy_servers:\n  http: {url}\n");
        let yml = "channels: ['http://lab.example/conda']\ndependencies: [app]\n";
        let lab = with_condarc(TestMirror::new(), yml, &condarc);
        let output = lab.envlock(&["solve", "-q"]);
        assert_ne!(output.code, Some(0));
        let asked = proxy.requests("*/conda/noarch/*");
        assert!(!asked.is_empty(), "{}", output.stderr);
        assert!(asked.iter().all(|asked| asked.request.header("host") == Some("lab.example")));
        let output = lab.envlock(&["doctor"]);
        let words = format!("proxy {url} for http");
        assert!(one_line(&output.stdout).contains(&words), "{}", output.stdout);
        assert!(!output.stderr.contains("doctor-proxy"), "{}", output.stderr);
    }
}

#[test]
fn a_proxy_of_condarc_that_does_not_answer_is_named() {
    let yml = "channels: ['http://lab.invalid/conda']\ndependencies: [app]\n";
    let condarc = "proxy_servers:\n  http: http://me:geheim@127.0.0.1:1\n";
    let lab = with_condarc(TestMirror::new(), yml, condarc);
    let output = lab.envlock(&["solve", "-q"]);
    let text = one_line(&output.stderr);
    assert!(text.contains("(through the proxy 127.0.0.1:1)"), "{}", output.stderr);
    assert!(!text.contains("geheim"), "{}", output.stderr);
}

#[test]
fn no_proxy_applies_next_to_the_proxies_of_condarc() {
    let proxy = TestMirror::new();
    let condarc = format!("proxy_servers:\n  http: {}\n", proxy.url());
    let yml = "channels: ['http://lab.invalid/conda']\ndependencies: [app]\n";
    for name in ["no_proxy", "NO_PROXY"] {
        let lab = with_condarc(TestMirror::new(), yml, &condarc).env(name, "lab.invalid");
        let output = lab.envlock(&["solve", "-q"]);
        assert_eq!(output.code, Some(3), "{}", output.stderr);
        assert!(proxy.requests("*").is_empty(), "{name}");
    }
    let condarc = format!("{condarc}  no_proxy: 'other, lab.invalid'\n");
    let lab = with_condarc(TestMirror::new(), yml, &condarc);
    assert_eq!(lab.envlock(&["solve", "-q"]).code, Some(3));
    assert!(proxy.requests("*").is_empty());
}

#[test]
fn a_proxy_of_another_protocol_is_refused_in_condarc_and_reported_by_doctor_elsewhere() {
    let condarc = "proxy_servers:\n  http: ftp://me:geheim@proxy.example\n";
    let lab = with_condarc(TestMirror::new(), LAB_CHANNEL, condarc);
    let output = lab.envlock(&["solve", "-q"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("home/.condarc:2:9"), "{}", output.stderr);
    assert!(!output.stderr.contains("geheim"), "{}", output.stderr);

    let lab = Lab::new(world(), YML).env("all_proxy", "socks://127.0.0.1:1080/");
    assert_eq!(lab.solve(&["-q"]).code, Some(0));
    let output = lab.with_mirrors("doctor", &[]);
    assert_eq!(output.code, Some(1), "{}", output.stdout);
    assert!(output.stderr.contains("error[doctor-proxy]"), "{}", output.stderr);
}

const LAB_CHANNEL: &str = "channels: ['http://lab.invalid/conda']\ndependencies: [app]\n";

#[test]
fn an_entry_of_proxy_servers_that_cannot_be_used_is_an_error_only_for_a_request_that_needs_it() {
    for entry in ["$NOT_SET", "http://$NOT_SET:3128", "'http://me:a/b@proxy'", "ftp://proxy"] {
        // The test channels are on this machine, which no proxy serves.
        for scheme in ["http", "https", "all", "http://lab.invalid"] {
            let condarc = format!("proxy_servers:\n  '{scheme}': {entry}\n");
            let lab = with_condarc(world(), YML, &condarc);
            for output in [lab.solve(&["-q"]), lab.install(&["-q"])] {
                assert_eq!(output.code, Some(0), "{condarc}: {}", output.stderr);
                assert!(!output.stderr.contains("proxy_servers"), "{}", output.stderr);
            }
        }
        let with = |more: &str| {
            let condarc = format!("proxy_servers:\n  http: {entry}\n{more}");
            with_condarc(TestMirror::new(), LAB_CHANNEL, &condarc)
        };
        let output = with("").envlock(&["solve", "-q"]);
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        let text = one_line(&output.stderr);
        assert!(text.contains("`proxy_servers` can't be used: "), "{text}");
        assert!(text.contains("home/.condarc:2:9"), "{text}");
        let output = with("").envlock(&["doctor"]);
        assert!(
            output
                .stdout
                .lines()
                .any(|line| { line.split_whitespace().take(2).eq(["wrong", "proxy"]) }),
            "{}",
            output.stdout
        );
        // An exception needs no proxy: the request fails because there is no such host.
        let output = with("  no_proxy: lab.invalid\n").envlock(&["solve", "-q"]);
        assert_eq!(output.code, Some(3), "{}", output.stderr);
        assert!(!output.stderr.contains("proxy_servers` can't"), "{}", output.stderr);
    }
}

#[test]
fn a_member_of_defaults_that_no_source_has_is_left_out_with_a_warning_at_its_line() {
    let mirror = TestMirror::new().channel("pkgs/main", |c| {
        c.add("tool 1.0");
    });
    let yml = "channels: [defaults]\nplatforms: [linux-64]\ndependencies: [tool]\n";
    let condarc = "default_channels:\n  - https://repo.anaconda.com/pkgs/main\n  \
                   - https://repo.anaconda.com/pkgs/free\n";
    let lab = with_condarc(mirror, yml, condarc);
    for args in [&["-q"][..], &["-q", "--offline"]] {
        let output = lab.solve(args);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let warning = "warning[channel-not-found]: no source has the channel pkgs/free, which is \
                       left out of `defaults`";
        let text = output.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(warning), "{}", output.stderr);
        assert!(output.stderr.contains("home/.condarc:3:5"), "{}", output.stderr);
    }
    // If no source has any member, there is nothing to use.
    let lab = with_condarc(TestMirror::new(), yml, condarc);
    let output = lab.solve(&["-q"]);
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    assert!(output.stderr.contains("error[channel-not-found]"), "{}", output.stderr);
    assert!(output.stderr.contains("home/.condarc:2:5"), "{}", output.stderr);
}

#[test]
fn defaults_has_one_warning_and_can_be_forbidden() {
    let yml = "channels: [defaults]\nplatforms: [linux-64]\ndependencies: [tool]\n";
    let lab = Lab::new(world(), yml);
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-q"])), @r#"
    -- stdout
    linux-64  1 package  950 B to download at most
    wrote envlock.lock
    -- stderr
    warning[defaults-terms]: packages come from Anaconda's own channels, whose terms
      of service require larger organisations to pay
      - its servers sometimes block whole networks; the terms also apply to mirrors
      help: use `conda-forge`, or forbid them: `forbid-channels = ["defaults"]` in
            envlock.toml
    -- exit 0
    "#);
    lab.project.write("envlock.toml", "forbid-channels = [\"defaults\"]\n");
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-q"])), @"
    -- stderr
    error[channel-forbidden]: the channel defaults is forbidden here
      --> environment.yml:1:12
      1 | channels: [defaults]
        |            ^^^^^^^^
      - envlock.toml:1 forbids it
      help: use another one, such as `channels: [conda-forge]`
    -- exit 2
    ");
    // By each of its names, on a mirror, for one package, and if no channel is listed.
    for yml in [
        "channels: [pkgs/r]\ndependencies: [tool]\n",
        "channels: ['https://repo.anaconda.com/pkgs/r']\ndependencies: [tool]\n",
        "channels: ['https://mirrors.tuna.tsinghua.edu.cn/anaconda/pkgs/r']\ndependencies: [tool]\n",
        "channels: [conda-forge]\ndependencies: ['defaults::tool']\n",
        "dependencies: [tool]\n",
    ] {
        lab.write_environment(yml);
        let output = lab.solve(&["-q"]);
        assert_eq!(output.code, Some(2), "{yml}{}", output.stderr);
        assert!(output.stderr.contains("forbidden"), "{}", output.stderr);
    }
}

#[test]
fn a_lock_with_a_forbidden_channel_is_not_installed() {
    let yml = "channels: [defaults]\nplatforms: [linux-64]\ndependencies: [tool]\n";
    let lab = Lab::solved(world(), yml);
    lab.project.write("envlock.toml", "forbid-channels = [\"defaults\"]\n");
    for args in [["-q"].as_slice(), &["-q", "--frozen"]] {
        let output = lab.install(args);
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        assert!(output.stderr.contains("forbidden"), "{}", output.stderr);
    }
}

#[test]
fn a_lock_with_a_forbidden_channel_is_neither_fetched_nor_bundled() {
    let yml = "channels: [defaults]\nplatforms: [linux-64]\ndependencies: [tool]\n";
    let lab = Lab::solved(world(), yml);
    for list in ["forbid-channels = [\"defaults\"]\n", "forbid-channels = [\"pkgs/main\"]\n"] {
        lab.project.write("envlock.toml", list);
        lab.world.clear_requests();
        for (command, args) in [("fetch", &["-q"][..]), ("bundle", &["-q", "-o", "bundle"])] {
            let output = lab.with_mirrors(command, args);
            assert_eq!(output.code, Some(2), "{command}: {}", output.stderr);
            assert!(output.stderr.contains("channel-forbidden"), "{command}: {}", output.stderr);
        }
        assert!(lab.world.requests("*").is_empty(), "{list}");
        assert!(!lab.project.path("bundle").exists(), "{list}");
    }
}

#[test]
fn allowlist_and_denylist_are_applied() {
    let yml = "channels: [pytorch]\ndependencies: [torch]\n";
    let lab = with_condarc(world(), yml, "allowlist_channels: [conda-forge]\n");
    let output = lab.solve(&["-q"]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("not on the allowlist"), "{}", output.stderr);
    let lab = with_condarc(world(), yml, "denylist_channels: [pytorch]\n");
    let output = lab.solve(&["-q"]);
    assert!(output.stderr.contains("on the denylist"), "{}", output.stderr);
    assert!(output.stderr.contains("home/.condarc:1"), "{}", output.stderr);
}

#[test]
fn environments_are_searched_by_name_in_envs_dirs() {
    let lab = with_condarc(
        world(),
        "channels: [pytorch]\ndependencies: [torch]\n",
        "envs_dirs:\n  - ~/环境\n",
    );
    lab.solve(&["-q"]).success();
    lab.install(&["-q", "-n", "ml"]).success();
    assert!(lab.project.home().join("环境/ml/conda-meta").is_dir());
}

#[test]
fn a_project_uses_the_envlock_toml_next_to_its_environment_file() {
    let project = Project::new(BINARY, "");
    project.write("sub/environment.yml", "channels: [conda-forge]\ndependencies: [a]\n");
    project.write("sub/envlock.toml", "forbid-chanels = []\n");
    let output = project.envlock(["solve", "-f", "sub/environment.yml"]);
    assert_eq!(output.code, Some(2));
    insta::assert_snapshot!(shown(&output), @"
    -- stderr
    error[unknown-key]: sub/envlock.toml has no key `forbid-chanels`
      --> sub/envlock.toml:1:1
      1 | forbid-chanels = []
        | ^^^^^^^^^^^^^^
      help: did you mean `forbid-channels`?
    -- exit 2
    ");
}
