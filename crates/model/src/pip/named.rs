//! Reads the parts of a requirement by name: name, extras, version specifiers and marker (PEP 508,
//! PEP 440).

use std::str::FromStr;

use envlock_report::Code;
use envlock_text::limits::{PIP_MARKER_DEPTH, PIP_MARKER_SETS, PIP_MARKER_TERMS};
use pep440_rs::{VersionSpecifier, VersionSpecifiers};
use pep508_rs::{ExtraName, MarkerTree, MarkerWarningKind, PackageName, Pep508ErrorSource};

use super::problem::Problem;
use super::requirement::Marker;

/// A name with its extras, and where the rest of the text starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) name: PackageName,
    pub(super) extras: Vec<ExtraName>,
    pub(super) end: usize,
}

/// Reads the name at the start of a text, and its extras.
pub(super) fn head(text: &str) -> Result<Head, Problem> {
    let end = text.find(|c: char| !is_name_character(c)).unwrap_or(text.len());
    // Without a name the first character is the mistake.
    let name_end = if end == 0 { text.chars().next().map_or(0, char::len_utf8) } else { end };
    let name = package_name(&text[..name_end])?;
    let after = skip_blanks(text, end);
    if !text[after..].starts_with('[') {
        return Ok(Head { name, extras: Vec::new(), end: after });
    }
    let (extras, end) = extras(text, after)?;
    Ok(Head { name, extras, end: skip_blanks(text, end) })
}

/// Parses a package's name.
pub(super) fn package_name(name: &str) -> Result<PackageName, Problem> {
    // The library accepts an empty name.
    let parsed = PackageName::new(name.to_owned()).ok().filter(|_| !name.is_empty());
    parsed.ok_or_else(|| {
        let message = match name.chars().find(|c| !is_name_character(*c)) {
            Some(c) => format!("a package name can't have `{c}`"),
            None if name.is_empty() => "a package name is missing here".to_owned(),
            None => format!("the package name `{name}` must start and end with a letter or digit"),
        };
        let help = "use letters, digits, `-`, `_` and `.`, as in `scikit-learn>=1.2`";
        Problem::syntax(0..name.len(), message, help)
    })
}

fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

fn skip_blanks(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start().len()
}

/// Reads `[a,b]` at an offset. Returns the extras and the offset after the bracket.
pub(super) fn extras(text: &str, open: usize) -> Result<(Vec<ExtraName>, usize), Problem> {
    let help = "write extras like `[dev,test]` directly after the name";
    let Some(close) = text[open..].find(']').map(|at| open + at) else {
        return Err(Problem::syntax(open..open + 1, "this `[` isn't closed", help));
    };
    let mut extras = Vec::new();
    let inner = &text[open + 1..close];
    if inner.trim().is_empty() {
        return Ok((extras, close + 1));
    }
    let mut at = open + 1;
    for part in inner.split(',') {
        let name = part.trim();
        let start = at + (part.len() - part.trim_start().len());
        at += part.len() + 1;
        // The library accepts an empty name.
        let parsed = ExtraName::new(name.to_owned()).ok().filter(|_| !name.is_empty());
        match parsed {
            Some(name) if extras.contains(&name) => {}
            Some(name) => extras.push(name),
            None => {
                let message = match name {
                    "" => "an extra is missing here".to_owned(),
                    name => format!("`{name}` isn't the name of an extra"),
                };
                return Err(Problem::syntax(start..start + name.len(), message, help));
            }
        }
    }
    Ok((extras, close + 1))
}

/// Reads the version specifiers from an offset to the end of the text, with or without parentheses.
pub(super) fn specifiers(text: &str, start: usize) -> Result<VersionSpecifiers, Problem> {
    let mut start = start;
    let mut end = text.trim_end().len().max(start);
    if text[start..].starts_with('(') {
        let Some(close) = text[start..end].find(')') else {
            let help = "close it, or write the versions without parentheses";
            return Err(Problem::syntax(start..start + 1, "this `(` isn't closed", help));
        };
        let after = skip_blanks(text, start + close + 1);
        if after < end {
            let message = "nothing but a marker can follow the version";
            return Err(Problem::syntax(after..end, message, "write a marker after `;`"));
        }
        (start, end) = (start + 1, start + close);
    }
    let mut all = Vec::new();
    let mut at = start;
    let parts: Vec<_> = text[start..end].split(',').collect();
    for (number, part) in parts.iter().enumerate() {
        let from = at + (part.len() - part.trim_start().len());
        at += part.len() + 1;
        let part = part.trim();
        // pip accepts a comma at the end.
        if part.is_empty() && number > 0 && number + 1 == parts.len() {
            continue;
        }
        if part.is_empty() && parts.len() == 1 {
            break;
        }
        all.push(specifier(part).map_err(|problem| problem.moved(from))?);
    }
    Ok(all.into_iter().collect())
}

const OPERATORS: [&str; 8] = ["===", "~=", "==", "!=", "<=", ">=", "<", ">"];

