//! The secrets manifest of a project: found, kept in the lock, proven against its policies.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use envlock_model::lock::Lock;
use envlock_report::{Diagnostic, Exit, Explain, Finding};
use envlock_secrets::{
    canary,
    checks::{self, CheckError, Input, Outcome},
    manifest::{Change, LockedNeeds, Manifest, Notation, ServerDialect},
    source,
};

use crate::{FileError, files};

/// The manifest's own file, beside environment.yml.
const FILE_NAME: &str = "secrets.yml";

/// Which manifest is meant.
#[derive(Debug, Clone)]
pub struct ManifestRequest {
    /// The environment files.
    pub environments: Vec<PathBuf>,
    /// A manifest by its path, whatever stands beside environment.yml.
    pub manifest: Option<PathBuf>,
}

/// What `check-secrets` is asked.
#[derive(Debug, Clone)]
pub struct SecretsRequest {
    /// Which manifest.
    pub manifest: ManifestRequest,
    /// The lock; none where a manifest is judged by itself.
    pub lock: Option<PathBuf>,
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
    /// The lock says something else than the manifest.
    #[error("the lock's needs are not those of the manifest")]
    Stale {
        /// The difference, need by need.
        changes: Vec<String>,
    },
}

impl Explain for SecretsError {
    fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::File(error) => error.diagnostics(),
            Self::Check(error) => error.diagnostics(),
            Self::NoManifest => vec![Diagnostic::error("no-manifest", self.to_string()).with_help(
                "write secrets.yml beside environment.yml, or a `secrets:` key in it; or \
                     name another with `--manifest FILE`",
            )],
            Self::Stale { changes } => {
                let mut diagnostic = Diagnostic::error("stale-lock", self.to_string());
                diagnostic.notes.clone_from(changes);
                vec![diagnostic.with_help("run `envlock solve`")]
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::Check(error) => error.exit(),
            Self::NoManifest => Exit::Usage,
            Self::Stale { .. } => Exit::Stale,
        }
    }
}

/// The manifest that is meant, if there is one.
pub fn manifest(request: &ManifestRequest) -> Result<Option<Manifest>, FileError> {
    if let Some(path) = &request.manifest {
        let text = manifest_text(path)?.ok_or_else(|| FileError::Absent {
            path: path.clone(),
            help: "name the manifest's file with `--manifest FILE`".to_owned(),
        })?;
        // Somebody may well name an environment.yml that holds it.
        let inside = Manifest::parse(&files::shown(path), &text, Notation::InEnvironment);
        return match inside? {
            Some(manifest) => Ok(Some(manifest)),
            None => Ok(Manifest::parse(&files::shown(path), &text, Notation::Own)?),
        };
    }
    let first = request.environments.first().map_or(Path::new("environment.yml"), |p| p.as_path());
    let own = first.with_file_name(FILE_NAME);
    let own_text = manifest_text(&own)?;
    let mut inside = None;
    for path in &request.environments {
        if let Some(text) = files::text(path)? {
            let found = Manifest::parse(&files::shown(path), &text, Notation::InEnvironment)?;
            inside = inside.or(found);
        }
    }
    match (own_text, inside) {
        (Some(_), Some(inside)) => Err(FileError::TwoManifests {
            own: files::shown(&own),
            environment: inside.file.clone(),
        }),
        (Some(text), None) => Ok(Manifest::parse(&files::shown(&own), &text, Notation::Own)?),
        (None, inside) => Ok(inside),
    }
}

/// A manifest's text, as its reader takes it in; none where there is no file.
fn manifest_text(path: &Path) -> Result<Option<String>, FileError> {
    Ok(texts([files::shown(path)])?.into_values().next())
}

/// What a lock carries of a manifest.
pub(crate) fn locked(manifest: Option<&Manifest>) -> Option<serde_yaml::Value> {
    manifest.and_then(|manifest| serde_yaml::to_value(manifest.locked()).ok())
}

/// The needs that a lock carries.
pub(crate) fn needs(lock: &Lock) -> Option<LockedNeeds> {
    lock.secrets.clone().and_then(|value| serde_yaml::from_value(value).ok())
}

/// What the lock's needs lack or have too many of, in words.
pub(crate) fn changes(
    locked: Option<&serde_yaml::Value>,
    manifest: Option<&Manifest>,
) -> Vec<String> {
    let needs = locked.and_then(|value| serde_yaml::from_value::<LockedNeeds>(value.clone()).ok());
    match (needs, manifest) {
        (None, None) => Vec::new(),
        (None, Some(_)) => {
            vec!["the lock carries no secrets manifest, and there is one".to_owned()]
        }
        (Some(_), None) => {
            vec!["the lock carries a secrets manifest, and there is none".to_owned()]
        }
        (Some(needs), Some(manifest)) => {
            needs.changes(manifest).iter().map(Change::to_string).collect()
        }
    }
}

/// Judges the manifest against the policies that it names. No server is asked and no value
/// read.
pub fn check(request: &SecretsRequest) -> Result<(Manifest, Outcome), SecretsError> {
    let manifest = manifest(&request.manifest)?.ok_or(SecretsError::NoManifest)?;
    if let Some(path) = &request.lock {
        let lock = files::lock(path)?;
        let changes = changes(lock.secrets.as_ref(), Some(&manifest));
        if !changes.is_empty() {
            return Err(SecretsError::Stale { changes });
        }
    }
    let policies = texts(manifest.policy_files())?;
    let profile = request.profile.clone().or_else(|| manifest.default.clone());
    let mut outcome = checks::check(&Input {
        manifest: &manifest,
        files: &policies,
        profile: profile.as_deref(),
        dialect: request.dialect,
        now: request.now,
        horizon_days: request.horizon_days,
        online: None,
    })?;
    for (file, text) in texts([manifest.file.clone()])? {
        outcome.findings.extend(canary::in_file(&file, &text));
    }
    outcome.findings.extend(in_variables(&manifest, &request.variables));
    outcome.findings = envlock_report::arrange(outcome.findings);
    Ok((manifest, outcome))
}

/// The texts of files that are there. One that isn't is told by whoever needs it, with the
/// line that names it.
pub fn texts(
    paths: impl IntoIterator<Item = String>,
) -> Result<BTreeMap<String, String>, FileError> {
    let mut texts = BTreeMap::new();
    for path in paths {
        let Some(bytes) = files::bytes(Path::new(&path))? else { continue };
        let text = source::decode(&path, bytes)?;
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
    canary::in_variables(suspects)
}
