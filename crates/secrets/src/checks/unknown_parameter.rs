//! `unknown-parameter`: a need declares a parameter that its engine doesn't know, whose name is near
//! one that it knows.

use std::collections::BTreeSet;

use envlock_policy::known_parameters;
use envlock_report::{Code, Finding, nearest};

use super::checked_profile::CheckedProfile;
use crate::manifest::ResolvedNeed;
use crate::need_request::job_requests_of_need;

pub(super) fn check(checked: &CheckedProfile<'_>, findings: &mut Vec<Finding>) {
    for resolved in &checked.profile.needs {
        let need = &resolved.need;
        let declared = need.parameters.iter().flat_map(|declared| declared.keys());
        let mut known = None;
        for name in declared {
            let known = known.get_or_insert_with(|| known_names(resolved));
            let Some(known) = known.as_ref().filter(|known| !known.contains(name.as_str())) else {
                continue;
            };
            let Some(near) = nearest(name, known.iter().copied()) else { continue };
            let message = format!("engine {} doesn't know the parameter `{name}`", need.engine);
            let finding = Finding::new(Code::UnknownParameter, message)
                .with_help(format!("did you mean `{near}`?"));
            let finding = checked.finding(&resolved.name, finding);
            findings.push(finding.at(checked.manifest.place(need.parameters_pos)));
        }
    }
}

/// The parameters that the engine knows for the requests of a need. `None` if one of them takes any.
fn known_names(resolved: &ResolvedNeed) -> Option<BTreeSet<&'static str>> {
    let need = &resolved.need;
    let requests = job_requests_of_need(resolved).into_iter();
    let own = requests.filter(|requirement| {
        let path = requirement.request.path.strip_prefix(&need.mount);
        path.is_some_and(|path| path.starts_with('/')) && !requirement.bodies.is_empty()
    });
    let mut all = BTreeSet::new();
    for requirement in own {
        all.extend(known_parameters(need.engine, &need.mount, &requirement.request)?);
    }
    Some(all)
}