fn specifier(text: &str) -> Result<VersionSpecifier, Problem> {
    let all = 0..text.len();
    let is_operator = |c: char| matches!(c, '=' | '<' | '>' | '!' | '~');
    let end = text.find(|c| !is_operator(c)).unwrap_or(text.len());
    let (operator, version) = (&text[..end], text[end..].trim());
    let help = "the operators are `==`, `!=`, `>=`, `<=`, `>`, `<` and `~=`";
    if operator.is_empty() {
        let message = format!("an operator is missing before `{text}`");
        return Err(Problem::syntax(all, message, format!("write `=={version}`; {help}")));
    }
    if !OPERATORS.contains(&operator) {
        let help = match operator {
            "=" => {
                let version = version.split('=').next().unwrap_or(version);
                if version.ends_with('*') {
                    format!("write `=={version}`")
                } else {
                    format!("write `=={version}`, or `=={version}.*` for all that start like this")
                }
            }
            "=>" => format!("write `>={version}`"),
            "=<" => format!("write `<={version}`"),
            _ => help.to_owned(),
        };
        return Err(Problem::syntax(
            0..end,
            format!("`{operator}` isn't an operator of pip"),
            help,
        ));
    }
    if version.is_empty() {
        let message = format!("no version follows `{operator}`");
        return Err(Problem::syntax(all, message, "write one, as in `>=1.24`, or only the name"));
    }
    let second = OPERATORS.iter().filter_map(|operator| version.find(operator)).min();
    if let Some(at) = second.filter(|_| !version.contains('|')) {
        let at = text.len() - version.len() + at;
        let message = "a comma is missing between two conditions";
        let help = format!("write `{},{}`", text[..at].trim_end(), &text[at..]);
        return Err(Problem::syntax(at..text.len(), message, help));
    }
    VersionSpecifier::from_str(&format!("{operator}{version}")).map_err(|_| {
        let version_at = text.len() - version.len()..text.len();
        let (message, help) = explain_version(operator, version);
        Problem::syntax(version_at, message, help)
    })
}

/// Explains why a version isn't accepted after its operator.
fn explain_version(operator: &str, version: &str) -> (String, String) {
    let plain = version.strip_suffix(".*").unwrap_or(version);
    let is_version = |text: &str| pep440_rs::Version::from_str(text).is_ok();
    if let Some((first, rest)) = version.split_once('=').filter(|(first, _)| is_version(first)) {
        let message = format!("`{rest}` is a build of conda, which packages of PyPI don't have");
        return (message, format!("write `{operator}{first}`"));
    }
    if version.contains('|') {
        let help = "write two lines with markers, or exclude versions with `!=`".to_owned();
        return (format!("pip has no `|` between versions, as in `{version}`"), help);
    }
    if version.ends_with(".*") && is_version(plain) {
        let message = format!("`.*` can't follow `{operator}`");
        let help = match operator {
            ">=" | "<" => format!("write `{operator}{plain}`"),
            "~=" => format!("write `=={version}`"),
            _ => "`.*` is allowed after `==` and `!=`".to_owned(),
        };
        return (message, help);
    }
    if is_version(plain) && operator == "~=" {
        let message = format!("`~={version}` needs two numbers");
        return (message, format!("write `~={version}.0`, or `>={version}`"));
    }
    if is_version(plain) && version.contains('+') {
        let message = format!("a local version such as `{version}` can't follow `{operator}`");
        let public = version.split('+').next().unwrap_or(version);
        return (message, format!("write `=={version}`, or `{operator}{public}`"));
    }
    let help = match version.split_whitespace().next() {
        Some(first) if first.len() < version.len() && is_version(first) => {
            format!("write `{operator}{first}`; a marker is written after `;`")
        }
        _ if version.ends_with('*') => {
            let stem = version.trim_end_matches('*').trim_end_matches('.');
            format!("write `{operator}{stem}.*`")
        }
        _ if operator == "===" => {
            "`===` compares texts; write `==` with a version such as `1.24.3`".to_owned()
        }
        _ => "write a version like `1.24.3`, `2.0rc1` or `1.0.post1`".to_owned(),
    };
    (format!("`{version}` isn't a version"), help)
}

/// Reads a marker. `None` if it is empty, as after a `;` at the end of a line.
pub(super) fn marker(text: &str, warnings: &mut Vec<Problem>) -> Result<Option<Marker>, Problem> {
    let written = text.trim();
    if written.is_empty() {
        return Ok(None);
    }
    let start = text.len() - text.trim_start().len();
    let all = start..start + written.len();
    let help = "write it like `; python_version < \"3.11\" and sys_platform == \"linux\"`";
    if !is_small(written) {
        let message = "this marker is too large";
        return Err(Problem::error(Code::InputLimit, all, message, "write fewer comparisons"));
    }
    let mut report = |kind: MarkerWarningKind, _: String| {
        if kind != MarkerWarningKind::DeprecatedMarkerName {
            let message = "a comparison in this marker has no meaning, and is ignored";
            warnings.push(Problem::warning(Code::PipMarker, all.clone(), message, help));
        }
    };
    match MarkerTree::parse_reporter(written, &mut report) {
        Ok(tree) => Ok(Some(Marker { text: written.to_owned(), tree })),
        Err(error) => {
            let at = written.floor_char_boundary(error.start.min(written.len()));
            let end = written.floor_char_boundary((error.start + error.len).min(written.len()));
            let message = match error.message {
                Pep508ErrorSource::String(text) if !text.ends_with("found ``") => {
                    let text = text.replace("dependency specification", "the line");
                    format!("this isn't a marker: {}", lower(&text))
                }
                _ => "this marker isn't complete".to_owned(),
            };
            Err(Problem::syntax(start + at..start + end.max(at), message, help))
        }
    }
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// Whether a marker is within the limits. Its reader is recursive, and takes time that doubles with
/// some comparisons.
fn is_small(marker: &str) -> bool {
    let (mut depth, mut terms, mut sets) = (0_usize, 1, 0);
    let mut quote = None;
    for c in marker.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (Some(_) | None, _) => {}
        }
        if depth > PIP_MARKER_DEPTH {
            return false;
        }
    }
    for word in marker.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        match word {
            "and" | "or" => terms += 1,
            "in" | "extra" => sets += 1,
            _ => {}
        }
    }
    terms <= PIP_MARKER_TERMS && sets <= PIP_MARKER_SETS
}
