//! `policy lint`: finds mistakes in policy files.

use std::path::PathBuf;

use envlock_report::Finding;

use super::{
    PolicyCommandError,
    files::{policy_name, read},
};

/// Lints these files as of `now`.
pub fn lint(files: &[PathBuf], now: jiff::Timestamp) -> Result<Vec<Finding>, PolicyCommandError> {
    let mut findings = Vec::new();
    for (file, text) in &read(files)? {
        findings.extend(envlock_policy::lint::lint(&policy_name(file), file, text, now));
    }
    Ok(envlock_report::sort_and_merge(findings))
}
