//! A project directory with an environment.yml, in which the program is run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A project in a temporary directory, with its own home and cache.
#[derive(Debug)]
pub struct Project {
    binary: PathBuf,
    directory: TempDir,
    name: String,
    env: Vec<(String, String)>,
}

/// The result of a run of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
}

impl Output {
    /// Returns standard output. Panics with standard error if the exit code isn't 0.
    pub fn success(self) -> String {
        assert_eq!(self.code, Some(0), "\n{}{}", self.stdout, self.stderr);
        self.stdout
    }
}

impl From<std::process::Output> for Output {
    fn from(output: std::process::Output) -> Self {
        Self {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        }
    }
}

impl Project {
    /// Creates a project in a directory named `project`. `binary` is the program:
    /// `env!("CARGO_BIN_EXE_envlock")`.
    pub fn new(binary: impl Into<PathBuf>, environment_yml: &str) -> Self {
        Self::named("project", binary, environment_yml)
    }

    /// Creates a project in a directory of another name.
    pub fn named(name: &str, binary: impl Into<PathBuf>, environment_yml: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let binary = binary.into();
        let project = Self { binary, directory, name: name.to_owned(), env: Vec::new() };
        fs_err::create_dir_all(project.home()).expect("the home can be made");
        project.write("environment.yml", environment_yml);
        project
    }

    /// Sets a variable in the program's environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// The project's directory.
    pub fn root(&self) -> PathBuf {
        self.directory.path().join(&self.name)
    }

    /// A path in the project's directory.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root().join(path)
    }

    /// The home directory that the program sees.
    pub fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    /// The cache that the program uses.
    pub fn cache(&self) -> PathBuf {
        self.directory.path().join("cache")
    }

    /// A file's text.
    pub fn read(&self, path: impl AsRef<Path>) -> String {
        fs_err::read_to_string(self.path(path)).expect("the file can be read")
    }

    /// Writes a file, and creates its parent directories.
    pub fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        let folder = path.parent().expect("it is below the project");
        fs_err::create_dir_all(folder).expect("the folder can be made");
        fs_err::write(path, text).expect("the file can be written");
    }

    /// Returns the command to run the program in the project's directory. Of this process's
    /// environment only `PATH` is inherited.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(args)
            .current_dir(self.root())
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", self.home())
            .env("XDG_CACHE_HOME", self.home().join(".cache"))
            .env("XDG_CONFIG_HOME", self.home().join(".config"))
            .env("ENVLOCK_CACHE_DIR", self.cache())
            .env("LANG", "C.UTF-8")
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the program to its end.
    pub fn envlock<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        self.command(args).output().expect("the program can be started").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_gets_the_project_and_a_separate_home() {
        let project = Project::named("项目", "/bin/sh", "dependencies: []\n").env("A", "1");
        let script = "pwd; echo $HOME; echo $ENVLOCK_CACHE_DIR; echo $A; echo err >&2; exit 3";
        let output = project.envlock(["-c", script]);
        let expected = [project.root(), project.home(), project.cache(), "1".into()];
        let lines: Vec<_> = output.stdout.lines().map(PathBuf::from).collect();
        assert_eq!(lines, expected);
        assert_eq!((output.stderr.as_str(), output.code), ("err\n", Some(3)));
        assert_eq!(project.read("environment.yml"), "dependencies: []\n");
    }

    #[test]
    fn the_program_inherits_only_path() {
        let project = Project::new("/usr/bin/env", "");
        let names = project.envlock(["-0"]).success();
        let mut names: Vec<_> =
            names.split('\0').filter_map(|line| Some(line.split_once('=')?.0)).collect();
        names.sort_unstable();
        let known =
            ["ENVLOCK_CACHE_DIR", "HOME", "LANG", "PATH", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"];
        assert_eq!(names, known);
    }

    #[test]
    #[should_panic(expected = "the reason")]
    fn success_panics_with_standard_error() {
        Project::new("/bin/sh", "").envlock(["-c", "echo the reason >&2; exit 1"]).success();
    }
}
