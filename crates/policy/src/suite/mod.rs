//! Unit tests of policies: cases in YAML or JSON, each a request with the expected decision.

mod case;
mod read;
mod run;

pub use case::{Expectation, TestCase, TestSuite};
pub use read::SuiteError;
pub use run::{CaseFailure, SuiteResult};
