//! The end of a run: all findings are gathered first, then the rules of the run are applied
//! once, and the summary and the exit code are derived from what is left.
//!
//! What must never be true: a run that ends with 0 although an error is left that no allowance
//! in force covers; a summary that disagrees with the exit code.

mod apply_rules;
mod completion;
mod rules;

pub use apply_rules::{FinalReport, Summary, apply_rules};
pub use completion::{Completion, Failure};
pub use rules::{Allowance, DenyRule, DenyTarget, FindingSubject, Rules, UnknownDenyTarget};
