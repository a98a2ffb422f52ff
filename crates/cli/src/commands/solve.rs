//! `envlock solve` and `envlock solve --check`.

use std::collections::BTreeMap;

use envlock_model::{diff::Difference, lock::Lock};
use envlock_pipeline::{
    ExcludeNewer, Overrides, Project, SolveRequest, Solved, Upgrade, stale_findings,
};
use envlock_report::{
    Exit, count, output,
    render::Table,
    sink::{Completion, Failure},
    size,
};

use super::{
    App,
    app::{Setup, SetupError, platform, time},
    next_command::next_command,
};
use crate::{args, ui::Answer};

/// What the command runs with, and what it is asked.
fn setup<'a>(
    args: &args::Solve,
    app: &'a App<'_>,
) -> Result<(Setup<'a>, SolveRequest), SetupError> {
    let setup = app.setup(&args.files, &args.network)?;
    let request = request(args, app, &setup)?;
    Ok((setup, request))
}

/// Solves and writes the lock.
pub(crate) async fn solve(args: &args::Solve, app: &App<'_>) -> Exit {
    let ready = setup(args, app);
    let (setup, request) = match ready {
        Ok(ready) => ready,
        Err(error) => return app.ui.finish(Answer::<output::Solve>::failed(&error)),
    };
    let (project, mut findings) = (&setup.project, Vec::new());
    let solved = envlock_pipeline::solve(project, &request, &setup.context(), &mut findings).await;
    let answer = match solved {
        Ok(solved) => setup.with_unused(answer(args, project, &solved, app.ui.width())),
        Err(error) => Answer::failed(&error),
    };
    app.ui.finish(setup.with_findings(answer.with(findings)))
}

/// Asks whether the lock still answers.
pub(crate) fn check(args: &args::Solve, app: &App<'_>) -> Exit {
    let ready = setup(args, app);
    let (setup, request) = match ready {
        Ok(ready) => ready,
        Err(error) => return app.ui.finish(Answer::<output::Check>::failed(&error)),
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
            let verdict = if fresh { "still answers" } else { "no longer answers" };
            let text = format!("{lock} {verdict} {shown}\n");
            let answer = Answer::done(output::Check { lock, fresh, changes }, text);
            if fresh {
                answer
            } else {
                answer.ended(Completion::Failed(Failure::new(Exit::Stale, findings)))
            }
        }
        Err(error) => Answer::failed(&error),
    };
    app.ui.finish(setup.with_findings(answer.with(findings)))
}

fn request(
    args: &args::Solve,
    app: &App<'_>,
    setup: &Setup<'_>,
) -> Result<SolveRequest, SetupError> {
    Ok(SolveRequest {
        overrides: Overrides {
            platforms: args.platform.iter().map(|p| platform(p)).collect::<Result<_, _>>()?,
            virtual_packages: app.virtual_packages(&args.virtual_package)?,
            priority: args.channel_priority.map(Into::into).or_else(|| setup.priority(args.check)),
            exclude_newer: args.exclude_newer.as_deref().map(exclude_newer).transpose()?,
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

/// A date, a time, or `never`.
fn exclude_newer(text: &str) -> Result<ExcludeNewer, SetupError> {
    if text == "never" { Ok(ExcludeNewer::Never) } else { time(text).map(ExcludeNewer::After) }
}

fn answer(
    args: &args::Solve,
    project: &Project,
    solved: &Solved,
    width: usize,
) -> Answer<output::Solve> {
    let lock = project.lock_path().display().to_string();
    let text = words(args, &lock, solved, width);
    let next = if solved.written {
        format!("next: {}\n", next_command("install", &args.files, &args.network))
    } else {
        String::new()
    };
    let result = output::Solve {
        lock,
        name: solved.lock.name.clone(),
        written: solved.written,
        platforms: platforms(&solved.lock, &solved.differences),
        pip_left_out: pip(&solved.lock),
    };
    Answer::done(result, text).next(next)
}

fn pip(lock: &Lock) -> Vec<String> {
    let mut lines: Vec<_> = lock.platforms.values().flat_map(|locked| locked.pip.clone()).collect();
    lines.sort();
    lines.dedup();
    lines
}

fn platforms(lock: &Lock, differences: &[Difference]) -> Vec<output::SolvedPlatform> {
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
            packages: locked.records.len(),
            bytes: locked.records.iter().filter_map(|record| record.package_record.size).sum(),
            changes: changes.remove(platform).unwrap_or_default(),
        };
    lock.platforms.iter().map(of).collect()
}

/// The sums by platform; each change where there was a lock before, or nothing is written.
fn words(args: &args::Solve, path: &str, solved: &Solved, width: usize) -> String {
    let platforms = platforms(&solved.lock, &solved.differences);
    let rows = platforms.iter().map(|platform| {
        [
            platform.platform.clone(),
            count(platform.packages, "package"),
            format!("{} to download at most", size(platform.bytes)),
        ]
    });
    let mut text = Table::of(rows).render(width);
    let all_new = platforms.iter().all(|platform| platform.changes.len() == platform.packages);
    if args.dry_run || !all_new {
        text.push_str(&changes(&platforms, width));
    }
    let unchanged = solved.differences.is_empty();
    text.push_str(&match (solved.written, args.dry_run) {
        (true, _) => format!("wrote {path}\n"),
        (false, true) if !unchanged => format!("dry run: {path} is as it was\n"),
        (false, _) => format!("{path} is up to date\n"),
    });
    text
}

/// `+` new, `-` gone, `~` another.
fn changes(platforms: &[output::SolvedPlatform], width: usize) -> String {
    let several = platforms.len() > 1;
    let mut text = String::new();
    for platform in platforms {
        if several && !platform.changes.is_empty() {
            text.push_str(&format!("{}:\n", platform.platform));
        }
        text.push_str(&Table::of(platform.changes.iter().map(change_row)).render(width));
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
            let said = if version(before) == version(after) {
                format!("{before} -> {after}")
            } else {
                format!("{} -> {}", version(before), version(after))
            };
            ["~".to_owned(), package, said]
        }
        (None, None) => [String::new(), package, String::new()],
    }
}
