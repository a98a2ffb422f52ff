//! Which URL a channel has: forbidden spellings, unused entries of `.condarc`, migrated and
//! misconfigured names, pinned and disallowed packages.

use envlock_testkit::{Subdir, TestMirror};

use crate::support::{Lab, one_line, urls};

fn world() -> TestMirror {
    TestMirror::new()
        .channel("conda-forge", |c| {
            c.add("app 1.0");
            c.add("app 2.0");
        })
        .channel("pkgs/main", |c| {
            c.add("tool 1.0");
        })
        .channel("pkgs/r", |c| {
            c.add_for(Subdir::Win64, "r-base 4.1");
        })
        .channel("pkgs/msys2", |c| {
            c.add_for(Subdir::Win64, "m2 1.0");
        })
        .channel("main", |c| {
            c.add("tool 1.0");
        })
}

/// A project whose home has this `.condarc`.
fn with_condarc(yml: &str, condarc: &str) -> Lab {
    let lab = Lab::new(world(), yml);
    fs_err::write(lab.project.home().join(".condarc"), condarc).unwrap();
    lab
}

#[test]
fn a_forbidden_channel_is_forbidden_by_every_spelling_of_its_url() {
    for (forbidden, channels) in [
        (
            "defaults",
            &[
                "http://repo.anaconda.com/pkgs/main",
                "http://repo.anaconda.com:80/pkgs/main",
                "https://REPO.anaconda.com./pkgs/main/",
                "https://repo.anaconda.com//pkgs/./main/linux-64",
                "https://repo.anaconda.com/%70kgs/main",
                "https://repo.anaconda.com/t/tk-123/pkgs/main",
                "https://me:pw@repo.anaconda.com/pkgs/r",
                "https://repo.continuum.io/pkgs/main",
                "http://repo.continuum.io/pkgs/r",
                "https://repo.anaconda.cloud/repo/main",
                "https://repo.anaconda.com/pkgs/free",
                "https://repo.anaconda.com/pkgs/pro/linux-64",
                "pkgs/mro",
                "pkgs/mro-archive",
                "http://repo.continuum.io/pkgs/archive",
                "https://repo.anaconda.com/pkgs",
                "https://repo.anaconda.com/other",
                "https://mirrors.tuna.tsinghua.edu.cn/anaconda/pkgs/free",
                "https://mirrors.tuna.tsinghua.edu.cn//anaconda//pkgs/main",
                "https://mirrors.tuna.tsinghua.edu.cn/anaconda/pkgs/main",
                "http://mirrors.tuna.tsinghua.edu.cn/anaconda/pkgs/main",
                "https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/main",
                "main",
                "r",
                "anaconda",
                "Anaconda",
                "main/label/dev",
                "http://conda.anaconda.org/main",
                "https://conda.binstar.org/anaconda",
                "https://anaconda.org/anaconda",
                "pkgs/msys2",
                "$MAIN",
            ][..],
        ),
        ("pkgs/main", &["main", "anaconda", "defaults", "https://repo.continuum.io/pkgs/main"]),
        ("main", &["pkgs/main", "defaults"]),
        ("http://conda.anaconda.org/conda-forge", &["conda-forge", "conda-forge/label/dev"]),
        ("https://lab.example/x", &["http://lab.example/x", "http://lab.example/x/y"]),
    ] {
        for channel in channels {
            let yml = format!("channels: ['{channel}']\ndependencies: [tool]\n");
            let lab = Lab::new(world(), &yml).env("MAIN", "http://repo.anaconda.com/pkgs/main");
            lab.project.write("envlock.toml", format!("forbid-channels = [\"{forbidden}\"]\n"));
            let output = lab.solve(&[]);
            assert_eq!(output.code, Some(2), "{forbidden} {channel}: {}", output.stderr);
            assert!(output.stderr.contains("channel-forbidden"), "{channel}: {}", output.stderr);
            assert!(lab.world.requests("*").is_empty(), "{channel}");
        }
    }
}

