//! What every command needs of flags and surroundings.

use std::path::{Path, PathBuf};

use envlock_channel::{Client, ClientError, Trust, VirtualPackageError};
use envlock_config::{Configuration, Scalar, Set, Setter, key};
use envlock_model::{
    channel::Rules,
    platform::{self, UnknownPlatform},
    question::Priority,
    virtual_packages::{self, InvalidVirtualPackage, Setting},
};
use envlock_pipeline::{Ambient, FileError, own_prefix};
use envlock_report::{Code, Exit, Explain, Finding};
use rattler_conda_types::{GenericVirtualPackage, Subdir};

use crate::{
    args::{Files, Network, Where},
    settings::{
        ConfigurationError, NameError, NetworkError, Reach, Settings, configuration,
        missing_condarc, named_prefix, reach,
    },
    ui::{Answer, Ui},
};

/// The program as a command sees it.
pub(crate) struct App<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) ui: &'a Ui,
}

/// What one use case stands on; lends itself as an [`Ambient`].
pub(crate) struct Ground {
    client: Client,
    trust: Trust,
    configuration: Configuration,
    rules: Rules,
    warnings: Vec<Finding>,
    host: Subdir,
    host_packages: Vec<GenericVirtualPackage>,
}

/// What is wrong with flags or surroundings.
#[derive(Debug)]
pub(crate) enum GroundError {
    Configuration(ConfigurationError),
    Network(NetworkError),
    Client(ClientError),
    Host(VirtualPackageError),
    VirtualPackage(InvalidVirtualPackage),
    Platform(UnknownPlatform),
    Date(String),
    UnknownHost,
    Name(NameError),
    File(FileError),
}

impl App<'_> {
    /// All that is configured for a project.
    pub(crate) fn configuration(
        &self,
        files: &Files,
        network: &Network,
    ) -> Result<Configuration, GroundError> {
        let first = files.file.first().map_or(Path::new("environment.yml"), PathBuf::as_path);
        let folder = first.parent().unwrap_or(Path::new(""));
        configuration(self.settings, folder, network).map_err(GroundError::Configuration)
    }

    /// Makes what a use case stands on. Reads the configuration and touches nothing else.
    pub(crate) fn ground(&self, files: &Files, network: &Network) -> Result<Ground, GroundError> {
        let configuration = self.configuration(files, network)?;
        let Reach { settings, rules, warnings } =
            reach(self.settings, &configuration).map_err(GroundError::Network)?;
        let trust = settings.trust.clone();
        let client = Client::new(settings).map_err(GroundError::Client)?;
        let host = Subdir::current().ok_or(GroundError::UnknownHost)?;
        let host_packages =
            envlock_channel::host(&self.settings.variables).map_err(GroundError::Host)?;
        let warnings = missing_condarc(self.settings).into_iter().chain(warnings).collect();
        Ok(Ground { client, trust, configuration, rules, warnings, host, host_packages })
    }

    /// `CONDA_OVERRIDE_*` and then `--virtual-package`, which wins.
    pub(crate) fn virtual_packages(&self, flags: &[String]) -> Result<Vec<Setting>, GroundError> {
        let mut settings = self.settings.conda_overrides().map_err(GroundError::VirtualPackage)?;
        let flags = virtual_packages::parse_all(flags.iter().map(String::as_str));
        settings.extend(flags.map_err(GroundError::VirtualPackage)?);
        Ok(settings)
    }

    /// The prefix that `-p` or `-n` names; none when neither is given.
    pub(crate) fn prefix(&self, at: &Where, files: &Files) -> Result<Option<PathBuf>, GroundError> {
        match (&at.prefix, &at.name) {
            (Some(prefix), _) => Ok(Some(self.settings.absolute(prefix))),
            (None, Some(name)) => {
                let configuration = self.configuration(files, &Network::default())?;
                let prefix = named_prefix(self.settings, &configuration, name);
                prefix.map(Some).map_err(GroundError::Name)
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
        match self.prefix(at, files)? {
            Some(prefix) => Ok(prefix),
            None => own_prefix(&lock_path(files)).map_err(GroundError::File),
        }
    }
}

impl Ground {
    pub(crate) fn ambient<'a>(&'a self, app: &'a App<'_>) -> Ambient<'a> {
        Ambient {
            client: &self.client,
            configuration: &self.configuration,
            rules: &self.rules,
            variables: &app.settings.variables,
            host: self.host,
            host_packages: &self.host_packages,
            observer: app.ui.progress(),
        }
    }

    /// All that is configured.
    pub(crate) fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// Whose certificates are believed.
    pub(crate) fn trust(&self) -> &Trust {
        &self.trust
    }

    /// The priority that the configuration sets. A lock that is there is asked first where
    /// only a file of this machine's says something: that isn't the project's word.
    pub(crate) fn priority(&self, is_check: bool) -> Option<Priority> {
        match self.configuration.one(&key::CHANNEL_PRIORITY)? {
            Set { by: Setter::Default, .. } => None,
            Set { by: Setter::File(place), .. } if is_check && !is_project(&place.file) => None,
            Set { value: Scalar::Priority(priority), .. } => Some(*priority),
            Set { .. } => None,
        }
    }

    /// With the keys of `.condarc` that nothing was done with: once, where a lock is made.
    pub(crate) fn with_unused<T>(&self, mut answer: Answer<T>) -> Answer<T> {
        answer.diagnostics.extend(self.configuration.unused());
        answer
    }

    /// What has to be said of the configuration in every run, before the answer's own.
    pub(crate) fn with_warnings<T>(&self, mut answer: Answer<T>) -> Answer<T> {
        answer.diagnostics.splice(0..0, self.warnings.iter().cloned());
        answer
    }
}

