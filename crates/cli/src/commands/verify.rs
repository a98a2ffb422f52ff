//! `envlock verify`.

use clap::Args;
use envlock_install::{DifferenceKind, FileDifference, Verified};
use envlock_pipeline::VerifiedPrefix;
use envlock_report::{Code, Exit, Finding, count, output};
use rattler_conda_types::Subdir;

use super::{App, app::project, next_command::NextCommand};
use crate::{
    flags::{FileArgs, NetworkArgs, PrefixArgs},
    ui::CommandOutput,
};

/// The arguments of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) files: FileArgs,
    #[command(flatten)]
    prefix: PrefixArgs,
}

/// Compares a prefix with its records.
pub(crate) fn verify(args: &VerifyArgs, app: &App<'_>) -> Exit {
    let answer = match app.prefix(&args.prefix, &args.files) {
        Ok(prefix) => {
            let project = project(&args.files, None);
            let (jobs, observer) = (app.settings.jobs, app.ui.progress());
            let host = Subdir::current();
            match envlock_pipeline::verify(&project, prefix, host, jobs, observer) {
                Ok(verified) => answer(args, with_staleness(args, app, verified)),
                Err(error) => CommandOutput::failed(&error),
            }
        }
        Err(error) => CommandOutput::failed(&error),
    };
    app.ui.finish(answer)
}

/// Adds the flag that `install` needs if the lock is stale. A configuration that can't be used is an
/// error of that install.
fn with_staleness(args: &VerifyArgs, app: &App<'_>, verified: VerifiedPrefix) -> VerifiedPrefix {
    if verified.install.is_none() {
        return verified;
    }
    match app.setup(&args.files, &NetworkArgs::default()) {
        Ok(setup) => verified.with_staleness(&setup.project, &setup.context()),
        Err(_) => verified,
    }
}

fn answer(args: &VerifyArgs, verified: VerifiedPrefix) -> CommandOutput<output::Verify> {
    let VerifiedPrefix { prefix, verified, install } = verified;
    let prefix = prefix.display().to_string();
    let Verified { packages, files, differences } = verified;
    let findings: Vec<_> = differences.iter().map(finding).collect();
    let differences: Vec<_> = differences.into_iter().map(difference).collect();
    let text = if differences.is_empty() {
        let (packages, files) = (count(packages, "package"), count(files, "file"));
        format!("{prefix} is as recorded: {packages}, {files}\n")
    } else {
        format!("{} in {prefix}\n", count(differences.len(), "difference"))
    };
    let next = install.map(|flags| {
        let command = NextCommand::new("install")
            .files(&args.files)
            .prefix(&args.prefix)
            .switch("--without-pip", flags.without_pip)
            .switch("--frozen", flags.frozen)
            .switch("--replace", true);
        format!("next: {command}, which reinstalls it\n")
    });
    let result = output::Verify { prefix, packages, files, differences };
    CommandOutput::done(result, text).next(next.unwrap_or_default()).with_findings(findings)
}

fn finding(difference: &FileDifference) -> Finding {
    let code = match difference.kind {
        DifferenceKind::Missing => Code::FileMissing,
        DifferenceKind::Untracked => Code::FileUntracked,
        DifferenceKind::Unreadable { .. } => Code::FileUnreadable,
        DifferenceKind::Changed
        | DifferenceKind::Size { .. }
        | DifferenceKind::Type
        | DifferenceKind::Target { .. }
        | DifferenceKind::Mode { .. } => Code::FileChanged,
    };
    Finding::new(code, difference.to_string())
}

fn difference(difference: FileDifference) -> output::FileDifference {
    let (kind, message) = match &difference.kind {
        DifferenceKind::Missing => ("missing", "is missing".to_owned()),
        DifferenceKind::Changed => ("changed", "has other bytes".to_owned()),
        DifferenceKind::Size { expected, found } => {
            ("size", format!("has {found} bytes instead of {expected}"))
        }
        DifferenceKind::Type => ("type", "is of another type".to_owned()),
        DifferenceKind::Target { expected, found } => {
            ("target", format!("links to {} instead of {}", found.display(), expected.display()))
        }
        DifferenceKind::Mode { expected, found } => {
            ("mode", format!("has mode {found:04o} instead of {expected:04o}"))
        }
        DifferenceKind::Untracked => ("untracked", "belongs to no package".to_owned()),
        DifferenceKind::Unreadable { reason } => ("unreadable", format!("can't be read: {reason}")),
    };
    output::FileDifference {
        path: difference.path.display().to_string(),
        package: difference.package,
        kind: kind.to_owned(),
        message,
    }
}
