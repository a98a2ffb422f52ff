//! `server-disagrees`: the policies in the repository and the server give different answers.

use envlock_report::{Code, Finding, one_line};

use super::evaluation::OnlineEvaluation;
use super::text::{describe_request, join_names};
use crate::checks::evaluation::{PolicyEvaluation, common_permission};
use crate::facts::program;
use crate::need_request::NeedRequest;
use crate::verdict::{Permission, PolicyVerdict, ServerVerdict};
use envlock_policy::RuleOrigin;

/// The requests of one need on which policies and server disagree in the same way.
type Requests<'a> = Vec<(&'a NeedRequest, &'a [PolicyVerdict])>;

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    // What a server allows to root shows nothing about its policies.
    let Some(evaluation) = online.evaluation.filter(|_| !online.is_root()) else { return };
    for need in &online.checked.profile.needs {
        let (mut refused, mut granted) = (Requests::new(), Requests::new());
        for (need_request, verdicts, server) in online.need_requests_with_verdicts() {
            let Some(verdicts) = verdicts.filter(|_| need_request.need == need.name) else {
                continue;
            };
            match (common_permission(verdicts), server) {
                (Some(Permission::Allowed), ServerVerdict::Denied(_)) => {
                    refused.push((need_request, verdicts));
                }
                // Servers report a rule's capabilities, even if a condition of the rule denies the request.
                (Some(Permission::Denied), ServerVerdict::Allowed)
                    if verdicts.iter().any(|verdict| verdict.reason.is_condition()) => {}
                (Some(Permission::Denied), ServerVerdict::Allowed) => {
                    granted.push((need_request, verdicts));
                }
                _ => {}
            }
        }
        let names = PolicyNames::of(online);
        if !refused.is_empty() {
            findings.push(server_denies(online, evaluation, &names, &refused));
        }
        if !granted.is_empty() {
            findings.push(server_allows(online, evaluation, &names, &granted));
        }
    }
}

/// The policies of the token and of the profile, by name.
struct PolicyNames<'a> {
    token: &'a [String],
    attached: Vec<&'a String>,
    /// Attached by the profile, but not on the token.
    lacking: Vec<&'a String>,
    /// On the token, but not attached by the profile.
    further: Vec<&'a String>,
}

impl<'a> PolicyNames<'a> {
    fn of(online: &OnlineEvaluation<'a>) -> Self {
        let token = online.facts.token.policies.as_slice();
        let attached: Vec<_> = online.checked.profile.attach.iter().map(|(name, _)| name).collect();
        // The servers convert the names of policies to lower case.
        let same = |a: &String, b: &String| a.to_lowercase() == b.to_lowercase();
        let is_on_token = |name: &&String| token.iter().any(|known| same(known, name));
        let is_attached = |name: &&String| attached.iter().any(|known| same(known, name));
        Self {
            lacking: attached.iter().copied().filter(|name| !is_on_token(name)).collect(),
            further: token.iter().filter(|name| !is_attached(name)).collect(),
            token,
            attached,
        }
    }

    /// Notes the server, and the policies that differ.
    fn add_notes(&self, online: &OnlineEvaluation<'_>, finding: &mut Finding) {
        let Self { token, attached, lacking, further } = self;
        let mut note = |text: String| finding.add_note(text);
        note(format!("the server is {}", one_line(&online.facts.server.address)));
        note(format!(
            "the token has the policies {}; attached are {}",
            join_names(*token),
            join_names(attached.iter().copied())
        ));
        if !lacking.is_empty() {
            let lacking = join_names(lacking.iter().copied());
            note(format!("attached, but not on the token: {lacking}"));
        }
        if !further.is_empty() {
            let further = join_names(further.iter().copied());
            note(format!("on the token, but not attached: {further}"));
        }
    }
}

