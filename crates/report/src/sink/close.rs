//! The one function that judges what was found.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Ended, Rules};
use crate::{Code, Exit, Finding, Level, arrange};

/// What is left of a run once its rules are applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// How the command ends.
    pub exit: Exit,
    /// How many findings there are of each level.
    pub summary: Summary,
    /// The findings, in the order to read them in.
    pub findings: Vec<Finding>,
}

/// How many findings there are of each level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// Findings that fail the command.
    pub errors: usize,
    /// Findings that do so only where they are denied.
    pub warnings: usize,
    /// Findings worth knowing.
    pub notes: usize,
}

impl Summary {
    /// The counts of `findings`.
    pub fn of(findings: &[Finding]) -> Self {
        let count = |level| findings.iter().filter(|finding| finding.level == level).count();
        Self {
            errors: count(Level::Error),
            warnings: count(Level::Warning),
            notes: count(Level::Note),
        }
    }
}

/// Applies the rules to all that was found, sorts it, and derives the exit code.
///
/// An allowance in force makes a note of a finding, and no denial raises it again. The findings
/// of a failure can't be allowed: without an answer there is nothing to accept.
pub fn close(findings: Vec<Finding>, ended: Ended, rules: &Rules) -> Closed {
    let mut found: Vec<_> = findings.into_iter().map(|finding| (finding, false)).collect();
    let unused = allow(&mut found, rules);
    found.extend(unused.into_iter().map(|finding| (finding, false)));
    let mut found: Vec<_> = found
        .into_iter()
        .map(|(finding, is_allowed)| if is_allowed { finding } else { deny(finding, rules) })
        .collect();
    let (exit, failure) = match ended {
        Ended::Done => (exit_of(&found), Vec::new()),
        Ended::Failed(failure) => (failure.exit, failure.findings),
        Ended::Partly(failure) => match exit_of(&found) {
            Exit::Findings => (Exit::Findings, failure.findings),
            _ => (failure.exit, failure.findings),
        },
    };
    found.extend(failure.into_iter().map(|finding| deny(finding, rules)));
    let findings = arrange(found);
    Closed { exit, summary: Summary::of(&findings), findings }
}

/// Applies the allowances; marks what one in force covers. Returns a finding for each allowance
/// that covers nothing.
fn allow(found: &mut [(Finding, bool)], rules: &Rules) -> Vec<Finding> {
    let mut unused = Vec::new();
    for allowance in &rules.allow {
        let mut covers = false;
        for (finding, is_allowed) in found.iter_mut() {
            if !allowance.covers(finding) {
                continue;
            }
            covers = true;
            let verb = if allowance.in_force { "is" } else { "was" };
            let (until, place, reason) = (allowance.until, &allowance.place, &allowance.reason);
            finding.notes.push(format!("it {verb} accepted until {until} ({place}): {reason}"));
            if allowance.in_force {
                finding.level = Level::Note;
                *is_allowed = true;
            }
        }
        if !covers && allowance.looked_for {
            let message = format!(
                "the allowance of {} for {} matches no finding",
                allowance.finding, allowance.subject
            );
            unused.push(
                Finding::new(Code::UnusedAllowance, message)
                    .at(allowance.place.clone())
                    .with_help("remove the allowance"),
            );
        }
    }
    unused
}

fn deny(mut finding: Finding, rules: &Rules) -> Finding {
    if let Some(denial) = rules.denial(&finding) {
        finding.level = Level::Error;
        finding.notes.push(format!("{} makes this an error", denial.by));
    }
    finding
}

/// 1 for an error; 3 where every error says that something could not be found out.
fn exit_of(found: &[Finding]) -> Exit {
    let mut errors = found.iter().filter(|finding| finding.level == Level::Error).peekable();
    if errors.peek().is_none() {
        Exit::Yes
    } else if errors.all(|finding| finding.code.is_unproven()) {
        Exit::Unknown
    } else {
        Exit::Findings
    }
}

#[cfg(test)]
mod tests;
