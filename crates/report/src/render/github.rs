//! GitHub's workflow commands, which annotate lines of a pull request.

use crate::{Finding, Level, Place};

/// Formats the findings as annotations: one for each finding and each related place.
pub fn github(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let level = match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "notice",
        };
        let mut parts = vec![finding.message.clone()];
        parts.extend(finding.notes.iter().cloned());
        parts.extend(finding.help.clone());
        parts.extend(finding.fix.clone());
        let place = finding.place.as_ref();
        command(level, place, finding.code.as_str(), &parts.join("\n"), &mut out);
        for related in &finding.related {
            let message = format!("{}: {}", related.message, finding.message);
            command("notice", Some(&related.place), finding.code.as_str(), &message, &mut out);
        }
    }
    out
}

fn command(level: &str, place: Option<&Place>, title: &str, message: &str, out: &mut String) {
    let mut properties = vec![format!("title={}", property(title))];
    if let Some(Place { file, line, column, end_column }) = place {
        let end = end_column.map_or_else(String::new, |end| format!(",endColumn={}", end - 1));
        properties.insert(0, format!("file={},line={line},col={column}{end}", property(file)));
    }
    out.push_str(&format!("::{level} {}::{}\n", properties.join(","), data(message)));
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
