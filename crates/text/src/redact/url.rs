//! Redacts credentials in URLs.

use super::credential::is_user_name;

/// Replaces every password, token and query of a URL in `text` by `***`.
pub(super) fn redact(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = after.find(ends_url).unwrap_or(after.len());
        let end = next_url(&after[..end]).unwrap_or(end);
        push_redacted(&mut shown, &after[..end]);
        rest = &after[end..];
    }
    shown.push_str(rest);
    shown
}

/// Whether a URL in `text` has a part that [`redact`](super::redact) replaces: a password, a token
/// or a query.
pub fn url_needs_redaction(text: &str) -> bool {
    redact(text) != text
}

/// Iterates over the URLs in a text: the scheme, and the text after `://`.
pub(super) fn urls(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + text[from..].find("://")?;
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let scheme = text[from..at].rfind(|c| !is_scheme(c)).map_or(from, |end| {
            from + end + text[from + end..].chars().next().map_or(0, char::len_utf8)
        });
        let after = &text[at + 3..];
        let end = after.find(ends_url).unwrap_or(after.len());
        let end = next_url(&after[..end]).unwrap_or(end);
        from = at + 3 + end;
        Some((&text[scheme..at], &after[..end]))
    })
}

fn ends_url(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>')
}

/// Returns the offset of a second URL after `=`, as in `--mirror PREFIX=URL`. A URL in a query
/// is redacted with the query.
fn next_url(text: &str) -> Option<usize> {
    let before = &text[..text.find("://")?];
    if before.contains('?') {
        return None;
    }
    let (_, scheme) = before.rsplit_once('=')?;
    let is_scheme = !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric());
    is_scheme.then(|| before.len() - scheme.len())
}

/// Appends the part of a URL after `://`, redacted.
fn push_redacted(shown: &mut String, url: &str) {
    let rest = match split_user_information(url) {
        Some((user, rest)) if is_user_name(user) => {
            shown.extend([user, "@"]);
            rest
        }
        Some((user, rest)) => {
            let name = user.split_once(':').map_or("", |(name, _)| name);
            let colon = if user.contains(':') { ":" } else { "" };
            shown.extend([name, colon, "***@"]);
            rest
        }
        None => url,
    };
    let (rest, fragment) = rest.split_at(rest.find('#').unwrap_or(rest.len()));
    let (rest, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
    match split_path_token(rest) {
        Some((before, _, after)) => {
            let slash = if after.is_empty() { "" } else { "/" };
            shown.extend([before, "t/***", slash, after]);
        }
        None => shown.push_str(rest),
    }
    let query = if query.len() > 1 { "?***" } else { query };
    shown.extend([query, fragment]);
}

/// Splits a URL without its scheme into its user information, which is the text before the `@`, and
/// the rest.
///
/// A password with a `/` ends the server for a parser. So a later `@` counts too if the server has
/// a `:`, as in `me:pass/word@host`.
pub(super) fn split_user_information(url: &str) -> Option<(&str, &str)> {
    let server = &url[..url.find('/').unwrap_or(url.len())];
    if let Some((user, _)) = server.rsplit_once('@') {
        return Some((user, &url[user.len() + 1..]));
    }
    server.contains(':').then(|| url.rsplit_once('@'))?
}

/// Whether an `@` after the server of a URL can belong to a password with a `/`, as in
/// `https://me:pass/word@host` and `https://tok/en@host`. In `https://host.example/a@b` it is part of
/// the path.
pub fn has_misplaced_at(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let (server, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let is_server = server.contains('@')
        || (server.contains('.') || server == "localhost") && !server.contains(':');
    path.contains('@') && !is_server
}

/// Splits the path of a URL at its `/t/<token>/` part: the text before `t/`, the token, and the
/// text after the token and its `/`.
pub fn split_path_token(path: &str) -> Option<(&str, &str, &str)> {
    let at = path.find("/t/")? + 1;
    let rest = &path[at + 2..];
    let (token, after) = rest.split_once('/').unwrap_or((rest, ""));
    (!token.is_empty()).then_some((&path[..at], token, after))
}
