//! Lints: parts of a policy that servers accept and that probably are mistakes.

mod grants;
mod parameters;
mod patterns;
mod protected;
mod rejections;

use std::collections::HashSet;

use envlock_report::{Code, Finding};
use jiff::Timestamp;

use super::block::Block;
use super::dialect::Dialect;
use super::document::Policy;
use super::error::PolicyError;
use super::json;
use envlock_text::Pos;

pub use rejections::rejections;

/// Checks `text`, the content of `file`, as the policy `name`. Findings are sorted by level.
/// `now` decides which blocks have expired.
pub fn lint(name: &str, file: &str, text: &str, now: Timestamp) -> Vec<Finding> {
    let exposed = envlock_report::secret_scan::secrets_in_file(file, text).into_iter();
    let mut findings: Vec<_> = exposed.map(|finding| finding.about_policy(name)).collect();
    match Policy::parse(name, file, text) {
        Ok(policy) => {
            findings.extend(rejections(&policy, now));
            findings.extend(lint_parsed(&policy, now));
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
    let mut sink = Sink { policy, file, findings: vec![error.finding().about_policy(policy)] };
    if text.trim_start().starts_with('{')
        && let Ok((_, json_pitfalls)) = json::parse(file, text)
    {
        parameters::json_pitfalls(&json_pitfalls, &mut sink);
    }
    sink.findings
}

/// The lints of a parsed policy, without rejections.
pub fn lint_parsed(policy: &Policy, now: Timestamp) -> Vec<Finding> {
    let mut sink = Sink { policy: &policy.name, file: &policy.file, findings: Vec::new() };
    if Dialect::PORTABLE.iter().any(|dialect| policy.error_for(*dialect, now).is_none()) {
        patterns::labels(policy, &mut sink);
        let bare = policy.blocks.iter().map(|block| block.pattern.trim_end_matches('*'));
        let known: HashSet<&str> = bare.collect();
        let with_sudo = protected::patterns_with_sudo(policy);
        for (block, item) in policy.blocks.iter().zip(policy.paths()) {
            patterns::check(block, &known, &mut sink);
            grants::check(block, item, now, &mut sink);
            parameters::check(block, &mut sink);
            protected::check(block, &with_sudo, &mut sink);
        }
    }
    parameters::json_pitfalls(&policy.json_pitfalls, &mut sink);
    sink.findings
}

/// The most lints that are kept for one policy; a hostile one could have a million.
const KEPT: usize = 1000;

/// Collects the findings of the lints.
struct Sink<'a> {
    policy: &'a str,
    file: &'a str,
    findings: Vec<Finding>,
}

impl Sink<'_> {
    fn warn(&mut self, code: Code, pos: Pos, message: &str, help: &str) {
        if self.findings.len() >= KEPT {
            return;
        }
        let finding = Finding::new(code, message).about_policy(self.policy);
        self.findings.push(finding.at(pos.place(self.file)).with_help(help));
    }

    fn warn_block(&mut self, code: Code, block: &Block, message: &str, help: &str) {
        let message = format!("path \"{}\" {message}", block.pattern);
        self.warn(code, block.pos, &message, help);
    }
}
