//! The credentials that an environment needs: how the manifest declares them and the lock
//! records them. They have names, paths and descriptions, never a secret value.

mod change;
mod location;
mod locked;
mod need;
mod profile;
pub mod read;
mod schema;
#[cfg(test)]
mod tests;
pub mod validate;

pub use change::{ChangeKind, NeedChange, changes};
pub use envlock_policy::Engine;
pub use location::Location;
pub use locked::{LockedNeeds, NeedsError};
pub use need::{Locator, Need, Required, Target, Ttl, VariableContent, Verify};
pub use profile::{LocatorOverride, LockedProfile, NeedOverride, NeedUse};
