//! `demo`: creates a small project and a small channel.
//!
//! The channel has a unique name, so that the cache can't mix up its packages with another
//! channel's.

use std::{
    io,
    path::{Path, PathBuf},
};

use envlock_depot::{
    Cpython, CpythonError, Format, IndexFormats, Mirror, Server, bin_directories, demo_packages,
};
use envlock_report::{AsFindings, Code, Exit, Finding};
use rattler_conda_types::Subdir;
use url::Url;

/// The preferred Python version.
const WANTED: [u32; 2] = [3, 10];

/// The channel's name.
const CHANNEL: &str = "envlock-demo";

/// The inputs of the demo.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    /// The folder of the demo.
    pub folder: PathBuf,
    /// The folders of `PATH`, in order.
    pub search_path: Vec<PathBuf>,
    /// The home folder.
    pub home: Option<PathBuf>,
    /// This machine's platform.
    pub host: Subdir,
}

/// A demo project. Its channel is served until it is dropped.
pub struct DemoProject {
    /// The interpreter that the Python package was made from.
    pub python: Cpython,
    /// The arguments of the commands, which are run in the folder.
    pub commands: Vec<Vec<String>>,
    /// The `solve` command with the channel's folder instead of the server. It also works after
    /// the server has stopped.
    pub solve_from_folder: Vec<String>,
    _server: Server,
}

/// Why the demo project can't be created.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// No usable Python interpreter was found.
    #[error(transparent)]
    Python(#[from] CpythonError),
    /// The folder exists and isn't a demo's.
    #[error("{} exists and wasn't made by the demo", .0.display())]
    FolderInUse(PathBuf),
    /// An error of the disk or the loopback interface.
    #[error("can't {doing}: {error}")]
    System {
        /// The failed operation.
        doing: String,
        /// The cause.
        error: io::Error,
    },
}

impl AsFindings for DemoError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Python(error) => error.findings(),
            Self::FolderInUse(_) => vec![
                Finding::new(Code::FolderNotEmpty, self.to_string())
                    .with_help("choose another folder with `envlock demo --folder FOLDER`"),
            ],
            Self::System { .. } => vec![Finding::new(Code::DemoSystem, self.to_string())],
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Python(error) => error.exit(),
            Self::FolderInUse(_) => Exit::Usage,
            Self::System { .. } => Exit::Undetermined,
        }
    }
}

/// Finds the interpreter for the demo. Refuses a folder that isn't empty and isn't a demo's.
pub fn find_python(request: &DemoOptions) -> Result<Cpython, DemoError> {
    if !is_usable(&request.folder) {
        return Err(DemoError::FolderInUse(request.folder.clone()));
    }
    let folders = bin_directories(&request.search_path, request.home.as_deref());
    Ok(Cpython::find(&folders, WANTED)?)
}

/// Writes the project and the channel, and serves the channel on loopback in the layout of a
/// mirror. Needs seconds of CPU time.
pub fn create_project(request: &DemoOptions, python: Cpython) -> Result<DemoProject, DemoError> {
    let folder = &request.folder;
    let doing = |what: &str| {
        let doing = format!("{what} in {}", folder.display());
        move |error| DemoError::System { doing, error }
    };
    let mirror = Mirror::new(folder.join("mirror"));
    let mut channel = mirror.channel(CHANNEL);
    channel.add(&python.package()?, Format::Conda).map_err(doing("write the python package"))?;
    for package in &demo_packages(request.host) {
        // Both formats, as on a mirror.
        channel.add(package, Format::Conda).map_err(doing("write a package"))?;
    }
    channel.write_index(IndexFormats::ALL).map_err(doing("write the channel's index"))?;
    let environment = environment_yml(&python.version);
    let policies = folder.join("vault/policies");
    std::fs::create_dir_all(&policies).map_err(doing("make a folder for the policy"))?;
    for (path, text) in [
        (folder.join("environment.yml"), environment.as_str()),
        (folder.join("secrets.yml"), include_str!("demo/secrets.yml")),
        (policies.join("demo-ci.hcl"), include_str!("demo/demo-ci.hcl")),
    ] {
        std::fs::write(path, text).map_err(doing("write the project's files"))?;
    }

    let server = Server::start(mirror.root()).map_err(doing("serve the channel"))?;
    let loopback = mirror_of(&server.url());
    let local = Url::from_directory_path(mirror.root())
        .map_err(|()| doing("name the channel")(io::ErrorKind::InvalidInput.into()))?;
    Ok(DemoProject {
        commands: commands(&loopback),
        solve_from_folder: solve(&mirror_of(local.as_str())),
        python,
        _server: server,
    })
}

/// Returns the value of `--mirror` for the tree at `url`.
fn mirror_of(url: &str) -> String {
    let [(origin, mirror), _] = Mirror::mirror_pairs(url);
    format!("{origin}={mirror}")
}

fn is_usable(folder: &Path) -> bool {
    let is_empty = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => folder.symlink_metadata().is_err(),
    };
    is_empty || folder.join("mirror/anaconda/cloud").join(CHANNEL).is_dir()
}

fn environment_yml(python: &str) -> String {
    let minor: Vec<_> = python.split('.').take(2).collect();
    format!(
        "name: demo\n\
         channels:\n  - {CHANNEL}\n\
         dependencies:\n  - python={}\n  - greet >=1.0\n\
         variables:\n  GREETING: 你好\n",
        minor.join(".")
    )
}

fn solve(mirror: &str) -> Vec<String> {
    ["solve", "--mirror", mirror, "--no-origin"].map(str::to_owned).to_vec()
}

fn commands(mirror: &str) -> Vec<Vec<String>> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let program = "import os, sys, ssl, sqlite3; \
                   print('Python', sys.version.split()[0], 'in', sys.prefix); \
                   print('GREETING is', os.environ['GREETING'])";
    vec![
        solve(mirror),
        words(&["install", "--mirror", mirror, "--no-origin"]),
        words(&["run", "--", "python", "-c", program]),
        words(&["run", "--", "greet", "envlock"]),
        words(&["verify"]),
        words(&["check-secrets", "--offline"]),
    ]
}
