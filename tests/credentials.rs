//! Puts a canary into every place of a credential. The program uses it, and neither prints nor
//! writes it.

use std::path::PathBuf;

use envlock_testkit::{Fault, TestIndex, TestMirror, files_containing};

use crate::support::{Lab, one_line};

const CANARY: &str = "canary-4711";

/// A private channel in the public layout, also below `/t/<token>/`.
fn world() -> TestMirror {
    let world = TestMirror::new().channel("lab", |c| {
        c.add("app 1.0 | lib");
        c.add("lib 1.0");
    });
    std::fs::create_dir(world.root().join("t")).unwrap();
    std::os::unix::fs::symlink(world.root(), world.root().join("t").join(CANARY)).unwrap();
    world
}

/// An environment.yml with the channel, with this text before its host and before its path.
fn yml(world: &TestMirror, user: &str, token: &str) -> String {
    let host = world.url().replace("http://", "");
    format!("channels: ['http://{user}{host}{token}/anaconda/cloud/lab']\ndependencies: [app]\n")
}

/// Solves, installs and bundles, and searches all files for the canary except those that contain it
/// on purpose.
fn check_all_commands(lab: &Lab, planted: &[PathBuf]) {
    let around = lab.project.root().parent().unwrap().to_owned();
    for args in [
        &["solve"][..],
        &["install"],
        &["install", "--frozen", "--replace"],
        &["solve", "--check", "--format", "json"],
        &["fetch", "--format", "json"],
        &["bundle", "-o", "out"],
        &["config"],
    ] {
        let output = lab.envlock(args);
        assert!(!format!("{}{}", output.stdout, output.stderr).contains(CANARY), "{args:?}");
        output.success();
        if args == ["install"] {
            // The frozen install has to fetch again.
            fs_err::remove_dir_all(lab.project.cache().join("pkgs")).unwrap();
        }
    }
    lab.world.add_fault("*", Fault::status(403));
    let output = lab.envlock(&["solve"]);
    assert_eq!(output.code, Some(3));
    assert!(one_line(&output.stderr).contains("rejects the credential"), "{}", output.stderr);
    assert!(!output.stderr.contains(CANARY), "{}", output.stderr);

    let asked = lab.world.requests("*");
    let brought = asked.iter().all(|logged| {
        logged.request.header("authorization").is_some() || logged.request.path.contains(CANARY)
    });
    assert!(brought && asked.len() > 8, "{asked:?}");
    for needle in [CANARY, "Y2FuYXJ5LTQ3MT", "bmFyeS00NzEx"] {
        let mut found = files_containing(&around, needle);
        found.retain(|path| !planted.contains(&around.join(path)));
        assert_eq!(found, Vec::<PathBuf>::new(), "{needle}");
    }
}

#[test]
fn in_the_url_of_a_channel() {
    for (user, token) in
        [(format!("user:{CANARY}@"), String::new()), (String::new(), format!("/t/{CANARY}"))]
    {
        let world = world();
        let yml = yml(&world, &user, &token);
        let lab = Lab::new(world, &yml);
        check_all_commands(&lab, &[lab.project.path("environment.yml")]);
    }
}

#[test]
fn in_a_variable_in_the_url() {
    let world = world();
    let yml = yml(&world, "", "/t/$LAB_TOKEN");
    let lab = Lab::new(world, &yml).env("LAB_TOKEN", CANARY);
    check_all_commands(&lab, &[]);
}

#[test]
fn in_a_variable_of_envlock() {
    let world = world();
    let address = world.url().replace("http://", &format!("http://user:{CANARY}@"));
    let yml = yml(&world, "", "");
    let lab = Lab::new(world, &yml).env("ENVLOCK_AUTH_LAB", address);
    check_all_commands(&lab, &[]);
}

