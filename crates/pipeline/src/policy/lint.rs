//! `policy lint`: finds mistakes in policy files.

use std::path::PathBuf;

use envlock_policy::lint::LintContext;
use envlock_report::Finding;

use super::{
    PolicyCommandError,
    files::{policy_name, read},
};
use crate::{Project, check_secrets::SecretsError};

/// Lints these files as of `now`. The manifest of `project`, if there is one, declares the server and
/// the engines of the mounts.
pub fn lint(
    files: &[PathBuf],
    project: Option<&Project>,
    now: jiff::Timestamp,
) -> Result<Vec<Finding>, PolicyCommandError> {
    let mut context = LintContext::portable(now);
    if let Some(project) = project {
        let manifest = project.manifest()?.ok_or(SecretsError::NoManifest)?;
        context.dialects = manifest.server.dialects().to_vec();
        context.mounts = manifest.mounts();
    }
    let mut findings = Vec::new();
    for (file, text) in &read(files)? {
        findings.extend(envlock_policy::lint::lint(&policy_name(file), file, text, &context));
    }
    Ok(envlock_report::sort_and_merge(findings))
}
