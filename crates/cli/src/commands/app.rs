//! The context of the commands: flags, configuration and environment variables.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use envlock_channel::{Client, ClientError, TlsTrust, VirtualPackageError};
use envlock_config::{Configuration, Configured, Scalar, ValueSource, key};
use envlock_model::{
    channel::ChannelConfig,
    lock_inputs::Priority,
    platform::{self, UnknownPlatform},
    virtual_packages::{self, InvalidVirtualPackage, VirtualPackageSetting},
};
use envlock_pipeline::{Context, Project, ProjectFiles};
use envlock_pypi::IndexSources;
use envlock_report::{AsFindings, Code, Exit, Finding, outcome};
use rattler_conda_types::{GenericVirtualPackage, Subdir};

use crate::{
    flags::{FileArgs, ManifestArgs, NetworkArgs, PrefixArgs},
    settings::{
        ChannelSetup, ConfigurationError, EnvironmentNameError, NetworkError, ProcessEnvironment,
        channel_setup, configuration, index_sources, missing_condarc, named_prefix,
    },
    ui::{CommandOutput, Ui},
};

/// The settings and the output of the program, for commands.
pub(crate) struct App<'a> {
    pub(crate) settings: &'a ProcessEnvironment,
    pub(crate) ui: &'a Ui,
}

/// The project, client and settings that a command runs with.
pub(crate) struct Setup<'a> {
    pub(crate) project: Project,
    app: &'a App<'a>,
    client: Arc<Client>,
    trust: TlsTrust,
    pypi: IndexSources,
    channel_config: ChannelConfig,
    findings: Vec<Finding>,
    host: Subdir,
    host_packages: Vec<GenericVirtualPackage>,
}

/// An error in flags, configuration or environment variables.
#[derive(Debug)]
pub(crate) enum SetupError {
    Configuration(ConfigurationError),
    Network(NetworkError),
    Client(ClientError),
    Host(VirtualPackageError),
    VirtualPackage(InvalidVirtualPackage),
    Platform(UnknownPlatform),
    Date(String),
    UnknownHost,
    Name(EnvironmentNameError),
}

impl App<'_> {
    /// Reads the configuration for a project.
    pub(crate) fn configuration(
        &self,
        files: &FileArgs,
        network: &NetworkArgs,
    ) -> Result<Configuration, SetupError> {
        let file = ProjectFiles::from(files).configuration();
        configuration(self.settings, &file, network).map_err(SetupError::Configuration)
    }

    /// Reads the configuration and creates the context of a command.
    pub(crate) fn setup(
        &self,
        files: &FileArgs,
        network: &NetworkArgs,
    ) -> Result<Setup<'_>, SetupError> {
        let configuration = self.configuration(files, network)?;
        let ChannelSetup { settings, channel_config, warnings } =
            channel_setup(self.settings, &configuration).map_err(SetupError::Network)?;
        let trust = settings.trust.clone();
        let client = Client::new(settings).map_err(SetupError::Client).map(Arc::new)?;
        let host = Subdir::current().ok_or(SetupError::UnknownHost)?;
        let host_packages = envlock_channel::detect_virtual_packages(&self.settings.variables)
            .map_err(SetupError::Host)?;
        let findings = missing_condarc(self.settings).into_iter().chain(warnings).collect();
        let project = Project::new(files.into(), configuration);
        Ok(Setup {
            project,
            app: self,
            trust,
            pypi: index_sources(self.settings, &client),
            client,
            channel_config,
            findings,
            host,
            host_packages,
        })
    }

    /// Returns `CONDA_OVERRIDE_*` and then `--virtual-package`, which takes precedence.
    pub(crate) fn virtual_packages(
        &self,
        flags: &[String],
    ) -> Result<Vec<VirtualPackageSetting>, SetupError> {
        let mut settings = self.settings.conda_overrides().map_err(SetupError::VirtualPackage)?;
        let flags = virtual_packages::parse_all(flags.iter().map(String::as_str));
        settings.extend(flags.map_err(SetupError::VirtualPackage)?);
        Ok(settings)
    }

    /// Returns the prefix that `-p` or `-n` names; `None` if neither is given.
    pub(crate) fn prefix(
        &self,
        args: &PrefixArgs,
        files: &FileArgs,
    ) -> Result<Option<PathBuf>, SetupError> {
        match (&args.prefix, &args.name) {
            (Some(prefix), _) => Ok(Some(self.settings.absolute(prefix))),
            (None, Some(name)) => {
                let configuration = self.configuration(files, &NetworkArgs::default())?;
                let prefix = named_prefix(self.settings, &configuration, name);
                prefix.map(Some).map_err(SetupError::Name)
            }
            (None, None) => Ok(None),
        }
    }
}

