//! Decides whether a URL in a text holds a credential.
//!
//! [`redact`](super::redact) hides what can be a credential. This decides what may be written into
//! a lock, so it also knows what is none: a variable, the user of `git+ssh://git@host/`,
//! `?raw=true`.

use super::url::{split_user_information, urls};
use super::{find_secrets, split_path_token};

/// Users of `https://USER@host` that are names. Any other can be a token.
const USER_NAMES: [&str; 11] = [
    "git",
    "hg",
    "svn",
    "bzr",
    "anon",
    "anonymous",
    "oauth2",
    "__token__",
    "x-access-token",
    "x-token-auth",
    "gitlab-ci-token",
];

/// Parameters of a query whose value is a name or a digest, and no credential.
const HARMLESS: [&str; 21] = [
    "rev",
    "ref",
    "commit",
    "sha",
    "sha1",
    "sha256",
    "sha512",
    "md5",
    "hash",
    "checksum",
    "tag",
    "branch",
    "at",
    "version",
    "subdirectory",
    "path",
    "egg",
    "file",
    "filename",
    "name",
    "raw",
];

/// Names of parameters of a query that hold a credential.
const SECRET: [&str; 9] = ["sig", "key", "pass", "pw", "pat", "code", "auth", "session", "jwt"];

/// Parts of such names.
const SECRET_PARTS: [&str; 13] = [
    "token",
    "secret",
    "passw",
    "pwd",
    "signature",
    "credential",
    "apikey",
    "api_key",
    "api-key",
    "accesskey",
    "access_key",
    "access-key",
    "authorization",
];

/// Whether a URL in the text holds a password, a token, or a query with a secret.
///
/// A reference to a variable, `${NAME}` or `$NAME`, is no credential: its value isn't in the text.
pub fn holds_credential(text: &str) -> bool {
    urls(text).any(|(scheme, url)| url_holds_credential(scheme, url))
}

/// `url` is the text after `://`.
fn url_holds_credential(scheme: &str, url: &str) -> bool {
    let (user, rest) = match split_user_information(url) {
        // `https://host:8443/project.git@v2`: a port, and a revision.
        Some((user, _)) if is_host_with_port(user) => ("", url),
        Some((user, rest)) => (user, rest),
        None => ("", url),
    };
    // Azure's own addresses repeat the organisation: `https://org@dev.azure.com/org/project/_git/r`.
    let is_in_path = rest.split(['/', '#', '?']).skip(1).any(|segment| segment == user);
    if user_holds_credential(scheme, user) && !is_in_path {
        return true;
    }
    let rest = rest.split('#').next().unwrap_or(rest);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let token = split_path_token(path).map(|(_, token, _)| token);
    token.is_some_and(|token| !is_variable(token)) || query.split(['&', ';']).any(is_secret)
}

fn is_host_with_port(text: &str) -> bool {
    let server = text.split('/').next().unwrap_or(text);
    let port = server.split_once(':').map(|(_, port)| port);
    server.len() < text.len()
        && port.is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()) && !port.is_empty())
}

/// Whether a user of a URL is a name that is no credential, such as `git`.
pub(super) fn is_user_name(user: &str) -> bool {
    USER_NAMES.contains(&user)
}

fn user_holds_credential(scheme: &str, user: &str) -> bool {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    match password {
        // GitHub's documentation writes a token before `:x-oauth-basic`.
        "" | "x-oauth-basic" => {
            let can_be_token = scheme.ends_with("http") || scheme.ends_with("https");
            can_be_token && !name.is_empty() && !is_variable(name) && !is_user_name(name)
        }
        password => !is_variable(password),
    }
}

/// Whether a text consists of references to variables.
fn is_variable(text: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = text;
    while let Some(after) = rest.strip_prefix('$') {
        rest = match after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((name, after)) if !name.is_empty() && name.chars().all(is_name) => after,
            Some(_) => return false,
            None => {
                let end = after.find(|c| !is_name(c)).unwrap_or(after.len());
                if end == 0 {
                    return false;
                }
                &after[end..]
            }
        };
    }
    rest.is_empty() && !text.is_empty()
}

/// Whether a parameter of a query is a credential, by its name or by the form of its value.
fn is_secret(parameter: &str) -> bool {
    let (name, value) = parameter.split_once('=').unwrap_or(("", parameter));
    if value.is_empty() || is_variable(value) {
        return false;
    }
    let name = name.to_ascii_lowercase();
    if SECRET.contains(&name.as_str()) || SECRET_PARTS.iter().any(|part| name.contains(part)) {
        return true;
    }
    !find_secrets(value).is_empty() || (!HARMLESS.contains(&name.as_str()) && looks_random(value))
}