#[test]
fn in_the_stores_of_curl_rattler_and_conda() {
    let netrc = format!("machine 127.0.0.1 login user password {CANARY}\n");
    let rattler = format!(r#"{{"127.0.0.1": {{"BearerToken": "{CANARY}"}}}}"#);
    let place = |world: &TestMirror| {
        let quoted = world.url().replace(':', "%3A").replace('/', "%2F");
        format!(".continuum/anaconda-client/tokens/{quoted}.token")
    };
    for (store, text) in [
        (None, CANARY.to_owned()),
        (Some(".netrc"), netrc),
        (Some(".rattler/credentials.json"), rattler),
    ] {
        let world = world();
        let store = store.map_or_else(|| place(&world), str::to_owned);
        let yml = yml(&world, "", "");
        let lab = Lab::new(world, &yml);
        let path = lab.project.home().join(store);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, text).unwrap();
        check_all_commands(&lab, &[path]);
    }
}

#[test]
fn in_the_url_of_a_mirror() {
    let lab = Lab::new(world(), "channels: [lab]\ndependencies: [app]\n");
    let url = lab.world.url().replace("http://", &format!("http://user:{CANARY}@"));
    let mirror = format!("https://conda.anaconda.org/={url}/anaconda/cloud/");
    for command in ["solve", "install"] {
        let output = lab.envlock(&[command, "--no-origin", "--mirror", &mirror]);
        assert!(!format!("{}{}", output.stdout, output.stderr).contains(CANARY));
        output.success();
    }
    assert!(lab.world.requests("*").iter().all(|l| l.request.header("authorization").is_some()));
    let around = lab.project.root().parent().unwrap().to_owned();
    assert_eq!(files_containing(&around, CANARY), Vec::<PathBuf>::new());
}

