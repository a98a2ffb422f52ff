//! `policy generate`: generates the policy that grants a profile its needs and nothing else.

use envlock_secrets::{checks::CheckError, generate};

use super::PolicyCommandError;
use crate::{Project, secrets::SecretsError};

/// Who gets the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The job, which reads the secrets.
    Job,
    /// A verifier, which checks that the secrets exist and can't read values.
    Verifier,
}

/// A generated policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedPolicy {
    /// The profile that it is for.
    pub profile: String,
    /// The policy, as HCL.
    pub hcl: String,
}

/// Generates the policy for the named profile, else the manifest's default profile, else its only
/// profile.
pub fn generate(
    project: &Project,
    profile: Option<String>,
    audience: Audience,
) -> Result<GeneratedPolicy, PolicyCommandError> {
    let manifest = project.manifest()?.ok_or(SecretsError::NoManifest)?;
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
    let hcl = match audience {
        Audience::Job => generate::job_policy(&resolved),
        Audience::Verifier => generate::verifier_policy(&resolved),
    };
    Ok(GeneratedPolicy { profile: resolved.name, hcl })
}
