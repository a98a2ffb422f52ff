//! The end of a run: all findings are gathered first, then the rules of the run are applied
//! once, and the summary and the exit code are derived from what is left.
//!
//! What must never be true: a run that ends with 0 although an error is left that no allowance
//! in force covers; a summary that disagrees with the exit code.

mod close;
mod ended;
mod rules;

pub use close::{Closed, Summary, close};
pub use ended::{Ended, Failure};
pub use rules::{Allowance, Denial, Denied, NotDenied, Rules, Subject};
