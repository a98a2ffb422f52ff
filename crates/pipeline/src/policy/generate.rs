//! `policy generate`: generates the policy that grants a profile its needs and nothing else.

use std::collections::BTreeMap;

use envlock_policy::canonical_namespace;
use envlock_report::Finding;
use envlock_secrets::{
    checks::{self, CheckError},
    generate,
    manifest::{Manifest, ResolvedProfile},
};

use super::PolicyCommandError;
use crate::{
    Project,
    check_secrets::{SecretsError, with_namespaces},
};

/// Who gets the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyHolder {
    /// The job, which reads the secrets.
    Job,
    /// A presence check, which can't read values.
    PresenceCheck,
}

/// A generated policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedPolicy {
    /// The profile that it is for.
    pub profile: String,
    /// The policy, as HCL.
    pub hcl: String,
    /// Needs that the policy grants literally, and that probably mean another path.
    pub findings: Vec<Finding>,
}

/// The inputs of `policy generate`.
#[derive(Debug, Clone)]
pub struct PolicyGenerateOptions<'a> {
    /// The profile: the named one, else the manifest's default, else its only one.
    pub profile: Option<String>,
    /// Who gets the policy.
    pub holder: PolicyHolder,
    /// The namespace that the policy is uploaded to; that of the profile if it isn't given.
    pub policy_namespace: Option<String>,
    /// The namespace of the profiles that name none; `""` is the root namespace.
    pub namespace: String,
    /// The variables of the process.
    pub variables: &'a BTreeMap<String, String>,
}

/// Generates the policy of a profile.
pub fn generate(
    project: &Project,
    request: PolicyGenerateOptions<'_>,
) -> Result<GeneratedPolicy, PolicyCommandError> {
    let PolicyGenerateOptions { profile, holder, policy_namespace, namespace, variables } = request;
    let manifest = project.manifest()?.ok_or(SecretsError::NoManifest)?;
    let manifest = &with_namespaces(manifest, &namespace, variables);
    let only = || manifest.profiles.keys().next().filter(|_| manifest.profiles.len() == 1);
    let name = profile.or_else(|| manifest.default.clone()).or_else(|| only().cloned());
    let resolved = match &name {
        Some(name) => manifest.profile(name),
        None if manifest.profiles.is_empty() => Some(manifest.implicit_profile()),
        None => None,
    };
    let Some(resolved) = resolved else {
        let known = manifest.profiles.keys().cloned().collect();
        return Err(CheckError::NoProfile { name: name.unwrap_or_default(), known }.into());
    };
    let below = path_below(manifest, &resolved, policy_namespace)?;
    let hcl = match holder {
        PolicyHolder::Job => generate::job_policy(&resolved, &below),
        PolicyHolder::PresenceCheck => generate::presence_policy(&resolved, &below),
    };
    let findings = checks::locations(manifest);
    Ok(GeneratedPolicy { profile: resolved.name, hcl, findings })
}

/// The path from the namespace that the policy is uploaded to, to that of the requests.
fn path_below(
    manifest: &Manifest,
    profile: &ResolvedProfile,
    policy_namespace: Option<String>,
) -> Result<String, PolicyCommandError> {
    let attached = profile.attach.iter().rev();
    let declared =
        || attached.clone().find_map(|(name, _)| manifest.policies.get(name)?.namespace.clone());
    let Some(uploaded) = policy_namespace.or_else(declared) else { return Ok(String::new()) };
    let uploaded = canonical_namespace(&uploaded);
    let own = profile.namespace_path.as_deref().map(canonical_namespace);
    match own.as_deref().and_then(|own| own.strip_prefix(&uploaded)) {
        Some(below) => Ok(below.to_owned()),
        None => Err(PolicyCommandError::Namespace { profile: profile.name.clone(), own, uploaded }),
    }
}
