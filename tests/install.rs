//! `envlock install`: from the lock to a prefix, never half done.

use std::{collections::BTreeMap, path::Path, time::SystemTime};

use envlock_testkit::{Fault, TestMirror, parse_package};

use crate::support::Lab;

const YML: &str =
    "channels: [conda-forge]\ndependencies: [app]\nvariables:\n  GREETING: 你好 $HOME\n";

fn world() -> TestMirror {
    TestMirror::new().channel("conda-forge", |c| {
        c.package(
            &parse_package("app 1.0 | lib").executable("bin/app", "#!/bin/sh\necho app 1.0\n"),
        );
        c.tar_bz2();
        c.package(&parse_package("lib 1.2").prefix_text("etc/lib.conf", "root = {PREFIX}\n"));
        c.conda();
    })
}

/// With app 1.0 in its prefix.
fn installed() -> Lab {
    let lab = Lab::solved(world(), YML);
    lab.install(&[]).success();
    lab
}

/// app 2.0 comes, is locked, and its archive is what the fault makes of it.
fn upgraded(fault: Option<Fault>) -> Lab {
    let mut lab = installed();
    lab.world.update_channel("conda-forge", |c| {
        c.package(
            &parse_package("app 2.0 | lib").executable("bin/app", "#!/bin/sh\necho app 2.0\n"),
        );
    });
    lab.write_environment(&YML.replace("[app]", "[app >=2]"));
    lab.solve(&["-q"]).success();
    if let Some(fault) = fault {
        lab.world.add_fault("*/app-2.0*", fault);
    }
    lab
}

/// Everything below a folder with the time of its last change.
fn times(folder: &Path) -> BTreeMap<std::path::PathBuf, SystemTime> {
    let mut times = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in fs_err::read_dir(folder).unwrap() {
            let item = item.unwrap();
            if item.file_type().unwrap().is_dir() {
                folders.push(item.path());
            }
            times.insert(item.path(), item.path().symlink_metadata().unwrap().modified().unwrap());
        }
    }
    times
}

fn app(lab: &Lab) -> String {
    lab.envlock(&["run", "app"]).success()
}

