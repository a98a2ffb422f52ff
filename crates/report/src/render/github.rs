//! Workflow commands that put a finding on its line in a pull request.

use crate::{Finding, Place, Severity};

/// An annotation for each finding and one for each other place that plays a part in it.
pub fn github(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let diagnostic = &finding.diagnostic;
        let level = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut parts = vec![diagnostic.message.clone()];
        parts.extend(diagnostic.notes.iter().cloned());
        parts.extend(diagnostic.help.clone());
        parts.extend(finding.fix.clone());
        let place = diagnostic.place.as_ref();
        command(level, place, diagnostic.code, &parts.join("\n"), &mut out);
        for related in &finding.related {
            let message = format!("{}: {}", related.message, diagnostic.message);
            command("notice", Some(&related.place), diagnostic.code, &message, &mut out);
        }
    }
    out
}

fn command(level: &str, place: Option<&Place>, title: &str, message: &str, out: &mut String) {
    let mut properties = vec![format!("title={}", property(title))];
    if let Some(Place { file, line, column }) = place {
        properties.insert(0, format!("file={},line={line},col={column}", property(file)));
    }
    out.push_str(&format!("::{level} {}::{}\n", properties.join(","), data(message)));
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
