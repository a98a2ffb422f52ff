//! Makes the rules of a run from `allow:` and `deny:` of the manifest.

use envlock_report::outcome::{Allowance, DenyRule, DenyTarget, FindingSubject, Rules};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Input, online};
use crate::manifest::{self, Manifest};

impl Manifest {
    /// The manifest's rules on the day of `now`, for a run that doesn't check the manifest: it
    /// doesn't report an allowance that matches nothing as unused.
    pub fn rules(&self, now: Timestamp) -> Rules {
        self.rules_with(now, |_| false)
    }

    /// The same rules. `was_checked` decides whether the run checks the code of an allowance.
    fn rules_with(
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

/// Returns the rules for this check. Allowances of codes that need a server are checked only with a
/// server, and those of other profiles only in a check of all profiles.
pub(super) fn for_check(input: &Input<'_>) -> Rules {
    input.manifest.rules_with(input.now, |allowance| {
        let can_tell =
            input.online.is_some() || !online::SERVER_ONLY_CODES.contains(&allowance.finding);
        input.profile.is_none() && can_tell
    })
}
