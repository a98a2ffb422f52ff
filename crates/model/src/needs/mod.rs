//! The credentials that an environment needs: how the manifest declares them and the lock
//! records them. They have names, paths and descriptions, never a secret value.

mod location;
mod locked;
mod need;
mod parameters;
mod profile;
pub mod read;
mod schema;
mod stale_need;
#[cfg(test)]
mod tests;
pub mod validate;

pub use envlock_policy::Engine;
pub use location::Location;
pub use locked::{LockedNeeds, NeedsError};
pub use need::{
    CheckMode, Locator, Need, ReadOrUpdate, Required, TargetVariable, Ttl, VariableContent,
};
pub use profile::{LocatorOverride, LockedProfile, NeedOverride, NeedUse};
pub use stale_need::{StaleNeed, StaleNeedKind, changes};
