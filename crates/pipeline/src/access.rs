//! The lock has clean addresses only: what opens a private channel is found again where the
//! channel is written.

use std::path::PathBuf;

use envlock_model::{lock::Lock, spec::Environment};

use crate::{Ambient, Overrides, files, solve::staleness};

/// What a lock answers for where environment.yml names no platform.
pub(crate) fn as_locked(environment: &Environment, lock: &Lock) -> Overrides {
    let platforms = lock.platforms.keys().copied();
    Overrides {
        platforms: platforms.filter(|_| environment.platforms.is_empty()).collect(),
        ..Overrides::default()
    }
}

/// Lets the client use the credentials in the channels of environment.yml, for a command
/// that takes the lock as it is: whatever else may be wrong with the file is none of its
/// business.
pub(crate) fn trust_written(environments: &[PathBuf], lock: &Lock, ambient: &Ambient<'_>) {
    if let Ok(Some(environment)) = files::environments_if_any(environments) {
        let overrides = as_locked(&environment, lock);
        // The credentials reach the client while the question is settled.
        let _ = staleness(&environment, environments, &overrides, lock, ambient, &mut Vec::new());
    }
}
