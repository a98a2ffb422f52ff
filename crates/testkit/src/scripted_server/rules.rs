//! The table of a scripted server.

use super::{RecordedRequest, ScriptedAnswer, ScriptedAnswers};
use crate::faults::matches;

/// The rules with their answers, the latest first.
#[derive(Debug, Default)]
pub(super) struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    method: String,
    pattern: String,
    /// The next answer is the last of the list.
    answers: Vec<ScriptedAnswer>,
}

impl Rules {
    pub(super) fn add(&mut self, method: &str, pattern: &str, answers: ScriptedAnswers) {
        let mut answers = answers.0;
        assert!(!answers.is_empty(), "{method} {pattern} has no answer");
        answers.reverse();
        let rule = Rule { method: method.to_owned(), pattern: pattern.to_owned(), answers };
        self.0.insert(0, rule);
    }

    pub(super) fn next(&mut self, request: &RecordedRequest) -> ScriptedAnswer {
        let means = |rule: &&mut Rule| {
            rule.method == request.method && matches(&rule.pattern, &request.path)
        };
        let Some(rule) = self.0.iter_mut().find(means) else {
            return ScriptedAnswer::errors(404, &[]);
        };
        let next = if rule.answers.len() > 1 { rule.answers.pop() } else { None };
        next.unwrap_or_else(|| rule.answers[0].clone())
    }
}
