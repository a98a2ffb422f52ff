//! What the program has to say: each thing with its code, its place and what to do.

use schemars::JsonSchema;
use serde::Serialize;

use envlock_text::redact;

use crate::{Code, Exit, Place};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Worth knowing; changes no exit code.
    Note,
    /// Probably wrong; the work goes on.
    Warning,
    /// The work can't go on, or the answer is no.
    Error,
}

impl Level {
    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing to say: what is the case, where, for whom, why, and what to do.
///
/// What looks like a secret is taken out of every text that goes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// The stable name; `envlock explain CODE` has a page for each.
    pub code: Code,
    /// How much it weighs.
    pub level: Level,
    /// One sentence: what is the case. No trailing full stop, no type names.
    pub message: String,
    /// Where in the user's files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Further facts, each a sentence or an indented block of lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub notes: Vec<String>,
    /// What to do: the nearest right thing, or the next command to type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The need of a credential that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub need: Option<String>,
    /// The policy that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The profiles that it holds for; empty when it doesn't depend on one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub profiles: Vec<String>,
    /// Other places that play a part, such as the rule that decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub related: Vec<Related>,
    /// Text to put into a file as it stands: a corrected rule, narrower rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// Another place that plays a part in a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Related {
    /// Where.
    pub place: Place,
    /// What is there.
    pub message: String,
}

impl Finding {
    /// A finding at the usual level of its code.
    pub fn new(code: Code, message: impl AsRef<str>) -> Self {
        Self {
            code,
            level: code.level(),
            message: clean(message),
            place: None,
            notes: Vec::new(),
            help: None,
            need: None,
            policy: None,
            profiles: Vec::new(),
            related: Vec::new(),
            fix: None,
        }
    }

    /// The same, weighing more or less than is usual for its code.
    #[must_use]
    pub fn at_level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// The same, at a place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same, with one more fact.
    #[must_use]
    pub fn with_note(mut self, note: impl AsRef<str>) -> Self {
        self.notes.push(clean(note));
        self
    }

    /// The same, with what to do.
    #[must_use]
    pub fn with_help(mut self, help: impl AsRef<str>) -> Self {
        self.help = Some(clean(help));
        self
    }

    /// The same, about a need.
    #[must_use]
    pub fn about(mut self, need: &str) -> Self {
        self.need = Some(need.to_owned());
        self
    }

    /// The same, about a policy.
    #[must_use]
    pub fn about_policy(mut self, policy: &str) -> Self {
        self.policy = Some(policy.to_owned());
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
    pub fn with_related(mut self, place: Place, message: impl AsRef<str>) -> Self {
        self.related.push(Related { place, message: clean(message) });
        self
    }

    /// The same, with text to put into a file.
    #[must_use]
    pub fn with_fix(mut self, fix: impl AsRef<str>) -> Self {
        self.fix = Some(clean(fix));
        self
    }

    /// What makes two findings the same one, found for different profiles.
    fn same(&self, other: &Self) -> bool {
        let without_profiles = |finding: &Self| Self { profiles: Vec::new(), ..finding.clone() };
        without_profiles(self) == without_profiles(other)
    }
}

fn clean(text: impl AsRef<str>) -> String {
    redact(text.as_ref()).into_owned()
}

/// An error that can be told to a person and that ends the program in its own way.
///
/// Every error enum of the workspace's libraries implements it beside its definition, so
/// that the CLI needs no knowledge of any of them.
pub trait Explain: std::error::Error {
    /// What to say; at least one.
    fn findings(&self) -> Vec<Finding>;

    /// How the program ends because of it.
    fn exit(&self) -> Exit;
}

impl<'a, E: Explain + 'a> From<E> for Box<dyn Explain + 'a> {
    fn from(error: E) -> Self {
        Box::new(error)
    }
}

/// Findings in the order to read them in: by level, then by place. What was found for several
/// profiles is one finding.
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
    let weight = std::cmp::Reverse(finding.level);
    (weight, &finding.place, finding.code, &finding.need, &finding.message, &finding.help)
}
