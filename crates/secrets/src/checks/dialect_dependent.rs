//! `dialect-dependent`: one dialect denies a request, and another allows it, or some of the requests
//! that the job may send.

use envlock_report::{Code, Finding};

use super::evaluation::PolicyEvaluation;
use crate::verdict::{Permission, PolicyVerdict};
use envlock_policy::{Dialect, DialectSet, RuleOrigin};

pub(super) fn check(evaluation: &PolicyEvaluation<'_>, findings: &mut Vec<Finding>) {
    for (need_request, verdicts) in evaluation.need_requests_with_verdicts() {
        let allowed = with(verdicts, Permission::Allowed);
        let denied = with(verdicts, Permission::Denied);
        let depends = with(verdicts, Permission::DependsOnParameters);
        if denied.is_empty() || (allowed.is_empty() && depends.is_empty()) {
            continue;
        }
        let request = &need_request.request;
        let answers = if allowed.is_empty() {
            format!("is denied by {denied} and depends on its parameters for {depends}")
        } else {
            format!("is allowed by {allowed} and denied by {denied}")
        };
        let message = format!("{} {} {answers}", request.operation.name(), request.path);
        let mut finding = Finding::new(Code::DialectDependent, message).with_help(
            "name the path exactly in the policy, or declare the server: \
             `server: {product: …, version: …}`",
        );
        for verdict in verdicts {
            finding.add_note(format!("{}: {}", verdict.dialect, verdict.reason));
        }
        let mut finding = evaluation.checked.finding(&need_request.need, finding);
        let mut deciding: Vec<(&RuleOrigin, Vec<Dialect>)> = Vec::new();
        for (verdict, origin) in verdicts.iter().flat_map(|v| v.rule.iter().map(move |o| (v, o))) {
            match deciding.iter_mut().find(|(known, _)| *known == origin) {
                Some((_, dialects)) => dialects.push(verdict.dialect),
                None => deciding.push((origin, vec![verdict.dialect])),
            }
        }
        for (origin, dialects) in deciding {
            let dialects: DialectSet = dialects.into_iter().collect();
            let message = format!("path \"{}\" decides for {dialects}", origin.pattern);
            finding = finding.with_related(origin.place.clone(), message);
        }
        findings.push(finding);
    }
}

fn with(verdicts: &[PolicyVerdict], answer: Permission) -> DialectSet {
    let dialects = verdicts.iter().filter(|verdict| verdict.permission == answer);
    dialects.map(|verdict| verdict.dialect).collect()
}
