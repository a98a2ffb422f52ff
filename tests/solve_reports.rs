//! What a solve reports besides packages: dropped platforms and needs.

use envlock_testkit::{Subdir, TestMirror};

use crate::support::{Lab, json, one_line};

const SMALL: &str = "channels: [conda-forge]\ndependencies:\n  - app\n";

fn small() -> TestMirror {
    TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0");
        c.add_for(Subdir::OsxArm64, "app 1.0");
    })
}

#[test]
fn a_platform_that_the_flags_drop_is_named_with_the_flags_that_keep_it() {
    let lab = Lab::new(small(), SMALL);
    lab.solve(&["--platform", "linux-64", "--platform", "osx-arm64"]).success();
    let output = lab.solve(&["--platform", "linux-64"]);
    assert_eq!(output.code, Some(0));
    assert!(output.stderr.contains("warning[platform-dropped]"), "{}", output.stderr);
    let kept = "`envlock solve --platform linux-64 --platform osx-arm64`";
    assert!(output.stderr.contains(kept), "{}", output.stderr);
    // The lock has one platform now, and none is dropped.
    assert!(!lab.solve(&["--platform", "linux-64"]).stderr.contains("platform-dropped"));
    assert!(!lab.solve(&[]).stderr.contains("platform-dropped"));
    lab.write_environment(&format!("{SMALL}platforms: [osx-arm64]\n"));
    let output = lab.solve(&["--platform", "linux-64", "--format", "json"]);
    let findings = json(&output.success())["findings"].clone();
    let dropped = findings.as_array().unwrap().iter().find(|f| f["code"] == "platform-dropped");
    assert_eq!(dropped.unwrap()["place"]["file"], "environment.yml");
}

#[test]
fn a_new_a_changed_and_a_removed_need_are_named() {
    let lab = Lab::new(small(), SMALL);
    let need = |path: &str, variable: &str| {
        format!("{{engine: kv2, mount: secret, path: {path}, fields: {{x: {variable}}}}}")
    };
    let manifest = |needs: &str| format!("version: 1\nneeds:\n{needs}");
    let ask = |needs: &str| {
        lab.project.write("secrets.yml", manifest(needs));
        let shown = lab.solve(&["--dry-run"]).success();
        let document = json(&lab.solve(&["--format", "json"]).success());
        (shown, document["result"]["need_changes"].clone())
    };
    let (shown, changes) = ask(&format!("  db: {}\n", need("a", "X")));
    assert!(shown.contains("+  need db: kv2 secret/a\n"), "{shown}");
    assert_eq!(changes[0]["need"], "db");
    assert_eq!(changes[0]["change"], "added");
    let (shown, changes) = ask(&format!("  db: {}\n  mail: {}\n", need("b", "X"), need("c", "Y")));
    assert!(shown.contains("+  need mail: kv2 secret/c\n"), "{shown}");
    assert!(shown.contains("~  need db: path was a, is b\n"), "{shown}");
    let change = |change: &serde_json::Value| (change["need"].clone(), change["change"].clone());
    let mut changes: Vec<_> = changes.as_array().unwrap().iter().map(change).collect();
    changes.sort_by_key(|(need, _)| need.to_string());
    let expected = [("db", "changed"), ("mail", "added")];
    assert_eq!(changes, expected.map(|(need, change)| (need.into(), change.into())));
    let (shown, changes) = ask(&format!("  mail: {}\n", need("c", "Y")));
    assert!(shown.contains("-  need db: no longer needed\n"), "{shown}");
    assert_eq!(changes.as_array().unwrap().len(), 1);
    let (shown, changes) = ask(&format!("  mail: {}\n", need("c", "Y")));
    assert!(!shown.contains("need"), "{shown}");
    assert_eq!(changes, serde_json::json!([]));
    fs_err::remove_file(lab.project.path("secrets.yml")).unwrap();
    assert!(lab.solve(&[]).success().contains("-  need mail: no longer needed\n"));
}

#[test]
fn a_record_with_a_dependency_that_is_no_match_spec_is_named_as_left_out() {
    for field in ["depends", "constrains"] {
        let mut world = small();
        world.update_channel("conda-forge", |c| {
            c.add("bad 1.0");
            let built = c.add("bad 2.0");
            let mut record = built.record.clone();
            record[field] = serde_json::json!(["app =="]);
            c.record(Subdir::Linux64, &built.file_name, record);
        });
        let yml = "channels: [conda-forge]\nplatforms: [linux-64]\ndependencies: [bad]\n";
        let lab = Lab::new(world, yml);
        let output = lab.solve(&[]);
        assert_eq!(lab.locked("linux-64"), ["bad-1.0-0"]);
        let text = one_line(&output.stderr);
        let reason = format!("bad-2.0-0.conda: `app ==` of its `{field}` isn't a match spec");
        assert!(text.contains(&reason), "{}", output.stderr);
        let findings = json(&lab.solve(&["--format", "json"]).success())["findings"].clone();
        assert_eq!(findings[0]["code"], "index-record-malformed", "{findings}");

        // As the only version it is the reason.
        lab.write_environment(&yml.replace("[bad]", "['bad=2']"));
        let output = lab.solve(&[]);
        assert_eq!(output.code, Some(6));
        assert!(one_line(&output.stderr).contains(&reason), "{}", output.stderr);
    }
}

#[test]
fn long_lists_are_cut_unless_verbose_and_json_has_all_of_them() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0");
        for number in 0..300 {
            let record = serde_json::json!({"name": "app", "version": number});
            c.record(Subdir::Linux64, &format!("app-{number}-wrong.conda"), record);
        }
    });
    let lab = Lab::new(world, SMALL);
    let shown = lab.solve(&["--platform", "linux-64"]);
    assert_eq!(shown.code, Some(0));
    assert!(shown.stderr.contains("300 records of the index"), "{}", shown.stderr);
    assert_eq!(shown.stderr.matches("-wrong.conda: ").count(), 5, "{}", shown.stderr);
    assert!(shown.stderr.contains("and 295 more: `-v` lists all of them"), "{}", shown.stderr);
    // The flag is before or after the command.
    for args in [["-v", "solve"], ["solve", "--verbose"]] {
        let mirrors = lab.world.mirror_args();
        let args = args.into_iter().chain(mirrors.iter().map(String::as_str));
        let shown = lab.project.envlock(args);
        assert_eq!(shown.stderr.matches("-wrong.conda: ").count(), 300, "{}", shown.stderr);
        let all_indented = shown.stderr.lines().filter(|line| line.contains("-wrong.conda"));
        assert!(all_indented.clone().all(|line| line.starts_with("  |   app-")));
    }
    let document = json(&lab.solve(&["--format", "json"]).success());
    let findings = document["findings"].as_array().unwrap();
    let left_out = findings.iter().find(|f| f["code"] == "index-record-malformed").unwrap();
    let note = left_out["notes"][0].as_str().unwrap();
    assert_eq!(note.matches("-wrong.conda: ").count(), 300, "{note}");
}

#[test]
fn quiet_and_verbose_exclude_each_other_wherever_they_are() {
    let lab = Lab::new(small(), SMALL);
    for args in [["-q", "-v", "solve"], ["solve", "-v", "-q"], ["-q", "solve", "-v"]] {
        let output = lab.envlock(&args);
        assert_eq!(output.code, Some(2), "{args:?}: {}", output.stderr);
        assert!(output.stderr.contains("cannot be used with"), "{args:?}: {}", output.stderr);
    }
}
