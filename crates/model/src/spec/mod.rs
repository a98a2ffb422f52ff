//! environment.yml: what it asks for, with the place of everything in it.
//!
//! [`parse`] reads a whole file and reports everything that is wrong with it in one run.
//! Match specs mean what they mean for conda; comment selectors (`# [linux]`) and mapping
//! selectors (`sel(linux):`) are kept with the lines that they stand on, so that one file
//! answers for every platform.

mod dependencies;
mod environment;
mod locked_spec;
mod matchspec;
mod merge;
mod problem;
mod reader;
mod selector;

#[cfg(test)]
mod tests;

pub use environment::{Dependency, Environment, Located, PipLine};
pub use locked_spec::parse_spec;
pub use merge::merge;
pub use problem::InvalidEnvironment;
pub use reader::{parse, parse_tree};
pub use selector::Selector;
