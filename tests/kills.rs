//! `kill -9` at any moment of an install: the next run makes it right.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use envlock_testkit::TestMirror;

use crate::support::Lab;

/// When to kill; told by what can be counted, so that it is the same moment in every run.
#[derive(Debug)]
enum Moment {
    /// So many archives were delivered.
    Archives(usize),
    /// So many files stand beside the prefix, in the one that is being built.
    Files(usize),
    /// The new prefix is in place, and the old one is not yet where it is kept.
    Exchanged,
    /// The old prefix is where it is kept.
    Kept,
}

const MOMENTS: [Moment; 20] = [
    Moment::Archives(1),
    Moment::Archives(15),
    Moment::Archives(30),
    Moment::Archives(50),
    Moment::Files(1),
    Moment::Files(100),
    Moment::Files(400),
    Moment::Files(700),
    Moment::Files(1000),
    Moment::Files(1300),
    Moment::Files(1600),
    Moment::Files(1900),
    Moment::Files(2200),
    Moment::Files(2500),
    Moment::Files(2700),
    Moment::Files(2900),
    Moment::Files(3000),
    Moment::Files(3050),
    Moment::Exchanged,
    Moment::Kept,
];

#[test]
fn after_a_killed_install_the_next_one_completes() {
    let world = TestMirror::new().channel("conda-forge", |c| c.synthetic(60, 50));
    let lab = Lab::new(world, "");
    let mut killed = 0;
    for (number, moment) in MOMENTS.iter().enumerate() {
        // Another variable is another environment: each install builds the prefix anew.
        lab.write_environment(&format!(
            "channels: [conda-forge]\ndependencies: [synth-all]\nvariables: {{MOMENT: '{number}'}}\n"
        ));
        lab.solve(&["-q"]).success();
        if matches!(moment, Moment::Archives(_)) {
            fs_err::remove_dir_all(lab.project.cache()).unwrap();
        }
        killed += usize::from(kill(&lab, moment));
        if lab.prefix().exists() {
            // The one before or the one after, and nothing in between.
            let output = lab.envlock(&["verify", "-q"]);
            assert_eq!(output.code, Some(0), "{moment:?}: {}{}", output.stdout, output.stderr);
        }
        lab.install(&["-q"]).success();
        let output = lab.envlock(&["verify", "-q"]);
        assert_eq!(output.code, Some(0), "{moment:?}: {}{}", output.stdout, output.stderr);
        let state = lab.project.read(".envlock/project/conda-meta/state");
        assert!(state.contains(&format!("\"{number}\"")), "{moment:?}: {state}");
    }
    assert!(killed >= 18, "only {killed} were killed before they had ended");

    // What the killed ones left is gone with the first install that has something to do.
    lab.write_environment("channels: [conda-forge]\ndependencies: [synth-all]\n");
    lab.solve(&["-q"]).success();
    lab.install(&["-q"]).success();
    assert_eq!(beside(&lab), ["project", "project~previous"]);
}

/// Starts an install and kills it at the moment; whether it was still at work.
fn kill(lab: &Lab, moment: &Moment) -> bool {
    lab.world.clear_requests();
    let inode = inode(&lab.prefix());
    let mirrors = lab.world.mirror_args();
    let mut child = lab
        .project
        .command(["install", "-q"].into_iter().chain(mirrors.iter().map(String::as_str)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let exchanged = || self::inode(&lab.prefix()) != inode;
    let at_work = wait(&mut child, || match moment {
        Moment::Archives(number) => lab.world.requests("*-*.*").len() >= *number,
        Moment::Files(number) => files_of_the_next(lab) >= *number,
        Moment::Exchanged => exchanged(),
        Moment::Kept => {
            exchanged() && self::inode(&lab.project.path(".envlock/project~previous")) == inode
        }
    });
    child.kill().unwrap();
    child.wait().unwrap();
    at_work
}

/// Waits for the moment; false where the program has ended before it.
fn wait(child: &mut Child, mut reached: impl FnMut() -> bool) -> bool {
    loop {
        if reached() {
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        // Leaves the processor to the install; the moment is told by what is counted.
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn inode(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    path.symlink_metadata().ok().map(|metadata| metadata.ino())
}

/// What stands in the prefix's folder, but for the file that is locked.
fn beside(lab: &Lab) -> Vec<String> {
    let items = fs_err::read_dir(lab.project.path(".envlock")).unwrap();
    let mut names: Vec<_> =
        items.map(|item| item.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.ends_with("~lock") && name != ".gitignore");
    names.sort();
    names
}

fn files_of_the_next(lab: &Lab) -> usize {
    let Ok(items) = std::fs::read_dir(lab.project.path(".envlock")) else { return 0 };
    let next = items.flatten().find(|item| item.file_name().to_string_lossy().contains("~next"));
    next.map_or(0, |next| files(&next.path()))
}

/// How many files a folder has that changes under our eyes.
fn files(folder: &Path) -> usize {
    let Ok(items) = std::fs::read_dir(folder) else { return 0 };
    items
        .flatten()
        .map(|item| match item.file_type() {
            Ok(kind) if kind.is_dir() => files(&item.path()),
            _ => 1,
        })
        .sum()
}
