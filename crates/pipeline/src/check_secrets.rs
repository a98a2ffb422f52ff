//! Checks the secrets manifest of a project against the lock, the policies and a server.

use std::{collections::BTreeMap, future::Future, path::Path, pin::Pin};

use envlock_model::{
    lock::Lock,
    needs::{self, StaleNeed},
};
use envlock_report::outcome::{self, Completion, LevelOverrides};
use envlock_report::output::CheckedServer;
use envlock_report::secret_scan;
use envlock_report::{AsFindings, Code, Exit, Finding, Level};
use envlock_secrets::{
    checks::{self, CheckError, Input, Outcome},
    facts::ServerFacts,
    manifest::{Manifest, ResolvedProfile, RuntimeValue, TargetServers},
};
pub use envlock_vault::{
    Address, AddressError, ClientIdentity, CredentialSources, RetryPolicy, Secret,
    Settings as VaultSettings,
};
use envlock_vault::{ProbeError, ProbeRequest};

use crate::{FileError, Project, files, spawn_blocking};

/// The inputs of `check-secrets`. Variables may hold secrets, so the type has no `Debug`.
#[derive(Clone)]
pub struct CheckSecretsOptions {
    /// Whether the lock must have the needs of the manifest. False if only a manifest is checked.
    pub compare_lock: bool,
    /// The profile: by flag or variable; else the manifest's default, else all.
    pub profile: Option<String>,
    /// The server dialect, if it isn't the manifest's.
    pub dialect: Option<TargetServers>,
    /// The time for which the policies are evaluated.
    pub now: jiff::Timestamp,
    /// The number of days within which the end of a rule, or of a version of a secret, is a warning.
    pub horizon_days: u32,
    /// The namespace of the profiles that name none; `""` is the root namespace.
    pub namespace: String,
    /// The variables of the process. Those whose value looks like a secret are findings.
    pub variables: BTreeMap<String, String>,
}

/// Why the check isn't possible.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// A file can't be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// A policy or a profile is missing.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The project has no secrets manifest.
    #[error("this project has no secrets manifest")]
    NoManifest,
    /// There is a manifest, and neither an environment nor a lock to compare it with.
    #[error("there is no environment.yml and no lock next to {manifest}")]
    ManifestAlone {
        /// The manifest.
        manifest: String,
    },
    /// The URL or the credentials of the server can't be used.
    #[error(transparent)]
    Server(ProbeError),
    /// No profile is named, and not exactly one profile has credentials.
    #[error("{}", no_profile_message(with_credentials))]
    AmbiguousProfile {
        /// The profiles that have credentials.
        with_credentials: Vec<String>,
        /// The profiles that lack some, each with what is missing.
        without_credentials: Vec<(String, Vec<String>)>,
    },
    /// The needs in the lock differ from those of the manifest.
    #[error("the lock's needs differ from those of the manifest")]
    Stale {
        /// The difference, need by need.
        changes: Vec<StaleNeed>,
    },
}

impl AsFindings for SecretsError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::File(error) => error.findings(),
            Self::Check(error) => error.findings(),
            Self::NoManifest => vec![Finding::new(Code::NoManifest, self.to_string()).with_help(
                "name a manifest with `--manifest FILE`, or write the first one: `envlock secrets \
                 init`",
            )],
            Self::ManifestAlone { manifest } => {
                let help = format!(
                    "check the manifest alone: `--manifest {manifest}`; or name the environment: \
                     `-f FILE`"
                );
                vec![Finding::new(Code::NoSuchFile, self.to_string()).with_help(help)]
            }
            Self::Server(failure) => failure.findings(),
            Self::AmbiguousProfile { with_credentials, without_credentials } => {
                let names: Vec<_> = with_credentials
                    .iter()
                    .chain(without_credentials.iter().map(|(name, _)| name))
                    .map(String::as_str)
                    .collect();
                let missing = without_credentials.iter().filter(|_| with_credentials.is_empty());
                let missing = missing
                    .map(|(name, missing)| format!("profile {name}: {}", missing.join(", ")));
                let finding = Finding::new(Code::NoProfile, self.to_string());
                let finding = missing.fold(finding, Finding::with_note);
                vec![finding.with_help(match names.as_slice() {
                    [] => "add a profile with `auth:` to the manifest, or check only the policies: \
                           `--offline`"
                        .to_owned(),
                    names if with_credentials.is_empty() => format!(
                        "set what is missing of one, or check only the policies: `--offline` \
                         (the profiles are {})",
                        names.join(", ")
                    ),
                    names => format!("name one with `--profile`: {}", names.join(", ")),
                })]
            }
            Self::Stale { changes } => {
                let stale = Finding::new(Code::StaleLock, self.to_string());
                let notes = changes.iter().map(StaleNeed::to_string);
                vec![notes.fold(stale, Finding::with_note).with_help("run `envlock solve`")]
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::Check(error) => error.exit(),
            Self::Server(failure) => failure.exit(),
            Self::NoManifest | Self::ManifestAlone { .. } | Self::AmbiguousProfile { .. } => {
                Exit::Usage
            }
            Self::Stale { .. } => Exit::Stale,
        }
    }
}

