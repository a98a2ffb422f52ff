//! `envlock install`.

use clap::Args;
use envlock_install::{Clobber, MovedAside, PackageId, Steps};
use envlock_pipeline::{InstallOptions, Installed, PipHandling};
use envlock_report::{Code, Exit, Finding, Level, count, output, render::Table};
use envlock_secrets::manifest::list;
use envlock_text::redact;

use super::{
    App,
    app::{SetupError, parse_platform},
    next_command::NextCommand,
    solve::change_row,
};
use crate::{
    flags::{FileArgs, NetworkArgs, PrefixArgs},
    settings::{self, VERSION},
    ui::{CommandOutput, shell_word},
};

/// The arguments of `install`.
#[derive(Debug, Args)]
pub(crate) struct InstallArgs {
    #[command(flatten)]
    pub(crate) files: FileArgs,
    #[command(flatten)]
    prefix: PrefixArgs,
    /// Install the lock even if it no longer matches environment.yml.
    #[arg(long)]
    frozen: bool,
    /// Fail unless this is the machine's platform.
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Install even if the prefix is up to date, has files that no package contains, or was made by
    /// another tool. They move to NAME~previous, as the previous prefix always does.
    #[arg(long)]
    replace: bool,
    /// Install only the conda packages of a lock with a pip section.
    #[arg(long)]
    without_pip: bool,
    /// Run the packages' post-link scripts.
    #[arg(long = "link-scripts")]
    run_post_link_scripts: bool,
    /// Show what would change; change nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    network: NetworkArgs,
}

/// Installs the lock into a prefix.
pub(crate) async fn install(args: &InstallArgs, app: &App<'_>) -> Exit {
    let ready = app.setup(&args.files, &args.network).and_then(|s| Ok((s, request(args, app)?)));
    let (setup, request) = match ready {
        Ok(ready) => ready,
        Err(error) => return app.ui.finish(CommandOutput::<output::Install>::failed(&error)),
    };
    let (context, mut findings) = (setup.context(), Vec::new());
    let installed =
        envlock_pipeline::install(&setup.project, &request, &context, &mut findings).await;
    let answer = match installed {
        Ok(installed) => answer(args, installed, app.ui.width()),
        Err(error) => CommandOutput::failed(&error),
    };
    app.ui.finish(setup.with_setup_findings(answer.with_findings(findings)))
}

fn request(args: &InstallArgs, app: &App<'_>) -> Result<InstallOptions, SetupError> {
    Ok(InstallOptions {
        prefix: app.prefix(&args.prefix, &args.files)?,
        platform: args.platform.as_deref().map(parse_platform).transpose()?,
        frozen: args.frozen,
        replace: args.replace,
        pip: if args.without_pip { PipHandling::Skip } else { PipHandling::Install },
        run_post_link_scripts: args.run_post_link_scripts,
        dry_run: args.dry_run,
        command: settings::command_line()
            .map(|word| redact(&word.to_string_lossy()).into_owned())
            .collect::<Vec<_>>()
            .join(" "),
        now: app.settings.now,
        version: VERSION.to_owned(),
        jobs: app.settings.jobs,
    })
}

fn answer(
    args: &InstallArgs,
    installed: Installed,
    width: usize,
) -> CommandOutput<output::Install> {
    let prefix = installed.prefix.display().to_string();
    let changes = installed.plan.steps().map(changes).unwrap_or_default();
    let text =
        summary_text(args, &prefix, &installed, &changes, width) + &needs_text(&installed, width);
    let next = next_steps(args, &installed);
    let outcome = installed.outcome.as_ref();
    let mut findings = outcome.map(warnings).unwrap_or_default();
    let moved = installed.plan.steps().and_then(|steps| steps.moved_aside.as_ref());
    findings.extend(moved.and_then(|moved| untracked_finding(moved, outcome.is_some())));
    let result = output::Install {
        prefix,
        platform: installed.platform.to_string(),
        changed: outcome.is_some_and(envlock_install::Installed::changed),
        packages: installed.packages,
        changes,
        previous: moved.map(|moved| moved.to.display().to_string()),
        clobbered: outcome.map(clobbered).unwrap_or_default(),
        scripts_not_run: match outcome {
            Some(outcome) if !outcome.scripts_run() => outcome.post_link_scripts.clone(),
            _ => Vec::new(),
        },
        skipped_pip_lines: installed.skipped_pip_lines,
        needs: installed.needs.iter().flat_map(|needs| needs.needs.keys().cloned()).collect(),
    };
    CommandOutput::done(result, text).next(next).with_findings(findings)
}

fn clobbered(outcome: &envlock_install::Installed) -> Vec<output::Clobbered> {
    let clobbered = |clobber: &Clobber| output::Clobbered {
        path: clobber.path.display().to_string(),
        kept: clobber.kept.clone(),
        lost: clobber.not_installed.clone(),
    };
    outcome.clobbers.iter().map(clobbered).collect()
}

fn changes(steps: &Steps) -> Vec<output::PackageChange> {
    let words = |dist: &PackageId| Some(format!("{} {}", dist.version, dist.build));
    let change = |package: &str, before, after| output::PackageChange {
        package: package.to_owned(),
        before,
        after,
    };
    let added = steps.added.iter().map(|dist| change(&dist.name, None, words(dist)));
    let removed = steps.removed.iter().map(|dist| change(&dist.name, words(dist), None));
    let changed = steps.changed.iter().map(|c| change(&c.to.name, words(&c.from), words(&c.to)));
    let mut all: Vec<_> = added.chain(removed).chain(changed).collect();
    all.sort_by(|a, b| a.package.cmp(&b.package));
    all
}

