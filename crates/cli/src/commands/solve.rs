//! `envlock solve` and `envlock solve --check`.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use envlock_model::{diff::PackageDifference, lock::Lock, lock_inputs};
use envlock_pipeline::{
    ExcludeNewer, NeedChange, NeedChangeKind, Overrides, Project, SolveOptions, Solved, Upgrade,
    stale_findings,
};
use envlock_report::{
    Exit, count, format_size,
    outcome::{Completion, Failure},
    output,
    render::Table,
};

use super::{
    App,
    app::{Setup, SetupError, parse_platform},
    next_command::NextCommand,
    past_time,
};
use crate::{
    flags::{FileArgs, NetworkArgs},
    ui::CommandOutput,
};

/// The arguments of `solve`.
#[derive(Debug, Args)]
pub(crate) struct SolveArgs {
    #[command(flatten)]
    pub(crate) files: FileArgs,
    /// Lock only this platform, such as linux-64 or osx-arm64, whatever environment.yml and the
    /// lock have. May be given several times.
    #[arg(long, value_name = "PLATFORM")]
    platform: Vec<String>,
    /// Assume this virtual package instead of the platform's default: `__glibc=2.28`, `__cuda=` for
    /// none, `host` for all of this machine, `default` for all defaults. The lock keeps it. May be
    /// given several times.
    #[arg(long, value_name = "NAME=VERSION")]
    virtual_package: Vec<String>,
    /// Update this package to the newest version that fits, and other packages only if
    /// necessary. May be given several times.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["check", "upgrade"])]
    update: Vec<String>,
    /// Update every package to the newest version that fits.
    #[arg(long, conflicts_with = "check")]
    upgrade: bool,
    /// Set how the order of the channels restricts packages. The lock keeps the setting.
    #[arg(long, value_enum, value_name = "PRIORITY")]
    channel_priority: Option<Priority>,
    /// Exclude conda packages that were built, and wheels that were uploaded, after this date or
    /// time, such as 2026-06-30, yesterday or 7d, or that have no such time. The lock keeps the time until `never` is given.
    #[arg(long, value_name = "DATE")]
    exclude_newer: Option<String>,
    /// Show what would change; write nothing.
    #[arg(long, conflicts_with = "check")]
    dry_run: bool,
    /// Check whether the lock still matches environment.yml, without solving and without network.
    #[arg(long)]
    pub(crate) check: bool,
    #[command(flatten)]
    network: NetworkArgs,
}

/// How the order of the channels restricts packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Priority {
    /// Take a package only from the first channel that has it.
    Strict,
    /// Take a package from a later channel if no earlier one has a record that fits.
    Flexible,
    /// Take the newest version, whichever channel has it.
    Disabled,
}

impl From<Priority> for lock_inputs::Priority {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::Strict => Self::Strict,
            Priority::Flexible => Self::Flexible,
            Priority::Disabled => Self::Disabled,
        }
    }
}

/// Returns the context of the command and its request.
fn setup<'a>(args: &SolveArgs, app: &'a App<'_>) -> Result<(Setup<'a>, SolveOptions), SetupError> {
    let setup = app.setup(&args.files, &args.network)?;
    let request = request(args, app, &setup)?;
    Ok((setup, request))
}

/// Solves and writes the lock.
pub(crate) async fn solve(args: &SolveArgs, app: &App<'_>) -> Exit {
    let ready = setup(args, app);
    let (setup, request) = match ready {
        Ok(ready) => ready,
        Err(error) => return app.ui.finish(CommandOutput::<output::Solve>::failed(&error)),
    };
    let (project, mut findings) = (&setup.project, Vec::new());
    let solved = envlock_pipeline::solve(project, &request, &setup.context(), &mut findings).await;
    let answer = match solved {
        Ok(solved) => setup.with_unused_keys(answer(args, project, &solved, app.ui.width())),
        Err(error) => CommandOutput::failed(&error),
    };
    app.ui.finish(setup.with_setup_findings(answer.with_findings(findings)))
}

