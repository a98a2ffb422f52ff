//! One profile of a manifest, and how to speak of it: what every check needs, whoever is asked.

use envlock_report::{Finding, Place};

use crate::generate::required_capabilities;
use crate::manifest::{Manifest, ResolvedNeed, ResolvedProfile};
use crate::requirement::{self, Requirement};
use envlock_policy::Capabilities;

/// One profile and what its needs take.
pub(super) struct CheckedProfile<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) profile: &'a ResolvedProfile,
    pub(super) requirements: Vec<Requirement>,
}

impl<'a> CheckedProfile<'a> {
    pub(super) fn new(manifest: &'a Manifest, profile: &'a ResolvedProfile) -> Self {
        Self { manifest, profile, requirements: requirement::for_profile(profile) }
    }

    /// The need `name`.
    pub(super) fn need(&self, name: &str) -> &ResolvedNeed {
        let found = self.profile.needs.iter().find(|need| need.name == name);
        found.expect("requirements are made of the profile's own needs")
    }

    /// Where the need `name` stands.
    fn place(&self, name: &str) -> Place {
        self.manifest.place(self.need(name).pos)
    }

    /// A finding about a need in this profile. `why` of the need goes with it.
    pub(super) fn finding(&self, need: &str, finding: Finding) -> Finding {
        let mut finding = finding.at(self.place(need));
        if let Some(why) = &self.need(need).need.why {
            finding.notes.push(format!("{need} is for: {why}"));
        }
        finding.about_need(need).in_profile(&self.profile.name)
    }

    /// A finding about the profile itself.
    pub(super) fn profile_finding(&self, finding: Finding) -> Finding {
        let finding = finding.at(self.manifest.place(self.profile.pos));
        finding.in_profile(&self.profile.name)
    }

    /// The needs of the group that `name` is in, itself left out; none without a group.
    pub(super) fn others_in_group(&self, name: &str) -> impl Iterator<Item = &ResolvedNeed> {
        let group = self.need(name).need.required.group();
        let others = self.profile.needs.iter().filter(move |other| other.name != name);
        others.filter(move |other| group.is_some() && other.need.required.group() == group)
    }

    /// All that the needs take on `path`: one block is better than three findings' worth.
    pub(super) fn required_capabilities_on(&self, path: &str) -> Capabilities {
        let same = self.requirements.iter().filter(|other| other.request.path == path);
        same.fold(Capabilities::NONE, |all, other| all.union(required_capabilities(other)))
    }
}