fn summary_text(
    args: &InstallArgs,
    prefix: &str,
    installed: &Installed,
    changes: &[output::PackageChange],
    width: usize,
) -> String {
    let Some(steps) = installed.plan.steps() else {
        let packages = count(installed.packages, "package");
        return format!(
            "{prefix} is up to date: {packages}
"
        );
    };
    let mut text = String::new();
    let all_new = changes.iter().all(|change| change.before.is_none());
    if args.dry_run || !all_new {
        text.push_str(&Table::from_rows(changes.iter().map(change_row)).render(width));
    }
    match &installed.outcome {
        None => text.push_str(&dry_run(prefix, installed, steps)),
        Some(outcome) => {
            text.push_str(&format!(
                "installed {}, {}, into {prefix}\n",
                count(outcome.packages, "package"),
                count(outcome.files, "file")
            ));
            if let Some(moved) = &steps.moved_aside {
                text.push_str(&format!("the previous environment is {}\n", moved.to.display()));
            }
        }
    }
    text
}

/// Describes what a plan does in addition to its changes of packages.
fn dry_run(prefix: &str, installed: &Installed, steps: &Steps) -> String {
    let mut text = String::new();
    if steps.added.is_empty() && steps.removed.is_empty() && steps.changed.is_empty() {
        let packages = count(installed.packages, "package");
        text.push_str(&format!("no package changes: {packages} would be linked again\n"));
    }
    if let Some(moved) = &steps.moved_aside {
        let to = moved.to.display();
        text.push_str(&format!("the present environment would move to {to}\n"));
        if moved.removes_older {
            text.push_str("the older environment at that path would be removed\n");
        }
        if let Some(kept) = &moved.keeps_older {
            let kept = kept.display();
            text.push_str(&format!("the older environment at that path would move to {kept}\n"));
        }
    }
    if !steps.variables.is_empty() {
        text.push_str(&format!("activation would set {}\n", steps.variables.join(", ")));
    }
    if steps.runs_scripts {
        text.push_str("post-link scripts would run\n");
    }
    if installed.plan.needs_recovery() {
        text.push_str("what a killed install left behind would be removed first\n");
    }
    text + &format!("dry run: {prefix} is unchanged\n")
}

/// Returns how to use the environment if it was changed, and how to check what it needs.
fn next_steps(args: &InstallArgs, installed: &Installed) -> String {
    let mut next = match &installed.outcome {
        Some(outcome) if outcome.changed() => how_to_use(args, installed.has_python),
        _ => String::new(),
    };
    if installed.needs.is_some() && installed.needs_are_current {
        let check = NextCommand::new("check-secrets").files(&args.files).switch("--offline", true);
        next.push_str(&format!("next: {check}\n"));
    }
    next
}

/// Returns the command that runs a program in the environment. Without a Python in it, `python`
/// would be the machine's.
fn how_to_use(args: &InstallArgs, has_python: bool) -> String {
    let command = if has_python { "python" } else { "COMMAND" };
    let run = NextCommand::new("run");
    match (&args.prefix.name, &args.prefix.prefix) {
        (None, None) => format!("next: {} -- {command}\n", run.files(&args.files)),
        (name, _) => {
            let activate =
                name.as_ref().map(|name| format!("conda activate {}, or ", shell_word(name)));
            let activate = activate.unwrap_or_default();
            format!("next: {activate}{} -- {command}\n", run.prefix(&args.prefix))
        }
    }
}

/// Lists the secrets that the environment needs.
fn needs_text(installed: &Installed, width: usize) -> String {
    let Some(needs) = &installed.needs else { return String::new() };
    format!(
        "it needs {}:\n{}",
        count(needs.needs.len(), "secret"),
        list::lock_table(needs).render(width)
    )
}

/// Returns the findings of an install that was done.
fn warnings(outcome: &envlock_install::Installed) -> Vec<Finding> {
    let mut findings = Vec::new();
    for clobber in outcome.clobbers.iter().filter(|clobber| !clobber.identical) {
        findings.push(
            Finding::new(
                Code::Clobbered,
                format!(
                    "{} packages contain {}",
                    clobber.not_installed.len() + 1,
                    clobber.path.display()
                ),
            )
            .with_note(format!(
                "it is installed from {}, not from {}",
                clobber.kept,
                clobber.not_installed.join(", ")
            )),
        );
    }
    if !outcome.post_link_scripts.is_empty() && !outcome.scripts_run() {
        findings.push(
            Finding::new(
                Code::ScriptsNotRun,
                format!("post-link scripts were not run: {}", outcome.post_link_scripts.join(", ")),
            )
            .with_help("if you trust these packages: `envlock install --link-scripts`"),
        );
    }
    for package in &outcome.uncompiled {
        findings.push(
            Finding::new(
                Code::NotCompiled,
                match package.files.len() {
                    1 => format!("1 file of {} doesn't compile", package.package),
                    files => format!("{files} files of {} don't compile", package.package),
                },
            )
            .with_note(package.reason.clone()),
        );
    }
    findings
}

/// Returns a finding about the untracked files that are moved aside.
fn untracked_finding(moved: &MovedAside, is_done: bool) -> Option<Finding> {
    let untracked = &moved.untracked;
    let verb = if is_done { "moved" } else { "would move" };
    let message =
        format!("{} that the lock doesn't have {verb} to the previous prefix", untracked.summary());
    let note = Finding::new(Code::UntrackedFiles, message).at_level(Level::Note);
    let note = untracked.name_in(note);
    (!untracked.is_empty()).then_some(note)
}
