//! Splits the text of a match spec into its parts.

use std::str::FromStr;

use envlock_report::nearest;
use rattler_conda_types::package::CondaArchiveIdentifier;
use rattler_conda_types::{MatchSpec, NamelessMatchSpec, PackageName, PackageNameMatcher, Subdir};

use super::{Conditions, SpecError, SpecErrorKind, brackets, version};
use crate::record::{MatchSpecFault, check_match_spec};
use envlock_text::redact::url_needs_redaction;

/// A match spec, separated from its channel and subdir.
#[derive(Debug, Clone)]
pub(in crate::spec) struct Parts {
    pub(in crate::spec) channel: Option<String>,
    pub(in crate::spec) subdir: Option<Subdir>,
    pub(in crate::spec) spec: MatchSpec,
    /// The text without the channel, which can hold a credential.
    pub(in crate::spec) rest: String,
    pub(in crate::spec) conditions: Conditions,
}

/// Parses a match spec without a comment.
pub(in crate::spec) fn parse(text: &str) -> Result<Parts, SpecError> {
    split_parts(text).map_err(|(reason, at)| {
        let after = text.get(at..).unwrap_or_default();
        let within = reason.subject().and_then(|piece| after.find(piece)).unwrap_or_default();
        let offset = text.get(..at + within).map_or(0, |before| before.chars().count());
        SpecError { reason, offset }
    })
}

/// Splits a match spec. The offset of an error is the start of the wrong part, in bytes.
fn split_parts(text: &str) -> Result<Parts, (SpecErrorKind, usize)> {
    let start = text.len() - text.trim_start().len();
    if text.trim().is_empty() {
        return Err((SpecErrorKind::Empty, 0));
    }
    match check_match_spec(text) {
        Err(MatchSpecFault::Length(_)) => return Err((SpecErrorKind::TooLong, 0)),
        Err(MatchSpecFault::Depth) => return Err((SpecErrorKind::TooDeep, 0)),
        Err(MatchSpecFault::Operators) => return Err((SpecErrorKind::TooManyOperators, 0)),
        // The error of the part that has it names it.
        Err(MatchSpecFault::Regex) | Ok(()) => {}
    }
    if let Some((placeholder, at)) = placeholder(text) {
        return Err((SpecErrorKind::Placeholder(placeholder.to_owned()), at));
    }
    refuse_urls(text.trim()).map_err(|reason| (reason, start))?;

    let (front, fields) = brackets::split(text.trim_end())?;
    let (channel, package) = match front.rfind("::") {
        Some(at) => (front[..at].trim(), at + 2),
        None => ("", 0),
    };
    if let Some(at) = front[package..].find(':') {
        return Err((SpecErrorKind::SingleColon, package + at));
    }
    let (mut channel, mut subdir) = split_subdir(channel);
    let mut subdir_field = None;
    let name_at = package + (front[package..].len() - front[package..].trim_start().len());
    let (name, after) = split_name(&front[name_at..]);
    let name = parse_name(name).map_err(|(reason, at)| (reason, name_at + at))?;
    let mut spec = MatchSpec::from_nameless(NamelessMatchSpec::default(), name);
    let mut conditions = Conditions::default();

    if !after.trim().is_empty() {
        let at = front.len() - after.trim_start().len();
        let (version, build) =
            version::parse_positional(after.trim()).map_err(|reason| (reason, at))?;
        brackets::set_version(&mut spec, &mut conditions, version);
        spec.build = build;
    }
    let rest = if fields.iter().any(|field| field.key == "channel") {
        format!("{}{}", front[package..].trim(), brackets::join_without(&fields, "channel"))
    } else {
        text[package..].trim().to_owned()
    };
    // As in conda, a field in brackets overrides the text before them.
    for field in fields {
        match field.key {
            "channel" => {
                let (in_brackets, its_subdir) = split_subdir(field.value);
                channel = in_brackets;
                subdir = its_subdir.or(subdir);
            }
            "subdir" => {
                subdir_field = Some(parse_subdir(field.value).map_err(|r| (r, field.at))?);
            }
            _ => {
                brackets::apply(&mut spec, &mut conditions, field.key, field.value)
                    .map_err(|reason| (reason, field.at))?;
            }
        }
    }
    let channel = (!channel.is_empty()).then(|| channel.to_owned());
    Ok(Parts { channel, subdir: subdir_field.or(subdir), spec, rest, conditions })
}

