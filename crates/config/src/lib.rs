//! The configuration: `.condarc` as conda reads it, envlock.toml, variables and flags, merged into
//! one [`Configuration`]. Each value records where it was set.
//!
//! Pure: the caller finds the files ([`search_path`] returns the locations) and passes their text.
//! conda's documentation is cited by the section of "Using the .condarc conda configuration file"
//! or by the page's name.
//!
//! Precedence, the highest first: flags, `CONDA_*` variables, envlock.toml, `.condarc` files, the
//! variables of network libraries, defaults.

mod channel_settings;
mod condarc;
mod configuration;
pub mod key;
mod layer;
mod merge;
mod problem;
mod project;
mod search;
mod value_source;
mod variables;

pub use channel_settings::ChannelSettings;
pub use condarc::parse_condarc;
pub use configuration::{Configuration, ShownValue, Value};
pub use key::{Key, ValueType};
pub use layer::{Layer, LayerValue, ListItem, MapEntry, MergeFlag, RawValue, Unused};
pub use problem::InvalidConfiguration;
pub use project::{PROJECT_FILE, parse_project_config};
pub use search::{SearchLocation, is_condarc_file, search_path};
pub use value_source::{Configured, Scalar, ValueSource};
pub use variables::{parse_conda_variables, parse_network_variables};

#[cfg(test)]
mod tests;
