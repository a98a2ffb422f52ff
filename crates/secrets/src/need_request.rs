//! The requests of a need: those that must be allowed, and those that are never excess.

use std::collections::BTreeSet;

use envlock_model::needs::{Need, validate};
use envlock_policy::{
    ApiRequest, Capability, Engine, Operation, PartialBody, parameters_require_sudo,
    partial_bodies, renewal_body,
};

use crate::manifest::{ResolvedNeed, ResolvedProfile};

/// A request that a job makes for a need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedRequest {
    /// The need.
    pub need: String,
    /// The request.
    pub request: ApiRequest,
    /// Whether the need asks for `sudo`, or its engine does for its parameters. Endpoints that the
    /// servers protect require it anyway.
    pub sudo: bool,
    /// The bodies that it may have: it has one of them. Without any it has no parameters.
    pub bodies: Vec<PartialBody>,
    /// The TTL in seconds with which it asks for a wrapped response.
    pub wrap_ttl: Option<u64>,
}

impl NeedRequest {
    /// A request without parameters that isn't wrapped.
    pub(crate) fn plain(need: &str, request: ApiRequest) -> Self {
        let need = need.to_owned();
        Self { need, request, sudo: false, bodies: Vec::new(), wrap_ttl: None }
    }
}

/// The endpoint that renews leases.
const RENEW: &str = "sys/leases/renew";

/// Requests of a token about itself: look-up, renewal and revocation of the token and its
/// leases. They are never excess. The servers' built-in policy `default` grants most of them.
const TOKEN_SELF_SERVICE: [(&str, Operation); 7] = [
    ("auth/token/lookup-self", Operation::Read),
    ("auth/token/renew-self", Operation::Update),
    ("auth/token/revoke-self", Operation::Update),
    ("sys/capabilities-self", Operation::Update),
    ("sys/leases/lookup", Operation::Update),
    (RENEW, Operation::Update),
    ("sys/wrapping/unwrap", Operation::Update),
];

/// Whether the servers' built-in policy `default` allows an update of `path`.
pub(crate) fn is_in_default_policy(path: &str) -> bool {
    TOKEN_SELF_SERVICE.iter().any(|(known, _)| *known == path)
}

/// The requests of all needs of `profile`.
pub fn job_requests_of_profile(profile: &ResolvedProfile) -> Vec<NeedRequest> {
    profile.needs.iter().flat_map(job_requests_of_need).collect()
}

/// The requests of one need.
pub(crate) fn job_requests_of_need(resolved: &ResolvedNeed) -> Vec<NeedRequest> {
    let need = &resolved.need;
    let sudo = need.capabilities.contains(&Capability::Sudo)
        || parameters_require_sudo(need.engine, need.parameters.as_ref());
    let need_request = |request: ApiRequest| {
        let fields = need.fields.keys().map(String::as_str);
        let declared = need.parameters.as_ref();
        let bodies = partial_bodies(need.engine, &need.mount, &request, fields, declared);
        let wrap_ttl = need.wrap_ttl.as_deref().and_then(validate::seconds);
        NeedRequest { sudo, bodies, wrap_ttl, ..NeedRequest::plain(&resolved.name, request) }
    };
    let consumed = need.secret_requests();
    let mut need_requests: Vec<_> = consumed.iter().cloned().map(need_request).collect();
    for capability in &added_capabilities(need) {
        let Some(operation) = operation(*capability) else { continue };
        for request in &consumed {
            let path = match (need.engine, operation) {
                // Names are listed below `metadata/`, not below `data/`.
                (Engine::Kv2, Operation::List | Operation::Scan) => {
                    format!("{}/metadata/{}", need.mount, need.locator.name())
                }
                _ => request.path.clone(),
            };
            let path = operation.checked_path(&path).into_owned();
            let request = ApiRequest { path, operation };
            if !need_requests.iter().any(|known| known.request == request) {
                need_requests.push(need_request(request));
            }
        }
    }
    if need.ttl.as_ref().is_some_and(|ttl| ttl.renew.is_some()) {
        let request = ApiRequest { path: RENEW.to_owned(), operation: Operation::Update };
        let bodies = vec![renewal_body(need.parameters.as_ref())];
        need_requests.push(NeedRequest { bodies, ..NeedRequest::plain(&resolved.name, request) });
    }
    need_requests
}

/// The requests by which a presence check proves presence and fields without seeing a value.
pub fn presence_requests_of_profile(profile: &ResolvedProfile) -> Vec<NeedRequest> {
    profile.needs.iter().flat_map(presence_requests_of_need).collect()
}

/// The requests by which a presence check proves one need.
pub(crate) fn presence_requests_of_need(resolved: &ResolvedNeed) -> Vec<NeedRequest> {
    let need = &resolved.need;
    let requests = need.existence_requests().into_iter();
    requests.map(|request| NeedRequest::plain(&resolved.name, request)).collect()
}

/// Requests that aren't reported as excess: those of a presence check, and a token's requests about itself.
pub(crate) fn never_reported_as_excess(profile: &ResolvedProfile) -> Vec<ApiRequest> {
    let own = TOKEN_SELF_SERVICE
        .iter()
        .map(|(path, operation)| ApiRequest { path: (*path).to_owned(), operation: *operation });
    let mounts = profile.needs.iter().map(|resolved| ApiRequest {
        path: format!("sys/internal/ui/mounts/{}", resolved.need.mount),
        operation: Operation::Read,
    });
    let presence =
        presence_requests_of_profile(profile).into_iter().map(|need_request| need_request.request);
    own.chain(mounts).chain(presence).collect()
}

/// The capabilities that a need adds. If an engine can tell whether a path exists, a write needs
/// `create` or `update`, which isn't known in advance.
fn added_capabilities(need: &Need) -> BTreeSet<Capability> {
    let mut capabilities = need.capabilities.clone();
    let writes = [Capability::Create, Capability::Update];
    let knows = matches!(need.engine, Engine::Kv1 | Engine::Kv2 | Engine::Cubbyhole);
    if knows && writes.iter().any(|write| capabilities.contains(write)) {
        capabilities.extend(writes);
    }
    capabilities
}

/// The operation that requires a capability; `sudo` has no operation.
fn operation(capability: Capability) -> Option<Operation> {
    Some(match capability {
        Capability::Create => Operation::Create,
        Capability::Read => Operation::Read,
        Capability::Update => Operation::Update,
        Capability::Delete => Operation::Delete,
        Capability::List => Operation::List,
        Capability::Patch => Operation::Patch,
        Capability::Recover => Operation::Recover,
        Capability::Scan => Operation::Scan,
        Capability::Deny | Capability::Sudo | Capability::Subscribe => return None,
    })
}
