//! `doctor`: tests sources, cache, links, clock, proxies and trust, with help for each.

mod machine;
mod sources;

use std::path::PathBuf;

use envlock_model::spec;

use crate::{
    Context, ENVIRONMENT_FILE, FileError, Overrides, Project, QuestionError,
    blocking::blocking,
    question::{Inputs, settle},
};

/// What `doctor` is asked to look at.
#[derive(Debug, Clone)]
pub struct DoctorRequest {
    /// The cache.
    pub cache: PathBuf,
    /// The time.
    pub now: jiff::Timestamp,
    /// The proxies in force, without passwords, each with who set it.
    pub proxies: Vec<String>,
    /// Whose certificates are trusted, in words.
    pub trusted: String,
    /// How many these are; none where no certificate is verified.
    pub certificates: Option<usize>,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What it was about: `source`, `cache`, `links`, `clock`, `proxy` or `trust`.
    pub topic: &'static str,
    /// Whether it works.
    pub verdict: Verdict,
    /// What was found.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// Whether something works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It is.
    Good,
    /// It is unknown.
    Unknown,
    /// It isn't.
    Wrong,
}

impl Verdict {
    /// In one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Unknown => "unknown",
            Self::Wrong => "wrong",
        }
    }
}

impl Check {
    fn new(topic: &'static str, verdict: Verdict, message: impl Into<String>) -> Self {
        Self { topic, verdict, message: message.into(), help: None }
    }

    fn good(topic: &'static str, message: impl Into<String>) -> Self {
        Self::new(topic, Verdict::Good, message)
    }

    fn unknown(topic: &'static str, message: impl Into<String>) -> Self {
        Self::new(topic, Verdict::Unknown, message)
    }

    fn wrong(topic: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..Self::new(topic, Verdict::Wrong, message) }
    }
}

/// Why `doctor` can't start.
#[derive(Debug, thiserror::Error)]
pub enum DoctorError {
    /// A file of the project can't be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The channels can't be resolved.
    #[error(transparent)]
    Question(#[from] QuestionError),
}

impl envlock_report::Explain for DoctorError {
    fn findings(&self) -> Vec<envlock_report::Finding> {
        match self {
            Self::File(error) => error.findings(),
            Self::Question(error) => error.findings(),
        }
    }

    fn exit(&self) -> envlock_report::Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::Question(error) => error.exit(),
        }
    }
}

/// Runs all checks. Asks the network for the beginning of each index, and writes and
/// removes a file in the cache and one in the prefix's folder.
pub async fn doctor(
    project: &Project,
    request: &DoctorRequest,
    context: &Context<'_>,
) -> Result<Vec<Check>, DoctorError> {
    let none;
    let environment = if let Some(environment) = project.environment_if_any()? {
        environment
    } else {
        // Without one it is what is configured for all.
        none = spec::parse(ENVIRONMENT_FILE, "dependencies: []\n").map_err(FileError::from)?;
        &none
    };
    let overrides = Overrides { platforms: vec![context.host], ..Overrides::default() };
    let settlement = settle(environment, &overrides, None, Inputs::new(project, context));
    let channels = settlement.apply(context.client, &mut Vec::new())?.question.channels;
    let mut checks = sources::checks(&channels, request.now, context).await;
    let (request, prefix) = (request.clone(), project.prefix_folder());
    checks.extend(blocking(move || machine::checks(&request, &prefix)).await);
    Ok(checks)
}
