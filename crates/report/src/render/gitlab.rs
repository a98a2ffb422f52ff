//! GitLab's code quality report.

use serde_json::{Value, json};

use super::json::pretty;
use crate::{Finding, Severity};

/// The findings as a code quality report. GitLab drops entries without a place, so that those
/// go to line 1 of `fallback`, the file that was checked.
pub fn gitlab(findings: &[Finding], fallback: &str) -> String {
    let entries: Vec<Value> = findings.iter().map(|finding| entry(finding, fallback)).collect();
    pretty(&entries)
}

fn entry(finding: &Finding, fallback: &str) -> Value {
    let diagnostic = &finding.diagnostic;
    let place = diagnostic.place.as_ref();
    let (file, line) = place.map_or((fallback, 1), |place| (place.file.as_str(), place.line));
    let severity = match diagnostic.severity {
        Severity::Error => "major",
        Severity::Warning => "minor",
        Severity::Note => "info",
    };
    let mut description = diagnostic.message.clone();
    if let Some(help) = &diagnostic.help {
        description.push_str("; ");
        description.push_str(help);
    }
    json!({
        "check_name": diagnostic.code,
        "description": description,
        "fingerprint": fingerprint(finding, file),
        "severity": severity,
        "location": {"path": file, "lines": {"begin": line}},
    })
}

/// The same for the same finding after the lines above it changed: GitLab compares by it.
/// FNV-1a, because it must be the same in every build of the program.
fn fingerprint(finding: &Finding, file: &str) -> String {
    let diagnostic = &finding.diagnostic;
    let need = finding.need.as_deref().unwrap_or_default();
    let profiles = finding.profiles.join(",");
    let parts = [diagnostic.code, file, need, &profiles, &diagnostic.message];
    let hash = parts.join("\0").bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}
