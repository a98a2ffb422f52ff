//! Parses the part of a match spec in brackets: `[version='>=1', build=py310*]`.

use std::str::FromStr;

use envlock_report::nearest;
use rattler_conda_types::package::CondaArchiveIdentifier;
use rattler_conda_types::{BuildNumberSpec, MatchSpec, StringMatcher};
use rattler_digest::{Md5, Sha256, parse_digest_from_hex};
use url::Url;

use super::SpecErrorKind;
use super::conditions::{Conditions, features, is_regex};
use super::version::{ParsedVersion, parse_build, parse_in_brackets, parse_version};
use envlock_text::redact::url_needs_redaction;

const KEYS: [&str; 12] = [
    "version",
    "build",
    "build_number",
    "channel",
    "subdir",
    "md5",
    "sha256",
    "url",
    "fn",
    "license",
    "license_family",
    "track_features",
];

/// A key with its value, and the byte offset of the key in the text.
pub(super) struct Field<'a> {
    pub(super) key: &'a str,
    pub(super) value: &'a str,
    pub(super) at: usize,
}

/// Splits a spec into the text before the brackets and the fields in them.
pub(super) fn split(text: &str) -> Result<(&str, Vec<Field<'_>>), (SpecErrorKind, usize)> {
    let Some(open) = text.find('[') else {
        return match text.find(']') {
            Some(at) => Err((SpecErrorKind::MalformedBrackets, at)),
            None => Ok((text, Vec::new())),
        };
    };
    let inner =
        text[open + 1..].strip_suffix(']').ok_or((SpecErrorKind::MalformedBrackets, open))?;
    let mut fields: Vec<Field<'_>> = Vec::new();
    let mut rest = inner;
    while !rest.trim_start_matches([' ', ',']).is_empty() {
        rest = rest.trim_start_matches([' ', ',']);
        let at = open + 1 + (inner.len() - rest.len());
        let (key, behind) = rest.split_once('=').ok_or((SpecErrorKind::MalformedBrackets, at))?;
        let (value, behind) =
            value(behind.trim_start()).ok_or((SpecErrorKind::MalformedBrackets, at))?;
        let key = key.trim();
        if fields.iter().any(|known| known.key == key) {
            return Err((SpecErrorKind::DuplicateKey { key: key.to_owned() }, at));
        }
        fields.push(Field { key, value, at });
        rest = behind;
    }
    Ok((&text[..open], fields))
}

/// Writes all fields but one in brackets; nothing if there is no other.
pub(super) fn join_without(fields: &[Field<'_>], key: &str) -> String {
    let quoted = |field: &Field<'_>| {
        let quote = if field.value.contains('\'') { '"' } else { '\'' };
        format!("{}={quote}{}{quote}", field.key, field.value)
    };
    let others: Vec<_> = fields.iter().filter(|field| field.key != key).map(quoted).collect();
    if others.is_empty() { String::new() } else { format!("[{}]", others.join(",")) }
}

/// Splits off a quoted value, or the text up to the next `,`. Returns the rest, too.
fn value(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let (value, behind) = if let Some(quote) = quote {
        text[1..].split_once(quote)?
    } else {
        text.split_at(text.find([',', ' ', '\'', '"', '[', ']']).unwrap_or(text.len()))
    };
    let separated = behind.is_empty() || behind.starts_with([',', ' ']);
    (!value.trim().is_empty() && separated).then_some((value.trim(), behind))
}

/// Applies a field to the spec and its conditions. The caller handles `channel` and `subdir`.
pub(super) fn apply(
    spec: &mut MatchSpec,
    conditions: &mut Conditions,
    key: &str,
    value: &str,
) -> Result<(), SpecErrorKind> {
    let wrong = || SpecErrorKind::InvalidValue { key: key.to_owned(), value: value.to_owned() };
    match key {
        "version" => set_version(spec, conditions, parse_in_brackets(value)?),
        "build" => spec.build = Some(parse_build(value)?),
        "build_number" => {
            // conda reads `=1` as `1`.
            let number = BuildNumberSpec::from_str(value)
                .or_else(|_| BuildNumberSpec::from_str(value.trim_start_matches('=').trim()));
            spec.build_number = Some(number.map_err(|_| wrong())?);
        }
        "md5" => spec.md5 = Some(parse_digest_from_hex::<Md5>(value).ok_or_else(wrong)?),
        "sha256" => spec.sha256 = Some(parse_digest_from_hex::<Sha256>(value).ok_or_else(wrong)?),
        "url" => {
            if url_needs_redaction(value) {
                return Err(SpecErrorKind::Credentials);
            }
            spec.url = Some(Url::parse(value).map_err(|_| wrong())?);
        }
        "fn" => archive(spec, conditions, value)?,
        "license" | "license_family"
            if is_regex(value) && StringMatcher::from_str(value).is_err() =>
        {
            return Err(wrong());
        }
        "license" => conditions.license = Some(value.to_owned()),
        "license_family" => conditions.license_family = Some(value.to_owned()),
        "track_features" => conditions.track_features = Some(features(value)),
        _ => {
            let nearest = nearest(key, KEYS).map(str::to_owned);
            return Err(SpecErrorKind::UnknownKey { key: key.to_owned(), nearest });
        }
    }
    Ok(())
}

/// Replaces the version of a spec. Exactly one of the two parts holds the version.
pub(super) fn set_version(
    spec: &mut MatchSpec,
    conditions: &mut Conditions,
    version: ParsedVersion,
) {
    (spec.version, conditions.version) = match version {
        ParsedVersion::Spec(version) => (Some(version), None),
        ParsedVersion::Conditions(version) => (None, Some(version)),
    };
}

/// Applies the version and the build of an archive's name. The format of the archive doesn't
/// count, because a mirror may have either one.
fn archive(
    spec: &mut MatchSpec,
    conditions: &mut Conditions,
    file: &str,
) -> Result<(), SpecErrorKind> {
    let other =
        || SpecErrorKind::InvalidFileName { file: file.to_owned(), package: spec.name.to_string() };
    let archive = CondaArchiveIdentifier::try_from_filename(file).ok_or_else(other)?.identifier;
    if spec.name.as_exact().is_none_or(|name| name.as_normalized() != archive.name) {
        return Err(other());
    }
    let version = parse_version(&format!("=={}", archive.version)).map_err(|_| other())?;
    set_version(spec, conditions, version);
    spec.build = Some(StringMatcher::Exact(archive.build_string));
    Ok(())
}
