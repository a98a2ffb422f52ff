//! The answer of a check: what it found, for whom, and every place that plays a part.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::output::VERSION;
use crate::{Diagnostic, Exit, Place, Severity, one_line};

/// One finding of a check: a diagnostic, and whom it concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is the case, where, and what to do.
    pub diagnostic: Diagnostic,
    /// The need that it is about.
    pub need: Option<String>,
    /// The profiles that it holds for.
    pub profiles: Vec<String>,
    /// Other places that play a part, such as the rule that decided.
    pub related: Vec<Related>,
    /// Text to put into a file as it stands: a corrected rule, narrower rules.
    pub fix: Option<String>,
}

/// Another place that plays a part in a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Related {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is there.
    pub message: String,
}

impl Finding {
    /// The finding of one diagnostic.
    pub fn new(diagnostic: Diagnostic) -> Self {
        Self { diagnostic, need: None, profiles: Vec::new(), related: Vec::new(), fix: None }
    }

    /// The same, about a need.
    #[must_use]
    pub fn about(mut self, need: &str) -> Self {
        self.need = Some(need.to_owned());
        self
    }

    /// The same, in a profile.
    #[must_use]
    pub fn in_profile(mut self, profile: &str) -> Self {
        self.profiles.push(profile.to_owned());
        self
    }

    /// The same, with another place.
    #[must_use]
    pub fn with_related(mut self, place: Place, message: impl Into<String>) -> Self {
        self.related.push(Related { place, message: message.into() });
        self
    }

    /// The same, with text to put into a file.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// Its stable name.
    pub fn code(&self) -> &'static str {
        self.diagnostic.code
    }

    /// How much it weighs.
    pub fn severity(&self) -> Severity {
        self.diagnostic.severity
    }

    /// What makes two findings the same one, found for different profiles.
    fn same(&self, other: &Self) -> bool {
        self.diagnostic == other.diagnostic
            && self.need == other.need
            && self.related == other.related
            && self.fix == other.fix
    }
}

/// Findings in the order to read them in: by weight, then by place; what was found for
/// several profiles is one finding.
pub fn arrange(findings: Vec<Finding>) -> Vec<Finding> {
    let mut arranged = findings;
    arranged.sort_by(|a, b| key(a).cmp(&key(b)));
    arranged.dedup_by(|later, earlier| {
        let same = later.same(earlier);
        if same {
            for profile in later.profiles.drain(..) {
                if !earlier.profiles.contains(&profile) {
                    earlier.profiles.push(profile);
                }
            }
        }
        same
    });
    arranged
}

fn key(finding: &Finding) -> impl Ord + '_ {
    let diagnostic = &finding.diagnostic;
    let weight = std::cmp::Reverse(diagnostic.severity);
    (
        weight,
        &diagnostic.place,
        diagnostic.code,
        &finding.need,
        &diagnostic.message,
        &diagnostic.help,
    )
}

/// How a check with these findings ends the program: 1 for an error, and for a warning where
/// warnings were asked to count.
pub fn exit_of(findings: &[Finding], deny_warnings: bool) -> Exit {
    let least = if deny_warnings { Severity::Warning } else { Severity::Error };
    if findings.iter().any(|finding| finding.severity() >= least) {
        Exit::Findings
    } else {
        Exit::Yes
    }
}

/// The JSON of a check. Scripts rely on its shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FindingsDocument<R> {
    /// The version of this format.
    pub version: u32,
    /// The command, such as `check-secrets`.
    pub command: String,
    /// How it ended.
    pub exit: Exit,
    /// The process's exit status.
    pub exit_code: u8,
    /// How many there are of each weight.
    pub summary: Summary,
    /// What was found.
    pub findings: Vec<FindingEntry>,
    /// Which server was asked; nothing where none was, or none answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// What was asked, and who answered it how; nothing where only texts were looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub answers: Vec<R>,
}

/// Which server was asked, in whose name, and what it said of the token: never the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Asked {
    /// The address.
    pub server: String,
    /// The server's own word for its version; empty where it doesn't say.
    pub version: String,
    /// How many seconds its clock is ahead of this machine's, where it tells the time.
    pub clock_ahead: Option<i64>,
    /// The profile.
    pub profile: String,
    /// Whether the token came from a login, and was ended again; else the user gave it.
    pub logged_in: bool,
    /// The token's policies.
    pub policies: Vec<String>,
    /// How many seconds the token lived from then on; 0 for one that never ends.
    pub token_ttl: u64,
    /// Whether the token can be renewed.
    pub renewable: bool,
    /// How many requests the token was good for; nothing for any number.
    pub uses_left: Option<u64>,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "asked {}", self.server)?;
        if !self.version.is_empty() {
            write!(f, " ({})", one_line(&self.version))?;
        }
        write!(f, " as profile {}; its token ", self.profile)?;
        match self.token_ttl {
            0 => f.write_str("never ends"),
            seconds @ 1..=119 => write!(f, "ends in {seconds} s"),
            seconds @ 120..=7199 => write!(f, "ends in {} min", (seconds + 30) / 60),
            seconds @ 7200..=172_799 => write!(f, "ends in {} h", (seconds + 1800) / 3600),
            seconds => write!(f, "ends in {} days", (seconds + 43_200) / 86_400),
        }
    }
}

/// How many findings there are of each weight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// Findings that end with exit code 1.
    pub errors: usize,
    /// Findings that do so only with `--deny warnings`.
    pub warnings: usize,
    /// Findings worth knowing.
    pub notes: usize,
}

/// One finding in the JSON of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FindingEntry {
    /// The stable name; `envlock explain CODE` has a page for each.
    pub code: &'static str,
    /// How much it weighs.
    pub level: Severity,
    /// The need that it is about.
    pub need: Option<String>,
    /// The profiles that it holds for; empty when it doesn't depend on one.
    pub profiles: Vec<String>,
    /// The file, as the user named it.
    pub file: Option<String>,
    /// The line, counted from 1.
    pub line: Option<u32>,
    /// The column in characters, counted from 1.
    pub column: Option<u32>,
    /// What is the case.
    pub message: String,
    /// Further facts.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Option<String>,
    /// Text to put into a file as it stands.
    pub fix: Option<String>,
    /// Other places that play a part.
    pub related: Vec<Related>,
}

impl Summary {
    /// The counts of `findings`.
    pub fn of(findings: &[Finding]) -> Self {
        let count = |severity| findings.iter().filter(|f| f.severity() == severity).count();
        Self {
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            notes: count(Severity::Note),
        }
    }
}

impl From<&Finding> for FindingEntry {
    fn from(finding: &Finding) -> Self {
        let diagnostic = &finding.diagnostic;
        let place = diagnostic.place.as_ref();
        Self {
            code: diagnostic.code,
            level: diagnostic.severity,
            need: finding.need.clone(),
            profiles: finding.profiles.clone(),
            file: place.map(|place| place.file.clone()),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            message: diagnostic.message.clone(),
            notes: diagnostic.notes.clone(),
            help: diagnostic.help.clone(),
            fix: finding.fix.clone(),
            related: finding.related.clone(),
        }
    }
}

impl<R> FindingsDocument<R> {
    /// What `command` found, and how it ends.
    pub fn new(
        command: &str,
        findings: &[Finding],
        asked: Option<Asked>,
        answers: Vec<R>,
        exit: Exit,
    ) -> Self {
        Self {
            version: VERSION,
            command: command.to_owned(),
            exit,
            exit_code: exit.code(),
            summary: Summary::of(findings),
            findings: findings.iter().map(FindingEntry::from).collect(),
            asked,
            answers,
        }
    }
}