#[test]
fn another_channel_is_allowed_although_its_name_resembles_a_forbidden_one() {
    for channel in ["conda-forge", "https://conda.anaconda.org/conda-forge"] {
        let yml = format!("channels: ['{channel}']\ndependencies: [app]\n");
        let lab = Lab::new(world(), &yml);
        let toml =
            "forbid-channels = [\"defaults\", \"conda\", \"forge\", \"conda-forge/label\"]\n";
        lab.project.write("envlock.toml", toml);
        lab.solve(&["-q"]).success();
    }
}

#[test]
fn a_condarc_can_not_give_a_forbidden_name_another_meaning() {
    for condarc in [
        "default_channels: [conda-forge]\n",
        "custom_multichannels: {defaults: [conda-forge]}\n",
        "default_channels: ['https://$UNSET/main']\n",
        "channel_alias: https://lab.example/conda\n",
        "custom_channels: {pkgs/main: https://lab.example/x}\n",
    ] {
        let yml = "channels: ['https://repo.anaconda.com/pkgs/main']\ndependencies: [tool]\n";
        let lab = with_condarc(yml, condarc);
        lab.project.write("envlock.toml", "forbid-channels = [\"defaults\"]\n");
        let output = lab.solve(&[]);
        assert!(output.stderr.contains("channel-forbidden"), "{condarc}{}", output.stderr);
    }
}

#[test]
fn a_source_that_serves_a_forbidden_channel_is_forbidden_too() {
    let yml = "channels: ['https://lab.example/x']\ndependencies: [tool]\n";
    let mirrored =
        "mirrored_channels:\n  'https://lab.example/x': ['https://repo.anaconda.com/pkgs/main']\n";
    let lab = with_condarc(yml, mirrored);
    lab.project.write("envlock.toml", "forbid-channels = [\"defaults\"]\n");
    assert!(lab.solve(&[]).stderr.contains("channel-forbidden"));
    let lab = Lab::new(world(), yml);
    lab.project.write("envlock.toml", "forbid-channels = [\"defaults\"]\n");
    let mirror = "https://lab.example/=http://repo.continuum.io/pkgs/";
    let yml = "channels: ['https://lab.example/main']\ndependencies: [tool]\n";
    lab.write_environment(yml);
    let output = lab.envlock(&["solve", "--mirror", mirror]);
    assert!(output.stderr.contains("channel-forbidden"), "{}", output.stderr);
}

#[test]
fn http_of_a_public_host_is_locked_as_https_and_has_the_same_mirrors() {
    let lab = Lab::new(world(), "channels: [conda-forge]\ndependencies: [app]\n");
    lab.solve(&["-q"]).success();
    let lock = lab.lock();
    for channel in [
        "http://conda.anaconda.org/conda-forge",
        "http://conda.anaconda.org:80/conda-forge/",
        "https://conda.anaconda.org./conda-forge",
        "https://conda.binstar.org/conda-forge",
    ] {
        let yml = format!("channels: ['{channel}']\ndependencies: [app]\n");
        let lab = Lab::new(world(), &yml);
        lab.solve(&["-q"]).success();
        assert_eq!(lab.lock(), lock, "{channel}");
    }
}

#[test]
fn a_mirror_of_https_serves_http_of_the_same_origin_and_the_reverse() {
    for (channel, prefix) in [("http", "https"), ("https", "http")] {
        let yml = format!("channels: ['{channel}://lab.example/x']\ndependencies: [app]\n");
        let lab = Lab::new(world(), &yml);
        let mirror = format!("{prefix}://lab.example/x/={}/", lab.world.channel_url("conda-forge"));
        lab.envlock(&["solve", "-q", "--no-origin", "--mirror", &mirror]).success();
        let url = format!("{channel}://lab.example/x/linux-64/app-2.0-0.conda");
        assert_eq!(urls(&lab.lock(), "linux-64"), [url]);
    }
}

