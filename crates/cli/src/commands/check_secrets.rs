//! `envlock check-secrets`.

use std::sync::Arc;

use clap::Args;
use envlock_pipeline::check_secrets::{
    self, CheckSecretsOptions, CheckSecretsReport, CredentialSources, ServerCheck,
};
use envlock_report::{AsFindings, Code, Exit, output, render::paragraph};
use envlock_secrets::checks::{self, Outcome, ResultRow};
use tokio::signal::unix::signal;
use tokio::sync::Notify;

use super::{
    App,
    app::{SetupError, parse_time, profile, project},
};
use crate::{
    flags::{DialectArg, ManifestArgs},
    settings::{TerminationSignal, is_ignored, vault},
    ui::{CommandOutput, interrupted},
};

/// The arguments of `check-secrets`.
#[derive(Debug, Args)]
pub(crate) struct CheckSecretsArgs {
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
    /// Check against the policy files in the repository only; send no request to a server.
    #[arg(long)]
    pub(crate) offline: bool,
    /// Log in only to check presence, with a token that can't read secrets; rights are checked
    /// against the policies only. With a name, use the login of that profile.
    #[arg(
        long = "as-verifier",
        value_name = "PROFILE",
        num_args = 0..=1,
        require_equals = true,
        conflicts_with = "offline"
    )]
    #[expect(clippy::option_option, reason = "not given, given, given with a name")]
    presence_only: Option<Option<String>>,
    /// Evaluate the policies in this dialect instead of the manifest's.
    #[arg(long, value_enum, value_name = "DIALECT")]
    dialect: Option<DialectArg>,
    /// Check as of this date or time instead of now.
    #[arg(long, value_name = "DATE")]
    at: Option<String>,
    /// Warn about rules, and versions of secrets, that expire within this number of days.
    #[arg(long = "horizon", value_name = "DAYS", default_value_t = 30)]
    expires_within: u32,
}

/// Checks the manifest against its policies and, unless `--offline` is given, a server.
pub(crate) async fn check(args: &CheckSecretsArgs, app: &App<'_>) -> Exit {
    app.ui.finish(match run_check(args, app).await {
        Ok(report) => answer(report, app.ui.width(), app.ui.table_width()),
        Err(error) => CommandOutput::failed(error.as_ref()),
    })
}

fn answer(
    report: CheckSecretsReport,
    width: usize,
    table_width: usize,
) -> CommandOutput<output::CheckSecrets<ResultRow>> {
    let (completion, is_interrupted) = (report.completion(), report.is_interrupted());
    let CheckSecretsReport {
        outcome: Outcome { findings, rows, overrides }, checked_server, ..
    } = report;
    if is_interrupted {
        // There is no result, but a login that couldn't be revoked is reported.
        let left = findings.into_iter().filter(|finding| finding.code == Code::LogoutFailed);
        return CommandOutput::from_failure(interrupted()).with_findings(left);
    }
    let head = checked_server
        .as_ref()
        .map_or_else(String::new, |a| paragraph(&a.to_string(), "", "  ", width));
    let table = match rows.as_slice() {
        [] => String::new(),
        rows => format!("{}\n", checks::table(rows).render(table_width)),
    };
    let result = output::CheckSecrets { checked_server, answers: rows };
    let answer = CommandOutput::done(result, head + &table);
    answer.with_completion(completion).with_findings(findings).with_overrides(overrides).of_check()
}

async fn run_check(
    args: &CheckSecretsArgs,
    app: &App<'_>,
) -> Result<CheckSecretsReport, Box<dyn AsFindings>> {
    let request = request(args, app)?;
    let project = project(&args.manifest.files, args.manifest.manifest.as_deref());
    if args.offline || !check_secrets::has_manifest(&project).await? {
        return Ok(check_secrets::check(&project, &request, None).await?);
    }
    let settings = vault::settings(app.settings)?;
    let variable = |name: &str| app.settings.variables.get(name).cloned();
    let signals = termination_signals();
    let server = ServerCheck {
        settings,
        presence_only: args.presence_only.is_some(),
        login: args.presence_only.clone().flatten(),
        sources: CredentialSources { variable: &variable, home: app.settings.home.as_deref() },
        interrupted: &|| {
            let signals = Arc::clone(&signals);
            Box::pin(async move { signals.notified().await })
        },
    };
    Ok(check_secrets::check(&project, &request, Some(server)).await?)
}

/// Returns a notification of each signal that ends the program: Ctrl-C, a closed terminal, a CI
/// service that cancels the job. A signal is kept until the next wait.
fn termination_signals() -> Arc<Notify> {
    let notified = Arc::new(Notify::new());
    for termination in TerminationSignal::ALL.into_iter().filter(|signal| !is_ignored(*signal)) {
        // Without a handler the signal ends the program.
        let Ok(mut signals) = signal(termination.kind()) else { continue };
        let notified = Arc::clone(&notified);
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                notified.notify_one();
            }
        });
    }
    notified
}

fn request(args: &CheckSecretsArgs, app: &App<'_>) -> Result<CheckSecretsOptions, SetupError> {
    Ok(CheckSecretsOptions {
        compare_lock: args.manifest.manifest.is_none(),
        profile: profile(&args.manifest, app),
        dialect: args.dialect.map(Into::into),
        now: match &args.at {
            Some(at) => parse_time(at)?,
            None => app.settings.now,
        },
        horizon_days: args.expires_within,
        namespace: vault::namespace(app.settings).unwrap_or_default(),
        variables: app.settings.variables.clone(),
    })
}
