//! Policies to the server and to the evaluator.

use envlock_policy::{Acl, Dialect, Identity, Policy, PolicyError, PolicyErrorKind, ServerContext};
use envlock_testkit::VaultClient;
use jiff::Timestamp;
use serde_json::json;

/// The two kinds of texts on which the evaluator and the server may differ. What starts as
/// JSON and isn't, or has a list inside a list, is read by the server as something that nobody
/// has written: the evaluator refuses it, always. What a filter of the names of a list says, a
/// template of Go, the evaluator doesn't read.
pub(crate) fn is_left_to_the_server(text: &str, ours: &Result<Policy, PolicyError>) -> bool {
    match ours {
        Ok(_) => text.contains("list_scan_response_keys_filter_path"),
        Err(error) => matches!(error.kind, PolicyErrorKind::InvalidJson(_)),
    }
}

/// The status of an upload.
pub(crate) fn upload(root: &VaultClient, name: &str, text: &str) -> u16 {
    let path = format!("sys/policies/acl/{name}");
    root.request("PUT", &path, &[], json!({ "policy": text })).0
}

/// What a server of `dialect` makes of policies for a token of somebody.
pub(crate) fn acl<'p>(
    policies: &[&'p Policy],
    dialect: Dialect,
    identity: &Identity,
) -> Result<Acl<'p>, PolicyError> {
    let now = Timestamp::now();
    let context = ServerContext { dialect, now, identity: Some(identity), token_namespace: "" };
    Acl::new(policies, &context)
}

/// A policy, if it may be uploaded.
pub(crate) fn read(text: &str) -> Result<Policy, PolicyError> {
    named("text", text)
}

/// A policy of that name, if it may be uploaded.
pub(crate) fn named(name: &str, text: &str) -> Result<Policy, PolicyError> {
    let policy = Policy::parse(name, &format!("{name}.hcl"), text)?;
    acl(&[&policy], Dialect::OpenBao, &Identity::default())?;
    Ok(policy)
}
