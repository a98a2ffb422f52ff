//! The environment of the process: variables, home, working folder, command line, terminal,
//! signals and clock. Only this module reads them.

mod certificates;
mod configuration;
mod credentials;
mod environments;
mod network;
mod pypi;
mod signals;
mod tls_trust;
pub(crate) mod vault;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::IsTerminal,
    os::fd::AsFd,
    path::{Path, PathBuf},
};

use envlock_config::ValueSource;
use envlock_model::{
    channel,
    virtual_packages::{self, InvalidVirtualPackage, VirtualPackageSetting},
};

pub(crate) use configuration::{
    ConfigurationError, configuration, missing_condarc, project_overrides,
};
pub(crate) use environments::{EnvironmentNameError, named_prefix};
pub(crate) use network::{ChannelSetup, NO_PROXY_ENTRY, NetworkError, channel_setup, proxy_fault};
pub(crate) use pypi::index_sources;
pub(crate) use signals::{TerminationSignal, is_ignored};
pub(crate) use tls_trust::describe_trust;

/// The environment of the process. Variables may have secrets, so the type has no `Debug`.
#[derive(Clone)]
pub(crate) struct ProcessEnvironment {
    /// Every variable of the process that is Unicode.
    pub(crate) variables: BTreeMap<String, String>,
    /// The home folder.
    pub(crate) home: Option<PathBuf>,
    /// The working folder.
    pub(crate) folder: PathBuf,
    /// The columns of the terminal on standard error; `None` if it isn't a terminal.
    pub(crate) terminal: Option<u16>,
    /// The columns of the terminal on standard output; `None` if it isn't a terminal.
    pub(crate) output_terminal: Option<u16>,
    /// Whether a person sees standard error and types standard input.
    pub(crate) can_ask: bool,
    /// Whether `NO_COLOR` is set (<https://no-color.org>) or the terminal is dumb.
    pub(crate) no_colour: bool,
    /// Whether the terminal can't move its cursor: `TERM=dumb`.
    pub(crate) is_dumb: bool,
    /// The number of processors.
    pub(crate) jobs: usize,
    /// The time at which the program started.
    pub(crate) now: jiff::Timestamp,
}

/// Returns the width of the terminal; 80 columns if it doesn't report its width.
fn terminal(stream: &(impl AsFd + IsTerminal)) -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(stream.as_fd()).ok().map(|size| size.ws_col);
    stream.is_terminal().then(|| size.filter(|columns| *columns > 0).unwrap_or(80))
}

/// The program's version.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Returns every variable of the process, for a command that inherits them.
pub(crate) fn inherited_variables() -> BTreeMap<OsString, OsString> {
    std::env::vars_os().collect()
}

/// Returns this program's command line.
pub(crate) fn command_line() -> impl Iterator<Item = OsString> {
    std::env::args_os()
}

/// Returns the path of this program's file.
pub(crate) fn program() -> std::io::Result<PathBuf> {
    std::env::current_exe()
}

impl ProcessEnvironment {
    /// Reads the environment of the process.
    pub(crate) fn read() -> Self {
        let variables: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let set = |name: &str| variables.get(name).is_some_and(|value| !value.is_empty());
        let is_dumb = variables.get("TERM").is_some_and(|term| term == "dumb");
        Self {
            no_colour: set("NO_COLOR") || is_dumb,
            is_dumb,
            home: std::env::home_dir(),
            folder: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            terminal: terminal(&std::io::stderr()),
            output_terminal: terminal(&std::io::stdout()),
            can_ask: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            now: jiff::Timestamp::now(),
            variables,
        }
    }

    /// Returns the columns of a terminal on which lines can be redrawn; `None` for another one.
    pub(crate) fn drawable_terminal(&self) -> Option<u16> {
        self.terminal.filter(|_| !self.is_dumb)
    }

    /// Returns the cache and where it was set: `ENVLOCK_CACHE_DIR`, else the user's folder for
    /// caches.
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

    /// Returns the folder of conda's installation, which conda calls `CONDA_ROOT`.
    pub(crate) fn conda_root(&self) -> Option<PathBuf> {
        let variable = |name: &str| self.variables.get(name).filter(|value| !value.is_empty());
        // CONDA_EXE is `<installation>/bin/conda`.
        let of_executable = |path: &String| Path::new(path).parent()?.parent().map(Path::to_owned);
        variable("CONDA_EXE")
            .and_then(of_executable)
            .or_else(|| variable("CONDA_ROOT").map(PathBuf::from))
            .or_else(|| variable("MAMBA_ROOT_PREFIX").map(PathBuf::from))
    }

    /// Returns a path of a configuration, with `~`, `$NAME` and `${NAME}` replaced by their values.
    pub(crate) fn path(&self, written: &str) -> Result<PathBuf, String> {
        let variable = |name: &str| self.variables.get(name).cloned();
        let text = channel::expand(written, &variable).map_err(|error| error.to_string())?;
        let path = match (Path::new(&text).strip_prefix("~"), &self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(&text),
        };
        Ok(self.absolute(&path))
    }

    /// Returns the `CONDA_OVERRIDE_*` that are set.
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

    /// Returns the folders of `PATH`, in order.
    pub(crate) fn search_path(&self) -> Vec<PathBuf> {
        let path = self.variables.get("PATH").map(std::env::split_paths);
        path.into_iter().flatten().collect()
    }

    /// Returns the absolute path, without `.` and `..`, which are resolved in the text only.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dumb_terminal_has_a_width_and_no_redrawn_lines() {
        let mut settings = ProcessEnvironment::read();
        settings.terminal = Some(70);
        settings.is_dumb = false;
        assert_eq!(settings.drawable_terminal(), Some(70));
        settings.is_dumb = true;
        assert_eq!((settings.terminal, settings.drawable_terminal()), (Some(70), None));
    }
}
