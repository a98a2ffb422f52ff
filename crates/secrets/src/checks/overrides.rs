//! Makes the level overrides of a run from `allow:` and `deny:` of the manifest.

use envlock_report::outcome::{DenySetting, DenyTarget, Exception, FindingSubject, LevelOverrides};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Input, online};
use crate::manifest::{self, Manifest};

impl Manifest {
    /// The manifest's rules on the day of `now`, for a run that doesn't check the manifest: it
    /// doesn't report an exception that matches nothing as unused.
    pub fn level_overrides(&self, now: Timestamp) -> LevelOverrides {
        self.overrides_with(now, |_| false)
    }

    /// The same rules. `was_checked` decides whether the run checks the code of an exception.
    fn overrides_with(
        &self,
        now: Timestamp,
        was_checked: impl Fn(&manifest::Exception) -> bool,
    ) -> LevelOverrides {
        let today = TimeZone::UTC.to_datetime(now).date();
        let accept = self.accept.iter().filter_map(|exception| {
            let manifest::Exception { code, need, policy, reason, until, pos } = exception;
            let subject = match (need, policy) {
                (Some(need), _) => FindingSubject::Need(need.clone()),
                (None, policy) => FindingSubject::Policy(policy.clone()?),
            };
            Some(Exception {
                code: *code,
                subject,
                reason: reason.clone(),
                until: *until,
                in_force: today <= *until,
                place: self.place(*pos),
                was_checked: was_checked(exception),
            })
        });
        let deny = self.deny.iter().map(|code| DenySetting {
            target: DenyTarget::Code(*code),
            set_by: format!("`deny:` of {}", self.file),
        });
        LevelOverrides { accept: accept.collect(), deny: deny.collect() }
    }
}

/// Returns the rules for this check. Exceptions of codes that need a server are checked only with a
/// server, and those of other profiles only in a check of all profiles.
pub(super) fn for_check(input: &Input<'_>) -> LevelOverrides {
    input.manifest.overrides_with(input.now, |exception| {
        let can_tell =
            input.online.is_some() || !online::SERVER_ONLY_CODES.contains(&exception.code);
        input.profile.is_none() && can_tell
    })
}
