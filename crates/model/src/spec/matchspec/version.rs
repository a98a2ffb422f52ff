//! Parses version and build as conda does: `=1.24`, `1.24=py310_0`, `>=1 , <2 py310_0`.

use std::str::FromStr;

use rattler_conda_types::{ParseStrictness, StringMatcher, VersionSpec};

use super::SpecErrorKind;

const OPERATORS: [&str; 8] = ["==", "!=", "<=", ">=", "~=", "=", "<", ">"];
/// The maximum number of parentheses in a version, because they are parsed recursively.
const MAX_PARENTHESES: usize = 16;

/// Parses the text after the name: a version, or a version and a build.
///
/// As in conda, `=1.24` means any 1.24.x, but `=1.24=py310_0` means exactly 1.24.
pub(super) fn positional(
    text: &str,
) -> Result<(Option<VersionSpec>, Option<StringMatcher>), SpecErrorKind> {
    if text.contains(['(', ')']) {
        return Err(SpecErrorKind::Parentheses);
    }
    let (version, build) = split_build(text);
    operator_of(version.trim())?;
    let version = match without_equals(version.trim(), build.is_some()) {
        // A message quotes the version as written, not as rewritten.
        Some(rewritten) => parse_version(&rewritten).map_err(|reason| match reason {
            SpecErrorKind::Version(_) => {
                SpecErrorKind::Version(without_operator(version).to_owned())
            }
            SpecErrorKind::StarNotAtEnd(_) => {
                SpecErrorKind::StarNotAtEnd(without_operator(version).to_owned())
            }
            other => other,
        })?,
        None => parse_version(version)?,
    };
    Ok((Some(version), build.map(parse_build).transpose()?))
}

fn without_operator(version: &str) -> &str {
    version.trim().trim_start_matches('=').trim()
}

/// Rewrites a version that begins with `=` as conda does. `None` if it doesn't change.
fn without_equals(version: &str, has_build: bool) -> Option<String> {
    if let Some(exact) = version.strip_prefix("==") {
        return (!has_build && !exact.trim().is_empty()).then(|| exact.to_owned());
    }
    let fuzzy = version.strip_prefix('=')?.trim();
    if fuzzy.is_empty() || fuzzy.contains(['=', ',', '|']) {
        return None;
    }
    let star = if has_build || fuzzy.ends_with('*') { "" } else { "*" };
    Some(format!("{fuzzy}{star}"))
}

/// Splits the build from the version. It follows the first ` ` or `=` that isn't a part of the
/// version's operators and lists.
fn split_build(text: &str) -> (&str, Option<&str>) {
    let separators = text.char_indices().filter(|(_, c)| matches!(c, ' ' | '='));
    for (at, _) in separators {
        let (before, after) = (&text[..at], &text[at + 1..]);
        let joined = before.is_empty() || before.ends_with(['=', '!', '|', ',', '<', '>', '~']);
        let build = after.trim();
        let in_list = after.contains(['-', '=', ',', '|', '<', '>', '~']);
        if !joined && !build.is_empty() && !in_list {
            return (before, Some(build));
        }
    }
    (text, None)
}

pub(super) fn parse_build(text: &str) -> Result<StringMatcher, SpecErrorKind> {
    let valid = !text.is_empty() && !text.contains(char::is_whitespace);
    StringMatcher::from_str(text)
        .ok()
        .filter(|_| valid)
        .ok_or_else(|| SpecErrorKind::Build(text.to_owned()))
}

/// Parses a version in brackets, or one that [`positional`] rewrote.
pub(super) fn parse_version(text: &str) -> Result<VersionSpec, SpecErrorKind> {
    if text.chars().filter(|c| *c == '(').count() > MAX_PARENTHESES {
        return Err(SpecErrorKind::Parentheses);
    }
    if text.trim_start_matches(['=', '!', ' ']).starts_with('^') {
        return Err(SpecErrorKind::Regex { regex: text.to_owned(), of: "version" });
    }
    let mut rewritten = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let end = rest.find([',', '|', '(', ')']).unwrap_or(rest.len());
        let condition = rest[..end].trim();
        if !condition.is_empty() {
            rewritten.push_str(&parse_condition(condition)?);
        }
        let Some(joint) = rest[end..].chars().next() else { break };
        rewritten.push(joint);
        rest = &rest[end + 1..];
    }
    VersionSpec::from_str(&rewritten, ParseStrictness::Lenient)
        .map_err(|_| SpecErrorKind::Version(text.to_owned()))
}

/// Rewrites one condition such as `>=1.24`, so that it means the same for rattler as for conda.
fn parse_condition(text: &str) -> Result<String, SpecErrorKind> {
    let operator = operator_of(text)?;
    let version = text[operator.len()..].trim_start();
    if version.is_empty() {
        return Err(SpecErrorKind::NoVersion(operator.to_owned()));
    }
    if let Some(last) = version.chars().next_back().filter(|c| "=!<>~".contains(*c)) {
        return Err(SpecErrorKind::NoVersion(last.to_string()));
    }
    if version.contains(['=', '!', '<', '>', '~']) && !is_epoch(version) {
        return Err(SpecErrorKind::MissingSeparator(text.to_owned()));
    }
    if version.contains(char::is_whitespace) {
        return Err(SpecErrorKind::Version(version.to_owned()));
    }
    let stem = version.trim_end_matches(['*', '.']);
    if stem.contains('*') || version.starts_with('^') || version.ends_with('$') {
        return Err(SpecErrorKind::StarNotAtEnd(version.to_owned()));
    }
    let glob = &version[stem.len()..];
    match (operator, glob) {
        ("~=", "") if !stem.contains('.') || stem.contains('+') => {
            Err(SpecErrorKind::InvalidCompatible(version.to_owned()))
        }
        ("~=", "*" | ".*") => Err(SpecErrorKind::InvalidCompatible(version.to_owned())),
        ("", _) | ("=" | "!=", ".*") | (_, "") => Ok(format!("{operator}{version}")),
        // conda ignores the `.*` here; rattler would read `>1.2.*` as `>=1.2`.
        (_, ".*") => Ok(format!("{operator}{stem}")),
        // conda compares with the letter `*`, which can't be intended.
        _ if !stem.is_empty() => Err(SpecErrorKind::OperatorGlob {
            condition: text.to_owned(),
            instead: format!("{operator}{stem}"),
        }),
        _ => Ok(format!("{operator}{version}")),
    }
}

/// Returns the operator at the start of a condition. Empty if there is none.
fn operator_of(condition: &str) -> Result<&str, SpecErrorKind> {
    let end = condition.find(|c| !"=!<>~".contains(c)).unwrap_or(condition.len());
    match &condition[..end] {
        known if known.is_empty() || OPERATORS.contains(&known) => Ok(known),
        unknown => Err(SpecErrorKind::Operator(unknown.to_owned())),
    }
}

/// Whether the `!` of a version is that of an epoch, as in `1!2.0`.
fn is_epoch(version: &str) -> bool {
    version.split_once('!').is_some_and(|(epoch, rest)| {
        !epoch.is_empty()
            && epoch.chars().all(|c| c.is_ascii_digit())
            && !rest.contains(['=', '!', '<', '>', '~'])
    })
}
