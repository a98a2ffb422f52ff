//! One profile with all that the checks look at.

use std::collections::HashMap;

use envlock_report::{Code, Finding};
use jiff::{SignedDuration, Timestamp};

use super::policies::Policies;
use super::subject::Subject;
use super::{Input, root_token};
use crate::evidence::{self, Answer, Verdict};
use crate::generate::{of_operation, taken};
use crate::manifest::{Manifest, ResolvedNeed, ResolvedProfile, ServerDialect};
use crate::requirement::{self, Requirement};
use envlock_policy::{
    Acl, BlockId, Capabilities, Context, Dialect, DialectSet, Operation, Policy, PolicyError,
};
use envlock_text::Pos;

/// One profile: what each server says to its requirements.
pub(super) struct Case<'a> {
    pub(super) subject: &'a Subject<'a>,
    pub(super) attached: Vec<&'a Policy>,
    /// One for each server that accepts all of the policies.
    pub(super) acls: Vec<Acl<'a>>,
    /// The same, after the horizon; only for servers whose rules end.
    pub(super) later: Vec<Acl<'a>>,
    /// For each requirement of the subject, what each of `acls` says.
    pub(super) verdicts: Vec<Vec<Verdict>>,
}

/// What a block is used for.
#[derive(Debug, Clone, Default)]
pub(super) struct Use {
    /// The capabilities that are used.
    pub(super) capabilities: Capabilities,
    /// The paths and what is used on each.
    pub(super) paths: Vec<(String, Capabilities)>,
    /// The needs that use it.
    pub(super) needs: Vec<String>,
}

impl<'a> Case<'a> {
    /// The case of `subject`; `None` where there is nothing to compare, which is said.
    pub(super) fn new(
        input: &Input<'a>,
        policies: &'a Policies,
        subject: &'a Subject<'a>,
        findings: &mut Vec<Finding>,
    ) -> Option<Self> {
        let Subject { manifest, profile, requirements } = subject;
        if profile.attach.is_empty() {
            findings.push(nothing_attached(subject));
            return None;
        }
        if root_token::check(manifest, profile, findings) {
            return None;
        }
        let mut attached = Vec::new();
        for (name, _) in &profile.attach {
            attached.push(policies.get(name)?.as_ref().ok()?);
        }
        let server = input.dialect.unwrap_or(manifest.server);
        let (acls, later) = acls(input, server, profile, &attached, findings);
        if acls.is_empty() {
            return None;
        }
        let verdicts = requirements
            .iter()
            .map(|requirement| {
                acls.iter().map(|acl| evidence::verdict(acl, acl.dialect(), requirement)).collect()
            })
            .collect();
        Some(Self { subject, attached, acls, later, verdicts })
    }

    /// Each requirement with what the servers say to it.
    pub(super) fn judged(&self) -> impl Iterator<Item = (&Requirement, &[Verdict])> {
        self.subject.requirements.iter().zip(self.verdicts.iter().map(Vec::as_slice))
    }

    /// Whether every server lets everything through that `need` takes.
    pub(super) fn is_allowed(&self, need: &str) -> bool {
        self.judged()
            .filter(|(requirement, _)| requirement.need == need)
            .all(|(_, verdicts)| verdicts.iter().all(|verdict| verdict.answer == Answer::Allowed))
    }

    /// What every block is used for, over all servers. Looking at oneself and the verifier's
    /// requests count: nobody needs to be kept from them.
    pub(super) fn uses(&self) -> HashMap<BlockId, Use> {
        let mut uses: HashMap<BlockId, Use> = HashMap::new();
        let harmless = requirement::harmless(self.subject.profile);
        for acl in &self.acls {
            for requirement in &self.subject.requirements {
                let access = &requirement.access;
                let taken = taken(requirement);
                note(
                    acl,
                    &mut uses,
                    (access.operation, &access.path),
                    taken,
                    Some(&requirement.need),
                );
            }
            for access in &harmless {
                let taken = of_operation(access.operation);
                note(acl, &mut uses, (access.operation, &access.path), taken, None);
            }
        }
        uses
    }
}

