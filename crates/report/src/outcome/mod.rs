//! The end of a run: when all findings are known, the rules of the run are applied once, and the
//! summary and the exit code are derived from the result.
//!
//! A run never ends with 0 if there is an error that no exception in force covers, and the
//! summary never contradicts the exit code.

mod apply_overrides;
mod completion;
mod overrides;

pub use apply_overrides::{FinalReport, Summary, apply_overrides};
pub use completion::{Completion, Failure};
pub use overrides::{
    DenySetting, DenyTarget, Exception, FindingSubject, LevelOverrides, UnknownDenyTarget,
};
