//! `envlock check-secrets` and `envlock secrets list`.

use envlock_pipeline::secrets::{ManifestRequest, SecretsError, SecretsRequest};
use envlock_report::{Diagnostic, Exit, Explain, Finding, exit_of, output, render::WIDTH};
use envlock_secrets::{
    checks,
    manifest::{ServerDialect, list},
};

use super::{
    App,
    app::{GroundError, lock_path, time},
};
use crate::{args, ui::Answer};

/// Judges the manifest against its policies.
pub(crate) fn check(args: &args::CheckSecrets, app: &App<'_>) -> Exit {
    if !args.offline {
        let missing = Diagnostic::error("no-online-check", "no server can be asked yet")
            .with_help("judge by the policy files in the repository: `--offline`");
        return app.ui.findings("check-secrets", &[Finding::new(missing)], "", Exit::Usage);
    }
    let outcome = request(args, app)
        .map_err(|error| told(&error))
        .and_then(|r| envlock_pipeline::secrets::check(&r).map_err(|error| told(&error)));
    match outcome {
        Ok((manifest, outcome)) => {
            let deny = args.deny.is_some();
            let raised = |finding: &Finding| manifest.deny.contains(finding.code());
            let exit = match exit_of(&outcome.findings, deny) {
                Exit::Yes if outcome.findings.iter().any(raised) => Exit::Findings,
                exit => exit,
            };
            let table = format!("{}\n", checks::table(&outcome.rights).render(WIDTH));
            app.ui.findings("check-secrets", &outcome.findings, &table, exit)
        }
        Err((findings, exit)) => app.ui.findings("check-secrets", &findings, "", exit),
    }
}

/// An error in the form in which findings are told.
pub(super) fn told(error: &dyn Explain) -> (Vec<Finding>, Exit) {
    (error.diagnostics().into_iter().map(Finding::new).collect(), error.exit())
}

fn request(args: &args::CheckSecrets, app: &App<'_>) -> Result<SecretsRequest, GroundError> {
    let lock = lock_path(&args.subject.files);
    Ok(SecretsRequest {
        manifest: manifest_request(&args.subject),
        lock: args.subject.manifest.is_none().then_some(lock),
        profile: profile(&args.subject, app),
        dialect: args.dialect.map(Into::into),
        now: match &args.at {
            Some(at) => time(at)?,
            None => jiff::Timestamp::now(),
        },
        horizon_days: args.horizon,
        variables: app.settings.variables.clone(),
    })
}

pub(super) fn manifest_request(args: &args::Subject) -> ManifestRequest {
    ManifestRequest { environments: args.files.file.clone(), manifest: args.manifest.clone() }
}

/// By flag, else by variable.
pub(super) fn profile(args: &args::Subject, app: &App<'_>) -> Option<String> {
    let variable = || app.settings.variables.get("ENVLOCK_PROFILE");
    args.profile.clone().or_else(|| variable().filter(|name| !name.is_empty()).cloned())
}

/// Lists the needs.
pub(crate) fn list(args: &args::Subject, app: &App<'_>) -> Exit {
    app.ui.finish("secrets list", listed(args, app))
}

fn listed(args: &args::Subject, app: &App<'_>) -> Answer<output::SecretsList> {
    let manifest = match envlock_pipeline::secrets::manifest(&manifest_request(args)) {
        Ok(Some(manifest)) => manifest,
        Ok(None) => return Answer::failed(&SecretsError::NoManifest),
        Err(error) => return Answer::failed(&error),
    };
    let profile = profile(args, app).map(|name| (manifest.profile(&name), name));
    let profile = match profile {
        Some((None, name)) => {
            let known = manifest.profiles.keys().cloned().collect();
            return Answer::failed(&checks::CheckError::NoProfile { name, known });
        }
        Some((found, _)) => found,
        None => None,
    };
    let table = match &profile {
        Some(profile) => list::of_profile(profile),
        None => list::of_manifest(&manifest),
    };
    let needs: Vec<_> = match &profile {
        Some(profile) => profile.needs.iter().map(|n| need(&n.name, &n.need)).collect(),
        None => manifest.needs.iter().map(|(name, n)| need(name, n)).collect(),
    };
    Answer {
        exit: Exit::Yes,
        diagnostics: Vec::new(),
        result: Some(output::SecretsList { profile: profile.map(|p| p.name), needs }),
        text: table.render(WIDTH),
    }
}

fn need(name: &str, need: &envlock_secrets::manifest::Need) -> output::Need {
    output::Need {
        name: name.to_owned(),
        engine: need.engine.to_string(),
        mount: need.mount.clone(),
        locator: need.locator().to_owned(),
        variables: need.fields.values().map(|target| target.env.clone()).collect(),
        why: need.why.clone(),
    }
}

impl From<args::Server> for ServerDialect {
    fn from(server: args::Server) -> Self {
        match server {
            args::Server::Openbao => Self::OpenBao,
            args::Server::Vault => Self::Vault,
            args::Server::VaultLegacy => Self::VaultLegacy,
            args::Server::Portable => Self::Portable,
        }
    }
}