/// Checks whether the lock matches environment.yml.
pub(crate) fn check(args: &SolveArgs, app: &App<'_>) -> Exit {
    let ready = setup(args, app);
    let (setup, request) = match ready {
        Ok(ready) => ready,
        Err(error) => return app.ui.finish(CommandOutput::<output::SolveCheck>::failed(&error)),
    };
    let (project, mut findings) = (&setup.project, Vec::new());
    let context = setup.context();
    let checked = envlock_pipeline::check(project, &request.overrides, &context, &mut findings);
    let answer = match checked {
        Ok(checked) => {
            let fresh = checked.changes.is_empty();
            let lock = project.lock_path().display().to_string();
            let findings = stale_findings(&checked.changes);
            let changes = checked.changes.iter().map(|change| output::StaleReason {
                message: change.to_string(),
                place: change.place.clone(),
            });
            let changes = changes.collect();
            let shown: Vec<_> =
                project.environment_paths().map(|path| path.display().to_string()).collect();
            let shown = shown.join(", ");
            let verdict = if fresh { "still matches" } else { "no longer matches" };
            let text = format!("{lock} {verdict} {shown}\n");
            let answer = CommandOutput::done(output::SolveCheck { lock, fresh, changes }, text);
            if fresh {
                answer
            } else {
                answer.with_completion(Completion::Failed(Failure::new(Exit::Stale, findings)))
            }
        }
        Err(error) => CommandOutput::failed(&error),
    };
    app.ui.finish(setup.with_setup_findings(answer.with_findings(findings)))
}

fn request(args: &SolveArgs, app: &App<'_>, setup: &Setup<'_>) -> Result<SolveOptions, SetupError> {
    Ok(SolveOptions {
        overrides: Overrides {
            platforms: args.platform.iter().map(|p| parse_platform(p)).collect::<Result<_, _>>()?,
            virtual_packages: app.virtual_packages(&args.virtual_package)?,
            priority: args.channel_priority.map(Into::into).or_else(|| setup.priority(args.check)),
            exclude_newer: args
                .exclude_newer
                .as_deref()
                .map(|text| exclude_newer(text, app))
                .transpose()?,
        },
        upgrade: match (args.upgrade, args.update.as_slice()) {
            (true, _) => Upgrade::All,
            (false, []) => Upgrade::None,
            (false, names) => {
                Upgrade::Packages(names.iter().map(|name| name.to_lowercase()).collect())
            }
        },
        dry_run: args.dry_run,
    })
}

/// Parses a date, a time, a distance from now, or `never`.
fn exclude_newer(text: &str, app: &App<'_>) -> Result<ExcludeNewer, SetupError> {
    if text == "never" {
        return Ok(ExcludeNewer::Never);
    }
    let time = past_time::parse(text, app.settings.now);
    time.map(ExcludeNewer::After).ok_or_else(|| SetupError::Date(text.to_owned()))
}

fn answer(
    args: &SolveArgs,
    project: &Project,
    solved: &Solved,
    width: usize,
) -> CommandOutput<output::Solve> {
    let lock = project.lock_path().display().to_string();
    let text = summary_text(args, &lock, solved, width);
    let install = solved.install.filter(|_| solved.written);
    let next = install.map(|flags| {
        let command = NextCommand::new("install")
            .files(&args.files)
            .network(&args.network)
            .switch("--without-pip", flags.without_pip)
            .switch("--frozen", flags.frozen);
        format!("next: {command}\n")
    });
    let result = output::Solve {
        lock,
        name: solved.lock.name.clone(),
        written: solved.written,
        platforms: platforms(&solved.lock, &solved.differences),
        need_changes: solved.need_changes.iter().map(need_change).collect(),
    };
    CommandOutput::done(result, text).next(next.unwrap_or_default())
}

