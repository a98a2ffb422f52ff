//! What pip is asked for on one platform.

use std::path::PathBuf;

use envlock_report::Place;
use rattler_conda_types::Subdir;

use super::read::{PipContent, PipLine};
use super::{IndexOptions, Requirement};

/// What the `pip:` sections of an environment request for one platform, with the files that they
/// include.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PipInputs {
    /// The requirements, in order.
    pub requirements: Vec<Requirement>,
    /// The constraints, in order.
    pub constraints: Vec<Requirement>,
    /// The options for all packages.
    pub options: IndexOptions,
    /// The lines as the lock records them, in order.
    pub lines: Vec<RequestedPipLine>,
}

/// A line, to be recorded in the lock and compared with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedPipLine {
    /// The text as written, without comment and continuations.
    pub text: String,
    /// The place in the file where it stands.
    pub place: Place,
    /// Whether it only restricts a package.
    pub is_constraint: bool,
    /// Whether it has options for all packages: their order has a meaning.
    pub is_option: bool,
    /// The included file that has the line, relative to the project's folder.
    pub file: Option<PathBuf>,
}

impl PipInputs {
    /// Selects the lines for a platform.
    pub fn for_platform(lines: &[PipLine], platform: Subdir) -> Self {
        let applies = |line: &&PipLine| {
            line.selector.as_ref().is_none_or(|selector| selector.matches(platform))
        };
        let mut inputs = Self::default();
        for line in lines.iter().filter(applies) {
            match &line.content {
                PipContent::Requirement(one) => inputs.requirements.push(one.clone()),
                PipContent::Constraint(one) => inputs.constraints.push(one.clone()),
                PipContent::Options(_) => {}
            }
            inputs.lines.push(RequestedPipLine {
                text: line.text.as_str().to_owned(),
                place: line.place.clone(),
                is_constraint: matches!(line.content, PipContent::Constraint(_)),
                is_option: matches!(line.content, PipContent::Options(_)),
                file: line.file.clone(),
            });
        }
        inputs.options = IndexOptions::of(lines.iter().filter(applies)).0;
        inputs
    }

    /// Whether nothing is requested.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}
