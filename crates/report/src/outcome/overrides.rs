//! The rules of a run: which findings are accepted until a date, and which become errors.

use std::{fmt, str::FromStr};

use jiff::civil::Date;

use crate::{Code, Finding, Level, Place, nearest};

/// The changes of levels in one run. They never change the findings otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LevelOverrides {
    /// Findings that are accepted until a date.
    pub accept: Vec<Exception>,
    /// Findings that become errors.
    pub deny: Vec<DenySetting>,
}

impl LevelOverrides {
    /// Adds the overrides of another source. No source removes a rule of another one.
    pub fn extend(&mut self, other: Self) {
        self.accept.extend(other.accept);
        self.deny.extend(other.deny);
    }

    /// Finds the first rule that turns `finding` into an error.
    pub(super) fn deny_setting(&self, finding: &Finding) -> Option<&DenySetting> {
        self.deny.iter().find(|rule| rule.raises(finding))
    }
}

/// A finding that is accepted until a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The code of the finding.
    pub code: Code,
    /// The need or policy that the finding must be about.
    pub subject: FindingSubject,
    /// The reason for accepting it.
    pub reason: String,
    /// The last day on which it is accepted.
    pub until: Date,
    /// Whether `until` hasn't passed.
    pub in_force: bool,
    /// The place of the exception in its file.
    pub place: Place,
    /// Whether this run checked for such findings. Only then an exception that matches nothing
    /// is unused: some findings need a server's answer.
    pub was_checked: bool,
}

impl Exception {
    /// Whether this exception covers `finding`.
    pub(super) fn covers(&self, finding: &Finding) -> bool {
        let about = match &self.subject {
            FindingSubject::Need(name) => finding.need.as_ref() == Some(name),
            FindingSubject::Policy(name) => finding.policy.as_ref() == Some(name),
        };
        finding.code == self.code && about
    }
}

/// The need or policy that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindingSubject {
    /// A need.
    Need(String),
    /// A policy.
    Policy(String),
}

impl fmt::Display for FindingSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Need(name) => write!(f, "need {name}"),
            Self::Policy(name) => write!(f, "policy {name}"),
        }
    }
}

/// A rule that turns findings into errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenySetting {
    /// The findings that it applies to.
    pub target: DenyTarget,
    /// Where the rule was set, such as `--deny warnings` or `deny` in envlock.toml.
    pub set_by: String,
}

impl DenySetting {
    /// Creates the rule of a `--deny` flag.
    pub fn from_flag(target: DenyTarget) -> Self {
        Self { target, set_by: format!("`--deny {target}`") }
    }

    fn raises(&self, finding: &Finding) -> bool {
        match self.target {
            DenyTarget::Warnings => finding.level == Level::Warning,
            DenyTarget::Code(code) => finding.level < Level::Error && finding.code == code,
        }
    }
}

/// The target of a deny rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DenyTarget {
    /// Every warning.
    Warnings,
    /// Findings with this code, warnings and notes alike.
    Code(Code),
}

impl fmt::Display for DenyTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Warnings => f.write_str("warnings"),
            Self::Code(code) => code.fmt(f),
        }
    }
}

/// A `--deny` value that is neither `warnings` nor a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is neither `warnings` nor a code; {}", match nearest {
    Some(nearest) => format!("did you mean `{nearest}`?"),
    None => "`envlock explain` lists the codes".to_owned(),
})]
pub struct UnknownDenyTarget {
    /// The value.
    pub word: String,
    /// The nearest valid value.
    pub nearest: Option<&'static str>,
}

impl FromStr for DenyTarget {
    type Err = UnknownDenyTarget;

    fn from_str(word: &str) -> Result<Self, UnknownDenyTarget> {
        if word == "warnings" {
            return Ok(Self::Warnings);
        }
        word.parse().map(Self::Code).map_err(|_| {
            let known = Code::ALL.iter().map(|code| code.as_str()).chain(["warnings"]);
            UnknownDenyTarget { word: word.to_owned(), nearest: nearest(word, known) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_target_is_rejected_with_the_nearest_valid_one() {
        assert_eq!("warnings".parse(), Ok(DenyTarget::Warnings));
        assert_eq!("excess-rights".parse(), Ok(DenyTarget::Code(Code::ExcessRights)));
        let error = |word: &str| word.parse::<DenyTarget>().unwrap_err().to_string();
        assert!(error("warning").ends_with("did you mean `warnings`?"), "{}", error("warning"));
        assert!(error("unused-polcy").ends_with("did you mean `unused-policy`?"));
        assert!(error("zzz").ends_with("`envlock explain` lists the codes"));
    }
}
