//! Expands `$NAME` and `${NAME}`.

use envlock_text::redact::split_path_token;

use super::InvalidChannel;

/// A function that returns the value of a variable.
type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Replaces every variable by its value.
///
/// # Errors
/// An [`InvalidChannel`] if a variable isn't set or a `$` isn't followed by a name.
pub fn expand(text: &str, variable: Variable<'_>) -> Result<String, InvalidChannel> {
    expand_with(text, variable, &str::to_owned)
}

/// Replaces every variable in a URL, a path or a name.
///
/// In a URL the value stays in the part in which its variable is written: in the user, the password
/// and a `/t/<token>/` its special characters are percent-encoded. A value that is percent-encoded
/// already is used unchanged. A password with `/`, `?` or `#` never becomes part of the host or the
/// path.
///
/// # Errors
/// As [`expand`].
pub fn expand_url(text: &str, variable: Variable<'_>) -> Result<String, InvalidChannel> {
    let Some((scheme, rest)) = text.split_once("://") else { return expand(text, variable) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let mut user = user.map(|user| expand_user(user, variable)).transpose()?;
    let mut host = expand(host, variable)?;
    // The value of `$SERVER` in `https://$SERVER/` may be `user:password@host`.
    if let Some((before, after)) = host.rsplit_once('@') {
        if user.is_some() || (before.contains('/') && !before.contains(':')) {
            return Err(InvalidChannel::MisplacedAt);
        }
        user = Some(encode_user(before));
        host = after.to_owned();
    }
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    let scheme = expand(scheme, variable)?;
    let path = expand_path(path, variable)?;
    Ok(format!("{scheme}://{user}{host}{path}"))
}

/// Expands `user:password`.
fn expand_user(text: &str, variable: Variable<'_>) -> Result<String, InvalidChannel> {
    match text.split_once(':') {
        Some((name, password)) => {
            let name = expand_with(name, variable, &encode)?;
            Ok(format!("{name}:{}", expand_with(password, variable, &encode)?))
        }
        None => expand_with(text, variable, &encode_user),
    }
}

/// Encodes `user:password`.
fn encode_user(text: &str) -> String {
    match text.split_once(':') {
        Some((name, password)) => format!("{}:{}", encode(name), encode(password)),
        None => encode(text),
    }
}

/// Expands a path. The value of a token becomes one part of it.
fn expand_path(text: &str, variable: Variable<'_>) -> Result<String, InvalidChannel> {
    match split_path_token(text) {
        Some((before, token, after)) if token.contains('$') => {
            let slash = if text.len() > before.len() + 2 + token.len() { "/" } else { "" };
            let token = expand_with(token, variable, &encode)?;
            let (before, after) = (expand(before, variable)?, expand(after, variable)?);
            Ok(format!("{before}t/{token}{slash}{after}"))
        }
        _ => expand(text, variable),
    }
}

fn expand_with(
    text: &str,
    variable: Variable<'_>,
    encode: &dyn Fn(&str) -> String,
) -> Result<String, InvalidChannel> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        expanded.push_str(before);
        let (name, tail) = if let Some(inner) = behind.strip_prefix('{') {
            inner.split_once('}').ok_or(InvalidChannel::MalformedVariable)?
        } else {
            behind.split_at(behind.find(|c: char| !is_name(c)).unwrap_or(behind.len()))
        };
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(InvalidChannel::MalformedVariable);
        }
        let value = variable(name).ok_or_else(|| InvalidChannel::UnsetVariable(name.to_owned()))?;
        expanded.push_str(&encode(&value));
        rest = tail;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Percent-encodes a value. conda requires that special characters are encoded in the value, so an
/// encoded value is returned unchanged.
fn encode(value: &str) -> String {
    if is_encoded(value) {
        return value.to_owned();
    }
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if is_unreserved(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Whether a value has only characters that need no encoding, and complete `%XX`.
fn is_encoded(value: &str) -> bool {
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        let is_digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
        let is_allowed = match byte {
            b'%' => is_digit(bytes.next()) && is_digit(bytes.next()),
            byte => is_unreserved(byte),
        };
        if !is_allowed {
            return false;
        }
    }
    true
}

/// Whether a character is unreserved in a URL (RFC 3986, section 2.3).
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}
