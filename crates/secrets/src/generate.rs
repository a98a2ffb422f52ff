//! Generates policies from needs: exactly the required capabilities, one block for each path.

use std::collections::BTreeMap;

use crate::manifest::ResolvedProfile;
use crate::need_request::{self, NeedRequest};
use envlock_policy::{
    ApiRequest, Capabilities, Capability, Dialect, Operation, path_block, requires_sudo,
};

/// Generates the policy for the job of `profile`: what its needs require, and nothing else. `below`
/// is the path from the policy's namespace to that of the requests, such as `team-a/`.
pub fn job_policy(profile: &ResolvedProfile, below: &str) -> String {
    let title = format!("what the job of profile {} needs, and nothing else", profile.name);
    render(&title, &need_request::job_requests_of_profile(profile), below)
}

/// Generates the policy for a presence check of `profile`: presence and field names, never a value.
pub fn presence_policy(profile: &ResolvedProfile, below: &str) -> String {
    let own = [
        ("auth/token/lookup-self", Operation::Read),
        ("auth/token/revoke-self", Operation::Update),
        ("sys/capabilities-self", Operation::Update),
    ];
    let own = own.map(|(path, operation)| {
        let request = ApiRequest { path: path.to_owned(), operation };
        NeedRequest::plain("the presence check itself", request)
    });
    let mut need_requests = own.to_vec();
    need_requests.extend(need_request::presence_requests_of_profile(profile));
    let title = format!("what a presence check of profile {} needs: no value", profile.name);
    render(&title, &need_requests, below)
}

fn render(title: &str, need_requests: &[NeedRequest], below: &str) -> String {
    let mut paths: BTreeMap<&str, (Capabilities, Vec<&str>)> = BTreeMap::new();
    for need_request in need_requests {
        let (capabilities, needs) = paths.entry(&need_request.request.path).or_default();
        *capabilities = capabilities.union(required_capabilities(need_request));
        if !needs.contains(&need_request.need.as_str()) {
            needs.push(&need_request.need);
        }
    }
    let mut out = format!("# {title}\n");
    for (path, (capabilities, needs)) in paths {
        let block = path_block(&format!("{below}{path}"), capabilities);
        out.push_str(&format!("\n# {}\n{block}", needs.join(", ")));
    }
    out
}

/// The capabilities that a request of a need needs on its path. Every engine whose secrets are read by
/// POST requires `update` for it.
pub(crate) fn required_capabilities(need_request: &NeedRequest) -> Capabilities {
    let mut capabilities = operation_capabilities(need_request.request.operation);
    let path = &need_request.request.path;
    let protected = Dialect::PORTABLE.into_iter().any(|dialect| requires_sudo(dialect, path));
    if need_request.sudo || protected {
        capabilities.insert(Capability::Sudo);
    }
    capabilities
}

/// The capabilities that an operation requires.
pub(crate) fn operation_capabilities(operation: Operation) -> Capabilities {
    Dialect::ALL.into_iter().find_map(|dialect| operation.capability(dialect)).into_iter().collect()
}
