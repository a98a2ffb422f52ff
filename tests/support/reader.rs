//! Somebody who types what a page shows into a shell.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::BINARY;
use super::pages::Shown;

/// A home on a path as long as the one that pages show, so that lines break at the same words.
pub(crate) struct Reader(TempDir);

/// What pages call the home.
const HOME: &str = "/home/you";

impl Reader {
    pub(crate) fn new() -> Self {
        let digits = HOME.len() - "/tmp/".len();
        let home = tempfile::Builder::new().prefix("").rand_bytes(digits).tempdir_in("/tmp");
        Self(home.unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A program that comes before the machine's own.
    pub(crate) fn tool(&self, name: &str, script: &str) {
        use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};
        fs_err::create_dir_all(self.path().join("bin")).unwrap();
        let path = self.path().join("bin").join(name);
        fs_err::write(&path, script).unwrap();
        fs_err::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs a text in a shell; gives standard output and standard error as one.
    pub(crate) fn shell(&self, at: &Path, script: &str) -> String {
        let path = self.path().join("script");
        fs_err::write(&path, format!("exec 2>&1\n{script}")).unwrap();
        let tools = self.path().join("bin");
        let output = Command::new("bash")
            .args(["--noprofile", "--norc"])
            .arg(path)
            .current_dir(at)
            .env_clear()
            .env("HOME", self.path())
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", tools.display()))
            .env("LANG", "C.UTF-8")
            .env("ENVLOCK", BINARY)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Types the commands into one shell; gives what each printed, with [`HOME`] as the home.
    pub(crate) fn types<'a>(
        &self,
        at: &Path,
        commands: impl Iterator<Item = &'a Shown>,
    ) -> Vec<Vec<String>> {
        // `$?` is for the next command what it was behind the one before.
        const END: &str = "ended=$?; printf '\\036'; (exit $ended)";
        let mut script = String::new();
        for shown in commands {
            writeln!(script, "{}\n{END}", shown.command).unwrap();
        }
        let home = self.path().display().to_string();
        let printed = self.shell(at, &script).replace(&home, HOME);
        let parts = printed.split_terminator('\x1e');
        parts.map(|part| part.lines().map(str::to_owned).collect()).collect()
    }
}
