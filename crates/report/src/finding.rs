//! Findings: errors, warnings and notes with code, place and help.

use schemars::JsonSchema;
use serde::Serialize;

use envlock_text::limits::{FINDING_BYTES, LIST_BYTES};
use envlock_text::redact;

use crate::{Code, Exit, Place, one_line};

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Information. It changes no exit code.
    Note,
    /// Probably a mistake. The command continues.
    Warning,
    /// The command can't continue, or the check failed.
    Error,
}

impl Level {
    /// Returns the name: `note`, `warning` or `error`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// An error, a warning or a note.
///
/// Every text is redacted when it is added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// The stable name; `envlock explain CODE` has a page for each.
    pub code: Code,
    /// The severity.
    pub level: Level,
    /// One sentence that states the problem. No trailing full stop, no type names.
    pub message: String,
    /// The place in the user's files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Further facts, each a sentence or an indented block of lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub notes: Vec<String>,
    /// What to do: the nearest valid value, or the next command to type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The need that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub need: Option<String>,
    /// The policy that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The profiles that it applies to. Empty if it doesn't depend on a profile.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub profiles: Vec<String>,
    /// Related places, such as the rule that decided.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub related: Vec<Related>,
    /// Text to copy into a file: a corrected rule, narrower rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// A place that is related to a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Related {
    /// The place.
    pub place: Place,
    /// What the place has to do with the finding.
    pub message: String,
}

impl Finding {
    /// Creates a finding with the default level of its code.
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

    /// Sets a level other than the code's default.
    #[must_use]
    pub fn at_level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Sets the place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Adds a note.
    #[must_use]
    pub fn with_note(mut self, note: impl AsRef<str>) -> Self {
        self.add_note(note);
        self
    }

    /// Adds a note.
    pub fn add_note(&mut self, note: impl AsRef<str>) {
        self.notes.push(clean(note));
    }

    /// Adds a note that is a list: a line of text, and indented items. The text for people shows
    /// the first items, and all of them with `-v`.
    #[must_use]
    pub fn with_list(
        mut self,
        heading: impl AsRef<str>,
        items: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Self {
        self.notes.push(list(clean(heading), items));
        self
    }

    /// Sets the help.
    #[must_use]
    pub fn with_help(mut self, help: impl AsRef<str>) -> Self {
        self.help = Some(clean(help));
        self
    }

    /// Sets the need that it is about.
    #[must_use]
    pub fn about_need(mut self, need: &str) -> Self {
        self.need = Some(need.to_owned());
        self
    }

    /// Sets the policy that it is about.
    #[must_use]
    pub fn about_policy(mut self, policy: &str) -> Self {
        self.policy = Some(policy.to_owned());
        self
    }

    /// Adds a profile.
    #[must_use]
    pub fn in_profile(mut self, profile: &str) -> Self {
        self.profiles.push(profile.to_owned());
        self
    }

    /// Adds a related place.
    #[must_use]
    pub fn with_related(mut self, place: Place, message: impl AsRef<str>) -> Self {
        self.related.push(Related { place, message: clean(message) });
        self
    }

    /// Sets text to copy into a file.
    #[must_use]
    pub fn with_fix(mut self, fix: impl AsRef<str>) -> Self {
        self.fix = Some(clean(fix));
        self
    }

    /// Whether two findings differ in their profiles only.
    fn differs_in_profiles_only(&self, other: &Self) -> bool {
        let without_profiles = |finding: &Self| Self { profiles: Vec::new(), ..finding.clone() };
        without_profiles(self) == without_profiles(other)
    }
}

/// Redacts a text, and cuts one that is longer than a person reads: it repeats a part of a file,
/// such as a key of megabytes.
fn clean(text: impl AsRef<str>) -> String {
    let text = redact(text.as_ref());
    if text.len() <= FINDING_BYTES {
        return text.into_owned();
    }
    let end = text.floor_char_boundary(FINDING_BYTES);
    format!("{} … ({} bytes)", &text[..end], text.len())
}

/// Formats a list. Items beyond a limit are counted, since an index or an archive may have any number
/// of them.
fn list(heading: String, items: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut text = heading;
    let mut more = 0;
    for item in items {
        if more > 0 || text.len() > LIST_BYTES {
            more += 1;
            continue;
        }
        text.push_str("\n  ");
        text.push_str(&one_line(&clean(item)));
    }
    if more > 0 {
        text.push_str(&format!("\n  and {more} more"));
    }
    text
}

/// An error that can be shown as findings and that decides the exit code.
///
/// Every error enum of the workspace's libraries implements it next to its definition, so that
/// the CLI doesn't depend on any of them.
pub trait AsFindings: std::error::Error {
    /// Converts the error to findings, at least one.
    fn findings(&self) -> Vec<Finding>;

    /// Returns the exit code of the command.
    fn exit(&self) -> Exit;
}

impl<'a, E: AsFindings + 'a> From<E> for Box<dyn AsFindings + 'a> {
    fn from(error: E) -> Self {
        Box::new(error)
    }
}

/// Sorts findings by level and place, and merges equal findings of several profiles.
pub fn sort_and_merge(findings: Vec<Finding>) -> Vec<Finding> {
    let mut arranged = findings;
    arranged.sort_by(|a, b| key(a).cmp(&key(b)));
    arranged.dedup_by(|later, earlier| {
        let same = later.differs_in_profiles_only(earlier);
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
