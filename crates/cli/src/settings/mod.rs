//! Environment variables, home, working folder, command line, terminal and clock: read here,
//! once, and nowhere else.

mod configuration;
mod credentials;
mod environments;
mod network;
mod tls_trust;
pub(crate) mod vault;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use envlock_config::ValueSource;
use envlock_model::{
    channel,
    virtual_packages::{self, InvalidVirtualPackage, VirtualPackageSetting},
};

pub(crate) use configuration::{ConfigurationError, configuration, missing_condarc, project_rules};
pub(crate) use environments::{EnvironmentNameError, named_prefix};
pub(crate) use network::{ChannelSetup, NO_PROXY_ENTRY, NetworkError, channel_setup};
pub(crate) use tls_trust::describe_trust;

/// What the surroundings say. Variables may hold secrets: it has no `Debug`.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Every variable of the process that is Unicode.
    pub(crate) variables: BTreeMap<String, String>,
    /// The home folder.
    pub(crate) home: Option<PathBuf>,
    /// The working folder.
    pub(crate) folder: PathBuf,
    /// The columns of the terminal that standard error is; none where it is another thing.
    pub(crate) terminal: Option<u16>,
    /// Whether somebody asked for no colour: <https://no-color.org>, or a dumb terminal.
    pub(crate) no_colour: bool,
    /// How many processors there are.
    pub(crate) jobs: usize,
    /// The time at which the program started.
    pub(crate) now: jiff::Timestamp,
}

/// One that doesn't tell its width is taken for the usual 80 columns.
fn terminal() -> Option<u16> {
    let stderr = std::io::stderr();
    let size = rustix::termios::tcgetwinsize(&stderr).ok().map(|size| size.ws_col);
    stderr.is_terminal().then(|| size.filter(|columns| *columns > 0).unwrap_or(80))
}

/// The version that the program calls itself.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Every variable of the process, for a command that inherits them.
pub(crate) fn inherited_variables() -> BTreeMap<OsString, OsString> {
    std::env::vars_os().collect()
}

/// This program's command line, as words.
pub(crate) fn command_line() -> impl Iterator<Item = OsString> {
    std::env::args_os()
}

/// The file of this program.
pub(crate) fn program() -> std::io::Result<PathBuf> {
    std::env::current_exe()
}

impl Settings {
    pub(crate) fn read() -> Self {
        let variables: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let set = |name: &str| variables.get(name).is_some_and(|value| !value.is_empty());
        Self {
            no_colour: set("NO_COLOR") || variables.get("TERM").is_some_and(|term| term == "dumb"),
            home: std::env::home_dir(),
            folder: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            terminal: terminal(),
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            now: jiff::Timestamp::now(),
            variables,
        }
    }

    /// The cache, and who set it: `ENVLOCK_CACHE_DIR`, else the user's folder for caches.
    pub(crate) fn cache_dir(&self) -> (PathBuf, ValueSource) {
        let path =
            |name: &str| self.variables.get(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        if let Some(folder) = path("ENVLOCK_CACHE_DIR") {
            return (self.absolute(&folder), ValueSource::Variable("ENVLOCK_CACHE_DIR".to_owned()));
        }
        let caches = path("XDG_CACHE_HOME").filter(|folder| folder.is_absolute()).or_else(|| {
            let of_home = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
            self.home.as_ref().map(|home| home.join(of_home))
        });
        (caches.unwrap_or_else(std::env::temp_dir).join("envlock"), ValueSource::Default)
    }

    /// conda's installation, which it calls `CONDA_ROOT`.
    pub(crate) fn conda_root(&self) -> Option<PathBuf> {
        let variable = |name: &str| self.variables.get(name).filter(|value| !value.is_empty());
        // CONDA_EXE is `<installation>/bin/conda`.
        let of_executable = |path: &String| Path::new(path).parent()?.parent().map(Path::to_owned);
        variable("CONDA_EXE")
            .and_then(of_executable)
            .or_else(|| variable("CONDA_ROOT").map(PathBuf::from))
            .or_else(|| variable("MAMBA_ROOT_PREFIX").map(PathBuf::from))
    }

    /// A path as a configuration has it: `~`, `$NAME` and `${NAME}` stand for their values.
    pub(crate) fn path(&self, written: &str) -> Result<PathBuf, String> {
        let variable = |name: &str| self.variables.get(name).cloned();
        let text = channel::expand(written, &variable).map_err(|error| error.to_string())?;
        let path = match (Path::new(&text).strip_prefix("~"), &self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(&text),
        };
        Ok(self.absolute(&path))
    }

    /// conda's `CONDA_OVERRIDE_*` that are set.
    pub(crate) fn conda_overrides(
        &self,
    ) -> Result<Vec<VirtualPackageSetting>, InvalidVirtualPackage> {
        self.variables
            .iter()
            .filter_map(|(name, value)| {
                virtual_packages::conda_override(name.strip_prefix("CONDA_OVERRIDE_")?, value)
            })
            .collect()
    }

    /// The folders of `PATH`, in order.
    pub(crate) fn search_path(&self) -> Vec<PathBuf> {
        let path = self.variables.get("PATH").map(std::env::split_paths);
        path.into_iter().flatten().collect()
    }

    /// The path from the root, without `.` and `..` where they can be told from the text.
    pub(crate) fn absolute(&self, path: &Path) -> PathBuf {
        let mut whole = PathBuf::new();
        for part in self.folder.join(path).components() {
            match part {
                std::path::Component::CurDir => {}
                std::path::Component::ParentDir => {
                    whole.pop();
                }
                other => whole.push(other),
            }
        }
        whole
    }
}
