//! Evaluates a profile by the policies that it attaches.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use envlock_report::{Code, Finding};
use jiff::{SignedDuration, Timestamp};

use super::checked_profile::CheckedProfile;
use super::policies::Policies;
use super::{Input, namespace, root_token};
use crate::generate::{operation_capabilities, required_capabilities};
use crate::manifest::{Manifest, ResolvedNeed, ResolvedProfile, TargetServers};
use crate::need_request::{self, NeedRequest};
use crate::verdict::{self, Permission, PolicyVerdict};
use envlock_policy::{
    Acl, BlockId, Capabilities, DialectSet, EvaluationContext, Operation, Policy, PolicyError,
};
use envlock_text::Pos;

/// A profile with the verdict of each dialect on its requests.
pub(super) struct PolicyEvaluation<'a> {
    pub(super) checked: &'a CheckedProfile<'a>,
    pub(super) attached: Vec<&'a Policy>,
    /// The rules, for each server that accepts all policies.
    pub(super) acls: Vec<Acl<'a>>,
    /// The rules after the horizon, for servers whose rules expire.
    pub(super) acls_at_horizon: Vec<Acl<'a>>,
    /// The verdict of each of `acls` on each request of a need of the profile.
    pub(super) verdicts: Vec<Vec<PolicyVerdict>>,
    /// The needs of which a server doesn't allow a request.
    not_allowed: BTreeSet<&'a str>,
}

/// The usage of a policy block.
#[derive(Debug, Clone, Default)]
pub(super) struct BlockUsage {
    /// The capabilities that are used.
    pub(super) capabilities: Capabilities,
    /// The paths that needs use, each with the capabilities that are used on it.
    pub(super) paths: BTreeMap<String, Capabilities>,
    /// The paths of requests that are never reported as excess, such as those of a verifier.
    pub(super) permitted: BTreeMap<String, Capabilities>,
    /// The needs that use it.
    pub(super) needs: BTreeSet<String>,
}

impl<'a> PolicyEvaluation<'a> {
    /// Evaluates the policies of `checked`. `None`, with a finding, if no policies can be evaluated.
    pub(super) fn new(
        input: &Input<'a>,
        policies: &'a Policies,
        checked: &'a CheckedProfile<'a>,
        findings: &mut Vec<Finding>,
    ) -> Option<Self> {
        let CheckedProfile { manifest, profile, need_requests, .. } = checked;
        if profile.attach.is_empty() {
            findings.push(nothing_attached(checked));
            return None;
        }
        if root_token::check(manifest, profile, findings) {
            return None;
        }
        let mut attached = Vec::new();
        for (name, _) in &profile.attach {
            attached.push(policies.get(name)?.as_ref().ok()?);
        }
        let server = input.server();
        let (acls, acls_at_horizon) = acls(input, server, profile, &attached, findings);
        if acls.is_empty() {
            return None;
        }
        let verdicts = need_requests.iter().map(|need_request| {
            acls.iter().map(|acl| verdict::policy_verdict(acl, need_request)).collect()
        });
        let verdicts: Vec<Vec<PolicyVerdict>> = verdicts.collect();
        let is_allowed = |verdict: &PolicyVerdict| verdict.permission == Permission::Allowed;
        let not_allowed = need_requests
            .iter()
            .zip(&verdicts)
            .filter(|(_, verdicts)| !verdicts.iter().all(is_allowed))
            .map(|(need_request, _)| need_request.need.as_str())
            .collect();
        Some(Self { checked, attached, acls, acls_at_horizon, verdicts, not_allowed })
    }

    /// Each requirement with the servers' verdicts.
    pub(super) fn need_requests_with_verdicts(
        &self,
    ) -> impl Iterator<Item = (&NeedRequest, &[PolicyVerdict])> {
        self.checked.need_requests.iter().zip(self.verdicts.iter().map(Vec::as_slice))
    }

    /// The path of a request as the attached policy `name` must write it.
    pub(super) fn path_in_policy(&self, name: &str, path: &str) -> String {
        let policy = self.attached.iter().position(|policy| policy.name() == name);
        policy.map_or_else(|| path.to_owned(), |at| self.acls[0].path_in_policy(at, path))
    }

    /// Whether every server allows all requests of `need`.
    pub(super) fn is_allowed(&self, need: &str) -> bool {
        !self.not_allowed.contains(need)
    }

    /// The usage of every block, over all servers. Requests that are never reported as excess count
    /// as a usage.
    pub(super) fn block_usage(&self) -> HashMap<BlockId, BlockUsage> {
        let mut usage: HashMap<BlockId, BlockUsage> = HashMap::new();
        let permitted = need_request::never_reported_as_excess(self.checked.profile);
        for acl in &self.acls {
            for need_request in &self.checked.need_requests {
                let request = &need_request.request;
                let required = required_capabilities(need_request);
                let need = Some(&need_request.need);
                record_usage(acl, &mut usage, (request.operation, &request.path), required, need);
            }
            for request in &permitted {
                let required = operation_capabilities(request.operation);
                record_usage(acl, &mut usage, (request.operation, &request.path), required, None);
            }
        }
        usage
    }
}

