//! GitLab's code quality report.

use serde_json::Value;

use super::json;
use crate::{Finding, Level};

/// Formats the findings as a code quality report.
///
/// GitLab drops entries without a place. A finding without one gets line 1 of `fallback`, the
/// file that was checked.
pub fn gitlab(findings: &[Finding], fallback: &str) -> String {
    let entries: Vec<Value> = findings.iter().map(|finding| entry(finding, fallback)).collect();
    json(&entries)
}

fn entry(finding: &Finding, fallback: &str) -> Value {
    let place = finding.place.as_ref();
    let (file, line) = place.map_or((fallback, 1), |place| (place.file.as_str(), place.line));
    let severity = match finding.level {
        Level::Error => "major",
        Level::Warning => "minor",
        Level::Note => "info",
    };
    let mut description = finding.message.clone();
    if let Some(help) = &finding.help {
        description.push_str("; ");
        description.push_str(help);
    }
    serde_json::json!({
        "check_name": finding.code,
        "description": description,
        "fingerprint": fingerprint(finding, file),
        "severity": severity,
        "location": {"path": file, "lines": {"begin": line}},
    })
}

/// Returns a digest by which GitLab recognises the finding in another commit. The line isn't
/// part of it, so that changes above the finding don't affect it. It is FNV-1a, because it must
/// be the same in every build of the program.
fn fingerprint(finding: &Finding, file: &str) -> String {
    let need = finding.need.as_deref().unwrap_or_default();
    let profiles = finding.profiles.join(",");
    let parts = [finding.code.as_str(), file, need, &profiles, &finding.message];
    let hash = parts.join("\0").bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}
