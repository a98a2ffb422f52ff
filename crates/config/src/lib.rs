//! The configuration: `.condarc` as conda reads it, envlock.toml, variables and flags, merged
//! into one [`Configuration`] in which every value remembers who set it.
//!
//! Pure: the caller finds the files ([`search_path`] says where) and hands in their text.
//! What conda's documentation says is cited by the section of "Using the .condarc conda
//! configuration file" or by the page's name.
//!
//! Precedence, the highest first: flags, `CONDA_*` variables, envlock.toml, `.condarc`
//! files, what the network libraries take from other variables, defaults.

mod condarc;
mod configuration;
mod given;
pub mod key;
mod merge;
mod problem;
mod project;
mod rules;
mod search;
mod setter;
mod variables;

pub use condarc::condarc;
pub use configuration::{Configuration, Row, Value};
pub use given::{Entry, Flag, Given, Item, Layer, Raw, Unused};
pub use key::{Key, Shape};
pub use problem::Invalid;
pub use project::{PROJECT_FILE, project};
pub use rules::Addresses;
pub use search::{Spot, is_condarc, search_path};
pub use setter::{Scalar, Set, Setter};
pub use variables::{network_variables, variables};

#[cfg(test)]
mod tests;
