//! The secrets manifest of a project: found, kept in the lock, proven against its policies.

use std::{collections::BTreeMap, future::Future, path::Path, pin::Pin};

use envlock_model::{
    lock::Lock,
    needs::{self, NeedChange},
};
use envlock_report::exposed;
use envlock_report::output::Asked;
use envlock_report::sink::{self, Ended};
use envlock_report::{Code, Exit, Explain, Finding};
use envlock_secrets::{
    checks::{self, CheckError, Input, Outcome},
    facts::Online,
    manifest::{Manifest, ResolvedProfile, ServerDialect},
};
pub use envlock_vault::{
    Address, AddressError, CredentialSources, Identity, Patience, Secret, Settings as VaultSettings,
};
use envlock_vault::{Failure, Question};

use crate::{FileError, Project, blocking::spawn_blocking, files};

/// What `check-secrets` is asked. Variables may hold secrets: it has no `Debug`.
#[derive(Clone)]
pub struct SecretsRequest {
    /// Whether the lock must have the needs of the manifest; not where a manifest is judged by
    /// itself.
    pub compare_lock: bool,
    /// The profile: by flag or variable; else the manifest's default, else all.
    pub profile: Option<String>,
    /// The server, where it isn't the manifest's.
    pub dialect: Option<ServerDialect>,
    /// The moment to judge at.
    pub now: jiff::Timestamp,
    /// Rules that end within so many days are worth a warning.
    pub horizon_days: u32,
    /// The process's variables: those that hold something shaped like a secret are named.
    pub variables: BTreeMap<String, String>,
}

/// Why nothing could be judged.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// A file can't be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The manifest or a policy isn't there, or no such profile.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// Nothing says what is needed.
    #[error("this project has no secrets manifest")]
    NoManifest,
    /// The server can't be asked like this.
    #[error(transparent)]
    Server(Failure),
    /// No profile is named, and the credentials that are present don't say which one is meant.
    #[error("{}", no_profile_message(with_credentials))]
    AmbiguousProfile {
        /// The profiles whose credentials are here.
        with_credentials: Vec<String>,
        /// The others.
        without_credentials: Vec<String>,
    },
    /// The lock says something else than the manifest.
    #[error("the lock's needs are not those of the manifest")]
    Stale {
        /// The difference, need by need.
        changes: Vec<NeedChange>,
    },
}

impl Explain for SecretsError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::File(error) => error.findings(),
            Self::Check(error) => error.findings(),
            Self::NoManifest => vec![Finding::new(Code::NoManifest, self.to_string()).with_help(
                "write secrets.yml beside environment.yml, or a `secrets:` key in it; or \
                     name another with `--manifest FILE`",
            )],
            Self::Server(failure) => failure.findings(),
            Self::AmbiguousProfile { with_credentials, without_credentials } => {
                let names: Vec<_> = with_credentials
                    .iter()
                    .chain(without_credentials)
                    .map(String::as_str)
                    .collect();
                vec![
                    Finding::new(Code::NoProfile, self.to_string())
                        .with_help(match names.as_slice() {
                        [] => "give the manifest a profile with `auth:`, or judge by the policies \
                               alone: `--offline`"
                            .to_owned(),
                        names => format!("name one with `--profile`: {}", names.join(", ")),
                    }),
                ]
            }
            Self::Stale { changes } => {
                let stale = Finding::new(Code::StaleLock, self.to_string());
                let notes = changes.iter().map(NeedChange::to_string);
                vec![notes.fold(stale, Finding::with_note).with_help("run `envlock solve`")]
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::Check(error) => error.exit(),
            Self::Server(failure) => failure.exit(),
            Self::NoManifest | Self::AmbiguousProfile { .. } => Exit::Usage,
            Self::Stale { .. } => Exit::Stale,
        }
    }
}

fn no_profile_message(with_credentials: &[String]) -> String {
    match with_credentials {
        [] => "no profile is named, and there are credentials for none".to_owned(),
        with_credentials => format!(
            "no profile is named, and there are credentials for {}",
            with_credentials.join(", ")
        ),
    }
}

/// What differs between the needs of a lock and those of the manifest.
pub(crate) fn changes(lock: &Lock, manifest: Option<&Manifest>) -> Vec<NeedChange> {
    needs::changes(lock.needs.as_ref(), manifest.map(Manifest::locked).as_ref())
}