#[test]
fn an_entry_of_condarc_that_the_project_does_not_use_is_no_error() {
    let yml = "channels: [conda-forge]\ndependencies: [app]\n";
    for condarc in [
        "custom_channels: {lab: 'https://u:$LAB_PW@lab.example/x'}\n",
        "custom_channels: {lab: 's3://bucket/x'}\n",
        "custom_channels: {lab: 'not a url'}\n",
        "custom_multichannels: {ours: [lab, 'https://$LAB/x']}\n",
        "default_channels: ['https://$LAB/main', 's3://bucket/main']\n",
        "mirrored_channels: {lab: ['https://$LAB/x'], $LAB: ['https://h/x']}\n",
        "custom_channels: {lab: ''}\n",
        "ssl_verify: $LAB\n",
        "ssl_verify: /dev/zero\n",
        "client_ssl_cert: $LAB/x\n",
        "client_ssl_cert: /etc\nclient_ssl_cert_key: $LAB/x\n",
        "allowlist_channels: ['$LAB', conda-forge]\n",
        "migrated_channel_aliases: ['https://$LAB/x']\nmigrated_custom_channels: {a: s3://b}\n",
    ] {
        let lab = with_condarc(yml, condarc);
        lab.solve(&["-q"]).success();
        lab.install(&["-q"]).success();
    }
    let lab = with_condarc(
        "channels: [lab]\ndependencies: [app]\n",
        "custom_channels:\n  lab: https://u:$LAB_PW@lab.example/x\n",
    );
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-q"])), @"
    -- stderr
    error[channel-variable-unset]: `https://u:***@lab.example/x` can't be used as a
      channel: the variable `LAB_PW` isn't set
      --> ~/home/.condarc:2:8
      2 |   lab: https://u:***@lab.example/x
        |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      --> environment.yml:1:12: the channel is requested here
      1 | channels: [lab]
        |            ^^^
      - it is the value of `custom_channels`
      help: set it, as in `export LAB_PW=…`, or write the value
    -- exit 2
    ");
}

