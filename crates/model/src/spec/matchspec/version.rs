//! Parses versions and builds by conda's rules: `=1.24`, `1.24=py310_0`, `>=1 , <2 py310_0`.

use std::str::FromStr;

use rattler_conda_types::{ParseStrictness, StringMatcher, VersionSpec};

use super::SpecErrorKind;
use super::version_conditions::VersionConditions;

const OPERATORS: [&str; 8] = ["==", "!=", "<=", ">=", "~=", "=", "<", ">"];

/// The maximum number of parentheses in a version, because they are parsed by recursion.
const MAX_PARENTHESES: usize = 16;

/// The version part of a match spec.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ParsedVersion {
    /// A version spec that matches in rattler what the original matches in conda.
    Spec(VersionSpec),
    /// Conditions for which rattler has no such form.
    Conditions(VersionConditions),
}

/// Parses the text after the name: a version, or a version and a build.
///
/// `=1.24` is any 1.24.x, but `=1.24=py310_0` is exactly 1.24: a rule of conda.
pub(super) fn parse_positional(
    text: &str,
) -> Result<(ParsedVersion, Option<StringMatcher>), SpecErrorKind> {
    if text.contains(['(', ')']) {
        return Err(SpecErrorKind::Parentheses);
    }
    let (version, build) = split_build(text);
    let version = whole(version, build.is_some())?;
    Ok((version, build.map(parse_build).transpose()?))
}

/// Parses a version in brackets.
pub(super) fn parse_in_brackets(text: &str) -> Result<ParsedVersion, SpecErrorKind> {
    whole(text, false)
}

/// Parses the version of a spec. conda treats an `=` at its start in its own way.
fn whole(version: &str, has_build: bool) -> Result<ParsedVersion, SpecErrorKind> {
    operator_of(version.trim())?;
    match without_equals(version.trim(), has_build) {
        // A message quotes what was written, not what was made of it.
        Some(meant) => parse_version(&meant).map_err(|reason| match reason {
            SpecErrorKind::Version(_) => {
                SpecErrorKind::Version(without_operator(version).to_owned())
            }
            SpecErrorKind::Regex { of, .. } => {
                SpecErrorKind::Regex { regex: without_operator(version).to_owned(), of }
            }
            other => other,
        }),
        None => parse_version(version),
    }
}

fn without_operator(version: &str) -> &str {
    version.trim().trim_start_matches('=').trim()
}

/// Returns what conda makes of a version that begins with `=`. `None` if it changes nothing.
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

/// Splits off the build: the text after the first ` ` or `=` that isn't part of the version's
/// operators and lists.
fn split_build(text: &str) -> (&str, Option<&str>) {
    let separators = text.char_indices().filter(|(_, c)| matches!(c, ' ' | '='));
    for (at, _) in separators {
        let (before, behind) = (&text[..at], &text[at + 1..]);
        let joined = before.is_empty() || before.ends_with(['=', '!', '|', ',', '<', '>', '~']);
        let build = behind.trim();
        let in_list = behind.contains(['-', '=', ',', '|', '<', '>', '~']);
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

/// Parses the conditions of a version.
pub(super) fn parse_version(text: &str) -> Result<ParsedVersion, SpecErrorKind> {
    if text.chars().filter(|c| *c == '(').count() > MAX_PARENTHESES {
        return Err(SpecErrorKind::Parentheses);
    }
    if text.trim_start_matches(['=', '!', ' ']).starts_with('^') {
        return Err(SpecErrorKind::Regex { regex: text.to_owned(), of: "version" });
    }
    let invalid = || SpecErrorKind::Version(text.to_owned());
    let mut translated = Some(String::with_capacity(text.len()));
    let mut rest = text;
    loop {
        let end = rest.find([',', '|', '(', ')']).unwrap_or(rest.len());
        let condition = rest[..end].trim();
        if !condition.is_empty() {
            let condition = translate_condition(condition)?;
            translated = translated.zip(condition).map(|(text, condition)| text + &condition);
        }
        let Some(joint) = rest[end..].chars().next() else { break };
        if let Some(translated) = &mut translated {
            translated.push(joint);
        }
        rest = &rest[end + 1..];
    }
    match translated {
        Some(translated) => VersionSpec::from_str(&translated, ParseStrictness::Lenient)
            .map(ParsedVersion::Spec)
            .map_err(|_| invalid()),
        None => VersionConditions::parse(text).map(ParsedVersion::Conditions).ok_or_else(invalid),
    }
}

/// Returns one condition such as `>=1.24` in the form that has in rattler the meaning of the
/// original in conda. `None` if there is no such form.
fn translate_condition(text: &str) -> Result<Option<String>, SpecErrorKind> {
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
    if version.starts_with('^') || version.ends_with('$') || version.contains("\\.") {
        return Err(SpecErrorKind::Regex { regex: version.to_owned(), of: "version" });
    }
    if version.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(SpecErrorKind::Version(version.to_owned()));
    }
    let Some(star) = version.find('*') else {
        return match operator {
            "~=" if !version.contains('.') || version.contains('+') => {
                Err(SpecErrorKind::InvalidCompatible(version.to_owned()))
            }
            _ => Ok(Some(format!("{operator}{version}"))),
        };
    };
    let (stem, glob) = version.split_at(star);
    let dotted = stem.strip_suffix('.');
    // conda compares letters at the end of a prefix as text: `1.2a.*` also matches 1.2alpha.
    let is_number = dotted.unwrap_or(stem).ends_with(|c: char| c.is_ascii_digit());
    Ok(match (operator, dotted, glob) {
        // rattler fills up a version with zeros: it reads `1.0rc1` as one of `1.0.0.*`.
        ("" | "=" | "!=", _, "*") if ends_in_zero(dotted.unwrap_or(stem)) => None,
        ("~=", Some(_), "*") => {
            return Err(SpecErrorKind::InvalidCompatible(version.to_owned()));
        }
        ("", None, "*") if stem.is_empty() => Some(version.to_owned()),
        ("", _, "*") | ("=" | "!=", Some(_), "*") if is_number => {
            Some(format!("{operator}{version}"))
        }
        // conda ignores this `.*`. rattler would read `>1.2.*` as `>=1.2`.
        (">=" | "<=" | ">" | "<" | "==", Some(stem), "*") => Some(format!("{operator}{stem}")),
        _ => None,
    })
}

/// Whether the last of several segments is zero.
fn ends_in_zero(stem: &str) -> bool {
    stem.rsplit_once('.')
        .is_some_and(|(_, last)| !last.is_empty() && last.bytes().all(|b| b == b'0'))
}

/// Returns the operator at the start of a condition. It is empty if there is none.
fn operator_of(condition: &str) -> Result<&str, SpecErrorKind> {
    let end = condition.find(|c| !"=!<>~".contains(c)).unwrap_or(condition.len());
    match &condition[..end] {
        known if known.is_empty() || OPERATORS.contains(&known) => Ok(known),
        unknown => Err(SpecErrorKind::Operator(unknown.to_owned())),
    }
}

/// Whether the `!` of a version is the one after its epoch, as in `1!2.0`.
fn is_epoch(version: &str) -> bool {
    version.split_once('!').is_some_and(|(epoch, rest)| {
        !epoch.is_empty()
            && epoch.chars().all(|c| c.is_ascii_digit())
            && !rest.contains(['=', '!', '<', '>', '~'])
    })
}
