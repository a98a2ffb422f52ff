//! Finds the credentials of a lock's channels in environment.yml, since a lock has none.

use envlock_model::{lock::Lock, spec::Environment};

use crate::{
    Context, Overrides, Project,
    inputs::{ChannelUrls, ResolutionInputs, channel_urls},
};

/// Returns the lock's platforms as overrides if environment.yml names no platform.
pub(crate) fn overrides_from_lock(environment: &Environment, lock: &Lock) -> Overrides {
    let platforms = lock.platforms.keys().copied();
    Overrides {
        platforms: platforms.filter(|_| environment.platforms.is_empty()).collect(),
        ..Overrides::default()
    }
}

/// Reads environment.yml and returns its [`channel_urls`]. An environment.yml that can't be used
/// counts as missing, since a command that doesn't compare it with the lock doesn't need it.
pub(crate) fn read_channel_urls(
    project: &Project,
    lock: &Lock,
    context: &Context<'_>,
) -> ChannelUrls {
    let environment = project.optional_environment().unwrap_or_default();
    channel_urls(environment, lock, ResolutionInputs::new(project, context))
}