fn no_profile_message(with_credentials: &[String]) -> String {
    match with_credentials {
        [] => "no profile is named, and no profile has credentials".to_owned(),
        with_credentials => format!(
            "no profile is named, and several have credentials: {}",
            with_credentials.join(", ")
        ),
    }
}

/// Returns the differences between the needs of a lock and those of the manifest.
pub(crate) fn changes(lock: &Lock, manifest: Option<&Manifest>) -> Vec<StaleNeed> {
    needs::changes(lock.needs.as_ref(), manifest.map(Manifest::locked).as_ref())
}

/// The server to ask in addition to the policies.
pub struct ServerCheck<'a> {
    /// The settings of the client.
    pub settings: VaultSettings,
    /// The login is a presence check's: rights are checked against the policies only.
    pub presence_only: bool,
    /// The profile whose login is used instead of the checked profile's own.
    pub login: Option<String>,
    /// Where credentials come from.
    pub sources: CredentialSources<'a>,
    /// Completes when the user or the system interrupts the command.
    pub interrupted: &'a (dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Sync),
}

/// The result of `check-secrets`.
pub struct CheckSecretsReport {
    /// The findings, the rows of the table, and the manifest's rules.
    pub outcome: Outcome,
    /// The server that was checked, and the token's properties; `None` if no server responded.
    pub checked_server: Option<CheckedServer>,
    /// Why the server couldn't be checked.
    failure: Option<ProbeError>,
}

impl CheckSecretsReport {
    /// Returns whether the answer is complete, or why not.
    pub fn completion(&self) -> Completion {
        const ALONE: &str = "the rights are those of the policies in the repository; the server didn't confirm them";
        match &self.failure {
            None => Completion::Complete,
            Some(reason) if self.outcome.rows.is_empty() => {
                Completion::Partial(outcome::Failure::from_error(reason))
            }
            Some(reason) => {
                Completion::Partial(outcome::Failure::from_error(reason).with_note(ALONE))
            }
        }
    }

    /// Whether the user interrupted the command.
    pub fn is_interrupted(&self) -> bool {
        self.failure == Some(ProbeError::Interrupted)
    }
}

/// Checks the manifest against the policies that it names, and against a server if one is given.
/// No secret value is read.
pub async fn check(
    project: &Project,
    request: &CheckSecretsOptions,
    server: Option<ServerCheck<'_>>,
) -> Result<CheckSecretsReport, SecretsError> {
    let compare_lock = request.compare_lock;
    project
        .read_blocking(move |project| {
            let Some(manifest) = project.manifest()?.filter(|_| compare_lock) else {
                return Ok(());
            };
            if project.optional_environment()?.is_none() && project.existing_lock()?.is_none() {
                return Err(SecretsError::ManifestAlone { manifest: manifest.file.clone() });
            }
            Ok(project.lock().map(drop)?)
        })
        .await?;
    let Some((manifest, text)) = project.manifest_with_text()? else {
        return without_manifest(project, compare_lock);
    };
    let manifest = &with_namespaces(manifest, &request.namespace, &request.variables);
    if compare_lock {
        let changes = changes(project.lock()?, Some(manifest));
        if !changes.is_empty() {
            return Err(SecretsError::Stale { changes });
        }
    }
    let policy_files: Vec<String> = manifest.policy_files().into_iter().collect();
    let policies = spawn_blocking(move || read_texts(policy_files)).await?;
    let mut profile = request.profile.clone().or_else(|| manifest.default.clone());
    let (mut online, mut failure, mut server_findings) = (None, None, Vec::new());
    if let Some(server) = server {
        let chosen = choose_profile(manifest, profile, server.sources)?;
        match ask_server(manifest, &chosen, server).await? {
            (Ok(facts), warnings) => (online, server_findings) = (Some(facts), warnings),
            (Err(reason), warnings) => (failure, server_findings) = (Some(reason), warnings),
        }
        profile = Some(chosen.name);
    }
    let mut outcome = checks::check(&Input {
        manifest,
        files: &policies,
        profile: profile.as_deref(),
        dialect: request.dialect,
        now: request.now,
        horizon_days: request.horizon_days,
        online: online.as_ref(),
    })?;
    outcome.findings.extend(secret_scan::secrets_in_file(&manifest.file, text));
    outcome.findings.extend(in_variables(manifest, &request.variables));
    outcome.findings.extend(server_findings);
    let checked_server =
        online.map(|online| checked_server(online, profile.as_deref().unwrap_or_default()));
    Ok(CheckSecretsReport { outcome, checked_server, failure })
}

/// Sets the namespaces of the profiles, as the login reads them.
pub(crate) fn with_namespaces(
    manifest: &Manifest,
    default: &str,
    variables: &BTreeMap<String, String>,
) -> Manifest {
    let variable = |name: &str| variables.get(name).cloned();
    let home = variables.get("HOME").map(Path::new);
    let sources = CredentialSources { variable: &variable, home };
    let read = |value: &RuntimeValue| sources.read_name("namespace", value).ok();
    manifest.clone().with_namespaces(default, read)
}

