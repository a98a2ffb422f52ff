//! Lint for rules that never decide, because other rules take precedence on all of their paths.

use std::collections::{BTreeMap, HashSet};

use envlock_report::{Code, Finding};

use super::{LintContext, Sink};
use crate::acl::{Acl, EvaluationContext, RuleId};
use crate::capability::{Capabilities, Capability};
use crate::dialect::{Dialect, DialectSet};
use crate::document::Policy;
use crate::pattern::RankCriterion;
use crate::reach::{Search, UnreachableRule};
use crate::rule::BlockId;
use envlock_text::Pos;

/// Reports the blocks of one policy that never decide, and returns their indexes.
pub(super) fn check(policy: &Policy, context: &LintContext, sink: &mut Sink<'_>) -> HashSet<usize> {
    let policies = [policy];
    let acls = context.dialects.iter().filter_map(|dialect| {
        let context = EvaluationContext {
            dialect: *dialect,
            now: context.now,
            identity: None,
            token_namespace: "",
        };
        Acl::new(&policies, &context).ok()
    });
    let acls: Vec<Acl<'_>> = acls.collect();
    let mut unreachable = HashSet::new();
    let (never, overridden) = (findings(&acls), overridden(&acls));
    if !(never.complete && overridden.complete) {
        // First, because only a number of lints is kept.
        let message = format!("policy {} takes too many rules to compare all of them", policy.name);
        let finding = not_compared(message).about_policy(&policy.name);
        sink.push(finding.at(Pos::START.place(&policy.file)));
    }
    for (id, finding) in never.found {
        unreachable.insert(id.block);
        sink.push(finding);
    }
    for (id, finding) in overridden.found {
        if !unreachable.contains(&id.block) {
            sink.push(finding);
        }
    }
    unreachable
}

/// The note that the search for rules that never decide ended early.
fn not_compared(message: String) -> Finding {
    Finding::new(Code::RulesNotCompared, message)
        .with_note("there may be more rules that never decide, and denies that lose paths")
        .with_help("write fewer rules with `+`, or divide the policy")
}

