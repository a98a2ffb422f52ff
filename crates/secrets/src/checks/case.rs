//! One profile with all that the checks look at.

use std::collections::HashMap;

use envlock_report::{Diagnostic, Finding, Place};
use jiff::{SignedDuration, Timestamp};

use super::policies::Policies;
use super::{Input, root_token};
use crate::evidence::{self, Answer, Verdict};
use crate::manifest::{Manifest, ResolvedNeed, ResolvedProfile, ServerDialect};
use crate::policy::generate::{of_operation, taken};
use crate::policy::{
    Acl, BlockId, Capabilities, Context, Dialect, DialectSet, Operation, Policy, PolicyError,
};
use crate::requirement::{self, Requirement};
use crate::source::Pos;

/// One profile: its requirements and what each server says to them.
pub(super) struct Case<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) profile: &'a ResolvedProfile,
    pub(super) attached: Vec<&'a Policy>,
    /// One for each server that accepts all of the policies.
    pub(super) acls: Vec<Acl<'a>>,
    /// The same, after the horizon; only for servers whose rules end.
    pub(super) later: Vec<Acl<'a>>,
    pub(super) requirements: Vec<Requirement>,
    /// For each requirement, what each of `acls` says.
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
    /// The case of `profile`; `None` where there is nothing to compare, which is said.
    pub(super) fn new(
        input: &Input<'a>,
        policies: &'a Policies,
        profile: &'a ResolvedProfile,
        findings: &mut Vec<Finding>,
    ) -> Option<Self> {
        let manifest = input.manifest;
        if profile.attach.is_empty() {
            findings.push(nothing_attached(manifest, profile));
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
        let requirements = requirement::of_profile(profile);
        let verdicts = requirements
            .iter()
            .map(|requirement| {
                acls.iter().map(|acl| evidence::verdict(acl, acl.dialect(), requirement)).collect()
            })
            .collect();
        Some(Self { manifest, profile, attached, acls, later, requirements, verdicts })
    }

    /// Each requirement with what the servers say to it.
    pub(super) fn judged(&self) -> impl Iterator<Item = (&Requirement, &[Verdict])> {
        self.requirements.iter().zip(self.verdicts.iter().map(Vec::as_slice))
    }

    /// Whether every server lets everything through that `need` takes.
    pub(super) fn is_allowed(&self, need: &str) -> bool {
        self.judged()
            .filter(|(requirement, _)| requirement.need == need)
            .all(|(_, verdicts)| verdicts.iter().all(|verdict| verdict.answer == Answer::Allowed))
    }

    /// The need `name`.
    pub(super) fn need(&self, name: &str) -> &ResolvedNeed {
        let found = self.profile.needs.iter().find(|need| need.name == name);
        found.expect("requirements are made of the profile's own needs")
    }

    /// Where the need `name` stands.
    pub(super) fn place(&self, name: &str) -> Place {
        self.manifest.place(self.need(name).pos)
    }

    /// A finding about a need in this profile. `why` of the need goes with it.
    pub(super) fn finding(&self, need: &str, diagnostic: Diagnostic) -> Finding {
        let mut diagnostic = diagnostic.at(self.place(need));
        if let Some(why) = &self.need(need).need.why {
            diagnostic.notes.push(format!("{need} is for: {why}"));
        }
        Finding::new(diagnostic).about(need).in_profile(&self.profile.name)
    }

    /// What every block is used for, over all servers. Looking at oneself and the verifier's
    /// requests count: nobody needs to be kept from them.
    pub(super) fn uses(&self) -> HashMap<BlockId, Use> {
        let mut uses: HashMap<BlockId, Use> = HashMap::new();
        let harmless = requirement::harmless(self.profile);
        for acl in &self.acls {
            for requirement in &self.requirements {
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
    let code = if by_all { "policy-rejected" } else { "dialect-dependent" };
    let message = format!("the whole policy is refused by {dialects}: {}", base.message);
    let mut diagnostic = Diagnostic::error(code, message).at(error.place.clone());
    diagnostic.help = base.help.or_else(|| {
        let help = "write the policy without it, or say which server it is for: \
                    `server: {dialect: …}`";
        Some(help.to_owned())
    });
    Finding::new(diagnostic)
        .in_profile(&profile.name)
        .with_related(input.manifest.place(profile.pos), "the profile that attaches it")
}

fn nothing_attached(manifest: &Manifest, profile: &ResolvedProfile) -> Finding {
    let message =
        format!("profile {} attaches no policies: its rights aren't checked offline", profile.name);
    let diagnostic = Diagnostic::note("nothing-attached", message)
        .at(manifest.place(profile.pos))
        .with_help("add `attach: [POLICY, …]` with the policies that its token gets");
    Finding::new(diagnostic).in_profile(&profile.name)
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
