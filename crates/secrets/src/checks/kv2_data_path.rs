//! `kv2-data-path`: a policy names the logical path of a kv2 secret, and the server checks the path
//! with `data/`.

use std::collections::HashSet;

use envlock_report::{Code, Finding};

use super::evaluation::PolicyEvaluation;
use crate::generate::required_capabilities;
use crate::need_request::NeedRequest;
use crate::verdict::Permission;
use envlock_policy::Engine;
use envlock_policy::{Acl, BlockId, RuleId, path_block};

/// The finding about a denied request, if a rule on the logical path explains it.
pub(super) fn explain_denial(
    evaluation: &PolicyEvaluation<'_>,
    need_request: &NeedRequest,
) -> Option<Finding> {
    let need = &evaluation.checked.need(&need_request.need).need;
    let path = &need_request.request.path;
    let consumed = format!("{}/data/{}", need.mount, need.locator.name());
    if need.engine != Engine::Kv2 || *path != consumed {
        return None;
    }
    let logical = need.location();
    let acl = &evaluation.acls[0];
    let rule = logical_path_rule(acl, &logical, need_request)?;
    let origins = acl.first_rule_origins(rule, NAMED);
    let origin = origins
        .first()
        .filter(|origin| evaluation.checked.mounts.is_logical_kv2_path(&origin.pattern))?;
    let message = format!(
        "{} {path} is denied: the rule on \"{}\" names the logical path, and kv2 reads under {}/data/",
        need_request.request.operation.name(),
        origin.pattern,
        need.mount,
    );
    let finding = Finding::new(Code::Kv2DataPath, message)
        .with_help(format!("change the rule at {} to", origin.place));
    // What else the old rule names would be excess. Other identities use other paths of a template.
    let templated = origin.pattern.contains("{{");
    let below = below_mount(&origin.pattern, &need.mount).filter(|_| templated);
    let corrected = below.map(|below| format!("{}/data/{below}", need.mount));
    let capabilities = evaluation.checked.required_capabilities_on(path);
    let fix = path_block(corrected.as_deref().unwrap_or(path), capabilities);
    let mut finding = evaluation.checked.finding(&need_request.need, finding).with_fix(fix);
    for origin in origins {
        let related = format!("this rule of {} grants nothing on a kv2 mount", origin.policy);
        finding = finding.with_related(origin.place, related);
    }
    Some(finding)
}

/// The maximum number of blocks of a rule that a finding names.
const NAMED: usize = 5;

/// Returns the blocks that name a logical path of kv2. They must be changed, not removed.
pub(super) fn blocks_on_logical_path(evaluation: &PolicyEvaluation<'_>) -> HashSet<BlockId> {
    let acl = &evaluation.acls[0];
    let rules = acl.rules().iter().flat_map(|rule| rule.blocks().iter().copied());
    let mounts = &evaluation.checked.mounts;
    let mut blocks: HashSet<BlockId> =
        rules.filter(|id| mounts.is_logical_kv2_path(pattern_in_profile(acl, *id))).collect();
    for (need_request, verdicts) in evaluation.need_requests_with_verdicts() {
        let need = &evaluation.checked.need(&need_request.need).need;
        let refused = verdicts.iter().all(|verdict| verdict.permission == Permission::Denied);
        if refused && need.engine == Engine::Kv2 {
            let rule = logical_path_rule(acl, &need.location(), need_request);
            blocks.extend(rule.into_iter().flat_map(|rule| acl.rule(rule).blocks().to_vec()));
        }
    }
    blocks
}

/// The pattern of a block without the namespaces between its policy and the profile.
fn pattern_in_profile<'a>(acl: &Acl<'a>, id: BlockId) -> &'a str {
    let pattern = acl.block(id).pattern();
    pattern.strip_prefix(&acl.path_in_policy(id.policy, "")).unwrap_or(pattern)
}

/// The rule that would decide on a kv1 mount, if it grants what is required.
fn logical_path_rule(acl: &Acl<'_>, logical: &str, need_request: &NeedRequest) -> Option<RuleId> {
    let rule = acl.deciding_rule(logical, false)?;
    required_capabilities(need_request)
        .difference(acl.rule(rule).capabilities())
        .is_empty()
        .then_some(rule)
}

/// The part of `pattern` below `mount`. `None` if it doesn't begin with the mount.
fn below_mount<'p>(pattern: &'p str, mount: &str) -> Option<&'p str> {
    pattern.trim_start_matches('/').strip_prefix(mount)?.strip_prefix('/')
}
