//! SARIF 2.1.0, the format of code-scanning services.

use serde_json::Value;

use super::json;
use crate::{Code, Finding, Level, Place, Related};

/// Formats the findings as one run of envlock `version`, with the pages of their codes.
///
/// Services reject a result without a place. A finding without one gets line 1 of `fallback`,
/// the file that the command is about.
pub fn sarif(findings: &[Finding], version: &str, fallback: &str) -> String {
    let mut codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules: Vec<_> = codes.iter().map(|code| rule(*code)).collect();
    let results: Vec<_> =
        findings.iter().map(|finding| result(finding, &codes, fallback)).collect();
    json(&serde_json::json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "envlock", "version": version, "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn rule(code: Code) -> Value {
    serde_json::json!({
        "id": code,
        "shortDescription": {"text": code.title()},
        "help": {"text": code.page(), "markdown": code.page()},
    })
}

fn result(finding: &Finding, codes: &[Code], fallback: &str) -> Value {
    let level = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    };
    let mut result = serde_json::json!({
        "ruleId": finding.code,
        "ruleIndex": codes.iter().position(|code| *code == finding.code),
        "level": level,
        "message": {"text": text(finding)},
    });
    let place = finding.place.clone().unwrap_or_else(|| Place::new(fallback, 1, 1));
    result["locations"] = serde_json::json!([location(&place, None)]);
    if !finding.related.is_empty() {
        let related =
            finding.related.iter().map(|Related { place, message }| location(place, Some(message)));
        result["relatedLocations"] = related.collect();
    }
    result["properties"] = serde_json::json!({
        "need": finding.need, "policy": finding.policy, "profiles": finding.profiles,
    });
    result
}

fn text(finding: &Finding) -> String {
    let mut parts = vec![finding.message.clone()];
    parts.extend(finding.notes.iter().cloned());
    parts.extend(finding.help.as_ref().map(|help| format!("help: {help}")));
    parts.extend(finding.fix.clone());
    parts.join("\n")
}

fn location(place: &Place, message: Option<&str>) -> Value {
    let mut location = serde_json::json!({
        "physicalLocation": {
            "artifactLocation": {"uri": uri(&place.file)},
            "region": {"startLine": place.line, "startColumn": place.column},
        },
    });
    if let Some(end) = place.end_column {
        location["physicalLocation"]["region"]["endColumn"] = end.into();
    }
    if let Some(message) = message {
        location["message"] = serde_json::json!({"text": message});
    }
    location
}

/// Converts a path to a relative URI reference. All special characters are percent-encoded.
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let mut uri = String::with_capacity(path.len());
    for byte in path.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_path_becomes_a_uri() {
        assert_eq!(super::uri("./策略/a b.hcl"), "%E7%AD%96%E7%95%A5/a%20b.hcl");
    }
}
