//! SARIF 2.1.0, as code-scanning services read it.

use serde_json::{Value, json};

use super::json::pretty;
use crate::finding::Related;
use crate::{Finding, Place, Severity};

/// What a code means, for the rules of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleText<'a> {
    /// The code.
    pub code: &'a str,
    /// One sentence.
    pub title: &'a str,
    /// The whole page, in Markdown.
    pub page: &'a str,
}

/// The findings as one run of `envlock` in `version`; `rules` explains their codes.
pub fn sarif(findings: &[Finding], version: &str, rules: &[RuleText<'_>]) -> String {
    let mut codes: Vec<_> = findings.iter().map(Finding::code).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules: Vec<_> = codes.iter().map(|code| rule(code, rules)).collect();
    let results: Vec<_> = findings.iter().map(|finding| result(finding, &codes)).collect();
    pretty(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "envlock", "version": version, "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn rule(code: &str, texts: &[RuleText<'_>]) -> Value {
    let Some(text) = texts.iter().find(|text| text.code == code) else {
        return json!({"id": code});
    };
    json!({
        "id": code,
        "shortDescription": {"text": text.title},
        "help": {"text": text.page, "markdown": text.page},
    })
}

fn result(finding: &Finding, codes: &[&str]) -> Value {
    let diagnostic = &finding.diagnostic;
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let mut result = json!({
        "ruleId": diagnostic.code,
        "ruleIndex": codes.iter().position(|code| *code == diagnostic.code),
        "level": level,
        "message": {"text": text(finding)},
    });
    if let Some(place) = &diagnostic.place {
        result["locations"] = json!([location(place, None)]);
    }
    if !finding.related.is_empty() {
        let related =
            finding.related.iter().map(|Related { place, message }| location(place, Some(message)));
        result["relatedLocations"] = related.collect();
    }
    result["properties"] = json!({"need": finding.need, "profiles": finding.profiles});
    result
}

fn text(finding: &Finding) -> String {
    let diagnostic = &finding.diagnostic;
    let mut parts = vec![diagnostic.message.clone()];
    parts.extend(diagnostic.notes.iter().cloned());
    parts.extend(diagnostic.help.as_ref().map(|help| format!("help: {help}")));
    parts.extend(finding.fix.clone());
    parts.join("\n")
}

fn location(place: &Place, message: Option<&str>) -> Value {
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": {"uri": uri(&place.file)},
            "region": {"startLine": place.line, "startColumn": place.column},
        },
    });
    if let Some(message) = message {
        location["message"] = json!({"text": message});
    }
    location
}

/// A path as a relative URI reference: what isn't plain is percent-encoded.
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
