//! Rules of a run: which findings are accepted for a while, and which weigh more.

use std::{fmt, str::FromStr};

use jiff::civil::Date;

use crate::{Code, Finding, Level, Place, nearest};

/// The rules of one run. They never change what is found, only how much it weighs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// Findings that are accepted for a while.
    pub allow: Vec<Allowance>,
    /// Findings that count as errors.
    pub deny: Vec<Denial>,
}

impl Rules {
    /// Adds the rules of another source. No source takes a rule of another one away.
    pub fn extend(&mut self, other: Self) {
        self.allow.extend(other.allow);
        self.deny.extend(other.deny);
    }

    /// The first denial that makes an error of `finding`.
    pub(super) fn denial(&self, finding: &Finding) -> Option<&Denial> {
        self.deny.iter().find(|denial| denial.raises(finding))
    }
}

/// A finding that is accepted until a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// The code of the finding.
    pub finding: Code,
    /// What the finding must be about.
    pub subject: Subject,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it is accepted.
    pub until: Date,
    /// Whether `until` hasn't passed.
    pub in_force: bool,
    /// Where the allowance is written.
    pub place: Place,
    /// Whether this run looked for such findings. Only then is an allowance that matches
    /// nothing unused: some findings need a server's answer.
    pub looked_for: bool,
}

impl Allowance {
    /// Whether `finding` is the one that is accepted.
    pub(super) fn covers(&self, finding: &Finding) -> bool {
        let about = match &self.subject {
            Subject::Need(name) => finding.need.as_ref() == Some(name),
            Subject::Policy(name) => finding.policy.as_ref() == Some(name),
        };
        finding.code == self.finding && about
    }
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A need of a credential.
    Need(String),
    /// A policy.
    Policy(String),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Need(name) => write!(f, "need {name}"),
            Self::Policy(name) => write!(f, "policy {name}"),
        }
    }
}

/// One rule that makes errors of other findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// What is denied.
    pub what: Denied,
    /// Who denies it, such as `--deny warnings` or `deny` in envlock.toml.
    pub by: String,
}

impl Denial {
    /// A denial from the command line.
    pub fn by_flag(what: Denied) -> Self {
        Self { what, by: format!("`--deny {what}`") }
    }

    fn raises(&self, finding: &Finding) -> bool {
        match self.what {
            Denied::Warnings => finding.level == Level::Warning,
            Denied::Code(code) => finding.level < Level::Error && finding.code == code,
        }
    }
}

/// What can be denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// Every warning.
    Warnings,
    /// Findings with this code, warnings and notes alike.
    Code(Code),
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Warnings => f.write_str("warnings"),
            Self::Code(code) => code.fmt(f),
        }
    }
}

/// A word that is neither `warnings` nor a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is neither `warnings` nor a code; {}", match nearest {
    Some(nearest) => format!("did you mean `{nearest}`?"),
    None => "`envlock explain` lists the codes".to_owned(),
})]
pub struct NotDenied {
    /// The word.
    pub word: String,
    /// The nearest right one.
    pub nearest: Option<&'static str>,
}

impl FromStr for Denied {
    type Err = NotDenied;

    fn from_str(word: &str) -> Result<Self, NotDenied> {
        if word == "warnings" {
            return Ok(Self::Warnings);
        }
        word.parse().map(Self::Code).map_err(|_| {
            let known = Code::ALL.iter().map(|code| code.as_str()).chain(["warnings"]);
            NotDenied { word: word.to_owned(), nearest: nearest(word, known) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_word_is_refused_with_the_nearest() {
        assert_eq!("warnings".parse(), Ok(Denied::Warnings));
        assert_eq!("excess".parse(), Ok(Denied::Code(Code::Excess)));
        let said = |word: &str| word.parse::<Denied>().unwrap_err().to_string();
        assert!(said("warning").ends_with("did you mean `warnings`?"), "{}", said("warning"));
        assert!(said("unused-polcy").ends_with("did you mean `unused-policy`?"));
        assert!(said("zzz").ends_with("`envlock explain` lists the codes"));
    }
}
