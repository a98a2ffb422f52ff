//! Lint for rules that never decide, because other rules have priority on all of their paths.

use std::collections::{BTreeMap, HashSet};

use envlock_report::{Code, Finding};

use super::{LintContext, Sink};
use crate::acl::{Acl, RuleId, ServerContext};
use crate::capability::{Capabilities, Capability};
use crate::dialect::{Dialect, DialectSet};
use crate::document::Policy;
use crate::pattern::RankCriterion;
use crate::reach::{BeatenRule, Search};
use crate::rule::BlockId;
use envlock_text::Pos;

/// Reports the blocks of one policy that never decide, and returns their indexes.
pub(super) fn check(policy: &Policy, context: &LintContext, sink: &mut Sink<'_>) -> HashSet<usize> {
    let policies = [policy];
    let acls = context.dialects.iter().filter_map(|dialect| {
        let context = ServerContext {
            dialect: *dialect,
            now: context.now,
            identity: None,
            token_namespace: "",
        };
        Acl::new(&policies, &context).ok()
    });
    let acls: Vec<Acl<'_>> = acls.collect();
    let mut beaten = HashSet::new();
    let (never, overruled) = (findings(&acls), overruled(&acls));
    if !(never.complete && overruled.complete) {
        // First, because only a number of lints is kept.
        let message = format!("policy {} has too many rules to compare all of them", policy.name);
        let finding = not_compared(message).about_policy(&policy.name);
        sink.push(finding.at(Pos::START.place(&policy.file)));
    }
    for (id, finding) in never.found {
        beaten.insert(id.block);
        sink.push(finding);
    }
    for (id, finding) in overruled.found {
        if !beaten.contains(&id.block) {
            sink.push(finding);
        }
    }
    beaten
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
    let (beaten, overruled) = (findings(acls), overruled(acls));
    let complete = beaten.complete && overruled.complete;
    let known: HashSet<BlockId> = beaten.found.iter().map(|(id, _)| *id).collect();
    let overruled = overruled.found.into_iter().filter(|(id, _)| !known.contains(id));
    let found = beaten.found.into_iter().chain(overruled).map(|(_, finding)| finding);
    let message = "the policies together have too many rules to compare all of them";
    found.chain((!complete).then(|| not_compared(message.to_owned()))).collect()
}

