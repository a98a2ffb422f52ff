//! `one-of-ambiguous`, by the server, for a profile without attached policies.

use std::collections::BTreeMap;

use envlock_report::{Code, Finding};

use super::evaluation::OnlineEvaluation;
use envlock_model::needs::Required;

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    if online.evaluation.is_some() {
        return;
    }
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (resolved, _) in online.needs() {
        if let Required::OneOf { one_of } = &resolved.need.required
            && online.is_usable(resolved)
        {
            groups.entry(one_of).or_default().push(&resolved.name);
        }
    }
    for (group, members) in groups.into_iter().filter(|(_, members)| members.len() > 1) {
        let message = format!(
            "exactly one need of the group {group} may be usable (`one_of`), but {} exist and \
             are allowed",
            members.join(", ")
        );
        let finding = Finding::new(Code::OneOfAmbiguous, message)
            .with_help("remove the rights on the others, or write any_of");
        findings.push(online.checked.finding(members[0], finding));
    }
}
