//! Applies the rules of a run to its findings.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Completion, LevelOverrides};
use crate::{Code, Exit, Finding, Level, sort_and_merge};

/// The final findings of a run, and what follows from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinalReport {
    /// The exit code.
    pub exit: Exit,
    /// The number of findings of each level.
    pub summary: Summary,
    /// The findings, sorted by level and place.
    pub findings: Vec<Finding>,
}

/// The number of findings of each level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// Findings that fail the command.
    pub errors: usize,
    /// Findings that fail the command only with `--deny` or `deny:`.
    pub warnings: usize,
    /// Findings that change no exit code.
    pub notes: usize,
}

impl Summary {
    /// Counts the findings of each level.
    pub fn count(findings: &[Finding]) -> Self {
        let count = |level| findings.iter().filter(|finding| finding.level == level).count();
        Self {
            errors: count(Level::Error),
            warnings: count(Level::Warning),
            notes: count(Level::Note),
        }
    }
}

/// Applies the rules to the findings, sorts them, and derives summary and exit code.
///
/// An exception in force turns a finding into a note, and no deny rule raises it again. The
/// findings of a failure can't be allowed: without an answer there is nothing to accept.
pub fn apply_overrides(
    findings: Vec<Finding>,
    completion: Completion,
    overrides: &LevelOverrides,
) -> FinalReport {
    let mut found: Vec<_> = findings.into_iter().map(|finding| (finding, false)).collect();
    let unused = allow(&mut found, overrides);
    found.extend(unused.into_iter().map(|finding| (finding, false)));
    let mut found: Vec<_> = found
        .into_iter()
        .map(|(finding, is_allowed)| if is_allowed { finding } else { deny(finding, overrides) })
        .collect();
    let (exit, failure) = match completion {
        Completion::Complete => (exit_for(&found), Vec::new()),
        Completion::Failed(failure) => (failure.exit, failure.findings),
        Completion::Partial(failure) => match exit_for(&found) {
            Exit::Findings => (Exit::Findings, failure.findings),
            _ => (failure.exit, failure.findings),
        },
    };
    // A note on what may fail isn't repeated where it has failed.
    found.retain(|note| {
        let failed = |error: &Finding| {
            (error.code, &error.message, &error.place) == (note.code, &note.message, &note.place)
        };
        note.level != Level::Note || !failure.iter().any(failed)
    });
    found.extend(failure.into_iter().map(|finding| deny(finding, overrides)));
    let findings = sort_and_merge(found);
    FinalReport { exit, summary: Summary::count(&findings), findings }
}

/// Applies the exceptions, and marks the findings that one in force covers. Returns a finding
/// for each exception that covers nothing.
fn allow(found: &mut [(Finding, bool)], overrides: &LevelOverrides) -> Vec<Finding> {
    let mut unused = Vec::new();
    for exception in &overrides.accept {
        let mut covers = false;
        for (finding, is_allowed) in found.iter_mut() {
            if !exception.covers(finding) {
                continue;
            }
            covers = true;
            let verb = if exception.in_force { "is" } else { "was" };
            let (until, place, reason) = (exception.until, &exception.place, &exception.reason);
            finding.add_note(format!("it {verb} accepted until {until} ({place}): {reason}"));
            if exception.in_force {
                finding.level = Level::Note;
                *is_allowed = true;
            }
        }
        if !covers && exception.was_checked {
            let message = format!(
                "the exception of {} for {} matches no finding",
                exception.code, exception.subject
            );
            unused.push(
                Finding::new(Code::UnusedException, message)
                    .at(exception.place.clone())
                    .with_help("remove the exception"),
            );
        }
    }
    unused
}

fn deny(mut finding: Finding, overrides: &LevelOverrides) -> Finding {
    if let Some(rule) = overrides.deny_setting(&finding) {
        finding.level = Level::Error;
        finding.add_note(format!("{} makes this an error", rule.set_by));
    }
    finding
}

/// Returns 1 for an error, and 3 if every error says that something couldn't be determined.
fn exit_for(found: &[Finding]) -> Exit {
    let mut errors = found.iter().filter(|finding| finding.level == Level::Error).peekable();
    if errors.peek().is_none() {
        Exit::Success
    } else if errors.all(|finding| finding.code.is_undetermined()) {
        Exit::Undetermined
    } else {
        Exit::Findings
    }
}

#[cfg(test)]
mod tests;
