//! A profile of a manifest with the requests of its needs, and findings about it.

use envlock_report::{Finding, Place};

use crate::generate::required_capabilities;
use crate::manifest::{Manifest, ResolvedNeed, ResolvedProfile};
use crate::mounts;
use crate::need_request::{self, NeedRequest};
use envlock_policy::{Capabilities, Mounts};

/// A profile, with the requests of its needs.
pub(super) struct CheckedProfile<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) profile: &'a ResolvedProfile,
    pub(super) need_requests: Vec<NeedRequest>,
    /// The mounts of its needs.
    pub(super) mounts: Mounts,
}

impl<'a> CheckedProfile<'a> {
    pub(super) fn new(manifest: &'a Manifest, profile: &'a ResolvedProfile) -> Self {
        let mut mounts = Mounts::default();
        mounts::add(profile, &mut mounts);
        let need_requests = need_request::job_requests_of_profile(profile);
        Self { manifest, profile, need_requests, mounts }
    }

    /// The need `name`.
    pub(super) fn need(&self, name: &str) -> &ResolvedNeed {
        let needs = &self.profile.needs;
        let found = needs.binary_search_by(|need| need.name.as_str().cmp(name)).ok();
        found.map(|at| &needs[at]).expect("every need_request belongs to a need of the profile")
    }

    /// The place of the need `name`.
    fn place(&self, name: &str) -> Place {
        self.manifest.place(self.need(name).pos)
    }

    /// Completes a finding about a need of this profile: its place, and its `why` as a note.
    pub(super) fn finding(&self, need: &str, finding: Finding) -> Finding {
        let mut finding = finding.at(self.place(need));
        if let Some(why) = &self.need(need).need.why {
            finding.add_note(format!("{need} is for: {why}"));
        }
        finding.about_need(need).in_profile(&self.profile.name)
    }

    /// Completes a finding about the profile.
    pub(super) fn profile_finding(&self, finding: Finding) -> Finding {
        let finding = finding.at(self.manifest.place(self.profile.pos));
        finding.in_profile(&self.profile.name)
    }

    /// The other needs of the group that contains `name`; none without a group.
    pub(super) fn others_in_group(&self, name: &str) -> impl Iterator<Item = &ResolvedNeed> {
        let group = self.need(name).need.required.group();
        let others = self.profile.needs.iter().filter(move |other| other.name != name);
        others.filter(move |other| group.is_some() && other.need.required.group() == group)
    }

    /// The capabilities that all needs require on `path`, so that one suggested block covers them.
    pub(super) fn required_capabilities_on(&self, path: &str) -> Capabilities {
        let same = self.need_requests.iter().filter(|other| other.request.path == path);
        same.fold(Capabilities::NONE, |all, other| all.union(required_capabilities(other)))
    }
}
