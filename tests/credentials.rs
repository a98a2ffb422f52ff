//! A canary in every place that a credential may come from: the program uses it, and it is
//! in nothing that the program prints or writes.

use std::path::PathBuf;

use envlock_testkit::{Fault, TestMirror, files_containing};

use crate::support::{Lab, flat};

const CANARY: &str = "canary-4711";

/// A private channel below the public layout, also below `/t/<token>/`.
fn world() -> TestMirror {
    let world = TestMirror::new().channel("lab", |c| {
        c.add("app 1.0 | lib");
        c.add("lib 1.0");
    });
    std::fs::create_dir(world.root().join("t")).unwrap();
    std::os::unix::fs::symlink(world.root(), world.root().join("t").join(CANARY)).unwrap();
    world
}

/// An environment.yml with the channel, with this before its host and before its path.
fn yml(world: &TestMirror, user: &str, token: &str) -> String {
    let host = world.url().replace("http://", "");
    format!("channels: ['http://{user}{host}{token}/anaconda/cloud/lab']\ndependencies: [app]\n")
}

/// Solves, installs and bundles, and looks everywhere but into the files where the canary
/// was planted.
fn goes_the_whole_way(lab: &Lab, planted: &[PathBuf]) {
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
            // So that the frozen one has to fetch again.
            fs_err::remove_dir_all(lab.project.cache().join("pkgs")).unwrap();
        }
    }
    lab.world.add_fault("*", Fault::status(403));
    let output = lab.envlock(&["solve"]);
    assert_eq!(output.code, Some(3));
    assert!(flat(&output.stderr).contains("rejects the credential"), "{}", output.stderr);
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
fn in_the_address_of_a_channel() {
    for (user, token) in
        [(format!("user:{CANARY}@"), String::new()), (String::new(), format!("/t/{CANARY}"))]
    {
        let world = world();
        let yml = yml(&world, &user, &token);
        let lab = Lab::new(world, &yml);
        goes_the_whole_way(&lab, &[lab.project.path("environment.yml")]);
    }
}

#[test]
fn in_a_variable_that_the_address_names() {
    let world = world();
    let yml = yml(&world, "", "/t/$LAB_TOKEN");
    let lab = Lab::new(world, &yml).env("LAB_TOKEN", CANARY);
    goes_the_whole_way(&lab, &[]);
}

#[test]
fn in_a_variable_of_ours() {
    let world = world();
    let address = world.url().replace("http://", &format!("http://user:{CANARY}@"));
    let yml = yml(&world, "", "");
    let lab = Lab::new(world, &yml).env("ENVLOCK_AUTH_LAB", address);
    goes_the_whole_way(&lab, &[]);
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
        goes_the_whole_way(&lab, &[path]);
    }
}

#[test]
fn in_the_address_of_a_mirror() {
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
fn a_store_that_cannot_be_read_is_named_and_not_quoted() {
    let world = world();
    let yml = yml(&world, "", "");
    let lab = Lab::new(world, &yml).env("ENVLOCK_AUTH_LAB", CANARY);
    let output = lab.envlock(&["solve", "-q"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(flat(&output.stderr).contains("ENVLOCK_AUTH_LAB isn't a URL with a credential"));
    assert!(!output.stderr.contains(CANARY));
}
