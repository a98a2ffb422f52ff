//! What an environment.yml says, as data.

use std::collections::BTreeMap;
use std::fmt;

use envlock_report::{Finding, Place};
use rattler_conda_types::{MatchSpec, Subdir};

use super::Selector;
use envlock_text::redact;

/// A value and where it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it begins.
    pub place: Place,
}

/// A whole environment.yml.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The file, as the user named it.
    pub file: String,
    /// `name:`, if it has one.
    pub name: Option<Located<String>>,
    /// `channels:` as written and in order, without `nodefaults`; `None` without that key.
    pub channels: Option<Vec<Located<String>>>,
    /// Whether `nodefaults` is among the channels.
    pub nodefaults: bool,
    /// `platforms:`, in order, each once.
    pub platforms: Vec<Located<Subdir>>,
    /// The conda packages asked for, in the order of the file.
    pub dependencies: Vec<Dependency>,
    /// Every line of every `pip:` section, in the order of the file.
    pub pip: Vec<PipLine>,
    /// `variables:`; numbers and booleans are the text that stands in the file.
    pub variables: BTreeMap<String, String>,
    /// `prefix:`, which isn't used.
    pub prefix: Option<Located<String>>,
    /// Where `secrets:` stands; what it says isn't read here.
    pub secrets: Option<Place>,
    /// What is probably wrong, in the order of the file.
    pub warnings: Vec<Finding>,
}

/// One conda package that is asked for.
#[derive(Clone)]
pub struct Dependency {
    /// The match spec as written, without a comment, and with `***` for a password.
    pub text: String,
    /// Where it begins.
    pub place: Place,
    /// The platforms that it is for; `None` for all.
    pub selector: Option<Selector>,
    /// The channel as written before `::` or in `[channel=…]`. May hold credentials.
    pub channel: Option<String>,
    /// The subdir that the package must come from, if one is named.
    pub subdir: Option<Subdir>,
    /// What it asks for: an exact lower-case name, and never a channel or subdir.
    pub spec: MatchSpec,
}

/// One line of a `pip:` section: a requirement or an option.
#[derive(Clone, PartialEq, Eq)]
pub struct PipLine {
    /// The line as written, without a comment. May hold credentials.
    pub text: String,
    /// Where it begins.
    pub place: Place,
    /// The platforms that it is for; `None` for all.
    pub selector: Option<Selector>,
}

impl Environment {
    /// The packages that are asked for on that platform.
    pub fn dependencies_for(&self, subdir: Subdir) -> impl Iterator<Item = &Dependency> {
        self.dependencies.iter().filter(move |r| is_for(r.selector.as_ref(), subdir))
    }

    /// The pip lines that are for that platform.
    pub fn pip_lines_for(&self, subdir: Subdir) -> impl Iterator<Item = &PipLine> {
        self.pip.iter().filter(move |line| is_for(line.selector.as_ref(), subdir))
    }
}

fn is_for(selector: Option<&Selector>, subdir: Subdir) -> bool {
    selector.is_none_or(|selector| selector.matches(subdir))
}

// Debug output ends in logs: written by hand where a value may hold a password.

impl<T: fmt::Debug> fmt::Debug for Located<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", redact(&format!("{:?}", self.value)), self.place)
    }
}

impl fmt::Debug for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dependency")
            .field("text", &self.text)
            .field("place", &self.place)
            .field("selector", &self.selector)
            .field("channel", &self.channel.as_deref().map(redact))
            .field("subdir", &self.subdir)
            .field("spec", &self.spec)
            .finish()
    }
}

impl fmt::Debug for PipLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipLine")
            .field("text", &redact(&self.text))
            .field("place", &self.place)
            .field("selector", &self.selector)
            .finish()
    }
}
