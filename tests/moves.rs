//! What moves a lock, and what holds it back: `--update`, `--upgrade`, `--exclude-newer`,
//! `--channel-priority`, several environment files.

use envlock_testkit::{TestMirror, parse_package};

use crate::support::{Lab, one_line};

const YML: &str = "name: t\nchannels: [conda-forge]\ndependencies: [app, tool]\n";

fn world() -> TestMirror {
    TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0 0 | base >=1.0");
        c.add("base 1.0 0");
        c.add("tool 1.0 0");
    })
}

/// A project locked at 1.0, and then a newer version of everything: `app` 2.0 needs `base` 2.0.
fn left_behind() -> Lab {
    let mut lab = Lab::solved(world(), YML);
    lab.world.update_channel("conda-forge", |c| {
        c.add("app 2.0 0 | base >=2.0");
        c.add("base 2.0 0");
        c.add("tool 2.0 0");
    });
    lab
}

fn versions(lab: &Lab) -> Vec<String> {
    let lock = lab.project.read("envlock.lock");
    let urls = lock.lines().filter_map(|line| line.strip_prefix("- conda: "));
    urls.filter_map(|url| url.rsplit('/').next()).map(|name| name.replace("-0.conda", "")).collect()
}

#[test]
fn an_update_changes_the_package_and_only_necessary_others() {
    let lab = left_behind();
    lab.solve(&[]).success();
    assert_eq!(versions(&lab), ["app-1.0", "base-1.0", "tool-1.0"]);
    lab.solve(&["--update", "tool"]).success();
    assert_eq!(versions(&lab), ["app-1.0", "base-1.0", "tool-2.0"]);
    let lab = left_behind();
    lab.solve(&["--update", "app"]).success();
    assert_eq!(versions(&lab), ["app-2.0", "base-2.0", "tool-1.0"]);
}

#[test]
fn an_upgrade_changes_all_packages() {
    let lab = left_behind();
    lab.solve(&["--upgrade"]).success();
    assert_eq!(versions(&lab), ["app-2.0", "base-2.0", "tool-2.0"]);
}

#[test]
fn what_is_not_in_the_lock_cannot_be_updated() {
    let lab = left_behind();
    let output = lab.solve(&["-q", "--update", "tol"]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("tol is not in the lock"), "{}", output.stderr);
    assert!(output.stderr.contains("did you mean `--update tool`?"), "{}", output.stderr);
}

#[test]
fn new_and_undated_records_are_excluded_until_the_limit_is_removed() {
    let june = 1_780_000_000_000; // 2026-05-28, in milliseconds
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.package(&parse_package("app 1.0 0").timestamp(Some(june)));
        c.package(&parse_package("app 2.0 0").timestamp(Some(june + 90 * 86_400_000)));
        c.package(&parse_package("app 3.0 0").timestamp(None));
    });
    let lab = Lab::new(world, "name: t\nchannels: [conda-forge]\ndependencies: [app]\n");
    let output = lab.solve(&["--exclude-newer", "2026-06-30"]);
    let told = "1 record newer than allowed and 1 record without a timestamp left out";
    assert!(one_line(&output.stderr).contains(told), "{}", output.stderr);
    assert_eq!(versions(&lab), ["app-1.0"]);
    // It is a part of the question: another run keeps it.
    lab.solve(&["--upgrade"]).success();
    assert_eq!(versions(&lab), ["app-1.0"]);
    let asked = lab.solve(&["--exclude-newer", "2020-01-01", "--dry-run"]);
    assert_eq!(asked.code, Some(6));
    assert!(asked.stderr.contains("newer than allowed"), "{}", asked.stderr);
    lab.solve(&["--upgrade", "--exclude-newer", "never"]).success();
    assert_eq!(versions(&lab), ["app-3.0"]);
    let wrong = lab.solve(&["-q", "--exclude-newer", "june"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("`june` is not a date"), "{}", wrong.stderr);
}

#[test]
fn a_distance_from_now_excludes_what_was_built_since_then() {
    let world = || {
        TestMirror::new().channel("conda-forge", |c| {
            c.package(&parse_package("app 1.0 0").timestamp(Some(1_000_000_000_000))); // 2001
            c.package(&parse_package("app 2.0 0").timestamp(Some(30_000_000_000_000))); // 2920
        })
    };
    for distance in ["7d", "yesterday", "2 weeks", "12h"] {
        let lab = Lab::new(world(), "name: t\nchannels: [conda-forge]\ndependencies: [app]\n");
        lab.solve(&["-q", "--exclude-newer", distance]).success();
        assert_eq!(versions(&lab), ["app-1.0"], "{distance}");
    }
}

#[test]
fn priority_determines_the_channel_and_is_kept_in_the_lock() {
    let world = || {
        TestMirror::new()
            .channel("first", |c| {
                c.add("app 1.0 0");
            })
            .channel("second", |c| {
                c.add("app 2.0 0");
            })
    };
    let solved = |dependency: &str, priority: &[&str]| {
        let yml = format!("name: t\nchannels: [first, second]\ndependencies: ['{dependency}']\n");
        let lab = Lab::new(world(), &yml);
        let code = lab.solve(priority).code;
        (code, if code == Some(0) { versions(&lab) } else { Vec::new() }, lab)
    };
    assert_eq!(solved("app", &[]).1, ["app-1.0"]);
    assert_eq!(solved("app >=2", &[]).0, Some(6));
    assert_eq!(solved("app", &["--channel-priority", "flexible"]).1, ["app-1.0"]);
    assert_eq!(solved("app >=2", &["--channel-priority", "flexible"]).1, ["app-2.0"]);
    let (_, newest, lab) = solved("app", &["--channel-priority", "disabled"]);
    assert_eq!(newest, ["app-2.0"]);
    lab.envlock(&["solve", "--check"]).success();
    let stale = lab.envlock(&["solve", "--check", "--channel-priority", "strict"]);
    assert_eq!(stale.code, Some(5));
    assert!(stale.stderr.contains("was disabled and is strict"), "{}", stale.stderr);
}

#[test]
fn several_files_are_one_environment() {
    let lab = Lab::new(world(), "name: t\nchannels: [conda-forge]\ndependencies: [app]\n");
    lab.project.write("dev.yml", "dependencies: [tool]\n");
    let both = ["-f", "environment.yml", "-f", "dev.yml"];
    lab.solve(&both).success();
    assert_eq!(versions(&lab), ["app-1.0", "base-1.0", "tool-1.0"]);
    lab.envlock(&[&["solve", "--check"][..], &both].concat()).success();
    let one = lab.envlock(&["solve", "--check"]);
    assert_eq!(one.code, Some(5));
    assert!(one.stderr.contains("`tool` is no longer requested"), "{}", one.stderr);
}
