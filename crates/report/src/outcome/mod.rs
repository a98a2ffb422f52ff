//! The end of a run: when all findings are known, the rules of the run are applied once, and the
//! summary and the exit code are derived from the result.
//!
//! A run never ends with 0 if there is an error that no exception in force covers, and the
//! summary never contradicts the exit code.

mod apply_rules;
mod completion;
mod rules;

pub use apply_rules::{FinalReport, Summary, apply_rules};
pub use completion::{Completion, Failure};
pub use rules::{DenyRule, DenyTarget, Exception, FindingSubject, Rules, UnknownDenyTarget};
