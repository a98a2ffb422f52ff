//! The `pip:` section of environment.yml, and the requirements files that it includes.

use envlock_testkit::{TestIndex, TestMirror};

use crate::support::{PipLab, one_line};

fn world() -> TestMirror {
    TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0");
        c.add("python 3.10.13 h_0_cpython");
        c.add("pip 24.0 | python");
    })
}

/// Returns a project with these lines of pip.
fn lab(lines: &[&str]) -> PipLab {
    let index = TestIndex::new().projects(|p| {
        for line in
            ["requests 2.31.0", "urllib3 1.26.18", "six 1.16.0", "six 1.17.0", "black 24.1.0"]
        {
            p.add(line);
        }
    });
    PipLab::serving(world(), &yml(lines), index)
}

/// Creates an environment.yml with these lines of pip.
fn yml(lines: &[&str]) -> String {
    let lines = lines.iter().map(|line| format!("    - {line}\n")).collect::<Vec<_>>().concat();
    format!(
        "channels: [conda-forge]\ndependencies:\n  - app\n  - python\n  - pip\n  - pip:\n{lines}"
    )
}

/// Returns the requested lines of the lock.
fn requested(lab: &PipLab) -> String {
    let lock = lab.lock();
    let (_, block) = lock.split_once("        pip:\n").expect("the lock has lines of pip");
    let is_of_pip = |line: &&str| line.starts_with("        ") && !line.ends_with("specs:");
    let lines: Vec<_> = block.lines().take_while(is_of_pip).collect();
    lines.join("\n") + "\n"
}

#[test]
fn the_lock_records_the_lines_of_included_files_and_where_they_stand() {
    let lab = lab(&["requests >=2", "-r req/base.txt  # [linux]"]);
    lab.project.write("req/base.txt", "# base\n-c ../limits.txt\nsix \\\n  ==1.16  # why\n--pre\n");
    lab.project.write("limits.txt", "urllib3<2\n");
    lab.solve(&["-q"]).success();
    let requested = requested(&lab);
    insta::assert_snapshot!(requested, @"
    - requests >=2
    - line: urllib3<2
      constraint: true
      file: limits.txt
    - line: six ==1.16
      file: req/base.txt
    - line: --pre
      file: req/base.txt
    ");
}

#[test]
fn a_changed_requirement_in_an_included_file_makes_the_lock_stale_and_a_comment_does_not() {
    let lab = lab(&["-r base.txt"]);
    lab.project.write("base.txt", "six==1.16\n-i https://one.example/simple\n--pre\n");
    lab.solve(&["-q"]).success();
    let check = || lab.envlock(&["solve", "--check", "-q"]);
    for same in [
        "# a comment\n\nsix==1.16  # another\n-i \\\nhttps://one.example/simple\n\n--pre \n",
        "-i https://one.example/simple\n--pre\nsix==1.16",
        "\u{feff}six==1.16\r\n-i https://one.example/simple\r\n--pre\r\n",
    ] {
        lab.project.write("base.txt", same);
        let output = check();
        assert_eq!(output.code, Some(0), "{same:?}: {}", output.stderr);
    }
    for (other, says) in [
        ("six==1.17\n-i https://one.example/simple\n--pre\n", "base.txt:1:1"),
        ("six==1.16\n-i https://one.example/simple\n", "the pip line `--pre` is no longer"),
        ("--pre\n-i https://one.example/simple\nsix==1.16\n", "order of the pip"),
        ("six==1.16\nsix\n-i https://one.example/simple\n--pre\n", "base.txt:2:1"),
    ] {
        lab.project.write("base.txt", other);
        let output = check();
        assert_eq!(output.code, Some(5), "{other:?}: {}", output.stderr);
        assert!(one_line(&output.stderr).contains(says), "{other:?}: {}", output.stderr);
    }
    // Moving a line into environment.yml changes nothing.
    lab.write_environment(&yml(&["six==1.16", "-r base.txt"]));
    lab.project.write("base.txt", "-i https://one.example/simple\n--pre\n");
    assert_eq!(check().code, Some(0));
}

#[test]
fn each_mistake_has_its_place_in_the_file_where_it_stands() {
    let lab =
        lab(&["tensorflow-data-validation=0.15.0", "-r base.txt", "-r none.txt", "-e ../tool"]);
    lab.project.write("base.txt", "requests\n--user\n");
    let output = lab.solve(&["-q"]);
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[pip-option]: `--user` is an option of `pip install`, and not of its files
      --> base.txt:2:1
      2 | --user
        | ^^^^^^
      --> environment.yml:8:7: the file is included here
      8 |     - -r base.txt
        |       ^^^^^^^^^^^
      help: remove it; envlock decides where and how to install

    error[pip-requirement]: `=` isn't an operator of pip
      --> environment.yml:7:33
      7 |     - tensorflow-data-validation=0.15.0
        |                                 ^
      help: write `==0.15.0`, or `==0.15.0.*` for all that start like this

    error[pip-include]: there is no file none.txt
      --> environment.yml:9:10
      9 |     - -r none.txt
        |          ^^^^^^^^
      help: write the path relative to the file that has this line

    error[pip-not-lockable]: a folder outside of the project can't be locked with
      `-e`
      --> environment.yml:10:10
      10 |     - -e ../tool
         |          ^^^^^^^
      help: move it into the project, remove `-e`, or name its repository:
            `NAME @ git+https://…`
    -- exit 2
    ");
    assert!(!lab.has_lock());
}

#[test]
fn a_file_in_utf_16_is_read_and_one_that_is_no_text_has_its_place() {
    let lab = lab(&["-r base.txt"]);
    let utf16: Vec<u8> = "\u{feff}six==1.16\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(lab.project.path("base.txt"), utf16).unwrap();
    lab.solve(&["-q"]).success();
    assert!(lab.lock().contains("line: six==1.16"), "{}", lab.lock());
    std::fs::write(lab.project.path("base.txt"), b"six\nx\xff\n").unwrap();
    let output = lab.solve(&["-q"]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("base.txt:2:2"), "{}", output.stderr);
    assert!(output.stderr.contains("environment.yml:7:10"), "{}", output.stderr);
}

#[test]
fn a_second_environment_file_includes_files_of_its_own_folder() {
    let lab = lab(&["six"]);
    lab.project.write("dev/environment.yml", yml(&["-r more.txt"]));
    lab.project.write("dev/more.txt", "black\n");
    lab.solve(&["-q", "-f", "environment.yml", "-f", "dev/environment.yml"]).success();
    let requested = requested(&lab);
    insta::assert_snapshot!(requested, @"
    - six
    - line: black
      file: dev/more.txt
    ");
}
