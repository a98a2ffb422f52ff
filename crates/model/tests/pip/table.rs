//! The table of lines and their meanings.

use super::{codes, inputs, meaning, section};

const TABLE: &str = include_str!("lines.txt");

/// The files that the lines of the table can include.
const FILES: [(&str, &str); 5] = [
    ("other.txt", "six\n"),
    ("constraints.txt", "six<2\n"),
    ("sub/nested.txt", "-r ../other.txt\n./module\n"),
    ("loop.txt", "-r loop.txt\n"),
    ("pyproject.toml", "[project]\n"),
];

/// Returns the lines of the table, each with its meaning.
fn cases() -> Vec<(String, Vec<String>)> {
    let mut cases: Vec<(String, Vec<String>)> = Vec::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        match line.strip_prefix("> ") {
            None => cases.last_mut().unwrap().1.push(line.trim().to_owned()),
            Some(text) => match cases.last_mut() {
                Some((open, _)) if open.ends_with('\\') => {
                    open.push('\n');
                    open.push_str(text);
                }
                _ => cases.push((text.to_owned(), Vec::new())),
            },
        }
    }
    cases
}

/// Reads lines of a requirements file, and returns what they mean with the findings.
fn found(lines: &str) -> Vec<String> {
    let mut files = FILES.to_vec();
    files.push(("r.txt", lines));
    let (inputs, findings) = inputs(section(&["-r r.txt"], &files));
    let mut found = meaning::of(&inputs);
    for (finding, code) in findings.iter().zip(codes(&findings)) {
        let place = code.strip_prefix("r.txt:").unwrap_or(&code);
        found.push(format!("{} {place}: {}", finding.level.as_str(), finding.message));
        found.extend(finding.help.iter().map(|help| format!("  help: {help}")));
    }
    found
}

#[test]
fn each_line_has_the_meaning_of_the_table() {
    for (lines, expected) in cases() {
        let found: Vec<_> = found(&lines).iter().map(|line| line.trim().to_owned()).collect();
        assert_eq!(found, expected, "{lines}");
    }
    assert!(cases().len() >= 120);
}

#[test]
fn a_line_with_an_error_requests_nothing_and_has_help() {
    for (lines, expected) in cases() {
        let errors = expected.iter().filter(|line| line.starts_with("error")).count();
        let helps = expected.iter().filter(|line| line.starts_with("help: ")).count();
        let warnings = expected.iter().filter(|line| line.starts_with("warning")).count();
        assert_eq!(errors + warnings, helps, "{lines}");
        let found = expected.len();
        assert!(errors == 0 || found == 2 * (errors + warnings), "{lines}");
        assert!(!expected.is_empty() || lines.ends_with(":none:"), "{lines}");
    }
}