impl From<&FileArgs> for ProjectFiles {
    fn from(files: &FileArgs) -> Self {
        Self { environments: files.file.clone(), lock: files.lock.clone(), manifest: None }
    }
}

impl Setup<'_> {
    /// Returns the context of a use case.
    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            client: &self.client,
            pypi: &self.pypi,
            channel_config: &self.channel_config,
            variables: &self.app.settings.variables,
            host: self.host,
            host_packages: &self.host_packages,
            observer: self.app.ui.progress(),
        }
    }

    /// Returns which certificates are trusted.
    pub(crate) fn trust(&self) -> &TlsTrust {
        &self.trust
    }

    /// Returns the priority that the configuration sets. For a check, one that only a file of this
    /// machine sets doesn't count: it isn't the project's.
    pub(crate) fn priority(&self, is_check: bool) -> Option<Priority> {
        match self.project.configuration().scalar(&key::CHANNEL_PRIORITY)? {
            Configured { set_by: ValueSource::Default, .. } => None,
            Configured { set_by: ValueSource::File(place), .. }
                if is_check && !is_project(&place.file) =>
            {
                None
            }
            Configured { value: Scalar::Priority(priority), .. } => Some(*priority),
            Configured { .. } => None,
        }
    }

    /// Adds a finding for each key of `.condarc` that has no effect, for commands that make a lock.
    pub(crate) fn with_unused_keys<T>(&self, mut answer: CommandOutput<T>) -> CommandOutput<T> {
        answer.findings.extend(self.project.configuration().unused_keys_finding());
        answer
    }

    /// Adds the findings about the configuration and the rules of the secrets manifest.
    pub(crate) fn with_setup_findings<T>(&self, answer: CommandOutput<T>) -> CommandOutput<T> {
        let overrides = manifest_overrides(&self.project, self.app.settings.now);
        answer.with_findings(self.findings.iter().cloned()).with_overrides(overrides)
    }
}

/// Returns the rules of the project's secrets manifest; none if it has no manifest. A manifest that
/// can't be read is an error of the commands that need it.
pub(crate) fn manifest_overrides(
    project: &Project,
    now: jiff::Timestamp,
) -> outcome::LevelOverrides {
    let manifest = project.manifest().ok().flatten();
    manifest.map_or_else(outcome::LevelOverrides::default, |manifest| manifest.level_overrides(now))
}

/// Returns the profile: of the flag, else of the variable.
pub(crate) fn profile(args: &ManifestArgs, app: &App<'_>) -> Option<String> {
    let variable = || app.settings.variables.get("ENVLOCK_PROFILE");
    args.profile.clone().or_else(|| variable().filter(|name| !name.is_empty()).cloned())
}

/// Creates the project of these files with an empty configuration, for commands that read none.
pub(crate) fn project(files: &FileArgs, manifest: Option<&Path>) -> Project {
    let files = ProjectFiles { manifest: manifest.map(Path::to_owned), ..files.into() };
    Project::new(files, Configuration::default())
}

fn is_project(file: &str) -> bool {
    Path::new(file).file_name().is_some_and(|name| name == envlock_config::PROJECT_FILE)
}

/// Parses a time; a date means the end of its day.
pub(crate) fn parse_time(text: &str) -> Result<jiff::Timestamp, SetupError> {
    let end_of_day = |date: jiff::civil::Date| {
        date.at(23, 59, 59, 0).to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp())
    };
    let time = text.parse::<jiff::Timestamp>();
    time.or_else(|_| text.parse::<jiff::civil::Date>().and_then(end_of_day))
        .map_err(|_| SetupError::Date(text.to_owned()))
}

/// Parses a platform.
pub(crate) fn parse_platform(text: &str) -> Result<Subdir, SetupError> {
    platform::parse(text).map_err(SetupError::Platform)
}

impl std::fmt::Display for SetupError {
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
        }
    }
}

impl std::error::Error for SetupError {}

impl AsFindings for SetupError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Configuration(error) => error.findings(),
            Self::Network(error) => error.findings(),
            Self::Client(error) => error.findings(),
            Self::Host(error) => error.findings(),
            Self::Name(error) => error.findings(),
            Self::VirtualPackage(_) => {
                vec![Finding::new(Code::VirtualPackageUnusable, self.to_string())]
            }
            Self::Platform(error) => error.findings(),
            Self::Date(_) => vec![Finding::new(Code::InvalidDate, self.to_string()).with_help(
                "write `2026-06-30` or `2026-06-30T12:00:00Z`; for `--exclude-newer` also \
                 `yesterday`, `7d`, `2w`, `12h` or `never`",
            )],
            Self::UnknownHost => vec![
                Finding::new(Code::UnsupportedHost, self.to_string())
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
            Self::VirtualPackage(_) | Self::Platform(_) | Self::Date(_) | Self::UnknownHost => {
                Exit::Usage
            }
        }
    }
}
