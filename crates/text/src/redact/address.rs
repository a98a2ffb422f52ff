//! Credentials in addresses: never shown.

/// The text with `***` in place of every password, token and query of an address in it.
pub(super) fn redact(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = behind.find(ends_address).unwrap_or(behind.len());
        let end = next_address(&behind[..end]).unwrap_or(end);
        push_redacted(&mut shown, &behind[..end]);
        rest = &behind[end..];
    }
    shown.push_str(rest);
    shown
}

/// Whether `redact` would hide something.
pub fn has_credentials(text: &str) -> bool {
    redact(text) != text
}

fn ends_address(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>')
}

/// Where a second address begins after `=`, as in `--mirror PREFIX=URL`. One within a query
/// is hidden with it.
fn next_address(text: &str) -> Option<usize> {
    let before = &text[..text.find("://")?];
    if before.contains('?') {
        return None;
    }
    let (_, scheme) = before.rsplit_once('=')?;
    let is_scheme = !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric());
    is_scheme.then(|| before.len() - scheme.len())
}

/// An address from behind its `://`.
fn push_redacted(shown: &mut String, address: &str) {
    let server = &address[..address.find('/').unwrap_or(address.len())];
    let rest = match server.rsplit_once('@') {
        Some((user, _)) => {
            let name = user.split_once(':').map_or("", |(name, _)| name);
            let colon = if user.contains(':') { ":" } else { "" };
            shown.extend([name, colon, "***@"]);
            &address[user.len() + 1..]
        }
        None => address,
    };
    let (rest, fragment) = rest.split_at(rest.find('#').unwrap_or(rest.len()));
    let (rest, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
    match split_path_token(rest) {
        Some((before, _, behind)) => {
            let slash = if behind.is_empty() { "" } else { "/" };
            shown.extend([before, "t/***", slash, behind]);
        }
        None => shown.push_str(rest),
    }
    let query = if query.len() > 1 { "?***" } else { query };
    shown.extend([query, fragment]);
}

/// What stands around a token in the path of an address: the path before `t/`, the token, and the path behind its `/`.
pub fn split_path_token(path: &str) -> Option<(&str, &str, &str)> {
    let at = path.find("/t/")? + 1;
    let rest = &path[at + 2..];
    let (token, behind) = rest.split_once('/').unwrap_or((rest, ""));
    (!token.is_empty()).then_some((&path[..at], token, behind))
}
