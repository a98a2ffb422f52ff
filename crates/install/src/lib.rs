//! Installs unpacked packages into a prefix, verifies prefixes, and activates them.
//!
//! The caller passes package directories whose bytes it has checked. Nothing here knows the
//! network or a lock file. An install has these steps, each in a module:
//!
//! 1. [`inspect`] reads what is at the prefix, and [`plan()`] decides what to do. Neither writes;
//!    a dry run shows the [`Plan`];
//! 2. [`apply`] takes the prefix's lock (`prefix_lock`), recovers from a killed install
//!    (`swap::recover`), checks that the plan still fits, and carries it out:
//! 3. `contents`, `owners` and `path_check` read the packages and refuse hostile ones before
//!    anything is written;
//! 4. `stage` links the packages into a staging directory next to the prefix, with the final
//!    path in their files; `compile` and `meta` complete it;
//! 5. `swap` exchanges the prefix for it in one step and keeps the previous environment.
//!
//! Next to a prefix `env` there can be `env~previous` (the environment before the last
//! install), `env~previous-2` (an older one with changes of the user), `.env~lock` (the advisory
//! lock), `.env~next-…` (a staging directory) and `.env~journal` (two renames that must both
//! happen). Their type, owner and content are checked before they are used (`trusted`), and only
//! directories with the mark of an install of the same prefix are moved or removed (`mark`).

pub mod activate;
mod apply;
mod compile;
mod contents;
mod difference;
mod dist_info;
mod error;
mod expected_metadata;
mod history;
mod install_spec;
mod journal;
mod mark;
mod meta;
mod order;
mod owners;
mod path_check;
mod plan;
mod prefix_contents;
mod prefix_lock;
mod prefix_paths;
mod previous;
mod process;
mod scripts;
mod stage;
mod state;
mod swap;
mod trusted;
mod untracked;
mod unusable;
mod verify;
mod worker;

pub use apply::apply;
pub use difference::{DifferenceKind, FileDifference};
pub use error::{BadPrefix, InstallError, PathFault};
pub use install_spec::{Clobber, InstallSpec, Installed, Package, Uncompiled};
pub use plan::{MovedAside, PackageChange, PackageId, Plan, Steps, plan};
pub use prefix_contents::{PrefixContents, inspect};
pub use prefix_lock::ReadLock;
pub use state::{PrefixState, state};
pub use trusted::Distrust;
pub use untracked::Untracked;
pub use unusable::UnusableEnvironment;
pub use verify::{Verified, VerifyError, verify};
