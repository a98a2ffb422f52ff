//! The mounts that a manifest declares.

use envlock_policy::Mounts;

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

/// Adds the mounts of the needs of `profile`, and the paths that they request.
pub(crate) fn add(profile: &ResolvedProfile, mounts: &mut Mounts) {
    for resolved in &profile.needs {
        mounts.add(&resolved.need.mount, resolved.need.engine);
    }
    for need_request in job_requests_of_profile(profile) {
        mounts.add_request(&need_request.request.path);
    }
}
