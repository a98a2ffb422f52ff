//! What a policy probably doesn't mean, though a server accepts it.

mod grants;
mod parameters;
mod patterns;
mod refusals;

use std::collections::HashSet;

use envlock_report::{Code, Finding};
use jiff::Timestamp;

use super::block::Block;
use super::dialect::Dialect;
use super::document::Policy;
use super::error::PolicyError;
use super::json;
use envlock_text::Pos;

pub use refusals::refusals;

/// What is wrong or doubtful with `text`, the content of `file`, in the order of its weight.
/// `now` decides what has expired.
pub fn lint(name: &str, file: &str, text: &str, now: Timestamp) -> Vec<Finding> {
    let mut findings = envlock_report::exposed::in_file(file, text);
    match Policy::parse(name, file, text) {
        Ok(policy) => {
            findings.extend(refusals(&policy, now));
            findings.extend(style(&policy, now));
        }
        Err(error) => findings.extend(unreadable(file, text, &error)),
    }
    envlock_report::arrange(findings)
}

/// The findings on a text that every server refuses, with the trap of JSON behind it, if any.
pub fn unreadable(file: &str, text: &str, error: &PolicyError) -> Vec<Finding> {
    let mut sink = Sink { file, findings: vec![error.diagnostic()] };
    if text.trim_start().starts_with('{')
        && let Ok((_, traps)) = json::parse(file, text)
    {
        parameters::traps(&traps, &mut sink);
    }
    sink.findings
}

/// The lints alone. Of a policy that every server refuses nothing else is worth saying.
pub fn style(policy: &Policy, now: Timestamp) -> Vec<Finding> {
    let mut sink = Sink { file: &policy.file, findings: Vec::new() };
    if Dialect::PORTABLE.iter().any(|dialect| policy.fault(*dialect, now).is_none()) {
        patterns::labels(policy, &mut sink);
        let bare = policy.blocks.iter().map(|block| block.pattern.trim_end_matches('*'));
        let known: HashSet<&str> = bare.collect();
        for (block, item) in policy.blocks.iter().zip(policy.paths()) {
            patterns::check(block, &known, &mut sink);
            grants::check(block, item, now, &mut sink);
            parameters::check(block, &mut sink);
        }
    }
    parameters::traps(&policy.traps, &mut sink);
    sink.findings
}

/// More lints on one policy than this nobody reads; a hostile one could have a million.
const TOLD: usize = 1000;

/// Where lints put what they find.
struct Sink<'a> {
    file: &'a str,
    findings: Vec<Finding>,
}

impl Sink<'_> {
    fn warn(&mut self, code: Code, pos: Pos, message: &str, help: &str) {
        if self.findings.len() >= TOLD {
            return;
        }
        let diagnostic = Finding::new(code, message).at(pos.place(self.file));
        self.findings.push(diagnostic.with_help(help));
    }

    fn warn_block(&mut self, code: Code, block: &Block, message: &str, help: &str) {
        let message = format!("path \"{}\" {message}", block.pattern);
        self.warn(code, block.pos, &message, help);
    }
}
