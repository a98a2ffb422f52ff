//! `kv2-data-path`: a policy names the logical path of a kv2 secret, and the server checks the path
//! with `data/`.

use std::collections::HashSet;

use envlock_report::{Code, Finding};

use super::evaluation::PolicyEvaluation;
use crate::generate::{path_block, required_capabilities};
use crate::requirement::Requirement;
use crate::verdict::Permission;
use envlock_policy::Engine;
use envlock_policy::{Acl, BlockId, RuleId};

/// The finding about a denied requirement, if a rule on the logical path explains it.
pub(super) fn explain_denial(
    evaluation: &PolicyEvaluation<'_>,
    requirement: &Requirement,
) -> Option<Finding> {
    let need = &evaluation.checked.need(&requirement.need).need;
    let path = &requirement.request.path;
    let consumed = format!("{}/data/{}", need.mount, need.locator.name());
    if need.engine != Engine::Kv2 || *path != consumed {
        return None;
    }
    let logical = need.location();
    let acl = &evaluation.acls[0];
    let rule = logical_path_rule(acl, &logical, requirement)?;
    let origin = acl.first_rule_origins(rule, 1).into_iter().next()?;
    let corrected = corrected(&origin.pattern, &need.mount)?;
    let message = format!(
        "{} {path} is denied: the rule on \"{}\" names the logical path, and kv2 reads under {}/data/",
        requirement.request.operation.name(),
        origin.pattern,
        need.mount,
    );
    let finding = Finding::new(Code::Kv2DataPath, message)
        .with_help(format!("change the rule at {} to", origin.place));
    let fix = path_block(
        &corrected,
        acl.rule(rule).capabilities().union(required_capabilities(requirement)),
    );
    let related = format!("this rule of {} grants nothing on a kv2 mount", origin.policy);
    Some(
        evaluation
            .checked
            .finding(&requirement.need, finding)
            .with_fix(fix)
            .with_related(origin.place, related),
    )
}

/// Returns the blocks that name a logical path of kv2. They must be changed, not removed.
pub(super) fn blocks_on_logical_path(evaluation: &PolicyEvaluation<'_>) -> HashSet<BlockId> {
    let mut blocks = HashSet::new();
    for (requirement, verdicts) in evaluation.requirements_with_verdicts() {
        let need = &evaluation.checked.need(&requirement.need).need;
        let refused = verdicts.iter().all(|verdict| verdict.permission == Permission::Denied);
        if refused && need.engine == Engine::Kv2 {
            let acl = &evaluation.acls[0];
            let logical = need.location();
            let rule = logical_path_rule(acl, &logical, requirement);
            blocks.extend(rule.into_iter().flat_map(|rule| acl.rule(rule).blocks().to_vec()));
        }
    }
    blocks
}

/// The rule that would decide on a kv1 mount, if it grants what is required.
fn logical_path_rule(acl: &Acl<'_>, logical: &str, requirement: &Requirement) -> Option<RuleId> {
    let rule = acl.deciding_rule(logical, false)?;
    required_capabilities(requirement)
        .difference(acl.rule(rule).capabilities())
        .is_empty()
        .then_some(rule)
}

/// Changes `secret/x` to `secret/data/x`. `None` if the pattern doesn't contain the mount.
fn corrected(pattern: &str, mount: &str) -> Option<String> {
    let below = pattern.trim_start_matches('/').strip_prefix(mount)?.strip_prefix('/')?;
    Some(format!("{mount}/data/{below}"))
}