fn platforms(lock: &Lock, differences: &[PackageDifference]) -> Vec<output::SolvedPlatform> {
    let mut changes: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for difference in differences {
        changes.entry(difference.platform).or_default().push(output::PackageChange {
            package: difference.package.clone(),
            before: difference.before.clone(),
            after: difference.after.clone(),
        });
    }
    let of =
        |(platform, locked): (&_, &envlock_model::lock::LockedPlatform)| output::SolvedPlatform {
            platform: format!("{platform}"),
            packages: locked.all_records().count(),
            wheels: locked.wheels.as_ref().map_or(0, Vec::len),
            bytes: locked.all_records().filter_map(|record| record.package_record.size).sum(),
            changes: changes.remove(platform).unwrap_or_default(),
        };
    lock.platforms.iter().map(of).collect()
}

/// Formats the totals by platform, and each change if there is a previous lock.
/// Describes what is to be downloaded. A lock has no sizes of wheels.
fn download(platform: &output::SolvedPlatform) -> String {
    let bytes = format_size(platform.bytes);
    match platform.wheels {
        0 => format!("{bytes} to download at most"),
        wheels => format!("{bytes} and {} to download at most", count(wheels, "wheel")),
    }
}

fn summary_text(args: &SolveArgs, path: &str, solved: &Solved, width: usize) -> String {
    let platforms = platforms(&solved.lock, &solved.differences);
    let rows = platforms.iter().map(|platform| {
        [platform.platform.clone(), count(platform.packages, "package"), download(platform)]
    });
    let mut text = Table::from_rows(rows).render(width);
    let all_new = platforms.iter().all(|platform| platform.changes.len() == platform.packages);
    if args.dry_run || !all_new {
        text.push_str(&changes(&platforms, width));
    }
    text.push_str(&Table::from_rows(solved.need_changes.iter().map(need_row)).render(width));
    let unchanged = solved.differences.is_empty() && solved.need_changes.is_empty();
    text.push_str(&match (solved.written, args.dry_run) {
        (true, _) => format!("wrote {path}\n"),
        (false, true) if !unchanged => format!("dry run: {path} is unchanged\n"),
        (false, _) => format!("{path} is up to date\n"),
    });
    text
}

fn need_change(difference: &NeedChange) -> output::NeedChange {
    output::NeedChange {
        need: difference.need.clone(),
        profile: difference.profile.clone(),
        change: match difference.kind {
            NeedChangeKind::Added => "added",
            NeedChangeKind::Removed => "removed",
            NeedChangeKind::Changed => "changed",
        },
        message: difference.message.clone(),
    }
}

/// Formats a need with its mark: `+` new, `-` removed, `~` changed.
fn need_row(difference: &NeedChange) -> [String; 2] {
    let NeedChange { need, message, .. } = difference;
    match difference.kind {
        NeedChangeKind::Added => ["+".to_owned(), format!("need {need}: {message}")],
        NeedChangeKind::Removed => ["-".to_owned(), format!("need {need}: {message}")],
        // The message names the need and the profile.
        NeedChangeKind::Changed => ["~".to_owned(), message.clone()],
    }
}

/// Lists the packages with their marks: `+` new, `-` removed, `~` changed.
fn changes(platforms: &[output::SolvedPlatform], width: usize) -> String {
    let several = platforms.len() > 1;
    let mut text = String::new();
    for platform in platforms {
        if several && !platform.changes.is_empty() {
            text.push_str(&format!("{}:\n", platform.platform));
        }
        text.push_str(&Table::from_rows(platform.changes.iter().map(change_row)).render(width));
    }
    text
}

pub(super) fn change_row(change: &output::PackageChange) -> [String; 3] {
    let package = change.package.clone();
    match (&change.before, &change.after) {
        (None, Some(after)) => ["+".to_owned(), package, after.clone()],
        (Some(before), None) => ["-".to_owned(), package, before.clone()],
        (Some(before), Some(after)) => {
            // The build only matters where the version stays.
            let version = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
            let shown = if version(before) == version(after) {
                format!("{before} -> {after}")
            } else {
                format!("{} -> {}", version(before), version(after))
            };
            ["~".to_owned(), package, shown]
        }
        (None, None) => [String::new(), package, String::new()],
    }
}
