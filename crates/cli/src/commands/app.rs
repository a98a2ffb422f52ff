//! What every command needs of flags and surroundings.

use std::path::{Path, PathBuf};

use envlock_channel::{Client, ClientError, MirrorError, Sources, VirtualPackageError};
use envlock_model::{
    channel::Rules,
    virtual_packages::{self, InvalidVirtualPackage, Setting},
};
use envlock_pipeline::{Ambient, FileError, own_prefix};
use envlock_report::{Diagnostic, Exit, Explain, nearest};
use rattler_conda_types::{GenericVirtualPackage, Subdir};

use crate::{
    args::{Files, Network, Where},
    settings::{NameError, Settings, VERSION, named_prefix},
    ui::Ui,
};

/// The program as a command sees it.
pub(crate) struct App<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) ui: &'a Ui,
}

/// What one use case stands on; lends itself as an [`Ambient`].
pub(crate) struct Ground {
    client: Client,
    rules: Rules,
    host: Subdir,
    host_packages: Vec<GenericVirtualPackage>,
}

/// What is wrong with flags or surroundings.
#[derive(Debug)]
pub(crate) enum GroundError {
    Mirror(MirrorError),
    Client(ClientError),
    Host(VirtualPackageError),
    VirtualPackage(InvalidVirtualPackage),
    Platform(String),
    Date(String),
    UnknownHost,
    Name(NameError),
    File(FileError),
}

impl App<'_> {
    /// Makes what a use case stands on. Touches neither network nor disk.
    pub(crate) fn ground(&self, network: &Network) -> Result<Ground, GroundError> {
        let mut mirrors = Vec::new();
        for text in &network.mirror {
            mirrors.extend(envlock_channel::parse_mirror(text).map_err(GroundError::Mirror)?);
        }
        let mut settings =
            envlock_channel::Settings::new(self.settings.cache_dir(), format!("envlock/{VERSION}"));
        settings.offline = network.offline;
        settings.sources = Sources::new(mirrors, !network.no_origin);
        let client = Client::new(settings).map_err(GroundError::Client)?;
        let host = Subdir::current().ok_or(GroundError::UnknownHost)?;
        let host_packages =
            envlock_channel::host(&self.settings.variables).map_err(GroundError::Host)?;
        Ok(Ground { client, rules: Rules::default(), host, host_packages })
    }

    /// `CONDA_OVERRIDE_*` and then `--virtual-package`, which wins.
    pub(crate) fn virtual_packages(&self, flags: &[String]) -> Result<Vec<Setting>, GroundError> {
        let mut settings = self.settings.conda_overrides().map_err(GroundError::VirtualPackage)?;
        for text in flags {
            settings.push(virtual_packages::parse(text).map_err(GroundError::VirtualPackage)?);
        }
        Ok(settings)
    }

    /// The prefix that `-p` or `-n` names; none when neither is given.
    pub(crate) fn prefix(&self, at: &Where) -> Result<Option<PathBuf>, GroundError> {
        match (&at.prefix, &at.name) {
            (Some(prefix), _) => Ok(Some(self.settings.absolute(prefix))),
            (None, Some(name)) => {
                named_prefix(self.settings, name).map(Some).map_err(GroundError::Name)
            }
            (None, None) => Ok(None),
        }
    }

    /// The prefix that is meant: by `-p`, by `-n`, else the project's own.
    pub(crate) fn existing_prefix(
        &self,
        at: &Where,
        files: &Files,
    ) -> Result<PathBuf, GroundError> {
        match self.prefix(at)? {
            Some(prefix) => Ok(prefix),
            None => own_prefix(&lock_path(files)).map_err(GroundError::File),
        }
    }
}

impl Ground {
    pub(crate) fn ambient<'a>(&'a self, app: &'a App<'_>) -> Ambient<'a> {
        Ambient {
            client: &self.client,
            rules: &self.rules,
            variables: &app.settings.variables,
            host: self.host,
            host_packages: &self.host_packages,
            observer: app.ui.progress(),
        }
    }
}

/// The lock: as named, else beside the environment file.
pub(crate) fn lock_path(files: &Files) -> PathBuf {
    let beside = || {
        let first = files.file.first().map_or(Path::new("environment.yml"), PathBuf::as_path);
        first.with_file_name(envlock_model::lock::FILE_NAME)
    };
    files.lock.clone().unwrap_or_else(beside)
}

/// Reads a platform as typed.
pub(crate) fn platform(text: &str) -> Result<Subdir, GroundError> {
    text.parse()
        .ok()
        .filter(|platform| *platform != Subdir::NoArch)
        .ok_or_else(|| GroundError::Platform(text.to_owned()))
}

impl std::fmt::Display for GroundError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mirror(error) => error.fmt(f),
            Self::Client(error) => error.fmt(f),
            Self::Host(error) => error.fmt(f),
            Self::VirtualPackage(error) => error.fmt(f),
            Self::Platform(text) => write!(f, "`{text}` is not a platform"),
            Self::Date(text) => write!(f, "`{text}` is not a date"),
            Self::UnknownHost => f.write_str("conda has no name for this machine's platform"),
            Self::Name(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for GroundError {}

impl Explain for GroundError {
    fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::Mirror(error) => error.diagnostics(),
            Self::Client(error) => error.diagnostics(),
            Self::Host(error) => error.diagnostics(),
            Self::Name(error) => error.diagnostics(),
            Self::File(error) => error.diagnostics(),
            Self::VirtualPackage(_) => vec![Diagnostic::error("virtual-package", self.to_string())],
            Self::Platform(text) => {
                let known: Vec<_> = Subdir::all().map(Subdir::as_str).collect();
                let near = nearest(text, known.iter().copied());
                let near = near.map(|near| format!("did you mean `{near}`?"));
                vec![Diagnostic::error("unknown-platform", self.to_string()).with_help(
                    near.unwrap_or_else(|| "such as linux-64, osx-arm64, win-64".into()),
                )]
            }
            Self::Date(_) => vec![
                Diagnostic::error("date", self.to_string())
                    .with_help("write `2026-06-30`, `2026-06-30T12:00:00Z` or `never`"),
            ],
            Self::UnknownHost => vec![
                Diagnostic::error("unknown-host", self.to_string())
                    .with_help("solve for another with `--platform linux-64`"),
            ],
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Mirror(error) => error.exit(),
            Self::Client(error) => error.exit(),
            Self::Host(error) => error.exit(),
            Self::Name(error) => error.exit(),
            Self::File(error) => error.exit(),
            Self::VirtualPackage(_) | Self::Platform(_) | Self::Date(_) | Self::UnknownHost => {
                Exit::Usage
            }
        }
    }
}
