//! Runs the program in a test project with test channels.

pub(crate) mod ci;
pub(crate) mod pages;
pub(crate) mod pip;
pub(crate) mod reader;
pub(crate) mod vault;

pub(crate) use pip::PipLab;

use std::path::PathBuf;

use envlock_testkit::{Output, Project, TestMirror};

/// The path of the program.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_envlock");

/// A project, and the only channels that it can use.
pub(crate) struct Lab {
    pub(crate) world: TestMirror,
    pub(crate) project: Project,
}

impl Lab {
    pub(crate) fn new(world: TestMirror, environment_yml: &str) -> Self {
        Self { world, project: Project::new(BINARY, environment_yml) }
    }

    /// Creates a project and solves its lock.
    pub(crate) fn solved(world: TestMirror, environment_yml: &str) -> Self {
        let lab = Self::new(world, environment_yml);
        lab.solve(&[]).success();
        lab
    }

    /// Sets a variable in the program's environment.
    pub(crate) fn env(self, name: &str, value: impl Into<String>) -> Self {
        Self { world: self.world, project: self.project.env(name, value) }
    }

    /// Runs `envlock solve` with the test channels.
    pub(crate) fn solve(&self, args: &[&str]) -> Output {
        self.with_mirrors("solve", args)
    }

    /// Runs `envlock install` with the test channels.
    pub(crate) fn install(&self, args: &[&str]) -> Output {
        self.with_mirrors("install", args)
    }

    /// Runs the program with these arguments only.
    pub(crate) fn envlock(&self, args: &[&str]) -> Output {
        self.project.envlock(args)
    }

    /// Runs a command with the test channels as the only sources.
    pub(crate) fn with_mirrors(&self, command: &str, args: &[&str]) -> Output {
        let mirrors = self.world.mirror_args();
        let mirrors = mirrors.iter().map(String::as_str);
        self.project.envlock([command].into_iter().chain(mirrors).chain(args.iter().copied()))
    }

    /// Writes another environment.yml.
    pub(crate) fn write_environment(&self, environment_yml: &str) {
        self.project.write("environment.yml", environment_yml);
    }

    /// Returns the lock's text.
    pub(crate) fn lock(&self) -> String {
        self.project.read("envlock.lock")
    }

    /// Returns `name-version-build` of each package of a platform, sorted.
    pub(crate) fn locked(&self, platform: &str) -> Vec<String> {
        locked(&self.lock(), platform)
    }

    /// Returns the project's default prefix.
    pub(crate) fn prefix(&self) -> PathBuf {
        self.project.path(".envlock/project")
    }

    /// Returns standard output, standard error and exit code as one text, without parts that
    /// differ between runs.
    pub(crate) fn shown(&self, output: &Output) -> String {
        let folder = self.project.root();
        let around = folder.parent().unwrap().display().to_string();
        let port = self.world.url();
        shown(output)
            .replace(&port, "http://mirror")
            .replace(&around, "~")
            .replace(port.trim_start_matches("http://"), "mirror")
    }
}

/// Returns standard output, standard error and exit code as one text.
pub(crate) fn shown(output: &Output) -> String {
    let code = output.code.map_or_else(|| "signal".to_owned(), |code| code.to_string());
    let mut text = String::new();
    for (name, part) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        if !part.is_empty() {
            text.push_str(&format!("-- {name}\n{part}"));
        }
    }
    text.push_str(&format!("-- exit {code}"));
    text
}

/// Returns the file names of a lock's packages on a platform without extensions, sorted.
pub(crate) fn locked(lock: &str, platform: &str) -> Vec<String> {
    let name = |url: &String| {
        let file = url.rsplit('/').next().unwrap();
        file.trim_end_matches(".conda").trim_end_matches(".tar.bz2").to_owned()
    };
    let mut names: Vec<_> = urls(lock, platform).iter().map(name).collect();
    names.sort();
    names
}

/// Returns the URLs of a lock's packages on a platform.
pub(crate) fn urls(lock: &str, platform: &str) -> Vec<String> {
    let document: serde_yaml::Value = serde_yaml::from_str(lock).unwrap();
    let packages = &document["environments"]["default"]["packages"][platform];
    let packages = packages.as_sequence().unwrap_or(const { &Vec::new() });
    packages.iter().map(|package| package["conda"].as_str().unwrap().to_owned()).collect()
}

/// Joins the lines of a wrapped text to one line.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Parses standard output, which must be one JSON document.
pub(crate) fn json(stdout: &str) -> serde_json::Value {
    serde_json::from_str(stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"))
}
