//! `envlock fetch` and `envlock bundle`.

use std::path::PathBuf;

use clap::Args;
use envlock_pipeline::{Bundle, FetchOptions, FetchedPlatform};
use envlock_report::{Exit, count, format_size, output, render::Table};

use super::{
    App,
    app::{SetupError, parse_platform},
    next_command::NextCommand,
};
use crate::{
    flags::{FileArgs, NetworkArgs},
    ui::{CommandOutput, shell_word},
};

/// The arguments of `fetch`.
#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    #[command(flatten)]
    pub(crate) files: FileArgs,
    /// Use only the packages for this platform. May be given several times.
    #[arg(long, value_name = "PLATFORM")]
    platform: Vec<String>,
    #[command(flatten)]
    network: NetworkArgs,
}

/// The arguments of `bundle`.
#[derive(Debug, Args)]
pub(crate) struct BundleArgs {
    #[command(flatten)]
    pub(crate) packages: FetchArgs,
    /// Write the channel into this folder: a new one, an empty one, or an older bundle.
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
}

/// Downloads the packages of the lock into the cache.
pub(crate) async fn fetch(args: &FetchArgs, app: &App<'_>) -> Exit {
    let ready = app.setup(&args.files, &args.network).and_then(|s| Ok((s, request(args)?)));
    let (setup, request) = match ready {
        Ok(ready) => ready,
        Err(error) => return app.ui.finish(CommandOutput::<output::Fetch>::failed(&error)),
    };
    let (context, mut findings) = (setup.context(), Vec::new());
    let fetched = envlock_pipeline::fetch(&setup.project, &request, &context, &mut findings).await;
    let answer = match fetched {
        Ok(platforms) => {
            let lock = setup.project.lock_path().display().to_string();
            let result = output::Fetch { lock, platforms: listed(&platforms) };
            let next = next_install(args, &platforms);
            CommandOutput::done(result, rows(&platforms, app.ui.width())).next(next)
        }
        Err(error) => CommandOutput::failed(&error),
    };
    app.ui.finish(setup.with_setup_findings(answer.with_findings(findings)))
}

/// Writes the lock's packages as a channel.
pub(crate) async fn bundle(args: &BundleArgs, app: &App<'_>) -> Exit {
    let BundleArgs { packages, output } = args;
    let ready = app.setup(&packages.files, &packages.network);
    let ready = ready.and_then(|setup| Ok((setup, request(packages)?)));
    let (setup, request) = match ready {
        Ok(ready) => ready,
        Err(error) => return app.ui.finish(CommandOutput::<output::Bundle>::failed(&error)),
    };
    let (project, context, mut findings) = (&setup.project, setup.context(), Vec::new());
    let bundled =
        envlock_pipeline::bundle(project, &request, output, &context, &mut findings).await;
    let answer = match bundled {
        Ok(bundled) => {
            let result = output::Bundle {
                channel: bundled.channel.to_string(),
                lock: bundled.lock.display().to_string(),
                platforms: listed(&bundled.platforms),
                origins: bundled.origins.iter().map(ToString::to_string).collect(),
            };
            let text =
                format!("{}wrote {}\n", rows(&bundled.platforms, app.ui.width()), bundled.channel);
            CommandOutput::done(result, text).next(next_offline_install(packages, &bundled))
        }
        Err(error) => CommandOutput::failed(&error),
    };
    app.ui.finish(setup.with_setup_findings(answer.with_findings(findings)))
}

fn request(args: &FetchArgs) -> Result<FetchOptions, SetupError> {
    Ok(FetchOptions {
        platforms: args
            .platform
            .iter()
            .map(|text| parse_platform(text))
            .collect::<Result<_, _>>()?,
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
        [one.platform.to_string(), count(one.packages, "package"), format_size(one.bytes)]
    };
    Table::from_rows(platforms.iter().map(row)).render(width)
}

/// Returns the command that installs the fetched packages, if it can succeed here.
fn next_install(args: &FetchArgs, platforms: &[FetchedPlatform]) -> String {
    let here = platforms.iter().find(|fetched| fetched.installs_here);
    let command = here.map(|here| {
        NextCommand::new("install")
            .files(&args.files)
            .network(&NetworkArgs { offline: true, ..args.network.clone() })
            .switch("--without-pip", here.flags.without_pip)
            .switch("--frozen", here.flags.frozen)
    });
    command.map_or_else(String::new, |command| format!("next: {command}\n"))
}

/// Returns the command that installs the bundle without a network.
fn next_offline_install(args: &FetchArgs, bundled: &Bundle) -> String {
    let has_pip = bundled.platforms.iter().any(|platform| platform.flags.without_pip);
    let is_stale = bundled.platforms.iter().any(|platform| platform.flags.frozen);
    let command = NextCommand::new("install")
        .switch("--offline", true)
        .environment_files(&args.files)
        .path("--lock", &bundled.lock)
        .switch("--without-pip", has_pip)
        .switch("--frozen", is_stale);
    let mirrors = bundled.origins.iter().map(|origin| {
        let mirror = format!("{origin}={}", bundled.channel);
        format!(" \\\n  --mirror {}", shell_word(&mirror))
    });
    format!("next, without a network: {command}{}\n", mirrors.collect::<String>())
}
