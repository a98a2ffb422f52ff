//! `envlock check-secrets` and `envlock secrets list`.

use std::sync::Arc;

use envlock_pipeline::secrets::{
    self, CredentialSources, SecretsError, SecretsReport, SecretsRequest, ServerRequest,
};
use envlock_report::{AsFindings, Code, Exit, output, render::paragraph};
use envlock_secrets::{
    checks::{self, Outcome, ResultRow},
    manifest::{ServerDialect, list},
};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use super::{
    App,
    app::{SetupError, project, time},
};
use crate::{
    args,
    settings::vault,
    ui::{Answer, interrupted},
};

/// Checks the manifest against its policies and, unless `--offline` is given, a server.
pub(crate) async fn check(args: &args::CheckSecrets, app: &App<'_>) -> Exit {
    app.ui.finish(match judged(args, app).await {
        Ok(report) => answer(report, app.ui.width()),
        Err(error) => Answer::failed(error.as_ref()),
    })
}

fn answer(report: SecretsReport, width: usize) -> Answer<output::CheckSecrets<ResultRow>> {
    let (ended, is_interrupted) = (report.ended(), report.is_interrupted());
    let SecretsReport { outcome: Outcome { findings, rights, rules }, asked, .. } = report;
    if is_interrupted {
        // Nothing is known, but a login that couldn't be ended is left behind.
        let left = findings.into_iter().filter(|finding| finding.code == Code::LogoutFailed);
        return Answer::failure(interrupted()).with(left);
    }
    let head =
        asked.as_ref().map_or_else(String::new, |a| paragraph(&a.to_string(), "", "  ", width));
    let table = match rights.as_slice() {
        [] => String::new(),
        rights => format!("{}\n", checks::table(rights).render(width)),
    };
    let result = output::CheckSecrets { asked, answers: rights };
    let answer = Answer::done(result, head + &table);
    answer.ended(ended).with(findings).under(rules).counted()
}

async fn judged(
    args: &args::CheckSecrets,
    app: &App<'_>,
) -> Result<SecretsReport, Box<dyn AsFindings>> {
    let request = request(args, app)?;
    let project = project(&args.subject.files, args.subject.manifest.as_deref());
    if args.offline {
        return Ok(secrets::check(&project, &request, None).await?);
    }
    let settings = vault::settings(app.settings)?;
    let variable = |name: &str| app.settings.variables.get(name).cloned();
    let ended = signals();
    let server = ServerRequest {
        settings,
        as_verifier: args.as_verifier.is_some(),
        login: args.as_verifier.clone().flatten(),
        sources: CredentialSources { variable: &variable, home: app.settings.home.as_deref() },
        interrupted: &|| {
            let ended = Arc::clone(&ended);
            Box::pin(async move { ended.notified().await })
        },
    };
    Ok(secrets::check(&project, &request, Some(server)).await?)
}

/// Told each time that somebody presses Ctrl-C or closes the terminal, or the system (a CI
/// service that cancels a job) wants the program to end. A signal that comes while nobody waits
/// for one is kept.
fn signals() -> Arc<Notify> {
    let told = Arc::new(Notify::new());
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        // Without a handler the signal ends the program by itself.
        let Ok(mut signals) = signal(kind) else { continue };
        let told = Arc::clone(&told);
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                told.notify_one();
            }
        });
    }
    told
}

fn request(args: &args::CheckSecrets, app: &App<'_>) -> Result<SecretsRequest, SetupError> {
    Ok(SecretsRequest {
        compare_lock: args.subject.manifest.is_none(),
        profile: profile(&args.subject, app),
        dialect: args.dialect.map(Into::into),
        now: match &args.at {
            Some(at) => time(at)?,
            None => app.settings.now,
        },
        horizon_days: args.horizon,
        variables: app.settings.variables.clone(),
    })
}

/// By flag, else by variable.
pub(super) fn profile(args: &args::Subject, app: &App<'_>) -> Option<String> {
    let variable = || app.settings.variables.get("ENVLOCK_PROFILE");
    args.profile.clone().or_else(|| variable().filter(|name| !name.is_empty()).cloned())
}

/// Lists the needs.
pub(crate) fn list(args: &args::Subject, app: &App<'_>) -> Exit {
    app.ui.finish(listed(args, app))
}

fn listed(args: &args::Subject, app: &App<'_>) -> Answer<output::SecretsList> {
    let project = project(&args.files, args.manifest.as_deref());
    let manifest = match project.manifest() {
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
        Some(profile) => list::profile_table(profile),
        None => list::manifest_table(manifest),
    };
    let needs: Vec<_> = match &profile {
        Some(profile) => profile.needs.iter().map(|n| need(&n.name, &n.need)).collect(),
        None => manifest.needs.iter().map(|(name, n)| need(name, n)).collect(),
    };
    let result = output::SecretsList { profile: profile.map(|p| p.name), needs };
    Answer::done(result, table.render(app.ui.width())).under(manifest.rules(app.settings.now))
}

fn need(name: &str, need: &envlock_model::needs::Need) -> output::Need {
    output::Need {
        name: name.to_owned(),
        engine: need.engine.to_string(),
        mount: need.mount.clone(),
        locator: need.locator.name().to_owned(),
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
