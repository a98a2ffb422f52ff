//! `policy`: generates, lints, explains and tests policies of Vault and OpenBao, one use case per
//! file.

mod error;
mod explain;
mod files;
mod generate;
mod lint;
mod test;

pub use error::PolicyCommandError;
pub use explain::{PolicyExplainOptions, PolicyExplanation, explain};
pub use generate::{GeneratedPolicy, PolicyGenerateOptions, PolicyHolder, generate};
pub use lint::lint;
pub use test::{PolicyTests, test};
