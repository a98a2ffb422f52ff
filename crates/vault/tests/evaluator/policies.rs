//! Policies for the server and for the evaluator.

use envlock_policy::{
    Acl, Dialect, EvaluationContext, Identity, Policy, PolicyError, PolicyErrorKind,
};
use envlock_testkit::VaultClient;
use jiff::Timestamp;
use serde_json::json;

/// Whether the evaluator intentionally doesn't model a text. Invalid JSON, and a list inside a
/// list, are read by the server as something else: the evaluator always rejects them. The
/// evaluator doesn't parse the Go template of a filter of list entries.
pub(crate) fn is_not_modelled(text: &str, ours: &Result<Policy, PolicyError>) -> bool {
    match ours {
        Ok(_) => text.contains("list_scan_response_keys_filter_path"),
        Err(error) => matches!(error.kind, PolicyErrorKind::InvalidJson(_)),
    }
}

/// Uploads a policy, and returns the status.
pub(crate) fn upload(root: &VaultClient, name: &str, text: &str) -> u16 {
    let path = format!("sys/policies/acl/{name}");
    root.request("PUT", &path, &[], json!({ "policy": text })).0
}

/// The rules of the policies for a token of `entity` on a server of `dialect`.
pub(crate) fn acl<'p>(
    policies: &[&'p Policy],
    dialect: Dialect,
    identity: &Identity,
) -> Result<Acl<'p>, PolicyError> {
    let now = Timestamp::now();
    let context = EvaluationContext { dialect, now, identity: Some(identity), token_namespace: "" };
    Acl::new(policies, &context)
}

/// Parses a policy with a name, if it may be uploaded to a server of `dialect`.
pub(crate) fn named(name: &str, text: &str, dialect: Dialect) -> Result<Policy, PolicyError> {
    let policy = Policy::parse(name, &format!("{name}.hcl"), text)?;
    acl(&[&policy], dialect, &Identity::default())?;
    Ok(policy)
}
