//! A lock after a hand edit or a bad merge: checked by meaning (rule 3), told by line (rule 8).

use envlock_testkit::TestMirror;

use crate::support::Lab;

const YML: &str = "channels: [conda-forge]\ndependencies:\n  - app >=1\n";

fn solved() -> Lab {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0 | lib >=1; __glibc >=2.17");
        c.add("lib 1.2");
    });
    Lab::solved(world, YML)
}

/// What is said of a lock after an edit; `solve` and `install` don't trust it either.
fn edited(edit: impl FnOnce(String) -> String) -> String {
    let lab = solved();
    let text = edit(lab.lock());
    assert_ne!(text, lab.lock(), "the edit does something");
    lab.project.write("envlock.lock", &text);
    assert_eq!(lab.install(&[]).code, Some(2));
    assert!(!lab.prefix().exists());
    let output = lab.envlock(&["solve", "--check"]);
    assert_eq!(output.code, Some(2));
    lab.shown(&output)
}

/// Without the block of the package whose file begins so, and without its line in the list.
fn without(lock: &str, file: &str) -> String {
    let mut skip = false;
    let mut kept = String::new();
    for line in lock.lines() {
        if line.starts_with("- conda: ") || !line.starts_with([' ', '-']) {
            skip = line.contains(file);
        }
        if !skip && !line.contains(file) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[test]
fn rule_3_an_unmet_request_is_found() {
    let said = edited(|lock| lock.replace("- app >=1\n", "- app >=1\n        - other\n"));
    insta::assert_snapshot!(said, @"
    -- stderr
    error[lock-inconsistent]: `other` is requested, but no package of linux-64
      satisfies it
      --> envlock.lock:33:1
      33 | envlock:
         | ^^^^^^^
      help: run `envlock solve`, which keeps the locked packages that fit
    -- exit 2
    ");
}

#[test]
fn rule_3_a_package_that_does_not_satisfy_its_request_is_found() {
    let said = edited(|lock| lock.replace("- app >=1\n", "- app >=2\n"));
    insta::assert_snapshot!(said, @"
    -- stderr
    error[lock-inconsistent]: app-1.0-0.conda doesn't satisfy `app >=2`, which is
      requested for linux-64
      --> envlock.lock:18:10
      18 | - conda: https://conda.anaconda.org/conda-forge/linux-64/app-1.0-0.conda
         |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: run `envlock solve`, which keeps the locked packages that fit
    -- exit 2
    ");
}

#[test]
fn rule_3_a_dependency_that_is_missing_is_found() {
    insta::assert_snapshot!(edited(|lock| without(&lock, "lib-1.2")), @"
    -- stderr
    error[lock-inconsistent]: app-1.0-0.conda needs `lib >=1`, which isn't in the
      lock for linux-64
      --> envlock.lock:17:10
      17 | - conda: https://conda.anaconda.org/conda-forge/linux-64/app-1.0-0.conda
         |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: run `envlock solve`, which keeps the locked packages that fit
    -- exit 2
    ");
}

#[test]
fn rule_3_a_dependency_that_is_not_met_is_found() {
    insta::assert_snapshot!(edited(|lock| lock.replace("- lib >=1\n", "- lib >=1.3\n")), @"
    -- stderr
    error[lock-inconsistent]: app-1.0-0.conda needs `lib >=1.3`; the lock for
      linux-64 has lib-1.2-0.conda
      --> envlock.lock:18:10
      18 | - conda: https://conda.anaconda.org/conda-forge/linux-64/app-1.0-0.conda
         |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: run `envlock solve`, which keeps the locked packages that fit
    -- exit 2
    ");
}

#[test]
fn rule_3_a_constraint_that_is_broken_is_found() {
    let said =
        edited(|lock| lock.replace("  - lib >=1\n", "  - lib >=1\n  constrains:\n  - lib <1.2\n"));
    insta::assert_snapshot!(said, @"
    -- stderr
    error[lock-inconsistent]: app-1.0-0.conda allows only `lib <1.2`; the lock for
      linux-64 has lib-1.2-0.conda
      --> envlock.lock:18:10
      18 | - conda: https://conda.anaconda.org/conda-forge/linux-64/app-1.0-0.conda
         |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: run `envlock solve`, which keeps the locked packages that fit
    -- exit 2
    ");
}

#[test]
fn rule_3_a_duplicate_name_is_found() {
    let said = edited(|lock| {
        let url = "https://conda.anaconda.org/conda-forge/linux-64/lib-1.2-0.conda";
        let other = url.replace("1.2", "1.3");
        let hash = "0".repeat(64);
        lock.replacen(
            &format!("      - conda: {url}\n"),
            &format!("      - conda: {url}\n      - conda: {other}\n"),
            1,
        )
        .replace("envlock:\n", &format!("- conda: {other}\n  sha256: {hash}\nenvlock:\n"))
    });
    insta::assert_snapshot!(said, @"
    -- stderr
    error[lock-inconsistent]: the lock has another package with the name of
      lib-1.3-0.conda for linux-64
      --> envlock.lock:34:10
      34 | - conda: https://conda.anaconda.org/conda-forge/linux-64/lib-1.3-0.conda
         |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: run `envlock solve`, which keeps the locked packages that fit
    -- exit 2
    ");
}

#[test]
fn rule_3_duplicate_entries_are_found() {
    let url = "- conda: https://conda.anaconda.org/conda-forge/linux-64/lib-1.2-0.conda\n";
    let listed = format!("      {url}");
    insta::assert_snapshot!(edited(|lock| lock.replace(&listed, &listed.repeat(2))), @"
    -- stderr
    error[lock-inconsistent]: lib-1.2-0.conda is listed twice for linux-64
      --> envlock.lock:28:10
      28 | - conda: https://conda.anaconda.org/conda-forge/linux-64/lib-1.2-0.conda
         |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: run `envlock solve`, which keeps the locked packages that fit
    -- exit 2
    ");
    let said = edited(|lock| {
        let at = lock.rfind(url).unwrap();
        let end = lock.find("envlock:\n").unwrap();
        lock.replace("envlock:\n", &format!("{}envlock:\n", &lock[at..end]))
    });
    insta::assert_snapshot!(said, @"
    -- stderr
    error[lock-inconsistent]: lib-1.2-0.conda has two blocks
      --> envlock.lock:33:10
      33 | - conda: https://conda.anaconda.org/conda-forge/linux-64/lib-1.2-0.conda
         |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: run `envlock solve`, which keeps the locked packages that fit
    -- exit 2
    ");
}

#[test]
fn rule_3_an_unrequested_channel_is_found() {
    let said = edited(|lock| {
        lock.replace(
            "- url: https://conda.anaconda.org/conda-forge/\n",
            "- url: https://evil.example/t/geheim/forge/\n",
        )
    });
    assert!(!said.contains("geheim"), "{said}");
    insta::assert_snapshot!(said, @"
    -- stderr
    error[lock-inconsistent]: the channel https://evil.example/t/***/forge/ of the
      environment isn't one of those requested
      --> envlock.lock:12:12
      12 |     - url: https://evil.example/t/***/forge/
         |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: run `envlock solve`, which keeps the locked packages that fit
    -- exit 2
    ");
}

#[test]
fn rule_3_a_package_without_sha256_is_found() {
    let said = edited(|lock| {
        let lines: Vec<_> = lock.lines().filter(|line| !line.starts_with("  sha256:")).collect();
        lines.join("\n")
    });
    insta::assert_snapshot!(said, @"
    -- stderr
    error[lock-inconsistent]: app-1.0-0.conda has no sha256
      --> envlock.lock:18:10
      18 | - conda: https://conda.anaconda.org/conda-forge/linux-64/app-1.0-0.conda
         |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: run `envlock solve`, which keeps the locked packages that fit

    error[lock-inconsistent]: lib-1.2-0.conda has no sha256
      --> envlock.lock:26:10
      26 | - conda: https://conda.anaconda.org/conda-forge/linux-64/lib-1.2-0.conda
         |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: run `envlock solve`, which keeps the locked packages that fit
    -- exit 2
    ");
}

#[test]
fn rule_3_a_package_of_a_channel_that_is_not_named_is_found() {
    let said = edited(|lock| lock.replace("conda-forge/linux-64/lib", "evil/linux-64/lib"));
    insta::assert_snapshot!(said, @"
    -- stderr
    error[lock-inconsistent]: lib-1.2-0.conda is from a channel that the lock
      doesn't have
      --> envlock.lock:27:10
      27 | - conda: https://conda.anaconda.org/evil/linux-64/lib-1.2-0.conda
         |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: run `envlock solve`, which keeps the locked packages that fit
    -- exit 2
    ");
}

#[test]
fn rule_2_and_3_a_query_in_an_address_is_found() {
    let said = edited(|lock| lock.replace("lib-1.2-0.conda", "lib-1.2-0.conda?token=geheim"));
    assert!(!said.contains("geheim"), "{said}");
    insta::assert_snapshot!(said, @"
    -- stderr
    error[lock-inconsistent]: lib-1.2-0.conda is from a channel that the lock
      doesn't have
      --> envlock.lock:27:10
      27 | - conda: https://conda.anaconda.org/conda-forge/linux-64/lib-1.2-0.conda?***
         | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: run `envlock solve`, which keeps the locked packages that fit

    error[lock-inconsistent]: the URL of lib-1.2-0.conda has a credential or a query
      --> envlock.lock:27:10
      27 | - conda: https://conda.anaconda.org/conda-forge/linux-64/lib-1.2-0.conda?***
         | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: run `envlock solve`, which keeps the locked packages that fit
    -- exit 2
    ");
}

#[test]
fn rule_3_conflict_markers_are_an_error_with_help() {
    let said = edited(|lock| {
        lock.replace("- app >=1\n", "<<<<<<< HEAD\n        - app >=1\n=======\n>>>>>>> other\n")
    });
    insta::assert_snapshot!(said, @"
    -- stderr
    error[lock-conflict]: the lock has unresolved merge conflicts
      --> envlock.lock:47:1
      47 | =======
         | ^^^^^^^
      - a mixture of the two sides isn't a valid lock
      help: take one of the two sides, then solve:
            `git checkout --theirs envlock.lock && envlock solve`
    -- exit 2
    ");
}

#[test]
fn rule_3_solving_repairs_an_edited_lock_and_keeps_what_fits() {
    let mut lab = solved();
    let before = lab.lock();
    lab.project.write("envlock.lock", without(&before, "app-1.0"));
    lab.world.update_channel("conda-forge", |c| {
        c.add("lib 1.9");
    });
    lab.solve(&["-q"]).success();
    assert_eq!(lab.lock(), before, "lib stays at 1.2");
}

#[test]
fn rule_8_errors_name_the_line() {
    insta::assert_snapshot!(edited(|lock| lock.replace("  sha256: ", "  sha256: [")), @"
    -- stderr
    error[syntax-error]: this isn't valid YAML: illegal placement of ':' indicator
      --> envlock.lock:20:6
      20 |   md5: a57a86ca664ed3ceeb02e299617fefca
         |      ^
      help: restore it with `git checkout envlock.lock`, or remove it and run
            `envlock solve`
    -- exit 2
    ");
    insta::assert_snapshot!(edited(|lock| lock.replacen("  sha256: ", "  sha256: zz", 1)), @"
    -- stderr
    error[lock-malformed]: the lock can't be read: app-1.0-0.conda has a sha256 that
      isn't 64 hexadecimal digits
      --> envlock.lock:18:10
      18 | - conda: https://conda.anaconda.org/conda-forge/linux-64/app-1.0-0.conda
         |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: restore it with `git checkout envlock.lock`, or remove it and run
            `envlock solve`
    -- exit 2
    ");
    insta::assert_snapshot!(edited(|lock| lock.replace("platforms:\n- name: linux-64", "platforms:\n- name: linxu-64")), @"
    -- stderr
    error[lock-malformed]: the lock can't be read: there is no platform `linxu-64`
      --> envlock.lock:3:9
      3 | - name: linxu-64
        |         ^^^^^^^^
      help: restore it with `git checkout envlock.lock`, or remove it and run
            `envlock solve`
    -- exit 2
    ");
}

#[test]
fn rule_8_errors_describe_the_lock_without_terms_of_a_library() {
    let bell = edited(|lock| lock.replace("  - lib >=1", "  - lib \u{7} >=1"));
    insta::assert_snapshot!(bell, @r"
    -- stderr
    error[syntax-error]: the control character U+0007 isn't allowed here
      --> envlock.lock:22:9
      22 |   - lib \u{7} >=1
         |         ^^^^^
      help: restore it with `git checkout envlock.lock`, or remove it and run
            `envlock solve`
    -- exit 2
    ");
    let url = "- conda: https://conda.anaconda.org/conda-forge/linux-64/lib-1.2-0.conda";
    insta::assert_snapshot!(edited(|lock| lock.replace(&format!("\n{url}"), "\n- conda: lib")), @"
    -- stderr
    error[lock-malformed]: the lock can't be read: lib has an invalid block
      --> envlock.lock:27:10
      27 | - conda: lib
         |          ^^^
      help: restore it with `git checkout envlock.lock`, or remove it and run
            `envlock solve`
    -- exit 2
    ");
    insta::assert_snapshot!(edited(|lock| lock.replace(url, "- conda: lib.conda")), @"
    -- stderr
    error[lock-malformed]: the lock can't be read: lib.conda has an invalid block
      --> envlock.lock:27:10
      27 | - conda: lib.conda
         |          ^^^^^^^^^
      help: restore it with `git checkout envlock.lock`, or remove it and run
            `envlock solve`
    -- exit 2
    ");
    let said = edited(|lock| lock.replace("      - https://conda.anaconda.org", "      - conda"));
    insta::assert_snapshot!(said, @"
    -- stderr
    error[lock-malformed]: the lock can't be read: an item of `urls` must be a URL
      --> envlock.lock:41:9
      41 |       - conda/conda-forge/
         |         ^^^^^^^^^^^^^^^^^^
      help: restore it with `git checkout envlock.lock`, or remove it and run
            `envlock solve`
    -- exit 2
    ");
    insta::assert_snapshot!(edited(|lock| lock.replace("  name: project\n", "")), @"
    -- stderr
    error[lock-malformed]: the lock can't be read: `envlock` needs the key `name`
      --> envlock.lock:34:3
      34 |   version: 1
         |   ^^^^^^^
      help: restore it with `git checkout envlock.lock`, or remove it and run
            `envlock solve`
    -- exit 2
    ");
}

#[test]
fn rule_8_an_unknown_version_is_an_error_with_the_known_one() {
    let said = edited(|lock| lock.replace("envlock:\n  version: 1", "envlock:\n  version: 2"));
    insta::assert_snapshot!(said, @"
    -- stderr
    error[lock-version-unsupported]: the lock's envlock.version is 2; this envlock
      reads 1
      --> envlock.lock:34:12
      34 |   version: 2
         |            ^
      help: a newer envlock wrote it: use that version, or remove the lock and run
            `envlock solve`
    -- exit 2
    ");
    insta::assert_snapshot!(edited(|lock| lock.replace("version: 7\n", "version: 8\n")), @"
    -- stderr
    error[lock-version-unsupported]: the lock's version is 8; this envlock reads 7
      --> envlock.lock:1:10
      1 | version: 8
        |          ^
      help: a newer envlock wrote it: use that version, or remove the lock and run
            `envlock solve`
    -- exit 2
    ");
}

#[test]
fn a_lock_of_another_tool_is_recognised() {
    let said = edited(|lock| lock.split("envlock:\n").next().unwrap().to_owned());
    insta::assert_snapshot!(said, @"
    -- stderr
    error[lock-of-other-tool]: envlock.lock has no `envlock:` block, which envlock
      writes
      --> envlock.lock:1:1
      1 | version: 7
        | ^^^^^^^
      help: restore it with `git checkout envlock.lock`, or move it away and run
            `envlock solve`
    -- exit 2
    ");
    insta::assert_snapshot!(edited(|_| "metadata: {}\npackage: []\n".to_owned()), @"
    -- stderr
    error[lock-of-other-tool]: envlock.lock is a lock file of conda-lock, and not a
      lock file of envlock
      --> envlock.lock:1:1
      1 | metadata: {}
        | ^^^^^^^^
      help: restore it with `git checkout envlock.lock`, or move it away and run
            `envlock solve`
    -- exit 2
    ");
    insta::assert_snapshot!(edited(|_| String::new()), @"
    -- stderr
    error[lock-of-other-tool]: envlock.lock has no `envlock:` block, which envlock
      writes
      --> envlock.lock:1:1
      help: restore it with `git checkout envlock.lock`, or move it away and run
            `envlock solve`
    -- exit 2
    ");
}
