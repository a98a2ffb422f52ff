//! `envlock fetch` and `envlock bundle`.

use envlock_pipeline::{Bundle, FetchRequest, FetchedPlatform};
use envlock_report::{Exit, count, output, render::Table, size};

use super::{
    App,
    app::{SetupError, platform},
};
use crate::{args, ui::Answer};

/// Fills the cache from the lock.
pub(crate) async fn fetch(args: &args::Fetch, app: &App<'_>) -> Exit {
    let ready = app.setup(&args.files, &args.network).and_then(|s| Ok((s, request(args)?)));
    let (setup, request) = match ready {
        Ok(ready) => ready,
        Err(error) => return app.ui.finish(Answer::<output::Fetch>::failed(&error)),
    };
    let answer = match envlock_pipeline::fetch(&setup.project, &request, &setup.context()).await {
        Ok(platforms) => {
            let lock = setup.project.lock_path().display().to_string();
            let result = output::Fetch { lock, platforms: listed(&platforms) };
            Answer::done(result, rows(&platforms, app.ui.width()))
                .next("next: envlock install --offline\n")
        }
        Err(error) => Answer::failed(&error),
    };
    app.ui.finish(setup.with_findings(answer))
}

/// Writes the lock's packages as a channel.
pub(crate) async fn bundle(args: &args::Bundle, app: &App<'_>) -> Exit {
    let args::Bundle { wanted, output } = args;
    let ready = app.setup(&wanted.files, &wanted.network).and_then(|s| Ok((s, request(wanted)?)));
    let (setup, request) = match ready {
        Ok(ready) => ready,
        Err(error) => return app.ui.finish(Answer::<output::Bundle>::failed(&error)),
    };
    let (project, context) = (&setup.project, setup.context());
    let answer = match envlock_pipeline::bundle(project, &request, output, &context).await {
        Ok(bundled) => {
            let result = output::Bundle {
                channel: bundled.channel.to_string(),
                lock: bundled.lock.display().to_string(),
                platforms: listed(&bundled.platforms),
                origins: bundled.origins.iter().map(ToString::to_string).collect(),
            };
            let text =
                format!("{}wrote {}\n", rows(&bundled.platforms, app.ui.width()), bundled.channel);
            Answer::done(result, text).next(next(&bundled))
        }
        Err(error) => Answer::failed(&error),
    };
    app.ui.finish(setup.with_findings(answer))
}

fn request(args: &args::Fetch) -> Result<FetchRequest, SetupError> {
    Ok(FetchRequest {
        platforms: args.platform.iter().map(|text| platform(text)).collect::<Result<_, _>>()?,
    })
}

fn listed(platforms: &[FetchedPlatform]) -> Vec<output::FetchedPlatform> {
    let one = |fetched: &FetchedPlatform| output::FetchedPlatform {
        platform: fetched.platform.to_string(),
        packages: fetched.packages,
        bytes: fetched.bytes,
    };
    platforms.iter().map(one).collect()
}

fn rows(platforms: &[FetchedPlatform], width: usize) -> String {
    let row = |one: &FetchedPlatform| {
        [one.platform.to_string(), count(one.packages, "package"), size(one.bytes)]
    };
    Table::of(platforms.iter().map(row)).render(width)
}

/// The command that installs it where nothing else can be reached.
fn next(bundled: &Bundle) -> String {
    let mirrors = bundled
        .origins
        .iter()
        .map(|origin| format!(" \\\n  --mirror {origin}={}", bundled.channel));
    format!(
        "next, without a network: envlock install --offline --lock {}{}\n",
        bundled.lock.display(),
        mirrors.collect::<String>()
    )
}