/// The rules that never decide on the servers of `acls`, which have the same policies. The last
/// finding says so if not all rules were compared.
pub fn rules_that_never_decide(acls: &[Acl<'_>]) -> Vec<Finding> {
    let (unreachable, overridden) = (findings(acls), overridden(acls));
    let complete = unreachable.complete && overridden.complete;
    let known: HashSet<BlockId> = unreachable.found.iter().map(|(id, _)| *id).collect();
    let overridden = overridden.found.into_iter().filter(|(id, _)| !known.contains(id));
    let found = unreachable.found.into_iter().chain(overridden).map(|(_, finding)| finding);
    let message = "the policies together have too many rules to compare all of them";
    found.chain((!complete).then(|| not_compared(message.to_owned()))).collect()
}

/// The denies that lose paths to rules that aren't exceptions of them. The servers agree on them but
/// for blocks that expire, so that the first one stands for all.
fn overridden(acls: &[Acl<'_>]) -> Search<(BlockId, Finding)> {
    let Some(acl) = acls.first() else { return Search { found: Vec::new(), complete: true } };
    let mut findings = Vec::new();
    let overridden = acl.overridden_denies();
    for found in overridden.found {
        let by = acl.rule(found.by).pattern();
        for id in acl.rule(found.rule).blocks() {
            if !acl.block(*id).capabilities().contains_deny() {
                continue;
            }
            let origin = acl.block_origin(*id);
            let message = format!(
                "path \"{}\" doesn't deny \"{}\", which it matches: \"{by}\" takes precedence there",
                origin.pattern, found.path
            );
            let help =
                "narrow the rule that takes precedence, or deny this path in a block of its own";
            let finding = Finding::new(Code::DenyOverridden, message)
                .about_policy(&origin.policy)
                .at(origin.place)
                .with_help(help);
            let finding = with_higher_rule(acl, finding, found.by, found.rule);
            findings.push((*id, finding));
        }
    }
    Search { found: findings, complete: overridden.complete }
}

/// Adds the place of the rule that takes precedence, and why.
fn with_higher_rule(acl: &Acl<'_>, finding: Finding, higher: RuleId, rule: RuleId) -> Finding {
    let Some(place) = acl.first_rule_origins(higher, 1).pop() else { return finding };
    let name = acl.rule(higher).pattern();
    let message = match criterion(acl, higher, rule) {
        Some(criterion) => format!("\"{name}\" of {} takes precedence: {criterion}", place.policy),
        None => format!("\"{name}\" of {} takes precedence", place.policy),
    };
    finding.with_related(place.place, message)
}

/// The servers on which a block is unreachable.
struct Unreachable {
    /// The server that is described, and the rule there.
    acl: usize,
    rule: UnreachableRule,
    never: Vec<Dialect>,
    perhaps_lists: Vec<Dialect>,
}

fn findings(acls: &[Acl<'_>]) -> Search<(BlockId, Finding)> {
    let mut all: BTreeMap<BlockId, Unreachable> = BTreeMap::new();
    let mut complete = true;
    for (at, acl) in acls.iter().enumerate() {
        let unreachable = acl.unreachable_rules();
        complete &= unreachable.complete;
        for rule in unreachable.found {
            let only_lists: Capabilities = [Capability::List].into_iter().collect();
            let capabilities = acl.rule(rule.rule).capabilities();
            // A rule that may decide a list, and grants nothing else, does what it is for.
            if rule.may_decide_lists && capabilities.difference(only_lists).is_empty() {
                continue;
            }
            for id in acl.rule(rule.rule).blocks() {
                let known = all.entry(*id).or_insert_with(|| Unreachable {
                    acl: at,
                    rule: rule.clone(),
                    never: Vec::new(),
                    perhaps_lists: Vec::new(),
                });
                let servers =
                    if rule.may_decide_lists { &mut known.perhaps_lists } else { &mut known.never };
                servers.push(acl.dialect());
            }
        }
    }
    let finding = |(id, unreachable): (BlockId, Unreachable)| {
        let finding = finding(&acls[unreachable.acl], id, &unreachable, acls.len());
        (id, finding)
    };
    Search { found: all.into_iter().map(finding).collect(), complete }
}

/// The maximum number of rules that a finding names.
const NAMED: usize = 3;

fn finding(acl: &Acl<'_>, id: BlockId, unreachable: &Unreachable, servers: usize) -> Finding {
    let (rule, by) = (unreachable.rule.rule, &unreachable.rule.by);
    let origin = acl.block_origin(id);
    let denies = acl.rule(rule).capabilities().contains_deny();
    let verb = if denies { "denies" } else { "decides" };
    let pattern = &origin.pattern;
    let message = match by.as_slice() {
        [one] => format!(
            "path \"{pattern}\" never {verb}: \"{}\" matches all of its paths, and takes precedence",
            acl.rule(*one).pattern()
        ),
        _ => format!(
            "path \"{pattern}\" never {verb}: other rules match all of its paths, and take precedence"
        ),
    };
    let mut finding = Finding::new(Code::NeverDecides, message)
        .about_policy(&origin.policy)
        .at(origin.place)
        .with_help(help(acl, rule, by, denies));
    let on = |dialects: &[Dialect]| dialects.iter().copied().collect::<DialectSet>();
    if unreachable.never.len() + unreachable.perhaps_lists.len() < servers {
        let all: Vec<_> =
            unreachable.never.iter().chain(&unreachable.perhaps_lists).copied().collect();
        finding = finding.with_note(format!("on {}", on(&all)));
    }
    if !unreachable.perhaps_lists.is_empty() {
        let note =
            format!("on {} it may still decide a LIST request", on(&unreachable.perhaps_lists));
        finding = finding.with_note(note);
    }
    by.iter()
        .take(NAMED)
        .fold(finding, |finding, other| with_higher_rule(acl, finding, *other, rule))
}

/// The property by which `higher` takes precedence.
fn criterion(acl: &Acl<'_>, higher: RuleId, other: RuleId) -> Option<RankCriterion> {
    let rank = |rule: RuleId| acl.rule(rule).pattern.rank();
    rank(higher).first_difference(&rank(other)).map(|(_, criterion)| criterion)
}

fn help(acl: &Acl<'_>, rule: RuleId, by: &[RuleId], denies: bool) -> String {
    let narrow = "narrow the rule that takes precedence";
    let pattern = acl.rule(rule).pattern();
    let by_segments =
        by.iter().all(|by| criterion(acl, *by, rule) == Some(RankCriterion::FewerWildcardSegments));
    match pattern.strip_suffix("/*").filter(|_| by_segments) {
        // A pattern without a star takes precedence over one with a star.
        Some(bare) => {
            format!("{narrow}, or write a pattern without `*` for each depth, such as \"{bare}/+\"")
        }
        None if denies => narrow.to_owned(),
        None => format!("{narrow}, or remove the block"),
    }
}
