//! `namespace-ignored`: the profile has a namespace, and the server's edition has none.

use envlock_policy::canonical_namespace;
use envlock_report::{Code, Finding};

use super::evaluation::OnlineEvaluation;

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    let profile = online.checked.profile;
    let namespace = canonical_namespace(profile.namespace_path.as_deref().unwrap_or_default());
    if online.facts.server.has_namespaces != Some(false) || namespace.is_empty() {
        return;
    }
    let message = format!(
        "this server has no namespaces: it ignores {}, and answers for all requests as the root \
         namespace",
        namespace.trim_end_matches('/')
    );
    let finding = Finding::new(Code::NamespaceIgnored, message)
        .with_note("the community edition of Vault and OpenBao before 2.3 have no namespaces")
        .with_help(
            "remove `namespace:` and VAULT_NAMESPACE, or set VAULT_ADDR to the right server",
        );
    findings.push(online.checked.profile_finding(finding));
}