#[test]
fn a_lock_becomes_a_prefix_that_runs_and_verifies() {
    let lab = Lab::solved(world(), YML);
    insta::assert_snapshot!(lab.shown(&lab.install(&[])), @"
    -- stdout
    installed 2 packages, 2 files, into ~/project/.envlock/project
    next: envlock run -- COMMAND
    -- stderr
     download  2 packages, 1.6 kB
         link  2 packages, 2 files
    -- exit 0
    ");
    assert_eq!(app(&lab), "app 1.0\n");
    let conf = lab.project.read(".envlock/project/etc/lib.conf");
    assert_eq!(conf, format!("root = {}\n", lab.prefix().display()));
    insta::assert_snapshot!(lab.shown(&lab.envlock(&["verify"])), @"
    -- stdout
    ~/project/.envlock/project is as recorded: 2 packages, 2 files
    -- stderr
       verify  2 files, 0 differ
    -- exit 0
    ");
}

#[test]
fn what_conda_expects_is_in_conda_meta() {
    let lab = installed();
    let state = lab.project.read(".envlock/project/conda-meta/state");
    let state: serde_yaml::Value = serde_yaml::from_str(&state).unwrap();
    assert_eq!(state["env_vars"]["GREETING"], "你好 $HOME");
    let history = lab.project.read(".envlock/project/conda-meta/history");
    assert!(history.contains("install"), "{history}");
    assert!(history.contains("+conda-forge/linux-64::app-1.0-0"), "{history}");
    assert!(history.contains("# update specs: [\"app\"]"), "{history}");
    let record = lab.project.read(".envlock/project/conda-meta/app-1.0-0.json");
    assert!(record.contains("https://conda.anaconda.org/conda-forge"), "{record}");
    assert!(!record.contains("127.0.0.1"), "{record}");
}

#[test]
fn an_up_to_date_prefix_is_not_changed_and_no_source_is_asked() {
    let lab = installed();
    let before = times(&lab.project.path(".envlock"));
    lab.world.clear_requests();
    insta::assert_snapshot!(lab.shown(&lab.install(&[])), @"
    -- stdout
    ~/project/.envlock/project is up to date: 2 packages
    -- exit 0
    ");
    assert_eq!(times(&lab.project.path(".envlock")), before);
    assert!(lab.world.requests("*").is_empty());
}

#[test]
fn a_dry_run_lists_the_changes_and_changes_nothing() {
    let lab = Lab::solved(world(), YML);
    lab.world.clear_requests();
    insta::assert_snapshot!(lab.shown(&lab.install(&["--dry-run"])), @"
    -- stdout
    +  app  1.0 0
    +  lib  1.2 0
    activation would set GREETING
    dry run: ~/project/.envlock/project is unchanged
    -- exit 0
    ");
    assert!(!lab.project.path(".envlock").exists());
    assert!(lab.world.requests("*").is_empty());
}

#[test]
fn the_same_lock_gives_the_same_files_in_any_project() {
    let (one, other) = (installed(), installed());
    assert_eq!(one.lock(), other.lock());
    let names = |lab: &Lab| {
        let prefix = lab.prefix();
        let names = times(&prefix).into_keys();
        names.map(|path| path.strip_prefix(&prefix).unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&one), names(&other));
}

#[test]
fn a_prefix_has_a_path_or_a_name_or_is_the_projects() {
    let lab = Lab::solved(world(), YML);
    lab.install(&["-q", "-p", "envs/环境 一"]).success();
    assert!(lab.project.path("envs/环境 一/bin/app").exists());
    lab.install(&["-q", "-n", "ml"]).success();
    assert!(lab.project.home().join(".conda/envs/ml/bin/app").exists());
    assert!(!lab.prefix().exists());
    assert_eq!(lab.envlock(&["run", "-n", "ml", "app"]).success(), "app 1.0\n");
    assert_eq!(lab.envlock(&["run", "-p", "envs/环境 一", "app"]).success(), "app 1.0\n");
    lab.envlock(&["verify", "-q", "-n", "ml"]).success();
}

#[test]
fn an_upgrade_keeps_the_previous_environment_next_to_the_prefix() {
    let lab = upgraded(None);
    assert_eq!(app(&lab), "app 1.0\n");
    insta::assert_snapshot!(lab.shown(&lab.install(&[])), @"
    -- stdout
    ~  app  1.0 -> 2.0
    installed 2 packages, 2 files, into ~/project/.envlock/project
    the previous environment is ~/project/.envlock/project~previous
    next: envlock run -- COMMAND
    -- stderr
       verify  1 cached package, 1.4 kB
     download  1 package, 961 B
         link  2 packages, 2 files
    -- exit 0
    ");
    assert_eq!(app(&lab), "app 2.0\n");
    let previous = lab.project.path(".envlock/project~previous/bin/app");
    assert!(fs_err::read_to_string(previous).unwrap().contains("app 1.0"));
    lab.envlock(&["verify", "-q"]).success();
}

#[test]
fn if_an_archive_is_unavailable_the_old_environment_is_unchanged() {
    for (fault, said) in [
        (Fault::Corrupt, "sha256"),
        (Fault::Truncate(100), ""),
        (Fault::status(404), "404"),
        (Fault::status(403), "403"),
        (Fault::Html, ""),
        (Fault::Close, ""),
    ] {
        let shown = format!("{fault:?}");
        let lab = upgraded(Some(fault));
        let before = times(&lab.prefix());
        let output = lab.install(&["-q"]);
        assert_eq!(output.code, Some(3), "{shown}: {}", output.stderr);
        assert!(output.stderr.contains("app-2.0-0"), "{shown}: {}", output.stderr);
        assert!(output.stderr.contains(said), "{shown}: {}", output.stderr);
        assert_eq!(times(&lab.prefix()), before, "{shown}");
        assert_eq!(app(&lab), "app 1.0\n", "{shown}");
        lab.envlock(&["verify", "-q"]).success();
        lab.world.clear_faults();
        lab.install(&["-q"]).success();
        assert_eq!(app(&lab), "app 2.0\n", "{shown}");
    }
}

#[test]
fn a_corrupt_archive_is_fetched_from_the_next_mirror() {
    let lab = Lab::solved(world(), YML);
    let bad = world().with_fault("*/app-1.0*", Fault::Corrupt);
    let mirror =
        |world: &TestMirror| format!("https://conda.anaconda.org/={}/anaconda/cloud/", world.url());
    let (bad, good) = (mirror(&bad), mirror(&lab.world));
    let args = ["install", "--no-origin", "--mirror", &bad, "--mirror", &good];
    let output = lab.envlock(&args);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stderr.contains("sha256"), "{}", output.stderr);
}

#[test]
fn untracked_files_are_named_and_require_replace() {
    let lab = upgraded(None);
    lab.project.write(".envlock/project/lib/mine/我的.py", "x = 1\n");
    let output = lab.install(&["-q"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("|   lib/mine/我的.py\n"), "{}", output.stderr);
    assert!(output.stderr.contains("--replace"), "{}", output.stderr);
    assert_eq!(app(&lab), "app 1.0\n");
    insta::assert_snapshot!(lab.shown(&lab.install(&["-q", "--replace"])), @"
    -- stdout
    ~  app  1.0 -> 2.0
    installed 2 packages, 2 files, into ~/project/.envlock/project
    the previous environment is ~/project/.envlock/project~previous
    -- exit 0
    ");
    assert_eq!(app(&lab), "app 2.0\n");
    let kept = lab.project.path(".envlock/project~previous/lib/mine/我的.py");
    assert_eq!(fs_err::read_to_string(kept).unwrap(), "x = 1\n");
}

#[test]
fn a_dry_run_has_the_errors_of_the_install_and_lists_removed_packages() {
    let lab = upgraded(None);
    lab.project.write(".envlock/project/lib/mine/我的.py", "x = 1\n");
    lab.world.clear_requests();
    let (dry, real) = (lab.install(&["-q", "--dry-run"]), lab.install(&["-q"]));
    assert_eq!(dry.code, Some(1));
    assert_eq!(dry, real);
    assert!(lab.world.requests("*").is_empty(), "refused before anything is fetched");
    insta::assert_snapshot!(lab.shown(&lab.install(&["--dry-run", "--replace"])), @"
    -- stdout
    ~  app  1.0 -> 2.0
    the present environment would move to ~/project/.envlock/project~previous
    activation would set GREETING
    dry run: ~/project/.envlock/project is unchanged
    -- stderr
    note[untracked-files]: 1 file that the lock doesn't have would move to the
      previous prefix
      | of no package:
      |   lib/mine/我的.py
    -- exit 0
    ");
    lab.install(&["-q", "--replace"]).success();
    insta::assert_snapshot!(lab.shown(&lab.install(&["--dry-run", "--replace"])), @"
    -- stdout
    no package changes: 2 packages would be linked again
    the present environment would move to ~/project/.envlock/project~previous
    the older environment at that path would move to ~/project/.envlock/project~previous-2
    activation would set GREETING
    dry run: ~/project/.envlock/project is unchanged
    -- exit 0
    ");
}

#[test]
fn a_prefix_with_missing_files_is_not_up_to_date() {
    let lab = installed();
    fs_err::remove_file(lab.prefix().join("bin/app")).unwrap();
    insta::assert_snapshot!(lab.shown(&lab.install(&["-q"])), @"
    -- stdout
    installed 2 packages, 2 files, into ~/project/.envlock/project
    the previous environment is ~/project/.envlock/project~previous
    -- exit 0
    ");
    assert_eq!(app(&lab), "app 1.0\n");
    fs_err::remove_dir_all(lab.prefix().join("etc")).unwrap();
    lab.install(&["-q"]).success();
    lab.envlock(&["verify", "-q"]).success();
}

#[test]
fn a_damaged_conda_meta_is_an_error_with_the_repair_command() {
    let lab = installed();
    fs_err::write(lab.prefix().join("conda-meta/state"), "{").unwrap();
    insta::assert_snapshot!(lab.shown(&lab.envlock(&["run", "app"])), @"
    -- stderr
    error[malformed-variables]:
      `~/project/.envlock/project/conda-meta/state` isn't a JSON
      object of variables and their values
      - what is wrong begins on line 1
      help: `envlock install --replace` builds the environment anew
    -- exit 3
    ");
    lab.install(&["-q", "--replace"]).success();
    assert_eq!(app(&lab), "app 1.0\n");
    fs_err::write(lab.prefix().join("conda-meta/app-1.0-0.json"), "{").unwrap();
    let output = lab.install(&["-q"]);
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    assert!(output.stderr.contains("--replace"), "{}", output.stderr);
    lab.install(&["-q", "--replace"]).success();
    lab.envlock(&["verify", "-q"]).success();
}

#[test]
fn the_next_command_names_python_where_the_environment_has_one() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.package(&parse_package("python 3.10.1").executable("bin/python", "#!/bin/sh\n"));
    });
    let lab = Lab::solved(world, "channels: [conda-forge]\ndependencies: [python]\n");
    let said = lab.install(&["-p", "envs/a b"]).success();
    assert!(said.contains("next: envlock run -p 'envs/a b' -- python\n"), "{said}");
    assert!(lab.install(&["--replace"]).success().contains("next: envlock run -- python\n"));
    assert!(!lab.install(&["-q", "-p", "envs/b"]).success().contains("next: "));
}

#[test]
fn a_path_that_two_packages_contain_is_a_warning() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.package(&parse_package("a 1.0").file("share/same", "a\n"));
        c.package(&parse_package("b 1.0").file("share/same", "b\n"));
    });
    let lab = Lab::solved(world, "channels: [conda-forge]\ndependencies: [a, b]\n");
    insta::assert_snapshot!(lab.shown(&lab.install(&["-q"])), @"
    -- stdout
    installed 2 packages, 1 file, into ~/project/.envlock/project
    -- stderr
    warning[clobbered]: 2 packages contain share/same
      - it is installed from a-1.0-0, not from b-1.0-0
    -- exit 0
    ");
    lab.envlock(&["verify", "-q"]).success();
}

#[test]
fn post_link_scripts_are_named_and_run_only_on_request() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.package(&parse_package("app 1.0").post_link("#!/bin/sh\necho ran > \"$PREFIX/ran\"\n"));
    });
    let lab = Lab::solved(world, "channels: [conda-forge]\ndependencies: [app]\n");
    insta::assert_snapshot!(lab.shown(&lab.install(&["-q"])), @"
    -- stdout
    installed 1 package, 1 file, into ~/project/.envlock/project
    -- stderr
    warning[scripts-not-run]: post-link scripts were not run: app
      help: if you trust these packages: `envlock install --link-scripts`
    -- exit 0
    ");
    assert!(!lab.prefix().join("ran").exists());
    lab.install(&["-q", "--link-scripts"]).success();
    assert_eq!(lab.project.read(".envlock/project/ran"), "ran\n");
    lab.envlock(&["verify", "-q"]).success();
}

#[test]
fn offline_installs_from_the_cache_and_names_what_is_missing_there() {
    let lab = Lab::solved(world(), YML);
    let output = lab.install(&["-q", "--offline"]);
    assert_eq!(output.code, Some(3));
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[not-cached]: 2 packages are not in the cache, and this is offline
      | missing, 1.6 kB in all:
      |   app-1.0-0.conda (962 B)
      |   lib-1.2-0.tar.bz2 (613 B)
      help: run the same command once without `--offline`
    -- exit 3
    ");
    lab.install(&["-q"]).success();
    fs_err::remove_dir_all(lab.prefix()).unwrap();
    lab.world.clear_requests();
    lab.install(&["-q", "--offline"]).success();
    assert!(lab.world.requests("*").is_empty());
    assert_eq!(app(&lab), "app 1.0\n");
}

#[test]
fn a_damaged_file_in_the_cache_is_detected_and_fetched_again() {
    let lab = installed();
    // The prefix's files are hard links: this edits the cache too.
    let binary = lab.prefix().join("bin/app");
    let damaged = fs_err::read_to_string(&binary).unwrap().replace("app 1.0", "evil!!!");
    fs_err::write(&binary, &damaged).unwrap();
    let said = lab.envlock(&["verify"]);
    assert_eq!(said.code, Some(1));
    insta::assert_snapshot!(lab.shown(&said), @"
    -- stdout
    1 difference in ~/project/.envlock/project
    next: envlock install --replace, which reinstalls it
    -- stderr
       verify  2 files, 1 differs
    error[file-changed]: bin/app (app) has other bytes
    -- exit 1
    ");
    lab.install(&["-q", "--replace"]).success();
    assert_eq!(app(&lab), "app 1.0\n");
    lab.envlock(&["verify", "-q"]).success();
}

#[test]
fn two_installs_at_once_leave_one_whole_environment() {
    let lab = upgraded(None);
    let start = || {
        let mirrors = lab.world.mirror_args();
        let mut command =
            lab.project.command(["install", "-q"].map(str::to_owned).iter().chain(&mirrors));
        command.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        command.spawn().unwrap()
    };
    for child in [start(), start(), start()] {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(app(&lab), "app 2.0\n");
    lab.envlock(&["verify", "-q"]).success();
}

#[test]
fn packages_that_the_lock_no_longer_has_are_removed() {
    let mut lab = installed();
    lab.world.update_channel("conda-forge", |c| {
        c.add("tool 1.0");
    });
    lab.write_environment("channels: [conda-forge]\ndependencies: [tool]\n");
    lab.solve(&["-q"]).success();
    insta::assert_snapshot!(lab.shown(&lab.install(&["-q"])), @"
    -- stdout
    -  app   1.0 0
    -  lib   1.2 0
    +  tool  1.0 0
    installed 1 package, 1 file, into ~/project/.envlock/project
    the previous environment is ~/project/.envlock/project~previous
    -- exit 0
    ");
    assert!(!lab.prefix().join("bin/app").exists());
    lab.envlock(&["verify", "-q"]).success();
}
