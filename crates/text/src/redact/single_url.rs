//! Redacts a text that should be one URL, and may be malformed.

use super::{redact, split_path_token};

/// Redacts a text that should be one URL or `PREFIX=URL`, and may be malformed.
///
/// [`redact`] finds the parts of a URL as a parser does. Here a mistyped `://`, or a password with a
/// `/`, hides no less: the text before the last `@` counts as user and password.
pub fn redact_url(text: &str) -> String {
    let (prefix, url) = split_prefix(text);
    let (scheme, rest) = match url.find("://") {
        Some(at) => url.split_at(at + 3),
        None => ("", url),
    };
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) => (redacted_user(user), rest),
        None => (String::new(), rest),
    };
    let mut shown = format!("{prefix}{scheme}{user}");
    let has_user = !user.is_empty();
    let path = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, rest) = rest.split_at(path);
    // `user:password` without `@host`: the password is no port.
    match host.rsplit_once(':') {
        Some((name, port)) if !has_user && !scheme.is_empty() && !is_port(port) => {
            shown.extend([name, ":***"]);
        }
        _ => shown.push_str(host),
    }
    let (path, query) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    match split_path_token(path) {
        Some((before, _, after)) => {
            let slash = if after.is_empty() { "" } else { "/" };
            shown.extend([before, "t/***", slash, after]);
        }
        None => shown.push_str(path),
    }
    shown.push_str(if query.len() > 1 { "?***" } else { query });
    redact(&shown).into_owned()
}

/// Splits `PREFIX=` off; the prefix is empty if the text is one URL.
fn split_prefix(text: &str) -> (&str, &str) {
    let Some(at) = text.find('=') else { return ("", text) };
    let (prefix, url) = text.split_at(at + 1);
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.trim_start());
    let is_scheme =
        scheme.is_some_and(|s| !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric()));
    if is_scheme && !prefix.contains(['@', '?', '#']) { (prefix, url) } else { ("", text) }
}

/// Shows the name of a user if a password follows it; a name alone can be a token.
fn redacted_user(user: &str) -> String {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '$' | '{' | '}');
    match user.split_once(':') {
        Some((name, _)) if name.chars().all(is_name) => format!("{name}:***@"),
        _ => "***@".to_owned(),
    }
}

/// Whether a text can be a port; also a variable.
fn is_port(text: &str) -> bool {
    text.starts_with('$') || text.ends_with(']') || text.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_password_is_shown_however_the_url_is_mistyped() {
        for text in [
            "https://me:geheim@h/x",
            "https://me:1/geheim@h/x",
            "https://me:1#geheim@h/x",
            "https://me:1?geheim@h/x",
            "https://me:1@geheim@h/x",
            "https://me:a://geheim@h/x",
            "https://geheim@h/x",
            "https://ge/geheim@h/x",
            "htps:/me:geheim@h/x",
            "https//me:geheim@h/x",
            "me:geheim@h",
            "https://me:geheim",
            "https://h/t/geheim/x",
            "https//h/t/geheim",
            "https://h/x?key=geheim",
            "https://conda.anaconda.org/=https://me:1/geheim@h/x",
            "https://conda.anaconda.org/=htps//me:geheim@h/x",
            "conda-forge=https://me:geheim@h/x",
            "tuna=me:geheim@h",
            "https://me:p=geheim@h/x",
        ] {
            let shown = redact_url(text);
            assert!(!shown.contains("geheim"), "{text}: {shown}");
            assert_eq!(redact_url(&shown), shown, "{text}");
        }
    }

    #[test]
    fn a_text_without_a_credential_does_not_change() {
        for text in [
            "conda-forge",
            "tuna",
            "conda-forge::x",
            "https://h:8080/x",
            "https://$HOST:$PORT/x",
            "https://[::1]/x",
            "https://conda.anaconda.org/=https://h:81/x/",
            r"C:\channels",
            "./channel",
            "",
        ] {
            assert_eq!(redact_url(text), text);
        }
        assert_eq!(redact_url("https://me:$PW@h/x"), "https://me:***@h/x");
    }
}