fn note(
    acl: &Acl<'_>,
    uses: &mut HashMap<BlockId, Use>,
    (operation, path): (Operation, &str),
    taken: Capabilities,
    need: Option<&String>,
) {
    let Some(rule) = acl.find(path, operation == Operation::List) else { return };
    let rule = acl.rule(rule);
    if taken.without(rule.capabilities) == taken {
        return;
    }
    for block in &rule.blocks {
        let granted = acl.block(*block).capabilities;
        let useful = taken.without(taken.without(granted));
        if useful.is_empty() {
            continue;
        }
        let purpose = uses.entry(*block).or_default();
        purpose.capabilities = purpose.capabilities.union(useful);
        match purpose.paths.iter_mut().find(|(known, _)| known == path) {
            Some((_, capabilities)) => *capabilities = capabilities.union(useful),
            None => purpose.paths.push((path.to_owned(), useful)),
        }
        if let Some(need) = need.filter(|need| !purpose.needs.contains(need)) {
            purpose.needs.push(need.clone());
        }
    }
}

/// What each server makes of the policies. A server that refuses them is a finding.
fn acls<'a>(
    input: &Input<'a>,
    server: ServerDialect,
    profile: &'a ResolvedProfile,
    attached: &[&'a Policy],
    findings: &mut Vec<Finding>,
) -> (Vec<Acl<'a>>, Vec<Acl<'a>>) {
    let horizon = SignedDuration::from_hours(24 * i64::from(input.horizon_days));
    let end = input.now.checked_add(horizon).unwrap_or(Timestamp::MAX);
    let (mut acls, mut later, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for dialect in server.dialects() {
        let context = Context {
            dialect: *dialect,
            now: input.now,
            identity: profile.identity.as_ref(),
            token_namespace: "",
        };
        match Acl::new(attached, &context) {
            Ok(acl) => acls.push(acl),
            Err(error) => refused.push((error, *dialect)),
        }
        if *dialect == Dialect::OpenBao && attached.iter().any(|p| p.ends_between(input.now, end)) {
            later.extend(Acl::new(attached, &Context { now: end, ..context }).ok());
        }
    }
    // What all of several servers refuse is found with the policy itself, once.
    if !acls.is_empty() || server.dialects().len() == 1 {
        refused.sort_by(|a, b| a.0.place.cmp(&b.0.place));
        for same in refused.chunk_by(|a, b| a.0 == b.0) {
            let dialects: DialectSet = same.iter().map(|(_, dialect)| *dialect).collect();
            findings.push(refusal(input, profile, dialects, acls.is_empty(), &same[0].0));
        }
    }
    (acls, later)
}

fn refusal(
    input: &Input<'_>,
    profile: &ResolvedProfile,
    dialects: DialectSet,
    by_all: bool,
    error: &PolicyError,
) -> Finding {
    let base = error.diagnostic();
    let code = if by_all { Code::PolicyRejected } else { Code::DialectDependent };
    let message = format!("the whole policy is refused by {dialects}: {}", base.message);
    let mut diagnostic = Finding::new(code, message).at(error.place.clone());
    diagnostic.help = base.help.or_else(|| {
        let help = "write the policy without it, or say which server it is for: \
                    `server: {dialect: …}`";
        Some(help.to_owned())
    });
    diagnostic
        .in_profile(&profile.name)
        .with_related(input.manifest.place(profile.pos), "the profile that attaches it")
}

fn nothing_attached(subject: &Subject<'_>) -> Finding {
    let name = &subject.profile.name;
    let message = format!("profile {name} attaches no policies: its rights aren't checked offline");
    subject.of_profile(
        Finding::new(Code::NothingAttached, message)
            .with_help("add `attach: [POLICY, …]` with the policies that its token gets"),
    )
}

/// What all servers say alike; `None` where they differ.
pub(super) fn agreed(verdicts: &[Verdict]) -> Option<Answer> {
    let answer = verdicts.first()?.answer;
    verdicts.iter().all(|verdict| verdict.answer == answer).then_some(answer)
}

impl Manifest {
    /// The profile of a manifest that has none: every policy, every need.
    pub fn bare_profile(&self) -> ResolvedProfile {
        let policies = self.policies.iter();
        ResolvedProfile {
            name: "all".to_owned(),
            auth: None,
            attach: policies.map(|(name, policy)| (name.clone(), policy.pos)).collect(),
            namespace: None,
            identity: None,
            token: None,
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
