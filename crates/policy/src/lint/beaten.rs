//! Lint for rules that never decide, because other rules have priority on all of their paths.

use std::collections::{BTreeMap, HashSet};

use envlock_report::{Code, Finding};

use super::{LintContext, Sink};
use crate::acl::{Acl, RuleId, ServerContext};
use crate::capability::{Capabilities, Capability};
use crate::dialect::{Dialect, DialectSet};
use crate::document::Policy;
use crate::pattern::RankCriterion;
use crate::reach::BeatenRule;
use crate::rule::BlockId;

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
    for (id, finding) in findings(&acls) {
        beaten.insert(id.block);
        sink.push(finding);
    }
    beaten
}

/// The rules that never decide on the servers of `acls`, which have the same policies.
pub fn rules_that_never_decide(acls: &[Acl<'_>]) -> Vec<Finding> {
    findings(acls).into_iter().map(|(_, finding)| finding).collect()
}

/// The servers on which a block is beaten.
struct Beaten {
    /// The server that is described, and the rule there.
    acl: usize,
    rule: BeatenRule,
    never: Vec<Dialect>,
    perhaps_lists: Vec<Dialect>,
}

fn findings(acls: &[Acl<'_>]) -> Vec<(BlockId, Finding)> {
    let mut all: BTreeMap<BlockId, Beaten> = BTreeMap::new();
    for (at, acl) in acls.iter().enumerate() {
        for rule in acl.beaten_rules() {
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
    all.into_iter().map(finding).collect()
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
    for other in by.iter().take(NAMED) {
        let Some(place) = acl.first_rule_origins(*other, 1).pop() else { continue };
        let name = acl.rule(*other).pattern();
        let message = match criterion(acl, *other, rule) {
            Some(criterion) => format!("\"{name}\" of {} has priority: {criterion}", place.policy),
            None => format!("\"{name}\" of {} has priority", place.policy),
        };
        finding = finding.with_related(place.place, message);
    }
    finding
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