/// The denies that lose paths to rules that aren't exceptions of them. The servers agree on them but
/// for blocks that expire, so that the first one stands for all.
fn overruled(acls: &[Acl<'_>]) -> Search<(BlockId, Finding)> {
    let Some(acl) = acls.first() else { return Search { found: Vec::new(), complete: true } };
    let mut findings = Vec::new();
    let overruled = acl.overruled_denies();
    for found in overruled.found {
        let by = acl.rule(found.by).pattern();
        for id in acl.rule(found.rule).blocks() {
            if !acl.block(*id).capabilities().contains_deny() {
                continue;
            }
            let origin = acl.block_origin(*id);
            let message = format!(
                "path \"{}\" doesn't deny \"{}\", which it matches: \"{by}\" has priority there",
                origin.pattern, found.path
            );
            let help = "narrow the rule that has priority, or deny this path in a block of its own";
            let finding = Finding::new(Code::DenyOverruled, message)
                .about_policy(&origin.policy)
                .at(origin.place)
                .with_help(help);
            let finding = with_winner(acl, finding, found.by, found.rule);
            findings.push((*id, finding));
        }
    }
    Search { found: findings, complete: overruled.complete }
}

/// Adds the place of the rule that has priority, and why it has.
fn with_winner(acl: &Acl<'_>, finding: Finding, winner: RuleId, rule: RuleId) -> Finding {
    let Some(place) = acl.first_rule_origins(winner, 1).pop() else { return finding };
    let name = acl.rule(winner).pattern();
    let message = match criterion(acl, winner, rule) {
        Some(criterion) => format!("\"{name}\" of {} has priority: {criterion}", place.policy),
        None => format!("\"{name}\" of {} has priority", place.policy),
    };
    finding.with_related(place.place, message)
}

/// The servers on which a block is beaten.
struct Beaten {
    /// The server that is described, and the rule there.
    acl: usize,
    rule: BeatenRule,
    never: Vec<Dialect>,
    perhaps_lists: Vec<Dialect>,
}

fn findings(acls: &[Acl<'_>]) -> Search<(BlockId, Finding)> {
    let mut all: BTreeMap<BlockId, Beaten> = BTreeMap::new();
    let mut complete = true;
    for (at, acl) in acls.iter().enumerate() {
        let beaten = acl.beaten_rules();
        complete &= beaten.complete;
        for rule in beaten.found {
            let only_lists: Capabilities = [Capability::List].into_iter().collect();
            let capabilities = acl.rule(rule.rule).capabilities();
            // A rule that may decide a list, and grants nothing else, does what it is for.
            if rule.may_decide_lists && capabilities.difference(only_lists).is_empty() {
                continue;
            }
            for id in acl.rule(rule.rule).blocks() {
                let known = all.entry(*id).or_insert_with(|| Beaten {
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
    let finding = |(id, beaten): (BlockId, Beaten)| {
        let finding = finding(&acls[beaten.acl], id, &beaten, acls.len());
        (id, finding)
    };
    Search { found: all.into_iter().map(finding).collect(), complete }
}

/// The most rules that a finding names.
const NAMED: usize = 3;

fn finding(acl: &Acl<'_>, id: BlockId, beaten: &Beaten, servers: usize) -> Finding {
    let (rule, by) = (beaten.rule.rule, &beaten.rule.by);
    let origin = acl.block_origin(id);
    let denies = acl.rule(rule).capabilities().contains_deny();
    let verb = if denies { "denies" } else { "decides" };
    let pattern = &origin.pattern;
    let message = match by.as_slice() {
        [one] => format!(
            "path \"{pattern}\" never {verb}: \"{}\" matches all of its paths, and has priority",
            acl.rule(*one).pattern()
        ),
        _ => format!(
            "path \"{pattern}\" never {verb}: other rules match all of its paths, and have priority"
        ),
    };
    let mut finding = Finding::new(Code::NeverDecides, message)
        .about_policy(&origin.policy)
        .at(origin.place)
        .with_help(help(acl, rule, by, denies));
    let on = |dialects: &[Dialect]| dialects.iter().copied().collect::<DialectSet>();
    if beaten.never.len() + beaten.perhaps_lists.len() < servers {
        let all: Vec<_> = beaten.never.iter().chain(&beaten.perhaps_lists).copied().collect();
        finding = finding.with_note(format!("on {}", on(&all)));
    }
    if !beaten.perhaps_lists.is_empty() {
        let note = format!("on {} it may still decide a list", on(&beaten.perhaps_lists));
        finding = finding.with_note(note);
    }
    by.iter().take(NAMED).fold(finding, |finding, other| with_winner(acl, finding, *other, rule))
}

/// The property by which `winner` has priority.
fn criterion(acl: &Acl<'_>, winner: RuleId, other: RuleId) -> Option<RankCriterion> {
    let rank = |rule: RuleId| acl.rule(rule).pattern.rank();
    rank(winner).first_difference(&rank(other)).map(|(_, criterion)| criterion)
}

fn help(acl: &Acl<'_>, rule: RuleId, by: &[RuleId], denies: bool) -> String {
    let narrow = "narrow the rule that has priority";
    let pattern = acl.rule(rule).pattern();
    let by_segments =
        by.iter().all(|by| criterion(acl, *by, rule) == Some(RankCriterion::FewerSegments));
    match pattern.strip_suffix("/*").filter(|_| by_segments) {
        // A pattern without a star goes before one with a star.
        Some(bare) => {
            format!("{narrow}, or write a pattern without `*` for each depth, such as \"{bare}/+\"")
        }
        None if denies => narrow.to_owned(),
        None => format!("{narrow}, or remove the block"),
    }
}