/// Whether the project has a secrets manifest. Without one no server is needed.
///
/// # Errors
/// A file can't be read, or isn't valid.
pub async fn has_manifest(project: &Project) -> Result<bool, SecretsError> {
    project.read_blocking(|project| project.manifest().map(drop)).await?;
    Ok(project.manifest()?.is_some())
}

/// Returns the report on a project without a secrets manifest: it passes, because no credential is
/// needed. A lock that still has needs is stale, and a directory without a project is an error.
fn without_manifest(
    project: &Project,
    compare_lock: bool,
) -> Result<CheckSecretsReport, SecretsError> {
    if project.optional_environment()?.is_none() {
        return Err(SecretsError::NoManifest);
    }
    if compare_lock && let Some(lock) = project.existing_lock()? {
        let changes = changes(lock, None);
        if !changes.is_empty() {
            return Err(SecretsError::Stale { changes });
        }
    }
    let message = "no needs: this project has no secrets manifest";
    let note = Finding::new(Code::NoManifest, message).at_level(Level::Note);
    let outcome =
        Outcome { findings: vec![note], rows: Vec::new(), overrides: LevelOverrides::default() };
    Ok(CheckSecretsReport { outcome, checked_server: None, failure: None })
}

/// Describes the server that was checked, and the token.
fn checked_server(online: ServerFacts, profile: &str) -> CheckedServer {
    let ServerFacts { server, token, .. } = online;
    CheckedServer {
        server: server.address,
        version: server.version,
        clock_ahead: server.clock_ahead.map(|ahead| ahead.as_secs()),
        profile: profile.to_owned(),
        logged_in: token.logged_in,
        policies: token.policies,
        token_ttl: token.ttl,
        renewable: token.renewable,
        uses_left: token.uses_left,
    }
}

/// Chooses the profile to ask a server about: the named one, else the only one that has
/// credentials.
fn choose_profile(
    manifest: &Manifest,
    named: Option<String>,
    sources: CredentialSources<'_>,
) -> Result<ResolvedProfile, SecretsError> {
    let known = || manifest.profiles.keys().cloned();
    if let Some(name) = named {
        let profile = manifest.profile(&name);
        return Ok(profile.ok_or_else(|| CheckError::NoProfile { name, known: known().collect() })?);
    }
    let all: Vec<_> = known().filter_map(|name| manifest.profile(&name)).collect();
    let missing = |profile: &ResolvedProfile| envlock_vault::missing_credentials(profile, sources);
    let (mut with_credentials, without_credentials): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|profile| missing(profile).is_empty());
    if with_credentials.len() == 1
        && let Some(profile) = with_credentials.pop()
    {
        return Ok(profile);
    }
    Err(SecretsError::AmbiguousProfile {
        with_credentials: with_credentials.into_iter().map(|profile| profile.name).collect(),
        without_credentials: without_credentials
            .into_iter()
            .map(|profile| (profile.name.clone(), missing(&profile)))
            .collect(),
    })
}

/// Asks the server about `profile`.
async fn ask_server(
    manifest: &Manifest,
    profile: &ResolvedProfile,
    server: ServerCheck<'_>,
) -> Result<(Result<ServerFacts, ProbeError>, Vec<Finding>), SecretsError> {
    let ServerCheck { mut settings, presence_only, login, sources, interrupted } = server;
    let other = match login {
        Some(name) => Some(manifest.profile(&name).ok_or_else(|| CheckError::NoProfile {
            known: manifest.profiles.keys().cloned().collect(),
            name,
        })?),
        None => None,
    };
    let auth = other.as_ref().unwrap_or(profile).auth.as_ref();
    let inputs = ProbeRequest { profile, auth, presence_only, sources, interrupted };
    let report = envlock_vault::probe(&mut settings, &inputs).await;
    match report.facts {
        // The URL or the credentials are wrong: nothing was sent.
        Err(failure) if failure.exit() == Exit::Usage => Err(SecretsError::Server(failure)),
        facts => Ok((facts, report.findings)),
    }
}

/// Reads the policy files that exist. The check that needs a missing file reports it, with the
/// line that names it.
pub fn read_texts(
    paths: impl IntoIterator<Item = String>,
) -> Result<BTreeMap<String, String>, FileError> {
    let mut texts = BTreeMap::new();
    for path in paths {
        let Some(text) = files::policy_text(Path::new(&path))? else { continue };
        texts.insert(path, text);
    }
    Ok(texts)
}

/// Finds secrets in variables that must not hold any: the manifest's target variables and
/// `ENVLOCK_*`.
fn in_variables(manifest: &Manifest, variables: &BTreeMap<String, String>) -> Vec<Finding> {
    let targets: Vec<&str> = manifest
        .needs
        .values()
        .flat_map(|need| need.fields.values())
        .map(|target| target.env.as_str())
        .collect();
    let suspects = variables
        .iter()
        .filter(|(name, _)| targets.contains(&name.as_str()) || name.starts_with("ENVLOCK_"))
        .map(|(name, value)| (name.as_str(), value.as_str()));
    secret_scan::secrets_in_variables(suspects)
}