fn is_project(file: &str) -> bool {
    Path::new(file).file_name().is_some_and(|name| name == envlock_config::PROJECT_FILE)
}

/// The lock: as named, else beside the environment file.
pub(crate) fn lock_path(files: &Files) -> PathBuf {
    let beside = || {
        let first = files.file.first().map_or(Path::new("environment.yml"), PathBuf::as_path);
        first.with_file_name(envlock_model::lock::FILE_NAME)
    };
    files.lock.clone().unwrap_or_else(beside)
}

/// Reads a time as typed; a date is its whole day.
pub(crate) fn time(text: &str) -> Result<jiff::Timestamp, GroundError> {
    let end_of_day = |date: jiff::civil::Date| {
        date.at(23, 59, 59, 0).to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp())
    };
    let time = text.parse::<jiff::Timestamp>();
    time.or_else(|_| text.parse::<jiff::civil::Date>().and_then(end_of_day))
        .map_err(|_| GroundError::Date(text.to_owned()))
}

/// Reads a platform as typed.
pub(crate) fn platform(text: &str) -> Result<Subdir, GroundError> {
    platform::parse(text).map_err(GroundError::Platform)
}

impl std::fmt::Display for GroundError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Configuration(error) => error.fmt(f),
            Self::Network(error) => error.fmt(f),
            Self::Client(error) => error.fmt(f),
            Self::Host(error) => error.fmt(f),
            Self::VirtualPackage(error) => error.fmt(f),
            Self::Platform(error) => error.fmt(f),
            Self::Date(text) => write!(f, "`{text}` is not a date"),
            Self::UnknownHost => f.write_str("conda has no name for this machine's platform"),
            Self::Name(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for GroundError {}

impl Explain for GroundError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Configuration(error) => error.findings(),
            Self::Network(error) => error.findings(),
            Self::Client(error) => error.findings(),
            Self::Host(error) => error.findings(),
            Self::Name(error) => error.findings(),
            Self::File(error) => error.findings(),
            Self::VirtualPackage(_) => vec![Finding::new(Code::VirtualPackage, self.to_string())],
            Self::Platform(error) => error.findings(),
            Self::Date(_) => vec![Finding::new(Code::Date, self.to_string()).with_help(
                "write `2026-06-30` or `2026-06-30T12:00:00Z`; `--exclude-newer` takes `never`, \
                         too",
            )],
            Self::UnknownHost => vec![
                Finding::new(Code::UnknownHost, self.to_string())
                    .with_help("solve for another with `--platform linux-64`"),
            ],
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Configuration(error) => error.exit(),
            Self::Network(error) => error.exit(),
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
