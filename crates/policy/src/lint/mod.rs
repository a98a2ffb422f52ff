//! Lints: parts of a policy that servers accept and that probably are mistakes.

mod foreign;
mod grants;
mod mounted;
mod parameters;
mod patterns;
mod protected;
mod rejections;
mod unreachable;

use std::collections::HashSet;

use envlock_report::{Code, Finding};
use jiff::Timestamp;

use super::block::Block;
use super::dialect::Dialect;
use super::document::Policy;
use super::error::PolicyError;
use super::json;
use super::mounts::Mounts;
use envlock_text::Pos;

pub use rejections::rejections;
pub use unreachable::rules_that_never_decide;

/// What is known about the servers of a policy.
#[derive(Debug, Clone)]
pub struct LintContext {
    /// The time at which the policy is read: blocks may have expired.
    pub now: Timestamp,
    /// The servers that read it.
    pub dialects: Vec<Dialect>,
    /// The mounts whose engines are known.
    pub mounts: Mounts,
    /// Whether needs are checked, too, which say what the rules should grant. Lints then have fixes
    /// only for rules that deny.
    pub needs_are_checked: bool,
}

impl LintContext {
    /// Nothing is known about the servers but the time.
    pub fn portable(now: Timestamp) -> Self {
        Self {
            now,
            dialects: Dialect::PORTABLE.to_vec(),
            mounts: Mounts::default(),
            needs_are_checked: false,
        }
    }
}

/// Checks `text`, the content of `file`, as the policy `name`. Findings are sorted by level.
pub fn lint(name: &str, file: &str, text: &str, context: &LintContext) -> Vec<Finding> {
    let exposed = envlock_report::secret_scan::secrets_in_file(file, text).into_iter();
    let mut findings: Vec<_> = exposed.map(|finding| finding.about_policy(name)).collect();
    match Policy::parse(name, file, text) {
        Ok(policy) => {
            findings.extend(rejections(&policy, context.now));
            findings.extend(lint_parsed(&policy, context));
        }
        Err(error) => findings.extend(parse_error_findings(name, file, text, &error)),
    }
    envlock_report::sort_and_merge(findings)
}

/// The findings about a text that every server rejects, and about pitfalls of JSON.
pub fn parse_error_findings(
    policy: &str,
    file: &str,
    text: &str,
    error: &PolicyError,
) -> Vec<Finding> {
    let mut sink = Sink::new(policy, file, None);
    sink.findings.push(error.finding().about_policy(policy));
    if text.trim_start().starts_with('{')
        && let Ok((_, json_pitfalls)) = json::parse(file, text)
    {
        parameters::json_pitfalls(&json_pitfalls, &mut sink);
    }
    sink.into_findings()
}

/// The lints of a parsed policy, without rejections.
pub fn lint_parsed(policy: &Policy, context: &LintContext) -> Vec<Finding> {
    lint_with(policy, context, Some(context))
}

/// `fixes` is the context in which the text of a fix is checked; `None` finds no fixes.
fn lint_with(policy: &Policy, context: &LintContext, fixes: Option<&LintContext>) -> Vec<Finding> {
    let now = context.now;
    let mut sink = Sink::new(&policy.name, &policy.file, fixes);
    if Dialect::PORTABLE.iter().any(|dialect| policy.error_for(*dialect, now).is_none()) {
        patterns::labels(policy, &mut sink);
        let unreachable = unreachable::check(policy, context, &mut sink);
        let bare = policy.blocks.iter().map(|block| block.pattern.trim_end_matches('*'));
        let known: HashSet<&str> = bare.collect();
        let with_sudo = protected::patterns_with_sudo(policy);
        for (index, (block, item)) in policy.blocks.iter().zip(policy.paths()).enumerate() {
            if !foreign::check(block, context, &mut sink) {
                patterns::check(block, &mut sink);
            }
            if !unreachable.contains(&index) {
                patterns::parent_of_deny(block, &known, context, &mut sink);
            }
            mounted::check(block, context, &mut sink);
            grants::check(block, item, now, &mut sink);
            parameters::check(block, &mut sink);
            protected::check(block, &with_sudo, &mut sink);
        }
    }
    parameters::json_pitfalls(&policy.json_pitfalls, &mut sink);
    sink.into_findings()
}

/// The maximum number of lints that are kept for one policy; a hostile one could have a million.
const KEPT: usize = 1000;

/// Collects the findings of the lints.
struct Sink<'a> {
    policy: &'a str,
    file: &'a str,
    /// The context in which the text of a fix is checked; `None` adds no fixes.
    fixes: Option<&'a LintContext>,
    findings: Vec<Finding>,
    /// The number of lints that weren't kept.
    dropped: usize,
}

impl<'a> Sink<'a> {
    fn new(policy: &'a str, file: &'a str, fixes: Option<&'a LintContext>) -> Self {
        Self { policy, file, fixes, findings: Vec::new(), dropped: 0 }
    }

    /// Returns the lints. A note of the last one says how many weren't kept.
    fn into_findings(mut self) -> Vec<Finding> {
        if let Some(last) = self.findings.last_mut().filter(|_| self.dropped > 0) {
            last.add_note(format!("and {} more lints of this policy", self.dropped));
        }
        self.findings
    }

    fn warn(&mut self, code: Code, pos: Pos, message: &str, help: &str) {
        let finding = Finding::new(code, message).about_policy(self.policy);
        self.push(finding.at(pos.place(self.file)).with_help(help));
    }

    fn warn_block(&mut self, code: Code, block: &Block, message: &str, help: &str) {
        self.warn_with_fix(code, block, message, help, None);
    }

    /// Warns about a block. `fix` is the text that replaces it; it is shown only if it has no
    /// finding of its own, and if the block has no conditions that it would lose.
    fn warn_with_fix(
        &mut self,
        code: Code,
        block: &Block,
        message: &str,
        help: &str,
        fix: Option<String>,
    ) {
        let message = format!("path \"{}\" {message}", block.pattern);
        let finding = Finding::new(code, message).about_policy(self.policy).with_help(help);
        let fix = fix.filter(|fix| self.is_safe(block, fix));
        let finding = finding.at(block.pos.place(self.file));
        self.push(match fix {
            Some(fix) => finding.with_fix(fix),
            None => finding,
        });
    }

    fn push(&mut self, finding: Finding) {
        if self.findings.len() < KEPT {
            self.findings.push(finding);
        } else {
            self.dropped += 1;
        }
    }

    /// Whether `fix` loses no condition of `block` and has no finding. `false` where no fixes are
    /// wanted.
    fn is_safe(&self, block: &Block, fix: &str) -> bool {
        let Some(context) = self.fixes.filter(|_| self.findings.len() < KEPT) else {
            return false;
        };
        if !block.is_unconditional()
            || (context.needs_are_checked && !block.capabilities.contains_deny())
        {
            return false;
        }
        Policy::parse(self.policy, self.file, fix)
            .is_ok_and(|policy| lint_with(&policy, context, None).is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lints_above_the_limit_are_counted_in_a_note_of_the_last_one() {
        for (number, note) in [(KEPT, None), (KEPT + 3, Some("and 3 more lints of this policy"))] {
            let mut sink = Sink::new("p", "p.hcl", None);
            for line in (1..).take(number) {
                sink.warn(Code::LiteralWildcard, Pos { line, column: 1 }, "x", "y");
            }
            let findings = sink.into_findings();
            assert_eq!(findings.len(), KEPT);
            assert_eq!(findings[KEPT - 1].notes.first().map(String::as_str), note);
            assert_eq!(findings[KEPT - 2].notes, Vec::<String>::new());
        }
    }
}
