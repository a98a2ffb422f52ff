//! The configuration: the files that conda reads, envlock.toml next to environment.yml, variables
//! and flags.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use envlock_config::{
    Configuration, InvalidConfiguration, Layer, Scalar, SearchLocation, ValueSource,
    is_condarc_file, key, parse_conda_variables, parse_condarc, parse_network_variables,
    parse_project_config, search_path,
};
use envlock_report::{
    AsFindings, Code, Exit, Finding,
    outcome::{DenySetting, LevelOverrides},
};

use envlock_text::{Fault, Pos, limits::ENVIRONMENT};

use super::ProcessEnvironment;
use crate::flags::NetworkArgs;

/// Why the configuration can't be read.
#[derive(Debug)]
pub(crate) enum ConfigurationError {
    /// A file or a variable is invalid.
    Invalid(InvalidConfiguration),
    /// A file isn't text.
    Text(envlock_text::ReadError),
    /// A file exists and can't be read.
    Unreadable(PathBuf, std::io::Error),
    /// A path is a folder, or a pipe, which may never end.
    NotAFile(PathBuf),
}

impl std::fmt::Display for ConfigurationError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Invalid(error) => error.fmt(f),
            Self::Text(error) => error.fmt(f),
            Self::Unreadable(path, error) => {
                write!(f, "{} can't be read: {error}", path.display())
            }
            Self::NotAFile(path) => {
                let what = if path.is_dir() { "a folder, not a file" } else { "not a file" };
                write!(f, "{} is {what}", path.display())
            }
        }
    }
}

impl std::error::Error for ConfigurationError {}

impl From<InvalidConfiguration> for ConfigurationError {
    fn from(error: InvalidConfiguration) -> Self {
        Self::Invalid(error)
    }
}

impl From<envlock_text::ReadError> for ConfigurationError {
    fn from(error: envlock_text::ReadError) -> Self {
        Self::Text(error)
    }
}

impl AsFindings for ConfigurationError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Invalid(error) => error.findings(),
            Self::Text(error) => error.findings(),
            Self::Unreadable(..) => vec![
                Finding::new(Code::ConfigurationUnreadable, self.to_string())
                    .with_help("make it readable, or move it away"),
            ],
            Self::NotAFile(_) => vec![
                Finding::new(Code::NotAFile, self.to_string())
                    .with_help("make it a file, or move it away"),
            ],
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Invalid(error) => error.exit(),
            Self::Text(error) => error.exit(),
            Self::Unreadable(..) => Exit::Undetermined,
            Self::NotAFile(_) => Exit::Usage,
        }
    }
}

/// Reads the configuration for a project whose configuration file is `project_file`.
pub(crate) fn configuration(
    settings: &ProcessEnvironment,
    project_file: &Path,
    network: &NetworkArgs,
) -> Result<Configuration, ConfigurationError> {
    let mut layers = vec![default_layer(settings), parse_network_variables(&settings.variables)];
    for path in condarc_files(settings) {
        if let Some(text) = text(&path)? {
            layers.push(parse_condarc(&path.display().to_string(), &text)?);
        }
    }
    layers.extend(project_layer(project_file)?);
    layers.push(parse_conda_variables(&settings.variables)?);
    layers.push(flags(network));
    Ok(Configuration::from_layers(&layers))
}

/// Returns the `deny` rules of a project's configuration file. They apply to every command, also to
/// those that read no other configuration.
pub(crate) fn project_overrides(project_file: &Path) -> Result<LevelOverrides, ConfigurationError> {
    let layers: Vec<_> = project_layer(project_file)?.into_iter().collect();
    let configuration = Configuration::from_layers(&layers);
    let deny = configuration.list(&key::DENY).iter().filter_map(|set| {
        let set_by = format!("`deny` of {}", project_file.display());
        Some(DenySetting { target: set.value.parse().ok()?, set_by })
    });
    Ok(LevelOverrides { accept: Vec::new(), deny: deny.collect() })
}

