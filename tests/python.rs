//! A real CPython, where the machine has one, installed by envlock.

use std::process::Command;

use envlock_depot::{Cpython, Package, bin_directories};
use envlock_testkit::{TestMirror, parse_package};

use crate::support::Lab;

/// Returns this machine's Python 3.10 or another as a package; `None` where there is none.
fn python() -> Option<Package> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let home = std::env::home_dir();
    let found = Cpython::find(&bin_directories(&folders, home.as_deref()), [3, 10]).ok()?;
    Some(found.package().unwrap())
}

/// A channel with this machine's Python; none where there is none.
fn world() -> Option<TestMirror> {
    let python = python()?;
    Some(TestMirror::new().channel("conda-forge", |c| {
        c.package(&python);
        c.package(
            &parse_package("greeter 1.0 pyhd_0 | python")
                .noarch_python()
                .entry_point("greeter = greeter:main")
                .file(
                    "site-packages/greeter.py",
                    "import sys\ndef main():\n    print('你好', *sys.argv[1:])\n    return 3\n",
                ),
        );
        c.tar_bz2();
        c.package(&parse_package("data 1.0").prefix_text("etc/data.conf", "{PREFIX}\n"));
    }))
}

#[test]
fn a_noarch_entry_point_runs_with_the_environments_python() {
    let Some(world) = world() else { return };
    let yml = "channels: [conda-forge]\ndependencies: [python, greeter, data]\n";
    let lab = Lab::solved(world, yml);
    lab.install(&["-q"]).success();
    let output = lab.envlock(&["run", "greeter", "世 界", "--x"]);
    assert_eq!((output.stdout.as_str(), output.code), ("你好 世 界 --x\n", Some(3)));

    let prefix = lab.prefix().display().to_string();
    let script = "import ssl, sqlite3, ctypes, sys; print(sys.prefix); print(open('/proc/self/maps').read())";
    let said = Command::new(lab.prefix().join("bin/python")).args(["-c", script]).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let (first, maps) = said.split_once('\n').unwrap();
    assert_eq!(first, prefix);
    let elsewhere: Vec<_> =
        maps.lines().filter(|line| line.contains("python") && !line.contains(&prefix)).collect();
    assert_eq!(elsewhere, Vec::<&str>::new());
    // What Python itself compiles and runs is no difference.
    lab.envlock(&["verify", "-q"]).success();
    assert_eq!(lab.install(&[]).success(), format!("{prefix} is up to date: 3 packages\n"));
}

#[test]
fn a_prefix_with_spaces_and_chinese_runs() {
    let Some(world) = world() else { return };
    let yml = "channels: [conda-forge]\ndependencies: [python, greeter]\n";
    let lab = Lab::solved(world, yml);
    lab.install(&["-q", "-p", "环境 one"]).success();
    let output = lab.envlock(&["run", "-p", "环境 one", "greeter", "x"]);
    assert_eq!((output.stdout.as_str(), output.code), ("你好 x\n", Some(3)));
    lab.envlock(&["verify", "-q", "-p", "环境 one"]).success();
}

#[test]
fn a_pyc_is_not_written_through_a_link_and_the_environment_verifies_and_can_be_upgraded() {
    // The link leads to a folder of the prefix, and to one that another package may have.
    for target in ["../..", "../json"] {
        let Some(python) = python() else { return };
        let world = TestMirror::new().channel("conda-forge", |c| {
            c.package(&python);
            let linked = parse_package("h 1 | python").noarch_python();
            let linked = linked.file("site-packages/m.py", "x = 1\n");
            c.package(&linked.symlink("site-packages/__pycache__", target));
            let plain = parse_package("h 2 | python").noarch_python();
            c.package(&plain.file("site-packages/m.py", "x = 2\n"));
        });
        let yml =
            |version| format!("channels: [conda-forge]\ndependencies: [python, h={version}]\n");
        let lab = Lab::solved(world, &yml("1"));
        let output = lab.install(&[]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        assert!(output.stderr.contains("not-compiled"), "{}", output.stderr);
        lab.envlock(&["verify", "-q"]).success();
        lab.write_environment(&yml("2"));
        lab.solve(&[]).success();
        lab.install(&["-q"]).success();
        lab.envlock(&["verify", "-q"]).success();
    }
}
