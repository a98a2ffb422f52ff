//! Installs unpacked packages into a prefix, verifies prefixes, and activates them.
//!
//! The caller passes package directories whose bytes it has checked. Nothing here knows the
//! network or a lock file. An install has these steps, each in a module:
//!
//! 1. [`inspect`] reads what is at the prefix, and [`plan()`] decides what to do. Neither writes;
//!    a dry run shows the [`Plan`];
//! 2. [`apply`] takes the prefix's lock (`prefix_lock`), recovers from a killed install
//!    (`swap::recover`), checks that the plan still fits, and carries it out:
//! 3. `contents`, `owners` and `escape` read the packages and refuse hostile ones before
//!    anything is written;
//! 4. `stage` links the packages into a staging directory next to the prefix, with the final
//!    path in their files; `compile` and `meta` complete it;
//! 5. `swap` exchanges the prefix for it in one step and keeps the previous environment.
//!
//! Next to a prefix `env` there can be `env~previous` (the environment before the last
//! install), `.env~lock` (the advisory lock), `.env~next-…` (a staging directory) and
//! `.env~journal` (two renames that must both happen).

pub mod activate;
mod apply;
mod compile;
mod contents;
mod difference;
mod error;
mod escape;
mod history;
mod meta;
mod order;
mod owners;
mod plan;
mod prefix_lock;
mod prefix_paths;
mod present;
mod scripts;
mod stage;
mod state;
mod swap;
mod untracked;
mod verify;
mod wanted;
mod worker;

pub use apply::apply;
pub use difference::{Difference, DifferenceKind};
pub use error::{BadPrefix, Fault, InstallError};
pub use plan::{Change, Dist, MovedAside, Plan, Steps, plan};
pub use present::{Present, inspect};
pub use state::{PrefixState, state};
pub use untracked::Untracked;
pub use verify::{Verified, VerifyError, verify};
pub use wanted::{Clobber, Installed, Package, Uncompiled, Wanted};