fn project_layer(file: &Path) -> Result<Option<Layer>, ConfigurationError> {
    let Some(text) = text(file)? else { return Ok(None) };
    Ok(Some(parse_project_config(&file.display().to_string(), &text)?))
}

/// Returns a finding if `CONDARC` names a file that doesn't exist. conda ignores it silently.
pub(crate) fn missing_condarc(settings: &ProcessEnvironment) -> Option<Finding> {
    let named = settings.variables.get("CONDARC").filter(|named| !named.is_empty())?;
    let path = settings.absolute(Path::new(named));
    let is_there = path.exists() || named.starts_with('~');
    (!is_there).then(|| {
        Finding::new(Code::MissingCondarc, format!("CONDARC names {named}, which doesn't exist"))
    })
}

/// Returns every existing `.condarc`, in rising priority.
fn condarc_files(settings: &ProcessEnvironment) -> Vec<PathBuf> {
    let variable = |name: &str| settings.variables.get(name).cloned();
    let root = settings.conda_root();
    let mut files = Vec::new();
    for spot in search_path(settings.home.as_deref(), root.as_deref(), &variable) {
        match spot {
            SearchLocation::File(path) => files.push(settings.absolute(&path)),
            SearchLocation::Folder(path) => {
                let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
                let mut inside: Vec<_> = entries
                    .map(|entry| entry.path())
                    .filter(|path| is_condarc_file(path))
                    .collect();
                inside.sort();
                files.extend(inside);
            }
        }
    }
    files.retain(|path| path.is_file());
    files
}

/// Reads a file up to the limit of a configuration; `None` if there is no file.
fn text(path: &Path) -> Result<Option<String>, ConfigurationError> {
    let unreadable = |error| ConfigurationError::Unreadable(path.to_owned(), error);
    let name = path.display().to_string();
    let limit = ENVIRONMENT.bytes;
    let size = match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => {
            return Err(ConfigurationError::NotAFile(path.to_owned()));
        }
        Ok(found) => found.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > limit {
        let bytes = usize::try_from(size).unwrap_or(usize::MAX).max(bytes.len());
        return Err(Fault::TooLarge { bytes, limit }.at(Pos::START.place(&name)).into());
    }
    Ok(Some(envlock_text::decode(&name, bytes)?))
}

/// Returns the defaults, except those that are the same in conda.
fn default_layer(settings: &ProcessEnvironment) -> Layer {
    let mut layer = Layer::default();
    let (cache, by) = settings.cache_dir();
    layer.set_scalar(&key::CACHE_DIR, Scalar::Text(cache.display().to_string()), by);
    let mut set = |key, value| layer.set_scalar(key, value, ValueSource::Default);
    set(&key::CHANNEL_ALIAS, Scalar::Text("https://conda.anaconda.org".to_owned()));
    set(&key::CHANNEL_PRIORITY, Scalar::Priority(envlock_model::lock_inputs::Priority::Strict));
    set(&key::OFFLINE, Scalar::Boolean(false));
    set(&key::SSL_VERIFY, Scalar::Text("true".to_owned()));
    set(&key::CONNECT_TIMEOUT, Scalar::Number(10.0));
    set(&key::READ_TIMEOUT, Scalar::Number(30.0));
    set(&key::MAX_RETRIES, Scalar::Number(3.0));
    set(&key::BACKOFF_FACTOR, Scalar::Number(0.5));
    layer
}

fn flags(network: &NetworkArgs) -> Layer {
    let mut layer = Layer::default();
    if !network.mirror.is_empty() {
        layer.set_list(
            &key::MIRRORS,
            network.mirror.iter().cloned(),
            &ValueSource::Flag("--mirror"),
        );
    }
    for (is_on, key, flag) in [
        (network.offline, &key::OFFLINE, "--offline"),
        (network.no_origin, &key::NO_ORIGIN, "--no-origin"),
    ] {
        if is_on {
            layer.set_scalar(key, Scalar::Boolean(true), ValueSource::Flag(flag));
        }
    }
    layer
}
