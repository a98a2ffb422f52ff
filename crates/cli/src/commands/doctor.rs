//! `envlock doctor`.

use envlock_config::{Configuration, key};
use envlock_pipeline::doctor::{
    CheckResult, CheckStatus, ConfiguredProxy, DoctorOptions, doctor as examine,
};
use envlock_report::{Code, Exit, Finding, output, render::Table};
use envlock_text::redact::redact_url;

use super::{App, app::Setup};
use crate::{
    flags::ProjectArgs,
    settings::{NO_PROXY_ENTRY, ProcessEnvironment, describe_trust, proxy_fault},
    ui::CommandOutput,
};

/// Checks the configuration.
pub(crate) async fn doctor(args: &ProjectArgs, app: &App<'_>) -> Exit {
    let setup = match app.setup(&args.files, &args.network) {
        Ok(setup) => setup,
        Err(error) => return app.ui.finish(CommandOutput::<output::Doctor>::failed(&error)),
    };
    let request = request(app, &setup);
    let answer = match examine(&setup.project, &request, &setup.context()).await {
        Ok(checks) => setup.with_unused_keys(answer(checks, app.ui.width())),
        Err(error) => CommandOutput::failed(&error),
    };
    app.ui.finish(setup.with_setup_findings(answer))
}

fn request(app: &App<'_>, setup: &Setup<'_>) -> DoctorOptions {
    let configuration = setup.project.configuration();
    let (trust_description, certificate_count) =
        describe_trust(app.settings, configuration, setup.trust());
    DoctorOptions {
        cache: app.settings.cache_dir().0,
        now: app.settings.now,
        proxies: proxies(app.settings, configuration),
        trust_description,
        certificate_count,
    }
}

/// Returns each configured proxy with where it is set, without its password.
fn proxies(settings: &ProcessEnvironment, configuration: &Configuration) -> Vec<ConfiguredProxy> {
    let entries = configuration.map(&key::PROXY_SERVERS);
    entries
        .filter_map(|(scheme, texts)| {
            let set = texts.first()?;
            let (shown, by) = (redact_url(&set.value), &set.set_by);
            if scheme.eq_ignore_ascii_case(NO_PROXY_ENTRY) {
                let description = format!("none for {shown}, by {by}");
                return Some(ConfiguredProxy { description, fault: None });
            }
            let description = format!("{shown} for {scheme}, by {by}");
            Some(ConfiguredProxy { description, fault: proxy_fault(settings, set) })
        })
        .collect()
}

fn answer(checks: Vec<CheckResult>, width: usize) -> CommandOutput<output::Doctor> {
    let findings: Vec<_> = checks.iter().filter_map(finding).collect();
    let rows = checks
        .iter()
        .map(|c| [c.status.as_str().to_owned(), c.topic.to_owned(), c.message.clone()]);
    let text = Table::from_rows(rows).render(width);
    let checks = checks
        .into_iter()
        .map(|check| output::DoctorCheck {
            topic: check.topic,
            verdict: check.status.as_str(),
            message: check.message,
            help: check.help,
        })
        .collect();
    CommandOutput::done(output::Doctor { checks }, text).with_findings(findings)
}

/// Returns the finding of a check that failed or has no result.
fn finding(check: &CheckResult) -> Option<Finding> {
    let code = match (check.status, check.topic) {
        (CheckStatus::Ok, _) => return None,
        (CheckStatus::Unknown, _) => Code::DoctorUnknown,
        (CheckStatus::Failed, "cache") => Code::DoctorCache,
        (CheckStatus::Failed, "clock") => Code::DoctorClock,
        (CheckStatus::Failed, "links") => Code::DoctorLinks,
        (CheckStatus::Failed, "proxy") => Code::DoctorProxy,
        (CheckStatus::Failed, "trust") => Code::DoctorTrust,
        (CheckStatus::Failed, _) => Code::DoctorSource,
    };
    let finding = Finding::new(code, format!("{}: {}", check.topic, check.message));
    Some(check.help.iter().fold(finding, Finding::with_help))
}
