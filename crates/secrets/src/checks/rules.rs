//! `allow:` and `deny:` of the manifest as rules for the end of the run.

use envlock_report::sink::{Allowance, DenyRule, DenyTarget, FindingSubject, Rules};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Input, online};
use crate::manifest::{self, Manifest};

impl Manifest {
    /// The manifest's rules on the day of `now`, for a run that doesn't check the manifest: an
    /// allowance that matches nothing is not unused.
    pub fn rules(&self, now: Timestamp) -> Rules {
        self.rules_where(now, |_| false)
    }

    /// The same; `was_checked` says whether a run looks for what an allowance is for.
    fn rules_where(
        &self,
        now: Timestamp,
        was_checked: impl Fn(&manifest::Allowance) -> bool,
    ) -> Rules {
        let today = TimeZone::UTC.to_datetime(now).date();
        let allow = self.allow.iter().filter_map(|allowance| {
            let manifest::Allowance { finding, need, policy, reason, until, pos } = allowance;
            let subject = match (need, policy) {
                (Some(need), _) => FindingSubject::Need(need.clone()),
                (None, policy) => FindingSubject::Policy(policy.clone()?),
            };
            Some(Allowance {
                finding: *finding,
                subject,
                reason: reason.clone(),
                until: *until,
                in_force: today <= *until,
                place: self.place(*pos),
                was_checked: was_checked(allowance),
            })
        });
        let deny = self.deny.iter().map(|code| DenyRule {
            target: DenyTarget::Code(*code),
            set_by: format!("`deny:` of {}", self.file),
        });
        Rules { allow: allow.collect(), deny: deny.collect() }
    }
}

/// The rules for this check. Without a server's answer nobody knows what only that could need,
/// and a check of one profile says nothing about the others.
pub(super) fn of(input: &Input<'_>) -> Rules {
    input.manifest.rules_where(input.now, |allowance| {
        let can_tell =
            input.online.is_some() || !online::SERVER_ONLY_CODES.contains(&allowance.finding);
        input.profile.is_none() && can_tell
    })
}
