//! Reads environment.yml. Every value has its place.
//!
//! [`parse`] reads a whole file and reports all of its mistakes at once. Match specs have the
//! same meaning as in conda. Comment selectors (`# [linux]`) and mapping selectors (`sel(linux):`)
//! are kept with their lines, so that one file is for all platforms.

mod dependencies;
mod environment;
mod locked_spec;
mod matchspec;
mod merge;
mod problem;
mod reader;
mod record_spec;
mod scalar;
mod selector;

#[cfg(test)]
mod tests;

pub use environment::{Dependency, Environment, Located};
pub use locked_spec::parse_spec;
pub use matchspec::Conditions;
pub use merge::merge;
pub use problem::InvalidEnvironment;
pub use reader::{parse, parse_tree};
pub use record_spec::RecordSpec;
pub use selector::Selector;

pub(crate) use matchspec::placeholder;
