//! `doctor`: checks the configuration: sources, cache, links, clock, proxies, certificates.

mod machine;
mod sources;

use std::path::PathBuf;

use envlock_model::spec;

use crate::{
    Context, ENVIRONMENT_FILE, FileError, InputsError, Overrides, Project,
    inputs::{ResolutionInputs, resolve_inputs},
    spawn_blocking,
};

/// The inputs of `doctor`.
#[derive(Debug, Clone)]
pub struct DoctorOptions {
    /// The cache.
    pub cache: PathBuf,
    /// The time.
    pub now: jiff::Timestamp,
    /// The configured proxies.
    pub proxies: Vec<ConfiguredProxy>,
    /// A description of the trusted certificates.
    pub trust_description: String,
    /// The number of trusted certificates; `None` if certificates aren't verified.
    pub certificate_count: Option<usize>,
}

/// A configured proxy.
#[derive(Debug, Clone)]
pub struct ConfiguredProxy {
    /// The proxy without its password, with where it is configured.
    pub description: String,
    /// Why it can't be used, if it can't.
    pub fault: Option<String>,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// The subject: `source`, `cache`, `links`, `clock`, `proxy` or `trust`.
    pub topic: &'static str,
    /// Whether it is in order.
    pub status: CheckStatus,
    /// What was found.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// The status of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckStatus {
    /// The subject is in order.
    Ok,
    /// The status can't be determined.
    Unknown,
    /// The subject has a fault.
    Failed,
}

impl CheckStatus {
    /// Returns the status as one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Failed => "wrong",
        }
    }
}

impl CheckResult {
    fn new(topic: &'static str, status: CheckStatus, message: impl Into<String>) -> Self {
        Self { topic, status, message: message.into(), help: None }
    }

    fn ok(topic: &'static str, message: impl Into<String>) -> Self {
        Self::new(topic, CheckStatus::Ok, message)
    }

    fn unknown(topic: &'static str, message: impl Into<String>) -> Self {
        Self::new(topic, CheckStatus::Unknown, message)
    }

    fn failed(topic: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..Self::new(topic, CheckStatus::Failed, message) }
    }
}

/// Why `doctor` can't run its checks.
#[derive(Debug, thiserror::Error)]
pub enum DoctorError {
    /// A file of the project can't be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The channels can't be resolved.
    #[error(transparent)]
    LockInputs(#[from] InputsError),
}

impl envlock_report::AsFindings for DoctorError {
    fn findings(&self) -> Vec<envlock_report::Finding> {
        match self {
            Self::File(error) => error.findings(),
            Self::LockInputs(error) => error.findings(),
        }
    }

    fn exit(&self) -> envlock_report::Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::LockInputs(error) => error.exit(),
        }
    }
}

/// Runs all checks. Requests the beginning of each index, and writes and removes a file in the
/// cache and one in the prefix's folder.
pub async fn doctor(
    project: &Project,
    request: &DoctorOptions,
    context: &Context<'_>,
) -> Result<Vec<CheckResult>, DoctorError> {
    let none;
    let environment = if let Some(environment) = project.optional_environment()? {
        environment
    } else {
        // Without environment.yml the configured channels are checked.
        none = spec::parse(ENVIRONMENT_FILE, "dependencies: []\n").map_err(FileError::from)?;
        &none
    };
    let overrides = Overrides { platforms: vec![context.host], ..Overrides::default() };
    let resolution =
        resolve_inputs(environment, &overrides, None, ResolutionInputs::new(project, context));
    let channels = resolution.apply(context.client, &mut Vec::new())?.inputs.channels;
    let mut checks = sources::checks(&channels, request.now, context).await;
    let (request, prefix) = (request.clone(), project.prefix_folder());
    checks.extend(spawn_blocking(move || machine::checks(&request, &prefix)).await);
    Ok(checks)
}
