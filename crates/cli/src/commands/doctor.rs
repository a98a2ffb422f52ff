//! `envlock doctor`.

use envlock_config::{Configuration, key};
use envlock_pipeline::doctor::{Check, DoctorRequest, Verdict, doctor as examine};
use envlock_report::{Code, Exit, Finding, output};

use super::{App, app::Setup};
use crate::{
    args,
    settings::trusted,
    ui::{Answer, table},
};

/// Tries what is configured.
pub(crate) async fn doctor(args: &args::Surroundings, app: &App<'_>) -> Exit {
    let setup = match app.setup(&args.files, &args.network) {
        Ok(setup) => setup,
        Err(error) => return app.ui.finish("doctor", Answer::<output::Doctor>::failed(&error)),
    };
    let request = request(app, &setup);
    let answer = match examine(&setup.project, &request, &setup.context()).await {
        Ok(checks) => setup.with_unused(answer(checks)),
        Err(error) => Answer::failed(&error),
    };
    app.ui.finish("doctor", setup.with_findings(answer))
}

fn request(app: &App<'_>, setup: &Setup<'_>) -> DoctorRequest {
    let configuration = setup.project.configuration();
    let (trusted, certificates) = trusted(app.settings, configuration, setup.trust());
    DoctorRequest {
        cache: app.settings.cache_dir().0,
        now: app.settings.now,
        proxies: proxies(configuration),
        trusted,
        certificates,
    }
}

/// Each proxy in force with who set it, without its password.
fn proxies(configuration: &Configuration) -> Vec<String> {
    let name = format!("{}.", key::PROXY_SERVERS.name);
    let rows = configuration.rows().into_iter();
    rows.filter_map(|row| {
        let scheme = row.key.strip_prefix(&name)?;
        Some(format!("{} for {scheme}, by {}", row.value, row.by))
    })
    .collect()
}

fn answer(checks: Vec<Check>) -> Answer<output::Doctor> {
    let worst = checks.iter().map(|check| check.verdict).max();
    let exit = match worst {
        Some(Verdict::Wrong) => Exit::Findings,
        Some(Verdict::Unknown) => Exit::Unknown,
        Some(Verdict::Good) | None => Exit::Yes,
    };
    let told = checks.iter().filter(|check| check.verdict == Verdict::Wrong).map(|check| {
        let message = format!("{}: {}", check.topic, check.message);
        let mut diagnostic = Finding::new(Code::Doctor, message);
        diagnostic.help.clone_from(&check.help);
        diagnostic
    });
    let diagnostics = told.collect();
    let rows: Vec<_> = checks
        .iter()
        .map(|c| [c.verdict.as_str().to_owned(), c.topic.to_owned(), c.message.clone()])
        .collect();
    let text = table(&rows);
    let checks = checks
        .into_iter()
        .map(|check| output::DoctorCheck {
            topic: check.topic,
            verdict: check.verdict.as_str(),
            message: check.message,
            help: check.help,
        })
        .collect();
    Answer { exit, diagnostics, result: Some(output::Doctor { checks }), text }
}