/// The policies allow the request, and the server denies it.
fn server_denies(
    online: &OnlineEvaluation<'_>,
    evaluation: &PolicyEvaluation<'_>,
    names: &PolicyNames<'_>,
    requests: &Requests<'_>,
) -> Finding {
    let message = format!(
        "the policies in the repository allow {}, and the server denies {}",
        listed(requests),
        pronoun(requests)
    );
    let mut finding = Finding::new(Code::ServerDisagrees, message);
    names.add_notes(online, &mut finding);
    let is_deciding = |name: &&&String| deciding(requests).any(|origin| origin.policy == ***name);
    let (likely, help) = if let Some(lacking) = names.lacking.iter().find(is_deciding) {
        let likely = "the login's role probably grants other policies than the profile attaches";
        let help = format!("give the role the policy {lacking}, or remove it from `attach:`");
        (likely.to_owned(), help)
    } else {
        // A rule of another policy can deny what the attached ones allow.
        let other = names.further.iter().find(|name| name.as_str() != "default");
        let denies = other.map_or_else(String::new, |name| {
            format!(", or a policy that isn't attached denies it, such as {}", one_line(name))
        });
        (format!("{OTHER_TEXT}{denies}"), compare(online, evaluation, requests))
    };
    with_deciding_rules(online, finding.with_note(likely).with_help(help), requests)
}

/// The policies deny the request, and the server allows it.
fn server_allows(
    online: &OnlineEvaluation<'_>,
    evaluation: &PolicyEvaluation<'_>,
    names: &PolicyNames<'_>,
    requests: &Requests<'_>,
) -> Finding {
    let message = format!(
        "the server allows {}, and the policies in the repository deny {}",
        listed(requests),
        pronoun(requests)
    );
    let mut finding = Finding::new(Code::ServerDisagrees, message);
    names.add_notes(online, &mut finding);
    let (likely, help) = match names.further.first() {
        Some(further) => {
            let further = one_line(further);
            let help = format!(
                "see what it grants: {}; then attach its text, or remove it from the token",
                read(online, &further)
            );
            (format!("probably a policy that isn't attached grants it, such as {further}"), help)
        }
        None => (OTHER_TEXT.to_owned(), compare(online, evaluation, requests)),
    };
    with_deciding_rules(online, finding.with_note(likely).with_help(help), requests)
}

const OTHER_TEXT: &str = "a policy on the server probably differs from the repository: it \
                          wasn't uploaded, or this is another namespace or another server";

/// Completes the finding at the need, with the deciding rules in the repository.
fn with_deciding_rules(
    online: &OnlineEvaluation<'_>,
    finding: Finding,
    requests: &Requests<'_>,
) -> Finding {
    let mut finding = online.checked.finding(&requests[0].0.need, finding);
    for origin in deciding(requests) {
        let message =
            format!("path \"{}\" of {} decides in the repository", origin.pattern, origin.policy);
        if !finding.related.iter().any(|known| known.place == origin.place) {
            finding = finding.with_related(origin.place.clone(), message);
        }
    }
    finding
}

/// The deciding rules in the repository.
fn deciding<'a>(requests: &Requests<'a>) -> impl Iterator<Item = &'a RuleOrigin> {
    requests.iter().flat_map(|(_, verdicts)| &verdicts[0].rule)
}

/// The help: how to compare the deciding policy with the server's.
fn compare(
    online: &OnlineEvaluation<'_>,
    evaluation: &PolicyEvaluation<'_>,
    requests: &Requests<'_>,
) -> String {
    let decides = |name: &str| deciding(requests).any(|origin| origin.policy == name);
    let policy = evaluation.attached.iter().find(|policy| decides(policy.name()));
    policy.or(evaluation.attached.last()).map_or_else(String::new, |policy| {
        format!("compare {} with {}", read(online, policy.name()), policy.file())
    })
}

fn read(online: &OnlineEvaluation<'_>, policy: &str) -> String {
    format!("`{} policy read {policy}`", program(online.facts.server.product))
}

fn listed(requests: &Requests<'_>) -> String {
    let requests: Vec<_> =
        requests.iter().map(|(need_request, _)| describe_request(need_request)).collect();
    requests.join(" and ")
}

fn pronoun(requests: &Requests<'_>) -> &'static str {
    if requests.len() == 1 { "it" } else { "them" }
}
