//! Generates policies from needs: exactly the required capabilities, one block for each path.

use std::collections::BTreeMap;

use crate::manifest::ResolvedProfile;
use crate::requirement::{self, Requirement};
use envlock_policy::{ApiRequest, Capabilities, Capability, Dialect, Operation, path_block};

/// Generates the policy for the job of `profile`: what its needs require, and nothing else.
pub fn job_policy(profile: &ResolvedProfile) -> String {
    let title = format!("what the job of profile {} needs, and nothing else", profile.name);
    render(&title, &requirement::job_requests_of_profile(profile))
}

/// Generates the policy for a verifier of `profile`: presence and field names, never a value.
pub fn verifier_policy(profile: &ResolvedProfile) -> String {
    let own = [
        ("auth/token/lookup-self", Operation::Read),
        ("auth/token/revoke-self", Operation::Update),
        ("sys/capabilities-self", Operation::Update),
    ];
    let own = own.map(|(path, operation)| Requirement {
        need: "the verifier itself".to_owned(),
        request: ApiRequest { path: path.to_owned(), operation },
        sudo: false,
    });
    let mut requirements = own.to_vec();
    requirements.extend(requirement::verifier_requests_of_profile(profile));
    let title = format!("what a verifier of profile {} needs: presence, no value", profile.name);
    render(&title, &requirements)
}

fn render(title: &str, requirements: &[Requirement]) -> String {
    let mut paths: BTreeMap<&str, (Capabilities, Vec<&str>)> = BTreeMap::new();
    for requirement in requirements {
        let (capabilities, needs) = paths.entry(&requirement.request.path).or_default();
        *capabilities = capabilities.union(required_capabilities(requirement));
        if !needs.contains(&requirement.need.as_str()) {
            needs.push(&requirement.need);
        }
    }
    let mut out = format!("# {title}\n");
    for (path, (capabilities, needs)) in paths {
        out.push_str(&format!("\n# {}\n{}", needs.join(", "), path_block(path, capabilities)));
    }
    out
}

/// The capabilities that a requirement needs on its path. Every engine whose secrets are read by
/// POST requires `update` for it.
pub(crate) fn required_capabilities(requirement: &Requirement) -> Capabilities {
    let mut capabilities = operation_capabilities(requirement.request.operation);
    if requirement.sudo {
        capabilities.insert(Capability::Sudo);
    }
    capabilities
}

/// The capabilities that an operation requires.
pub(crate) fn operation_capabilities(operation: Operation) -> Capabilities {
    Dialect::ALL.into_iter().find_map(|dialect| operation.capability(dialect)).into_iter().collect()
}
