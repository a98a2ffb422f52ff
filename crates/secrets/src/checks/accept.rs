//! `allow:` and `deny:` of the manifest: findings that are accepted for a while, and warnings
//! that weigh more here than elsewhere.

use envlock_report::{Code, Finding, Level};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::policies::Policies;
use super::{Input, online};
use crate::manifest::Allowance;

pub(super) fn apply(input: &Input<'_>, policies: &Policies, findings: &mut Vec<Finding>) {
    let today = TimeZone::UTC.to_datetime(input.now).date();
    let mut news = Vec::new();
    for allowance in &input.manifest.allow {
        let matching: Vec<_> =
            findings.iter_mut().filter(|finding| is_for(allowance, finding, policies)).collect();
        // Without a server's answer nobody knows what only that could need.
        let can_tell = input.online.is_some() || !online::CODES.contains(&allowance.finding);
        if matching.is_empty() && input.profile.is_none() && can_tell {
            news.push(unused(input, allowance));
        }
        let place = input.manifest.place(allowance.pos);
        for diagnostic in matching {
            let Allowance { until, reason, .. } = allowance;
            if is_over(*until, today) {
                diagnostic.notes.push(format!("it was accepted until {until} ({place}): {reason}"));
            } else {
                diagnostic.level = Level::Note;
                diagnostic.notes.push(format!("it is accepted until {until} ({place}): {reason}"));
            }
        }
    }
    for diagnostic in findings.iter_mut() {
        let raised = input.manifest.deny.contains(&diagnostic.code);
        if raised && diagnostic.level == Level::Warning {
            diagnostic.level = Level::Error;
            diagnostic.notes.push("the manifest's `deny:` makes it an error".to_owned());
        }
    }
    findings.extend(news);
}

/// The day itself still counts.
fn is_over(until: Date, today: Date) -> bool {
    today > until
}

fn is_for(allowance: &Allowance, finding: &Finding, policies: &Policies) -> bool {
    if finding.code != allowance.finding {
        return false;
    }
    if let Some(need) = &allowance.need {
        return finding.need.as_ref() == Some(need);
    }
    let Some(Some(Ok(policy))) = allowance.policy.as_ref().map(|name| policies.get(name)) else {
        return false;
    };
    let place = finding.place.as_ref();
    place.is_some_and(|place| place.file == policy.file())
        || finding.message.contains(&format!("policy {} ", policy.name()))
}

fn unused(input: &Input<'_>, allowance: &Allowance) -> Finding {
    let whom = allowance.need.as_ref().or(allowance.policy.as_ref());
    let message = format!(
        "nothing needs the allowance of {} for {} any more",
        allowance.finding,
        whom.map_or("", String::as_str)
    );
    let diagnostic = Finding::new(Code::UnusedAllowance, message);
    diagnostic.at(input.manifest.place(allowance.pos)).with_help("take it out")
}