/// A live server to ask in addition to the policies.
pub struct ServerRequest<'a> {
    /// How it is asked.
    pub settings: VaultSettings,
    /// Whoever logs in only looks: rights are judged by the policies alone.
    pub as_verifier: bool,
    /// The profile whose login is used instead of the checked profile's own.
    pub login: Option<String>,
    /// Where credentials come from.
    pub sources: CredentialSources<'a>,
    /// Ready when the user, or the system, wants it to end.
    pub interrupted: &'a (dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Sync),
}

/// What came of a check.
pub struct SecretsReport {
    /// What was found, what each need may do, and the manifest's rules.
    pub outcome: Outcome,
    /// Which server was asked, in whose name; nothing where no server answered.
    pub asked: Option<Asked>,
    /// Why the server had no answer.
    failure: Option<Failure>,
}

impl SecretsReport {
    /// Whether the answer is complete, or why not.
    pub fn ended(&self) -> Ended {
        const ALONE: &str =
            "what is told of rights is what the policies in the repository say, and they alone";
        match &self.failure {
            None => Ended::Done,
            Some(reason) if self.outcome.rights.is_empty() => {
                Ended::Partly(sink::Failure::of(reason))
            }
            Some(reason) => Ended::Partly(sink::Failure::of(reason).with_note(ALONE)),
        }
    }

    /// Whether the user ended it.
    pub fn is_interrupted(&self) -> bool {
        self.failure == Some(Failure::Interrupted)
    }
}

/// Judges the manifest against the policies that it names and, where there is one to ask,
/// against a server. No value is read.
pub async fn check(
    project: &Project,
    request: &SecretsRequest,
    server: Option<ServerRequest<'_>>,
) -> Result<SecretsReport, SecretsError> {
    let compare_lock = request.compare_lock;
    project
        .read(move |project| {
            let manifest = project.manifest()?;
            if manifest.is_some() && compare_lock { project.lock().map(drop) } else { Ok(()) }
        })
        .await?;
    let (manifest, text) = project.manifest_with_text()?.ok_or(SecretsError::NoManifest)?;
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
    outcome.findings.extend(exposed::in_file(&manifest.file, text));
    outcome.findings.extend(in_variables(manifest, &request.variables));
    outcome.findings.extend(server_findings);
    let asked = online.map(|online| asked_server(online, profile.as_deref().unwrap_or_default()));
    Ok(SecretsReport { outcome, asked, failure })
}

/// What the answer says of who was asked.
fn asked_server(online: Online, profile: &str) -> Asked {
    let Online { server, token, .. } = online;
    Asked {
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

/// The profile to ask a server about: the one that is named, else the only one whose
/// credentials are here.
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
    let names_of = |profiles: &[ResolvedProfile]| profiles.iter().map(|p| p.name.clone()).collect();
    let (mut with_credentials, without_credentials): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|profile| envlock_vault::present(profile, sources));
    if with_credentials.len() == 1
        && let Some(profile) = with_credentials.pop()
    {
        return Ok(profile);
    }
    Err(SecretsError::AmbiguousProfile {
        with_credentials: names_of(&with_credentials),
        without_credentials: names_of(&without_credentials),
    })
}

/// What the server says about `profile`.
async fn ask_server(
    manifest: &Manifest,
    profile: &ResolvedProfile,
    server: ServerRequest<'_>,
) -> Result<(Result<Online, Failure>, Vec<Finding>), SecretsError> {
    let ServerRequest { mut settings, as_verifier, login, sources, interrupted } = server;
    let other = match login {
        Some(name) => Some(manifest.profile(&name).ok_or_else(|| CheckError::NoProfile {
            known: manifest.profiles.keys().cloned().collect(),
            name,
        })?),
        None => None,
    };
    let auth = other.as_ref().unwrap_or(profile).auth.as_ref();
    let question = Question { profile, auth, as_verifier, sources, interrupted };
    let report = envlock_vault::question(&mut settings, &question).await;
    match report.facts {
        // The address and the credentials are the user's own: nothing was asked.
        Err(failure) if failure.exit() == Exit::Usage => Err(SecretsError::Server(failure)),
        facts => Ok((facts, report.said)),
    }
}

/// The texts of the policy files that exist. The check that needs a missing one reports it, with the
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

/// Variables that only the manifest's credentials go through may hold secrets; any other that
/// envlock knows may not.
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
    exposed::in_variables(suspects)
}
