//! The mounts that a manifest declares.

use envlock_policy::{Mounts, canonical_namespace};

use crate::manifest::{Manifest, ResolvedProfile};
use crate::need_request::job_requests_of_profile;

impl Manifest {
    /// The mounts of all needs in all profiles, with their engines, and the paths that the needs
    /// request.
    pub fn mounts(&self) -> Mounts {
        let mut mounts = Mounts::default();
        add(&self.implicit_profile(), &mut mounts);
        for profile in self.profiles.keys().filter_map(|name| self.profile(name)) {
            add(&profile, &mut mounts);
        }
        mounts
    }
}

/// The mounts of the profiles that attach a policy, as its paths write them: with the namespaces between
/// it and them. `uploaded` is its namespace, if that isn't theirs. `None` if none of `profiles` attaches
/// it.
pub(crate) fn of_policy(
    name: &str,
    uploaded: Option<&str>,
    profiles: &[ResolvedProfile],
) -> Option<Mounts> {
    let uploaded = uploaded.map(canonical_namespace);
    let attaches = |profile: &&ResolvedProfile| profile.attach.iter().any(|(own, _)| own == name);
    let mut mounts = None;
    for profile in profiles.iter().filter(attaches) {
        let mounts = mounts.get_or_insert_with(Mounts::default);
        let own = profile.namespace_path.as_deref().map(canonical_namespace);
        match (&uploaded, own) {
            (None, _) => add(profile, mounts),
            (Some(uploaded), Some(own)) => {
                if let Some(below) = own.strip_prefix(uploaded.as_str()) {
                    add_below(profile, below, mounts);
                }
            }
            // Where its paths begin isn't known.
            (Some(_), None) => {}
        }
    }
    mounts
}

/// Adds the mounts of the needs of `profile`, and the paths that they request.
pub(crate) fn add(profile: &ResolvedProfile, mounts: &mut Mounts) {
    add_below(profile, "", mounts);
}

/// As [`add`], with a namespace before each path: `team-a/`, or nothing.
fn add_below(profile: &ResolvedProfile, namespace: &str, mounts: &mut Mounts) {
    for resolved in &profile.needs {
        mounts.add(&format!("{namespace}{}", resolved.need.mount), resolved.need.engine);
    }
    for need_request in job_requests_of_profile(profile) {
        mounts.add_request(&format!("{namespace}{}", need_request.request.path));
    }
}
