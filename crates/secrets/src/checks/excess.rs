//! `excess-rights`: what the policies allow beyond the needs, rule by rule, with a narrower rule.

use std::collections::HashMap;

use envlock_report::{Code, Finding, count};

use super::evaluation::{BlockUsage, PolicyEvaluation};
use super::kv2_data_path;
use envlock_policy::{Acl, BlockId, Capabilities, Capability};

pub(super) fn check(
    evaluation: &PolicyEvaluation<'_>,
    used: &HashMap<BlockId, BlockUsage>,
    findings: &mut Vec<Finding>,
) {
    let acl = &evaluation.acls[0];
    let blocks_on_logical_path = kv2_data_path::blocks_on_logical_path(evaluation);
    let (mut reported, mut omitted) = (0, 0);
    // A block grants nothing if another block of its pattern denies.
    for rule in acl.rules().iter().filter(|rule| !rule.capabilities().contains_deny()) {
        for id in rule.blocks() {
            let granted = acl.block(*id).capabilities();
            let finding = match used.get(id) {
                _ if granted.is_empty()
                    || granted.contains_deny()
                    || blocks_on_logical_path.contains(id) =>
                {
                    None
                }
                None => Some(unused(acl, *id, granted)),
                // Other identities use other paths of it.
                Some(_) if acl.block(*id).is_templated() => None,
                Some(serving) if rule.is_wildcard() => Some(wide(acl, *id, granted, serving)),
                Some(serving) => narrow(acl, *id, granted, serving),
            };
            let Some(finding) = finding else { continue };
            if reported == MAX_FINDINGS {
                omitted += 1;
                continue;
            }
            reported += 1;
            findings.push(finding.in_profile(&evaluation.checked.profile.name));
        }
    }
    if omitted > 0 {
        let message = format!("{} grant what no need uses", count(omitted, "more rule"));
        let finding = Finding::new(Code::ExcessRights, message)
            .with_help("remove the rules that no need uses");
        findings.push(evaluation.checked.profile_finding(finding));
    }
}

/// The maximum number of findings for one profile; the others are counted.
const MAX_FINDINGS: usize = 500;

fn unused(acl: &Acl<'_>, id: BlockId, granted: Capabilities) -> Finding {
    let origin = acl.block_origin(id);
    let message =
        format!("{} grants {granted} on \"{}\", which no need uses", origin.policy, origin.pattern);
    let finding =
        Finding::new(Code::ExcessRights, message).about_policy(&origin.policy).at(origin.place);
    finding.with_help(if acl.block(id).is_templated() {
        "remove the rule, unless other identities need it"
    } else {
        "remove the rule"
    })
}

/// Reports a rule on one path that grants more than is used there.
fn narrow(acl: &Acl<'_>, id: BlockId, granted: Capabilities, used: &BlockUsage) -> Option<Finding> {
    let extra = granted.difference(used.capabilities);
    if extra.is_empty() {
        return None;
    }
    let origin = acl.block_origin(id);
    let message =
        format!("{} grants {extra} on \"{}\" beyond what is needed", origin.policy, origin.pattern);
    let pattern = origin.pattern.trim_start_matches('/');
    let fix = acl.narrowed_block(id, pattern, used.capabilities);
    let finding =
        Finding::new(Code::ExcessRights, message).about_policy(&origin.policy).at(origin.place);
    Some(about(used, finding.with_help("narrow the rule to").with_fix(fix)))
}

/// Reports a rule on many paths of which few are used.
fn wide(acl: &Acl<'_>, id: BlockId, granted: Capabilities, used: &BlockUsage) -> Finding {
    let origin = acl.block_origin(id);
    let (paths, users) = if used.paths.is_empty() {
        (&used.permitted, "and only checks of presence use")
    } else {
        (&used.paths, "and the needs use")
    };
    let mut message = format!(
        "{} grants {granted} on every path of \"{}\", {users} {}",
        origin.policy,
        origin.pattern,
        count(paths.len(), "path")
    );
    let mut extra = granted.difference(used.capabilities);
    if extra.contains(Capability::Sudo) {
        message.push_str(", and also grants sudo");
        extra = extra.difference([Capability::Sudo].into_iter().collect());
    }
    let mut finding =
        Finding::new(Code::ExcessRights, message).about_policy(&origin.policy).at(origin.place);
    if !extra.is_empty() {
        finding.add_note(format!("{extra} isn't used on any of them"));
    }
    let narrowed = |(path, used): (&String, &Capabilities)| acl.narrowed_block(id, path, *used);
    let fix: Vec<_> = paths.iter().map(narrowed).collect();
    if !used.paths.is_empty() && !used.permitted.is_empty() {
        finding.add_note(
            "a login that also asks the server for presence needs a few more paths: `envlock policy \
             generate --for verifier`",
        );
    }
    about(used, finding.with_help("narrow the rule to").with_fix(fix.join("\n")))
}

/// Sets the need, if there is only one.
fn about(used: &BlockUsage, finding: Finding) -> Finding {
    match used.needs.first() {
        Some(need) if used.needs.len() == 1 => finding.about_need(need),
        _ => finding,
    }
}
