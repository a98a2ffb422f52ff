//! `policy`: generate, lint, explain and test policies of Vault and OpenBao, one use case a file.

mod error;
mod explain;
mod files;
mod generate;
mod lint;
mod test;

pub use error::PolicyCommandError;
pub use explain::{PolicyExplainRequest, PolicyExplanation, explain};
pub use generate::{Audience, GeneratedPolicy, generate};
pub use lint::lint;
pub use test::{PolicyTests, test};
