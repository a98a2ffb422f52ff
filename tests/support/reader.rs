//! Runs the commands of a page in a shell.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::BINARY;
use super::pages::Shown;

/// A temporary home folder. Its path is as long as the one in the pages, so that the program
/// breaks lines at the same words.
pub(crate) struct Reader(TempDir);

/// The home folder in the pages.
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

    /// Adds a program at the start of `PATH`.
    pub(crate) fn tool(&self, name: &str, script: &str) {
        use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};
        fs_err::create_dir_all(self.path().join("bin")).unwrap();
        let path = self.path().join("bin").join(name);
        fs_err::write(&path, script).unwrap();
        fs_err::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs a script in a shell. Returns standard output and standard error as one text.
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

    /// Runs the commands in one shell. Returns the lines that each printed, with [`HOME`] for the
    /// home folder.
    pub(crate) fn run<'a>(
        &self,
        at: &Path,
        commands: impl Iterator<Item = &'a Shown>,
    ) -> Vec<Vec<String>> {
        // This keeps `$?` for the next command.
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
