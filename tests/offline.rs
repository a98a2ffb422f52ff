//! Where there is no network: what was fetched before, and a bundle that somebody carried over.

use envlock_testkit::{Fault, Project, Subdir, TestMirror, files_containing, parse_package};

use crate::support::{BINARY, Lab, locked};

const YML: &str = "channels: [conda-forge, pytorch]\nplatforms: [linux-64, osx-arm64]\n\
                   dependencies: [app, torch]\n";

fn world() -> TestMirror {
    TestMirror::new()
        .channel("conda-forge", |c| {
            c.package(
                &parse_package("app 1.0 | idna").executable("bin/app", "#!/bin/sh\necho app 1.0\n"),
            );
            c.add_for(Subdir::OsxArm64, "app 1.0 | idna");
            c.package(&parse_package("idna 3.4").noarch_generic().file("share/idna/of", "idna"));
        })
        .channel("pytorch", |c| {
            c.tar_bz2();
            c.add("torch 2.0");
            c.add_for(Subdir::OsxArm64, "torch 2.0");
        })
}

#[test]
fn after_fetch_an_offline_install_succeeds() {
    let lab = Lab::solved(world(), YML);
    let output = lab.with_mirrors("fetch", &["-q"]);
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stdout
    linux-64   3 packages  2.4 kB
    osx-arm64  3 packages  2.4 kB
    -- exit 0
    ");
    lab.world.clear_requests();
    lab.with_mirrors("install", &["-q", "--offline"]).success();
    assert!(lab.world.requests("*").is_empty());
    assert_eq!(lab.envlock(&["run", "app"]).success(), "app 1.0\n");
    // The other platform's are there, too.
    lab.with_mirrors("fetch", &["-q", "--offline"]).success();
}

#[test]
fn one_platform_is_fetched_and_missing_packages_of_others_are_named() {
    let lab = Lab::solved(world(), YML);
    lab.with_mirrors("fetch", &["-q", "--platform", "osx-arm64"]).success();
    assert!(lab.world.requests("*/linux-64/*.conda").is_empty());
    let output = lab.with_mirrors("fetch", &["-q", "--offline"]);
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[not-cached]: 2 packages are not in the cache, and this is offline
      | missing, 1.5 kB in all:
      |   app-1.0-0.conda (961 B)
      |   torch-2.0-0.tar.bz2 (521 B)
      help: run the same command once without `--offline`
    -- exit 3
    ");
    let output = lab.with_mirrors("fetch", &["-q", "--platform", "win-64"]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("the lock has no packages for win-64"), "{}", output.stderr);
}

#[test]
fn a_bundle_is_a_channel_with_the_lock_in_it_and_needs_nothing_else() {
    let lab = Lab::solved(world(), YML);
    let output = lab.with_mirrors("bundle", &["-o", "包"]);
    let text = output.clone().success();
    assert_eq!(lab.project.read("包/envlock.lock"), lab.lock());
    let bundle = lab.project.path("包");

    // On another machine, with the command that was printed.
    let other = Project::new(BINARY, "");
    fs_err::remove_file(other.path("environment.yml")).unwrap();
    let command = text.split("without a network: envlock ").nth(1).unwrap();
    let words = shlex::split(&command.replace("\\\n", "")).unwrap();
    let lock = lab.project.path("包/envlock.lock").display().to_string();
    let words = words.iter().map(String::as_str);
    let words: Vec<_> =
        words.map(|word| if word == "包/envlock.lock" { lock.as_str() } else { word }).collect();
    lab.world.clear_requests();
    let prefix = other.path("env").display().to_string();
    other.envlock(words.into_iter().chain(["-q", "-p", &prefix])).success();
    assert!(other.path("env/share/torch/of").is_file());

    // As an ordinary channel: the same packages with the same hashes.
    let folder = url::Url::from_directory_path(&bundle).unwrap();
    let yml = YML.replace("[conda-forge, pytorch]", &format!("[{folder}]"));
    let third = Project::new(BINARY, &yml);
    third.envlock(["solve", "-q", "--offline"]).success();
    for platform in ["linux-64", "osx-arm64"] {
        assert_eq!(locked(&third.read("envlock.lock"), platform), lab.locked(platform));
    }
    let hashes = |lock: &str| {
        let mut lines: Vec<_> =
            lock.lines().filter(|line| line.contains("sha256:")).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(hashes(&third.read("envlock.lock")), hashes(&lab.lock()));
    assert!(lab.world.requests("*").is_empty());
}

#[test]
fn a_bundle_without_a_network_says_that_the_archives_are_missing() {
    let lab = Lab::solved(world(), YML);
    lab.with_mirrors("fetch", &["-q"]).success();
    let output = lab.with_mirrors("bundle", &["-q", "-o", "out", "--offline"]);
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[not-cached]: the archives of 5 packages can't be downloaded offline
      - the cache keeps unpacked packages only, and no archives
      | missing, 3.9 kB in all:
      |   app-1.0-0.conda (961 B)
      |   app-1.0-0.conda (956 B)
      |   idna-3.4-0.conda (953 B)
      |   torch-2.0-0.tar.bz2 (521 B)
      |   torch-2.0-0.tar.bz2 (518 B)
      help: bundle without `--offline`; or name a folder that has the archives with
            `--mirror PREFIX=file:///FOLDER/`
    -- exit 3
    ");
}

#[test]
fn a_bundle_is_not_written_into_a_folder_with_other_files() {
    let lab = Lab::solved(world(), YML);
    lab.project.write("full/letter.txt", "dear");
    let output = lab.with_mirrors("bundle", &["-q", "-o", "full"]);
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[bundle-folder]: full is neither empty nor a bundle
      - nothing was written
      help: name a new folder: `envlock bundle -o FOLDER`
    -- exit 2
    ");
}

#[test]
fn the_next_run_completes_an_unfinished_bundle() {
    let lab = Lab::solved(world(), YML);
    lab.world.add_fault("*/torch-*", Fault::status(403));
    assert_eq!(lab.with_mirrors("bundle", &["-q", "-o", "out"]).code, Some(3));
    assert!(!lab.project.path("out/noarch/repodata.json").exists());
    lab.world.clear_faults();
    lab.world.clear_requests();
    lab.with_mirrors("bundle", &["-q", "-o", "out"]).success();
    assert!(lab.world.requests("*/app-*").is_empty());
    assert!(files_containing(&lab.project.path("out"), "127.0.0.1").is_empty());
}
