//! Credentials of private channels for a lock, which has clean addresses only: they are found
//! again where the channels are written, in environment.yml.

use envlock_model::{lock::Lock, spec::Environment};

use crate::{
    Context, Overrides, Project,
    question::{FoundAddresses, QuestionInputs, written_addresses},
};

/// What a lock answers for where environment.yml names no platform.
pub(crate) fn overrides_from_lock(environment: &Environment, lock: &Lock) -> Overrides {
    let platforms = lock.platforms.keys().copied();
    Overrides {
        platforms: platforms.filter(|_| environment.platforms.is_empty()).collect(),
        ..Overrides::default()
    }
}

/// What the addresses in environment.yml say, for a command that takes the lock as it is. An
/// environment.yml that can't be used is no error of such a command.
pub(crate) fn addresses_in_environment(
    project: &Project,
    lock: &Lock,
    context: &Context<'_>,
) -> FoundAddresses {
    match project.optional_environment() {
        Ok(Some(environment)) => {
            written_addresses(environment, lock, QuestionInputs::new(project, context))
        }
        _ => FoundAddresses::default(),
    }
}
