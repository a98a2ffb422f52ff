//! The contents of an environment.yml.

use std::collections::BTreeMap;
use std::fmt;

use envlock_report::{Finding, Place};
use rattler_conda_types::{MatchSpec, Subdir};

use super::{Conditions, Selector};
use crate::pip::{PipInputs, PipLine};
use envlock_text::redact::redact_url;

/// A value with its place.
#[derive(Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// The place of the value.
    pub place: Place,
}

/// The contents of an environment.yml.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The file, as the user named it.
    pub file: String,
    /// The value of `name:`.
    pub name: Option<Located<String>>,
    /// The values of `channels:` as written and in order, without `nodefaults`. `None` without
    /// that key.
    pub channels: Option<Vec<Located<String>>>,
    /// Whether `nodefaults` is one of the channels.
    pub nodefaults: bool,
    /// The values of `platforms:` in order, without duplicates.
    pub platforms: Vec<Located<Subdir>>,
    /// The conda packages of `dependencies:`, in the order of the file.
    pub dependencies: Vec<Dependency>,
    /// The lines of all `pip:` sections in order, with those of the files that they include.
    pub pip: Vec<PipLine>,
    /// The entries of `variables:`. Numbers and booleans are text, as written.
    pub variables: BTreeMap<String, String>,
    /// The value of `prefix:`, which isn't used.
    pub prefix: Option<Located<String>>,
    /// The place of the key `secrets:`. Its value is read by the crate `secrets`.
    pub secrets: Option<Place>,
    /// The warnings, in the order of the file.
    pub warnings: Vec<Finding>,
}

/// An entry of `dependencies:` that names a conda package.
#[derive(Clone)]
pub struct Dependency {
    /// The match spec as written, without a comment, with `***` in place of a password.
    pub text: String,
    /// The match spec without its channel.
    pub text_without_channel: String,
    /// The place of the entry.
    pub place: Place,
    /// The platforms that it applies to. `None` for all.
    pub selector: Option<Selector>,
    /// The channel as written before `::` or in `[channel=…]`. It can have credentials.
    pub channel: Option<String>,
    /// The subdir that the package must come from, if one is given.
    pub subdir: Option<Subdir>,
    /// The match spec with an exact lower-case name, without channel and subdir.
    pub spec: MatchSpec,
    /// The conditions in addition to `spec`.
    pub conditions: Conditions,
}

impl Environment {
    /// Returns the dependencies that apply to a platform.
    pub fn dependencies_for(&self, subdir: Subdir) -> impl Iterator<Item = &Dependency> {
        self.dependencies.iter().filter(move |r| is_for(r.selector.as_ref(), subdir))
    }

    /// Returns what pip is asked for on a platform.
    pub fn pip_for(&self, subdir: Subdir) -> PipInputs {
        PipInputs::for_platform(&self.pip, subdir)
    }
}

fn is_for(selector: Option<&Selector>, subdir: Subdir) -> bool {
    selector.is_none_or(|selector| selector.matches(subdir))
}

// `Debug` is written by hand where a value can have a password, because its output gets into logs.

impl<T: fmt::Debug> fmt::Debug for Located<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", redact_url(&format!("{:?}", self.value)), self.place)
    }
}

impl fmt::Debug for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dependency")
            .field("text", &self.text)
            .field("place", &self.place)
            .field("selector", &self.selector)
            .field("channel", &self.channel.as_deref().map(redact_url))
            .field("subdir", &self.subdir)
            .field("spec", &self.spec)
            .field("conditions", &self.conditions)
            .finish_non_exhaustive()
    }
}
