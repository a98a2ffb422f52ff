//! Version and build: conda's reading of `=1.24`, `1.24=py310_0`, `>=1 , <2 py310_0`.

use std::str::FromStr;

use rattler_conda_types::{ParseStrictness, StringMatcher, VersionSpec};

use super::Reason;

const OPERATORS: [&str; 8] = ["==", "!=", "<=", ">=", "~=", "=", "<", ">"];
/// Parentheses in a version are read by recursion.
const MAX_PARENTHESES: usize = 16;

/// What stands behind the name: a version, or a version and a build.
///
/// `=1.24` is any 1.24.x, but `=1.24=py310_0` is exactly 1.24: a rule of conda's.
pub(super) fn positional(
    text: &str,
) -> Result<(Option<VersionSpec>, Option<StringMatcher>), (Reason, usize)> {
    if let Some(at) = text.find(['(', ')']) {
        return Err((Reason::Parentheses, at));
    }
    let (version, build) = split_build(text);
    let bare = version.trim();
    let simple = |rest: &str| !rest.contains(['=', ',', '|']);
    let meant = match (bare.strip_prefix("=="), bare.strip_prefix('='), build) {
        (Some(exact), _, None) if !exact.trim().is_empty() => exact.to_owned(),
        (None, Some(fuzzy), None) if simple(fuzzy) && !fuzzy.trim().is_empty() => {
            let fuzzy = fuzzy.trim_end();
            format!("{fuzzy}{}", if fuzzy.ends_with('*') { "" } else { "*" })
        }
        (None, Some(exact), Some(_)) if simple(exact) && !exact.trim().is_empty() => {
            exact.to_owned()
        }
        _ => bare.to_owned(),
    };
    let version = parse_version(&meant).map_err(|reason| (reason, 0))?;
    let build = build
        .map(|build| {
            parse_build(build).map_err(|reason| (reason, text.rfind(build).unwrap_or_default()))
        })
        .transpose()?;
    Ok((Some(version), build))
}

/// The build is what follows the first ` ` or `=` that isn't part of the version's own
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

pub(super) fn parse_build(text: &str) -> Result<StringMatcher, Reason> {
    let valid = !text.is_empty() && !text.contains(char::is_whitespace);
    StringMatcher::from_str(text)
        .ok()
        .filter(|_| valid)
        .ok_or_else(|| Reason::Build(text.to_owned()))
}

/// A version in brackets, or what [`positional`] made of one.
pub(super) fn parse_version(text: &str) -> Result<VersionSpec, Reason> {
    if text.chars().filter(|c| *c == '(').count() > MAX_PARENTHESES {
        return Err(Reason::Parentheses);
    }
    let mut meant = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let end = rest.find([',', '|', '(', ')']).unwrap_or(rest.len());
        let condition = rest[..end].trim();
        if !condition.is_empty() {
            meant.push_str(&parse_condition(condition)?);
        }
        let Some(joint) = rest[end..].chars().next() else { break };
        meant.push(joint);
        rest = &rest[end + 1..];
    }
    VersionSpec::from_str(&meant, ParseStrictness::Lenient)
        .map_err(|_| Reason::Version(text.to_owned()))
}

/// One condition such as `>=1.24`, in the form that means for rattler what it means for conda.
fn parse_condition(text: &str) -> Result<String, Reason> {
    let operator: String =
        text.chars().take_while(|c| matches!(c, '=' | '!' | '<' | '>' | '~')).collect();
    let version = text[operator.len()..].trim_start();
    if !operator.is_empty() && !OPERATORS.contains(&operator.as_str()) {
        return Err(Reason::Operator(operator));
    }
    if version.is_empty() {
        return Err(Reason::NoVersion(operator));
    }
    if version.contains(['=', '!', '<', '>', '~']) && !is_epoch(version) {
        return Err(Reason::Unjoined);
    }
    if version.contains(char::is_whitespace) {
        return Err(Reason::Version(version.to_owned()));
    }
    let stem = version.trim_end_matches(['*', '.']);
    if stem.contains('*') || version.starts_with('^') || version.ends_with('$') {
        return Err(Reason::Pattern(version.to_owned()));
    }
    match (operator.as_str(), version.strip_suffix(".*")) {
        ("~=", Some(_)) => Err(Reason::CompatibleGlob(version.to_owned())),
        // conda ignores the `.*` here; rattler would read `>1.2.*` as `>=1.2`.
        ("<" | "<=" | ">" | ">=" | "==", Some(stem)) => Ok(format!("{operator}{stem}")),
        _ => Ok(format!("{operator}{version}")),
    }
}

/// `1!2.0`: the one `!` that belongs to a version.
fn is_epoch(version: &str) -> bool {
    version.split_once('!').is_some_and(|(epoch, rest)| {
        !epoch.is_empty()
            && epoch.chars().all(|c| c.is_ascii_digit())
            && !rest.contains(['=', '!', '<', '>', '~'])
    })
}
