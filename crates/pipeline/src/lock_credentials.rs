//! Finds the credentials of a lock's channels in environment.yml, since a lock has none.

use envlock_model::{lock::Lock, spec::Environment};

use crate::{
    Context, Overrides, Project,
    inputs::{ChannelUrls, InputSources, written_addresses},
};

/// Returns the lock's platforms as overrides if environment.yml names no platform.
pub(crate) fn overrides_from_lock(environment: &Environment, lock: &Lock) -> Overrides {
    let platforms = lock.platforms.keys().copied();
    Overrides {
        platforms: platforms.filter(|_| environment.platforms.is_empty()).collect(),
        ..Overrides::default()
    }
}

/// Returns the credentials and mirrors in the channel URLs of environment.yml, for a command that
/// uses the lock without a comparison. An unusable environment.yml isn't an error of such a
/// command.
pub(crate) fn channel_urls_in_environment(
    project: &Project,
    lock: &Lock,
    context: &Context<'_>,
) -> ChannelUrls {
    let environment = project.optional_environment().unwrap_or_default();
    written_addresses(environment, lock, InputSources::new(project, context))
}