#[test]
fn an_unreadable_store_is_named_and_not_quoted() {
    let world = world();
    let yml = yml(&world, "", "");
    let lab = Lab::new(world, &yml).env("ENVLOCK_AUTH_LAB", CANARY);
    let output = lab.envlock(&["solve", "-q"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(one_line(&output.stderr).contains("ENVLOCK_AUTH_LAB isn't a URL with a credential"));
    assert!(!output.stderr.contains(CANARY));
}

/// The `Authorization` headers of all requests of a mirror, each once.
fn authorizations(world: &TestMirror) -> Vec<Option<String>> {
    let log = world.requests("*");
    let mut headers: Vec<_> =
        log.iter().map(|l| l.request.header("authorization").map(str::to_owned)).collect();
    headers.dedup();
    headers
}

#[test]
fn a_password_in_a_variable_is_sent_whatever_its_characters_are_and_is_never_shown() {
    const PASSWORD: &str = "1/2?#@: p%geheim";
    // `me:` and the password in base64.
    let sent = Some("Basic bWU6MS8yPyNAOiBwJWdlaGVpbQ==".to_owned());
    for user in ["$LABUSER:$LABPW@HOST", "$LABLOGIN@HOST", "$LABSERVER"] {
        let world = world();
        let host = world.url().replace("http://", "");
        let url = format!("http://{}/anaconda/cloud/lab", user.replace("HOST", &host));
        let yml = format!("channels: ['{url}']\ndependencies: [app]\n");
        let lab = Lab::new(world, &yml)
            .env("LABUSER", "me")
            .env("LABPW", PASSWORD)
            .env("LABLOGIN", format!("me:{PASSWORD}"))
            .env("LABSERVER", format!("me:{PASSWORD}@{host}"));
        let solved = lab.envlock(&["solve"]);
        lab.world.add_fault("*", Fault::status(403));
        let refused = lab.envlock(&["solve"]);
        lab.world.clear_faults();
        for output in [&solved, &refused] {
            assert!(!format!("{}{}", output.stdout, output.stderr).contains("geheim"));
        }
        assert_eq!(solved.code, Some(0), "{user}: {}", solved.stderr);
        lab.envlock(&["install", "-q"]).success();
        assert_eq!(authorizations(&lab.world), std::slice::from_ref(&sent), "{user}");
        let around = lab.project.root().parent().unwrap().to_owned();
        assert_eq!(files_containing(&around, "geheim"), Vec::<PathBuf>::new());
    }
}

#[test]
fn a_password_that_ends_the_host_is_an_error_that_shows_no_part_of_it() {
    for url in [
        "http://me:1/geheim@127.0.0.1:9/lab",
        "http://me:1#geheim@127.0.0.1:9/lab",
        "http://me:1?geheim@127.0.0.1:9/lab",
        "$WHOLE/lab",
    ] {
        let yml = format!("channels: ['{url}']\ndependencies: [app]\n");
        let lab = Lab::new(world(), &yml).env("WHOLE", "http://me:1/geheim@127.0.0.1:9");
        for args in [&["solve"][..], &["solve", "--format", "json"], &["doctor"]] {
            let output = lab.envlock(args);
            let shown = format!("{}{}", output.stdout, output.stderr);
            assert!(!shown.contains("geheim"), "{url} {args:?}: {shown}");
            assert!(args == ["doctor"] || output.code == Some(2), "{url} {args:?}: {shown}");
        }
    }
}

#[test]
fn a_mistyped_mirror_shows_no_password() {
    let lab = Lab::new(world(), "channels: [lab]\ndependencies: [app]\n");
    for mirror in [
        "https://me:geheim@mirror.example/x",
        "me:geheim@mirror.example",
        "https://conda.anaconda.org/=https://me:1/geheim@mirror.example/x",
        "https://conda.anaconda.org/=htps//me:geheim@mirror.example/x",
        "https://conda.anaconda.org/=https://me:geheim",
        "https://conda.anaconda.org/=https://me:1@geheim@mirror.example/?x",
        "https://me:geheim@conda.anaconda.org=ftp://mirror.example",
        "https//mirror.example/t/geheim/x",
    ] {
        let output = lab.envlock(&["solve", "--mirror", mirror]);
        let shown = format!("{}{}", output.stdout, output.stderr);
        assert!(!shown.contains("geheim"), "{mirror}: {shown}");
        assert_eq!(output.code, Some(2), "{mirror}: {shown}");
        lab.project.write("envlock.toml", format!("mirrors = ['{mirror}']\n"));
        for args in [&["solve"][..], &["config"]] {
            let output = lab.envlock(args);
            let shown = format!("{}{}", output.stdout, output.stderr);
            assert!(!shown.contains("geheim"), "{mirror} {args:?}: {shown}");
        }
        fs_err::remove_file(lab.project.path("envlock.toml")).unwrap();
    }
}

#[test]
fn a_user_and_a_token_in_one_url_are_both_sent() {
    let world = world();
    let yml = yml(&world, "user:pw@", &format!("/t/{CANARY}"));
    let lab = Lab::new(world, &yml);
    lab.envlock(&["solve", "-q"]).success();
    lab.envlock(&["install", "-q"]).success();
    assert_eq!(authorizations(&lab.world), [Some("Basic dXNlcjpwdw==".to_owned())]);
    let asked = lab.world.requests("*");
    assert!(
        asked.iter().all(|l| l.request.path.starts_with(&format!("/t/{CANARY}/"))),
        "{asked:?}"
    );
}

#[test]
fn a_spec_with_a_channel_in_brackets_makes_a_lock_that_is_read_again() {
    let world = world();
    let url = format!("{}/t/{CANARY}/anaconda/cloud/lab", world.url());
    let short = format!("{}/anaconda/cloud/lab/t/{CANARY}", world.url());
    for spec in [
        format!("app[channel={url}]"),
        format!("app[channel='{url}',version='>=1']"),
        format!("app >=1 [version='>=1', channel=\"{url}/linux-64\"]"),
        format!("other::app[channel={url}]"),
        format!("app[channel={}]", url.replace(CANARY, "$LAB_TOKEN")),
    ] {
        let lab = Lab::new(self::world(), "").env("LAB_TOKEN", CANARY);
        let spec = spec.replace(&world.url(), &lab.world.url());
        let quoted = spec.replace('\'', "''");
        let lab_url = lab.world.channel_url("lab");
        lab.write_environment(&format!(
            "channels: ['{lab_url}']\nplatforms: [linux-64]\ndependencies: ['{quoted}']\n"
        ));
        lab.envlock(&["solve", "-q"]).success();
        assert!(!lab.lock().contains(CANARY) && !lab.lock().contains("***"), "{}", lab.lock());
        assert_eq!(lab.envlock(&["solve", "-q", "--check"]).code, Some(0), "{spec}");
        lab.envlock(&["install", "-q"]).success();
    }
    let yml = format!("channels: [lab]\ndependencies: ['app[channel={short}]']\n");
    let lab = Lab::new(world, &yml);
    let output = lab.envlock(&["solve", "-q"]);
    assert!(!format!("{}{}", output.stdout, output.stderr).contains(CANARY), "{}", output.stderr);
}

#[test]
fn the_full_url_of_a_configured_channel_has_its_configured_credential() {
    let world = world();
    let url = world.url().replace("http://", "http://u1:p1@");
    let condarc = format!("custom_channels:\n  lab: {url}/anaconda/cloud\n");
    let yml = yml(&world, "", "");
    let lab = Lab::new(world, &yml);
    fs_err::write(lab.project.home().join(".condarc"), condarc).unwrap();
    lab.envlock(&["solve", "-q"]).success();
    // Also for a lock without an environment.yml.
    fs_err::remove_file(lab.project.path("environment.yml")).unwrap();
    lab.envlock(&["fetch", "-q"]).success();
    fs_err::remove_dir_all(lab.project.cache().join("pkgs")).unwrap();
    lab.envlock(&["install", "-q", "--frozen"]).success();
    assert_eq!(authorizations(&lab.world), [Some("Basic dTE6cDE=".to_owned())]);
    assert!(!lab.lock().contains("p1"));
}

#[test]
fn a_channel_with_two_tokens_has_a_warning() {
    let world = world();
    let url = |token: &str| format!("{}/t/{token}/anaconda/cloud/lab", world.url());
    let yml = format!("channels:\n  - {}\n  - {}\ndependencies: [app]\n", url(CANARY), url("two"));
    let lab = Lab::new(world, &yml);
    let output = lab.envlock(&["solve", "-q"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stderr.contains("environment.yml:3:5"), "{}", output.stderr);
    assert!(one_line(&output.stderr).contains("two different credentials"), "{}", output.stderr);
    assert!(!output.stderr.contains(CANARY), "{}", output.stderr);
    assert_eq!(output.stderr.matches("warning[").count(), 1, "{}", output.stderr);
}

#[test]
fn a_variable_in_a_pip_line_is_used_and_locked_as_it_is_written() {
    let index = TestIndex::new()
        .projects(|p| {
            p.add("demo 1.0");
        })
        .with_login("/simple/*", CANARY, "");
    let address = index.index_url().replacen("http://", "http://${TOK}@", 1);
    let line = format!("--index-url {address}");
    let yml = format!(
        "channels: [lab]\ndependencies:\n  - python\n  - pip\n  - pip:\n    - '{line}'\n    - demo\n"
    );
    let world = TestMirror::new().channel("lab", |c| {
        c.add("python 3.10.13 h_0_cpython");
        c.add("pip 1.0 | python");
    });
    let lab = Lab::new(world, &yml);
    let mirrors = lab.world.mirror_args();
    let with_origin = mirrors.iter().map(String::as_str).filter(|arg| *arg != "--no-origin");
    let args: Vec<_> = ["solve", "-q"].into_iter().chain(with_origin).collect();
    let unset = lab.envlock(&args);
    assert_eq!(unset.code, Some(2), "{}", unset.stderr);
    assert!(unset.stderr.contains("the variable TOK isn't set"), "{}", unset.stderr);

    let lab = lab.env("TOK", "wrong");
    let refused = lab.envlock(&args);
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    assert!(refused.stderr.contains("401"), "{}", refused.stderr);

    let lab = lab.env("TOK", CANARY);
    lab.envlock(&args).success();
    assert!(lab.lock().contains(&line), "{}", lab.lock());
    assert!(lab.lock().contains("demo-1.0-"), "{}", lab.lock());
    assert!(!lab.lock().contains(CANARY));
    assert_eq!(lab.envlock(&[&args[..], &["--check"]].concat()).code, Some(0));
    for other in ["--index-url https://geheim@pypi.example/", "x @ https://h/x.whl?token=geheim"] {
        lab.write_environment(&yml.replace(&line, other));
        let output = lab.envlock(&args);
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        assert!(output.stderr.contains("pip-credential"), "{}", output.stderr);
        assert!(!output.stderr.contains("geheim"), "{}", output.stderr);
    }
}