/// Finds a placeholder of a template: `{{ name }}` or `{NAME}`, but not a variable `${NAME}`.
pub(crate) fn placeholder(text: &str) -> Option<(&str, usize)> {
    text.match_indices('{').filter(|(at, _)| !text[..*at].ends_with('$')).find_map(|(at, _)| {
        let (open, close) = if text[at..].starts_with("{{") { ("{{", "}}") } else { ("{", "}") };
        let inner = &text[at + open.len()..];
        let end = inner.find(close)?;
        let word = inner[..end].trim();
        let named = !word.is_empty()
            && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' '));
        named.then(|| (&text[at..at + open.len() + end + close.len()], at))
    })
}

/// Rejects the path or URL of an archive, and a URL without a package name.
fn refuse_urls(text: &str) -> Result<(), SpecErrorKind> {
    let front = text.split_once('[').map_or(text, |(front, _)| front).trim_end();
    let plain = front.split(['#', '?']).next().unwrap_or(front);
    let file = plain.rsplit(['/', '\\']).next().unwrap_or(plain);
    if [".conda", ".tar.bz2"].iter().any(|extension| file.ends_with(extension)) {
        let instead = CondaArchiveIdentifier::try_from_filename(file)
            .map(|archive| archive.identifier)
            .map(|id| format!("{}=={}={}", id.name, id.version, id.build_string));
        return Err(SpecErrorKind::ArchivePath { instead });
    }
    let package = front.rsplit_once("::").map_or(front, |(_, package)| package);
    match package.contains('/') {
        true if url_needs_redaction(front) => Err(SpecErrorKind::Credentials),
        true if is_address(package) => Err(SpecErrorKind::UrlWithoutName),
        _ => Ok(()),
    }
}

/// Whether a text with a `/` is a URL, with or without its scheme, or a path.
fn is_address(text: &str) -> bool {
    let host = text.split(['/', ':']).next().unwrap_or_default();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let has_domain = host.rsplit_once('.').is_some_and(|(_, last)| {
        let is_word = last.len() > 1 && last.bytes().all(|byte| byte.is_ascii_alphabetic());
        is_word || (host.split('.').count() == 4 && host.split('.').all(is_number))
    });
    text.contains("://") || has_domain || matches!(host, "" | "." | ".." | "~" | "localhost")
}

fn split_name(text: &str) -> (&str, &str) {
    let ends_name = |c: char| c.is_whitespace() || matches!(c, '=' | '<' | '>' | '!' | '~' | '(');
    text.split_at(text.find(ends_name).unwrap_or(text.len()))
}

fn parse_name(name: &str) -> Result<PackageNameMatcher, (SpecErrorKind, usize)> {
    if name.is_empty() {
        return Err((SpecErrorKind::NameMissing, 0));
    }
    if name.starts_with('^') {
        return Err((SpecErrorKind::Regex { regex: name.to_owned(), of: "name" }, 0));
    }
    if name.contains('*') {
        return Err((SpecErrorKind::NameGlob(name.to_owned()), 0));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if let Some((at, character)) = name.char_indices().find(|(_, c)| !allowed(*c)) {
        return Err((SpecErrorKind::NameCharacter { name: name.to_owned(), character }, at));
    }
    PackageName::try_from(name.to_ascii_lowercase())
        .map(PackageNameMatcher::Exact)
        .map_err(|_| (SpecErrorKind::NameMissing, 0))
}

/// Splits a channel from its subdir: `conda-forge/linux-64` is the subdir linux-64 of conda-forge.
fn split_subdir(channel: &str) -> (&str, Option<Subdir>) {
    match channel.rsplit_once('/') {
        Some((channel, last)) if Subdir::from_str(last).is_ok() => {
            (channel, Subdir::from_str(last).ok())
        }
        _ => (channel, None),
    }
}

fn parse_subdir(text: &str) -> Result<Subdir, SpecErrorKind> {
    Subdir::from_str(text).map_err(|_| SpecErrorKind::Subdir {
        subdir: text.to_owned(),
        nearest: nearest(text, Subdir::all().map(Subdir::as_str)).map(str::to_owned),
    })
}