#[test]
fn a_certificate_that_cannot_be_read_is_an_error_of_a_request_over_tls_only() {
    let pipe = |lab: &Lab| {
        let path = lab.project.path("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        path.display().to_string()
    };
    for condarc in ["ssl_verify: $LAB\n", "client_ssl_cert: /dev/zero\n", ""] {
        let lab = with_condarc("channels: [conda-forge]\ndependencies: [app]\n", condarc);
        let pipe = pipe(&lab);
        let lab = if condarc.is_empty() { lab.env("SSL_CERT_FILE", pipe) } else { lab };
        let output = lab.envlock(&["solve", "-q"]);
        assert_eq!(output.code, Some(2), "{condarc}{}", output.stderr);
        let place = if condarc.is_empty() { "SSL_CERT_FILE names" } else { ".condarc:1:" };
        assert!(output.stderr.contains(place), "{condarc}{}", output.stderr);
        lab.solve(&["-q"]).success();
    }
}

#[test]
fn invalid_certificates_are_an_error_at_the_line_that_names_them() {
    let lab =
        with_condarc("channels: [conda-forge]\ndependencies: [app]\n", "ssl_verify: ~/证书.pem\n");
    // The test channels need no TLS.
    lab.solve(&["-q"]).success();
    let output = lab.envlock(&["solve", "-q", "--upgrade"]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("can't be read"), "{}", output.stderr);
    assert!(output.stderr.contains("ssl_verify: ~/证书.pem\n"), "{}", output.stderr);
    assert!(output.stderr.contains("home/.condarc:1:13"), "{}", output.stderr);
    fs_err::write(lab.project.home().join("证书.pem"), "no certificate").unwrap();
    lab.solve(&["-q"]).success();
    let output = lab.envlock(&["solve", "-q", "--upgrade"]);
    assert_eq!(output.code, Some(2));
    let why = "~/证书.pem: it has no certificate in PEM format";
    assert!(one_line(&output.stderr).contains(why), "{}", output.stderr);
}

#[test]
fn a_file_without_usable_certificates_is_an_error_of_a_request_over_tls_only() {
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let no_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (name, text) in [
        ("ssl_verify", "no certificates\n"),
        ("ssl_verify", ""),
        ("ssl_verify", no_certificate),
        ("client_ssl_cert", "no certificates\n"),
        ("client_ssl_cert", no_certificate),
        ("client_ssl_cert", no_key),
        ("SSL_CERT_FILE", "no certificates\n"),
        ("SSL_CERT_FILE", ""),
    ] {
        let yml = "channels: [conda-forge]\ndependencies: [app]\n";
        let lab = Lab::new(world(), yml);
        let file = lab.project.path("ca.pem").display().to_string();
        lab.project.write("ca.pem", text);
        let lab = if name.starts_with("SSL") {
            lab.env("SSL_CERT_FILE", file)
        } else {
            let condarc = lab.project.home().join(".condarc");
            fs_err::write(condarc, format!("{name}: {file}\n")).unwrap();
            lab
        };
        let output = lab.envlock(&["solve"]);
        assert_eq!(output.code, Some(2), "{name} {text}{}", output.stderr);
        assert!(output.stderr.contains("error[configuration-value-invalid]"), "{}", output.stderr);
        assert!(!output.stderr.contains("note[configuration-value-invalid]"), "{}", output.stderr);
        assert!(one_line(&output.stderr).contains(name), "{}", output.stderr);
        // The test channels are reached without TLS: the setting is named, and changes nothing.
        let output = lab.solve(&["--deny", "warnings"]);
        assert_eq!(output.code, Some(0), "{name} {text}{}", output.stderr);
        assert!(output.stderr.contains("note[configuration-value-invalid]"), "{}", output.stderr);
    }
}

#[test]
fn a_wrong_alias_is_reported_at_its_line_in_condarc() {
    let lab = Lab::new(world(), "channels: [conda-forge]\ndependencies: [app]\n");
    let alias = format!("{}/anaconda", lab.world.url());
    fs_err::write(lab.project.home().join(".condarc"), format!("channel_alias: {alias}\n"))
        .unwrap();
    let output = lab.envlock(&["solve", "-q"]);
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[channel-not-found]: the channel
      http://mirror/anaconda/conda-forge has no noarch nor linux-64:
      `channel_alias` of ~/home/.condarc:1 sets its URL
      --> ~/home/.condarc:1:16
      1 | channel_alias: http://mirror/anaconda
        |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      --> environment.yml:1:12: the channel is requested here
      1 | channels: [conda-forge]
        |            ^^^^^^^^^^^
      | requested:
      |   http://mirror/anaconda/conda-forge/linux-64/repodata.json: 404
      |     not found
      |   http://mirror/anaconda/conda-forge/noarch/repodata.json: 404 not
      |     found
      help: is `channel_alias: http://mirror/anaconda/` right?
    -- exit 3
    ");
    let alias = format!("custom_channels:\n  conda-forge: {}/anaconda\n", lab.world.url());
    fs_err::write(lab.project.home().join(".condarc"), alias).unwrap();
    let output = lab.envlock(&["solve", "-q"]);
    assert!(output.stderr.contains("home/.condarc:2:16"), "{}", output.stderr);
    assert!(
        one_line(&output.stderr).contains("`custom_channels.conda-forge` of"),
        "{}",
        output.stderr
    );
}

#[test]
fn an_alias_of_a_known_mirror_without_its_last_part_is_reported_at_its_line_in_condarc() {
    let tuna = "mirrors.tuna.tsinghua.edu.cn/anaconda";
    for (condarc, help) in [
        (format!("channel_alias: http://{tuna}\n"), "channel_alias"),
        (format!("channel_alias: https://{tuna}/\n"), "channel_alias"),
        (format!("channel_alias: https://{tuna}/pkgs\n"), "channel_alias"),
        (
            format!("custom_channels: {{conda-forge: 'https://{tuna}'}}\n"),
            "custom_channels.conda-forge",
        ),
    ] {
        let yml = "channels: [conda-forge]\ndependencies: [app]\n";
        // Every request is refused, as without a network.
        let lab = with_condarc(yml, &condarc).env("HTTPS_PROXY", "http://127.0.0.1:1");
        let lab = lab.env("HTTP_PROXY", "http://127.0.0.1:1");
        lab.project.write("envlock.toml", "forbid-channels = [\"defaults\"]\n");
        let output = lab.envlock(&["solve"]);
        let text = one_line(&output.stderr);
        assert_eq!(output.code, Some(3), "{condarc}{}", output.stderr);
        assert!(text.contains("home/.condarc:1:"), "{condarc}{}", output.stderr);
        let right = format!("write `{help}: https://{tuna}/cloud`");
        assert!(text.contains(&right), "{condarc}{}", output.stderr);
        assert!(!text.contains("repo.anaconda.com"), "{condarc}{}", output.stderr);
    }
}

#[test]
fn a_multichannel_called_defaults_is_what_defaults_consists_of() {
    let lab = Lab::new(world(), "channels: [defaults]\ndependencies: [app]\n");
    let url = lab.world.channel_url("conda-forge");
    let condarc = format!("custom_multichannels:\n  defaults: ['{url}']\n");
    fs_err::write(lab.project.home().join(".condarc"), condarc).unwrap();
    lab.envlock(&["solve", "-q"]).success();
    assert_eq!(urls(&lab.lock(), "linux-64"), [format!("{url}/linux-64/app-2.0-0.conda")]);
}

#[test]
fn a_pin_of_condarc_that_the_solution_does_not_meet_is_an_error() {
    let yml = "channels: [conda-forge]\ndependencies: [app]\n";
    let lab = with_condarc(yml, "pinned_packages:\n  - app=1.0\n  - other=3\n");
    let output = lab.solve(&["-q"]);
    assert!(!lab.project.path("envlock.lock").exists());
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[package-forbidden]: app 2.0 doesn't meet the pin `app=1.0`
      of ~/home/.condarc:2
      --> ~/home/.condarc:2:5
      2 |   - app=1.0
        |     ^^^^^^^
      help: add `- app=1.0` to the dependencies of environment.yml, or remove the
            pin
    -- exit 2
    ");
    lab.write_environment("channels: [conda-forge]\ndependencies: [app=1.0]\n");
    lab.solve(&["-q"]).success();
    let lab = with_condarc(yml, "pinned_packages: [app >>1]\n");
    let output = lab.solve(&["-q"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("home/.condarc:1:19"), "{}", output.stderr);
}

#[test]
fn a_disallowed_package_is_neither_locked_nor_installed() {
    let yml = "channels: [conda-forge]\ndependencies: [app]\n";
    let lab = with_condarc(yml, "disallowed_packages: ['app>=2', other]\n");
    let output = lab.solve(&["-q"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("package-forbidden"), "{}", output.stderr);
    let lab = Lab::solved(world(), yml);
    fs_err::write(lab.project.home().join(".condarc"), "disallow: [app]\n").unwrap();
    for args in [&["-q"][..], &["-q", "--frozen"]] {
        let output = lab.install(args);
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        assert!(
            one_line(&output.stderr).contains("app 2.0 is disallowed by `app`"),
            "{}",
            output.stderr
        );
        assert!(!lab.prefix().exists());
    }
    for (command, args) in [("fetch", &["-q"][..]), ("bundle", &["-q", "-o", "kit"])] {
        lab.world.clear_requests();
        let output = lab.with_mirrors(command, args);
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        let text = one_line(&output.stderr);
        assert!(text.contains("app 2.0 is disallowed by `app`"), "{text}");
        assert_eq!(lab.world.requests("*.conda").len(), 0);
        assert!(!lab.project.path("kit").exists());
    }
    let lab = lab.env("CONDA_DISALLOWED_PACKAGES", "x&y");
    fs_err::remove_file(lab.project.home().join(".condarc")).unwrap();
    lab.install(&["-q"]).success();
}
