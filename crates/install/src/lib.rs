//! From unpacked packages to a prefix: staged beside, put in place at once, verified, run.
//!
//! The caller hands over package directories whose bytes it has checked; nothing here
//! knows a network or a lock file. The way of an install, each step a module:
//!
//! 1. [`state()`] says in milliseconds what is at the prefix;
//! 2. `guard` takes the prefix for this process, `swap::recover` ends what a killed one left;
//! 3. `contents`, `owners` and `escape` read the packages and refuse hostile ones, before
//!    anything is written;
//! 4. `stage` builds the next prefix beside the final one, with the final path in its files;
//!    `compile` and `meta` complete it;
//! 5. `swap` puts it in place by one atomic exchange and keeps the previous one.
//!
//! Beside a prefix `env` there can be `env~previous` (the environment before the last
//! install), `.env~lock` (the advisory lock), `.env~next-…` (a prefix that is being built)
//! and `.env~journal` (two renames that must both happen).

pub mod activate;
mod apply;
mod beside;
mod compile;
mod contents;
mod difference;
mod error;
mod escape;
mod foreign;
mod guard;
mod history;
mod meta;
mod order;
mod owners;
mod plan;
mod scripts;
mod stage;
mod state;
mod swap;
mod verify;
mod wanted;
mod work;

pub use apply::{apply, is_right};
pub use difference::{Difference, DifferenceKind};
pub use error::{BadPrefix, Fault, InstallError};
pub use foreign::{Foreign, Survey, may_replace, survey};
pub use plan::{Change, Dist, Plan, plan};
pub use state::{PrefixState, state};
pub use verify::{Verified, VerifyError, verify};
pub use wanted::{Clobber, Installed, Package, Uncompiled, Wanted};