/// Whether a value has the form of a token: at least 20 characters, hexadecimal or of mixed case.
fn looks_random(value: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+/=%~".contains(c);
    let value: String = value.chars().filter(|c| !matches!(c, '-' | '_')).collect();
    let has = |kind: fn(&char) -> bool| value.chars().any(|c| kind(&c));
    let is_hexadecimal = value.chars().all(|c| c.is_ascii_hexdigit());
    value.len() >= 20
        && value.chars().all(allowed)
        && has(char::is_ascii_digit)
        && (is_hexadecimal || (has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::has_misplaced_at;

    #[test]
    fn a_credential_in_a_pip_line_is_found() {
        for text in [
            "demo @ git+https://ghp_abcdefgh@forge.example/o/r.git",
            "demo @ git+https://me:geheim@forge.example/o/r.git",
            "demo @ git+https://me:geheim@forge.example/me/r.git",
            "demo @ git+https://org@forge.example/other/org2/r.git",
            "demo @ git+ssh://git:geheim@forge.example/o/r.git",
            "--index-url=https://me:geheim@pypi.example/simple",
            "--index-url https://me:ge${X}heim@pypi.example/simple",
            "--index-url https://me:ge/heim@pypi.example/simple",
            "--index-url https://abc${X}@pypi.example/simple",
            "--index-url https://geheim:@pypi.example/simple",
            "--index-url https://geheim:x-oauth-basic@pypi.example/simple",
            "--index-url https://pypi.example/t/geheim/simple",
            "https://files.example/x.whl?token=geheim",
            "https://files.example/x.whl?raw=true&X-Amz-Signature=abc",
            "https://files.example/x.whl?sv=2020&sig=abc",
            "https://files.example/x.whl?a=Zm9vYmFyYmF6cXV4MTIzNDU2",
            "https://files.example/x.whl?550e8400-e29b-41d4-a716-446655440000",
            "https://files.example/x.whl?x=ghp_0123456789abcdefghij0123456789abcdef",
        ] {
            assert!(holds_credential(text), "{text}");
        }
    }

    #[test]
    fn a_user_name_that_is_no_credential_is_shown() {
        for text in [
            "demo @ git+ssh://git@forge.example/o/r.git@main",
            "demo @ git+https://git@forge.example/o/r.git",
            "demo @ hg+https://anon@forge.example/o/r",
            "git@forge.example:o/r.git",
        ] {
            assert_eq!(crate::redact::redact(text), text);
        }
        for text in ["git+https://geheim@h/r.git", "git+ssh://git:geheim@h/r.git"] {
            assert!(!crate::redact::redact(text).contains("geheim"), "{text}");
        }
    }

    #[test]
    fn an_at_sign_in_a_path_is_told_from_one_after_a_password_with_a_slash() {
        for text in [
            "https://host.example/a@b/c",
            "http://localhost/@scope/c",
            "https://me:pw@host/a@b",
            "https://$TOKEN@host/a@b",
            "https://host.example/a",
            "a@b",
        ] {
            assert!(!has_misplaced_at(text), "{text}");
        }
        for text in ["https://me:1/2@h.example/a", "https://tok/en@h.example/a"] {
            assert!(has_misplaced_at(text), "{text}");
        }
    }

    #[test]
    fn a_user_name_a_variable_and_a_harmless_query_are_no_credentials() {
        for text in [
            "demo @ git+ssh://git@forge.example/o/r.git@main",
            "demo @ git+ssh://me@forge.example:22/o/r.git@feature/x",
            "demo @ git+https://git@forge.example/o/r.git",
            "demo @ svn+ssh://svn@forge.example/o/r",
            "demo @ git+https://forge.example:8443/o/r.git@v2",
            "demo @ git+https://org@dev.azure.com/org/project/_git/r@main",
            "demo @ https://files.example/x-1.whl?raw=true",
            "demo @ git+https://h/r.git?subdirectory=sub&rev=main#0123",
            "demo @ git+https://h/r.git?rev=0123456789abcdef0123456789abcdef01234567",
            "demo @ https://h/torch-2.0.1.whl#sha256=0123456789abcdef0123456789abcdef",
            "https://h/x?download=1&inline=false&name=a-package-of-2024",
            "--extra-index-url https://${TOK}@pypi.example/simple",
            "--extra-index-url https://me:${TOK}@pypi.example/simple",
            "--extra-index-url https://$USER:$PW@pypi.example/simple",
            "--extra-index-url https://${TOK}:x-oauth-basic@pypi.example/simple",
            "https://h/t/${TOK}/simple",
            "https://h/x?token=${TOK}",
            "postgres://me@db.example/x?sslmode=require",
            "me@example.org",
            "requests>=2.31",
        ] {
            assert!(!holds_credential(text), "{text}");
        }
    }
}