fn record_usage(
    acl: &Acl<'_>,
    usage: &mut HashMap<BlockId, BlockUsage>,
    (operation, path): (Operation, &str),
    required: Capabilities,
    need: Option<&String>,
) {
    let listing = operation.tries_path_without_slash(acl.dialect());
    let Some(rule) = acl.deciding_rule(path, listing) else { return };
    let rule = acl.rule(rule);
    if required.difference(rule.capabilities()) == required {
        return;
    }
    for block in rule.blocks() {
        let granted = acl.block(*block).capabilities();
        let useful = required.difference(required.difference(granted));
        if useful.is_empty() {
            continue;
        }
        let purpose = usage.entry(*block).or_default();
        purpose.capabilities = purpose.capabilities.union(useful);
        let path = acl.path_in_policy(block.policy, path);
        let paths = if need.is_some() { &mut purpose.paths } else { &mut purpose.permitted };
        let capabilities = paths.entry(path).or_default();
        *capabilities = capabilities.union(useful);
        if let Some(need) = need.filter(|need| !purpose.needs.contains(*need)) {
            purpose.needs.insert(need.clone());
        }
    }
}

/// The rules on each server. A server that rejects the policies is a finding.
fn acls<'a>(
    input: &Input<'a>,
    server: TargetServers,
    profile: &'a ResolvedProfile,
    attached: &[&'a Policy],
    findings: &mut Vec<Finding>,
) -> (Vec<Acl<'a>>, Vec<Acl<'a>>) {
    let horizon = SignedDuration::from_hours(24 * i64::from(input.horizon_days));
    let end = input.now.checked_add(horizon).unwrap_or(Timestamp::MAX);
    let (mut acls, mut acls_at_horizon, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    let Some(namespace) = namespace::of_requests(input.manifest, profile, findings) else {
        return (Vec::new(), Vec::new());
    };
    for dialect in server.dialects() {
        let context = EvaluationContext {
            dialect: *dialect,
            now: input.now,
            identity: profile.identity.as_ref(),
            token_namespace: &namespace,
        };
        match Acl::new(attached, &context) {
            Ok(acl) => acls.push(acl.for_requests_in(&namespace)),
            Err(error) => refused.push((error, *dialect)),
        }
        if dialect.is_openbao()
            && attached.iter().any(|p| p.has_block_expiring_between(input.now, end))
        {
            let later = Acl::new(attached, &EvaluationContext { now: end, ..context }).ok();
            acls_at_horizon.extend(later.map(|acl| acl.for_requests_in(&namespace)));
        }
    }
    // What all servers reject is reported once, with the policy.
    if !acls.is_empty() || server.dialects().len() == 1 {
        refused.sort_by(|a, b| a.0.place.cmp(&b.0.place));
        for same in refused.chunk_by(|a, b| a.0 == b.0) {
            let dialects: DialectSet = same.iter().map(|(_, dialect)| *dialect).collect();
            let error = &same[0].0;
            let refusal = refusal(input, profile, dialects, acls.is_empty(), error);
            let policy = attached.iter().find(|policy| policy.file() == error.place.file);
            findings.push(match policy {
                Some(policy) => refusal.about_policy(policy.name()),
                None => refusal,
            });
        }
    }
    (acls, acls_at_horizon)
}

fn refusal(
    input: &Input<'_>,
    profile: &ResolvedProfile,
    dialects: DialectSet,
    by_all: bool,
    error: &PolicyError,
) -> Finding {
    let base = error.finding();
    let code = if by_all { Code::PolicyRejected } else { Code::DialectDependent };
    let message = format!("the whole policy is rejected by {dialects}: {}", base.message);
    let mut finding = Finding::new(code, message).at(error.place.clone());
    finding.help = base.help.or_else(|| {
        let help = "write the policy without it, or declare the server: \
                    `server: {product: …, version: …}`";
        Some(help.to_owned())
    });
    finding
        .in_profile(&profile.name)
        .with_related(input.manifest.place(profile.pos), "the profile that attaches it")
}

fn nothing_attached(checked: &CheckedProfile<'_>) -> Finding {
    let name = &checked.profile.name;
    let message = format!("profile {name} attaches no policies: its rights aren't checked offline");
    checked.profile_finding(
        Finding::new(Code::NoPoliciesAttached, message)
            .with_help("add `attach: [POLICY, …]` with the policies of its token"),
    )
}

/// The permission that all servers give; `None` if they differ.
pub(super) fn common_permission(verdicts: &[PolicyVerdict]) -> Option<Permission> {
    let answer = verdicts.first()?.permission;
    verdicts.iter().all(|verdict| verdict.permission == answer).then_some(answer)
}

impl Manifest {
    /// The profile of a manifest that declares none: it attaches every policy and has every need.
    pub fn implicit_profile(&self) -> ResolvedProfile {
        let policies = self.policies.iter();
        ResolvedProfile {
            name: "all".to_owned(),
            auth: None,
            attach: policies.map(|(name, policy)| (name.clone(), policy.pos)).collect(),
            namespace: None,
            namespace_path: self.default_namespace(),
            identity: None,
            token: None,
            job: None,
            allow_plaintext_loopback: false,
            needs: self
                .needs
                .iter()
                .map(|(name, need)| ResolvedNeed {
                    name: name.clone(),
                    need: need.clone(),
                    pos: need.pos,
                })
                .collect(),
            pos: Pos::START,
        }
    }
}
