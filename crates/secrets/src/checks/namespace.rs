//! `policy-namespace`: a policy is uploaded where the requests of a profile can't use it, or it
//! isn't known where they are sent.

use envlock_policy::canonical_namespace;
use envlock_report::{Code, Finding, Level};

use super::evaluation::PolicyEvaluation;
use crate::manifest::{Manifest, ResolvedProfile, RuntimeValue};

/// The namespace in which the requests of `profile` are evaluated. Policies that don't say where
/// they are uploaded are in the profile's namespace, so that only their own paths count: the
/// namespace is then `""`, whatever it is at run time. `None`, with a finding, if a policy says
/// where it is uploaded, and the profile's namespace isn't known.
pub(super) fn of_requests(
    manifest: &Manifest,
    profile: &ResolvedProfile,
    findings: &mut Vec<Finding>,
) -> Option<String> {
    let attached = profile.attach.iter();
    let placed = attached.filter_map(|(name, _)| {
        let policy = manifest.policies.get(name)?;
        Some((name, policy.pos, canonical_namespace(policy.namespace.as_deref()?)))
    });
    let placed: Vec<_> = placed.collect();
    let Some((name, pos, uploaded)) = placed.first() else { return Some(String::new()) };
    let Some(own) = &profile.namespace_path else {
        let message = format!(
            "policy {name} is uploaded to {}, and the namespace of profile {} isn't known",
            described(uploaded),
            profile.name
        );
        let help = match &profile.namespace {
            Some(RuntimeValue::Env { env, .. }) => format!("set {env} to the namespace"),
            Some(RuntimeValue::File { file, .. }) => format!("write the namespace into {file}"),
            None => "set VAULT_NAMESPACE to the namespace".to_owned(),
        };
        let finding = Finding::new(Code::PolicyNamespace, message).at_level(Level::Error);
        let finding = finding.at(manifest.place(*pos)).about_policy(name).with_help(help);
        findings.push(finding.in_profile(&profile.name));
        return None;
    };
    let own = canonical_namespace(own);
    for (name, pos, uploaded) in placed.iter().filter(|(.., at)| !own.starts_with(at.as_str())) {
        let message = format!(
            "policy {name} is uploaded to {}, and grants nothing in {}, where the requests of \
             profile {} are sent",
            described(uploaded),
            described(&own),
            profile.name
        );
        let finding = Finding::new(Code::PolicyNamespace, message)
            .at(manifest.place(*pos))
            .about_policy(name)
            .with_help(
                "correct `namespace:` of the policy or of the profile, or detach the policy",
            );
        findings.push(finding.in_profile(&profile.name));
    }
    Some(own)
}

/// The note that a policy contains the profile's namespace in its paths, as one that is uploaded
/// above it does, and doesn't say that it is uploaded there.
pub(super) fn in_patterns(evaluation: &PolicyEvaluation<'_>) -> Option<String> {
    let own = canonical_namespace(evaluation.checked.profile.namespace_path.as_deref()?);
    if own.is_empty() {
        return None;
    }
    let policies = &evaluation.checked.manifest.policies;
    let acl = evaluation.acls.first()?;
    let blocks = acl.rules().iter().flat_map(|rule| rule.blocks());
    let mut origins = blocks.map(|block| acl.block_origin(*block)).filter(|origin| {
        let policy = policies.get(&origin.policy);
        policy.is_some_and(|policy| policy.namespace.is_none())
            && origin.pattern.trim_start_matches('/').starts_with(&own)
    });
    let origin = origins.next()?;
    Some(format!(
        "path \"{}\" of {} contains the namespace: if the policy is uploaded to the root namespace, \
         say so with `namespace: root` in `policies:`",
        origin.pattern, origin.policy
    ))
}

/// A namespace in words.
pub fn described(namespace: &str) -> String {
    match namespace.trim_end_matches('/') {
        "" => "the root namespace".to_owned(),
        namespace => format!("namespace {namespace}"),
    }
}
