//! `demo`: a small project and a small channel, both real, made on the spot.
//!
//! The channel has a name of its own, so that nothing of it can be taken for another
//! channel's in a cache.

use std::{
    io,
    path::{Path, PathBuf},
};

use envlock_depot::{
    Cpython, CpythonError, Format, IndexFormats, Mirror, Server, bin_directories, demo_packages,
};
use envlock_report::{Code, Exit, Explain, Finding};
use rattler_conda_types::Subdir;
use url::Url;

/// The Python that envlock's users run.
const WANTED: [u32; 2] = [3, 10];

/// The channel's name.
const CHANNEL: &str = "envlock-demo";

/// What the demo is made of.
#[derive(Debug, Clone)]
pub struct DemoRequest {
    /// Where everything is written.
    pub folder: PathBuf,
    /// The folders of `PATH`, in order.
    pub path: Vec<PathBuf>,
    /// The home folder.
    pub home: Option<PathBuf>,
    /// This machine's platform.
    pub host: Subdir,
}

/// A stage on which the commands can be run. The channel is served as long as it lives.
pub struct DemoProject {
    /// The interpreter that the Python package was made of.
    pub python: Cpython,
    /// The commands, as words behind the program's name, to be run in the folder.
    pub commands: Vec<Vec<String>>,
    /// The first of them with the channel's folder in place of the server: it works when the
    /// stage is gone, too.
    pub solve_from_folder: Vec<String>,
    _server: Server,
}

/// Why there is no stage.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// There is no Python to make a package of.
    #[error(transparent)]
    Python(#[from] CpythonError),
    /// Somebody's folder.
    #[error("{} is there and was not made by the demo", .0.display())]
    FolderInUse(PathBuf),
    /// The disk or the loopback interface said no.
    #[error("can't {doing}: {error}")]
    System {
        /// What was tried.
        doing: String,
        /// The cause.
        error: io::Error,
    },
}

impl Explain for DemoError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Python(error) => error.findings(),
            Self::FolderInUse(_) => vec![
                Finding::new(Code::FolderTaken, self.to_string())
                    .with_help("choose another with `envlock demo --folder FOLDER`"),
            ],
            Self::System { .. } => vec![Finding::new(Code::DemoSystem, self.to_string())],
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Python(error) => error.exit(),
            Self::FolderInUse(_) => Exit::Usage,
            Self::System { .. } => Exit::Unknown,
        }
    }
}

/// Finds the interpreter that the demo would be made of. Refuses a folder that is somebody's.
pub fn find_python(request: &DemoRequest) -> Result<Cpython, DemoError> {
    if !is_free(&request.folder) {
        return Err(DemoError::FolderInUse(request.folder.clone()));
    }
    let folders = bin_directories(&request.path, request.home.as_deref());
    Ok(Cpython::find(&folders, WANTED)?)
}

/// Writes the project and the channel, and serves the channel over loopback in the layout of
/// a mirror. Takes seconds of CPU time.
pub fn create_project(request: &DemoRequest, python: Cpython) -> Result<DemoProject, DemoError> {
    let folder = &request.folder;
    let doing = |what: &str| {
        let doing = format!("{what} in {}", folder.display());
        move |error| DemoError::System { doing, error }
    };
    let mirror = Mirror::new(folder.join("mirror"));
    let mut channel = mirror.channel(CHANNEL);
    channel.add(&python.package()?, Format::Conda).map_err(doing("write the python package"))?;
    for package in &demo_packages(request.host) {
        // One of each format: mirrors have both.
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
    let alive = mirror_of(&server.url());
    let kept = Url::from_directory_path(mirror.root())
        .map_err(|()| doing("name the channel")(io::ErrorKind::InvalidInput.into()))?;
    Ok(DemoProject {
        commands: commands(&alive),
        solve_from_folder: solve(&mirror_of(kept.as_str())),
        python,
        _server: server,
    })
}

/// What `--mirror` takes for the tree at `url`.
fn mirror_of(url: &str) -> String {
    let [(origin, mirror), _] = Mirror::mirror_pairs(url);
    format!("{origin}={mirror}")
}

fn is_free(folder: &Path) -> bool {
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
