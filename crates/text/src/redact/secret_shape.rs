//! Finds and removes strings that have the format of a known kind of secret.

use std::borrow::Cow;
use std::ops::Range;

/// The known kinds of secrets: the prefix, the number of characters that must follow it, and
/// the name of the kind.
const SHAPES: [(&str, usize, &str); 17] = [
    ("hvs.", 8, "a Vault token"),
    ("hvb.", 8, "a Vault batch token"),
    ("hvr.", 8, "a Vault recovery token"),
    ("s.", 20, "a Vault or OpenBao token"),
    ("b.", 20, "an OpenBao batch token"),
    ("AKIA", 16, "an AWS access key"),
    ("ASIA", 16, "an AWS access key"),
    ("ghp_", 16, "a GitHub token"),
    ("gho_", 16, "a GitHub token"),
    ("ghu_", 16, "a GitHub token"),
    ("ghs_", 16, "a GitHub token"),
    ("ghr_", 16, "a GitHub token"),
    ("github_pat_", 16, "a GitHub token"),
    ("glpat-", 16, "a GitLab token"),
    ("xoxb-", 16, "a Slack token"),
    ("xoxp-", 16, "a Slack token"),
    ("eyJ", 16, "a JWT"),
];

/// The length of the shortest secret that is recognised. Shorter words are skipped.
const MIN_SECRET_LENGTH: usize = 12;

const PEM: &str = "-----BEGIN ";

/// Finds the parts of `text` that look like secrets, in order, each with the name of its kind.
pub fn find_secrets(text: &str) -> Vec<(Range<usize>, &'static str)> {
    let mut found = Vec::new();
    let mut from = 0;
    // The characters of tokens are ASCII, so bytes can be compared instead of characters.
    let bytes = text.as_bytes();
    while let Some(start) = bytes[from..].iter().position(is_token_byte).map(|at| from + at) {
        let length = bytes[start..].iter().position(|byte| !is_token_byte(byte));
        from = start + length.unwrap_or(text.len() - start);
        let word = &text[start..from];
        if word.starts_with("-----BEGIN") {
            if let Some(end) = pem(&text[start..]) {
                found.push((start..start + end, "a PEM block"));
                from = start + end;
            }
        } else if let Some((at, kind)) = shape(word) {
            found.push((start + at..from, kind));
        }
    }
    found
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "iterators over bytes give references")]
fn is_token_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Returns the offset and the kind of a secret in `word`, which has only characters of tokens.
fn shape(word: &str) -> Option<(usize, &'static str)> {
    if word.len() < MIN_SECRET_LENGTH {
        return None;
    }
    let starts = std::iter::once(0).chain(
        word.bytes().enumerate().filter(|(_, b)| !b.is_ascii_alphanumeric()).map(|(at, _)| at + 1),
    );
    starts.into_iter().find_map(|at| {
        let rest = &word[at..];
        let (prefix, least, kind) = SHAPES.iter().find(|(prefix, ..)| rest.starts_with(prefix))?;
        let rest = &rest[prefix.len()..];
        let body = rest.bytes().take_while(|b| *b != b'.').take(*least).count();
        let fits = body >= *least
            && match *prefix {
                // The prefix of legacy tokens is short: words with dots can have it, too.
                "s." | "b." => {
                    let is_random = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase();
                    at == 0 && rest[..body].contains(is_random)
                }
                "eyJ" => rest.matches('.').take(2).count() == 2,
                _ => true,
            };
        fits.then_some((at, *kind))
    })
}

/// Returns the length of the PEM block of a key at the start of `text`. Certificates are public.
fn pem(text: &str) -> Option<usize> {
    let label = text.strip_prefix(PEM)?;
    let label = &label[..label.find("-----")?];
    if label.contains('\n') || !label.contains("KEY") {
        return None;
    }
    let end = text.find("-----END").unwrap_or(text.len());
    Some(text[end..].find('\n').map_or(text.len(), |newline| end + newline))
}

/// Replaces strings that look like secrets.
pub(super) fn redact(text: &str) -> Cow<'_, str> {
    let found = find_secrets(text);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (range, kind) in found {
        out.push_str(&text[from..range.start]);
        out.push_str(&format!("[not shown: looks like {kind}]"));
        from = range.end;
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKENS: [&str; 7] = [
        "hvs.CAESIJ0123456789abcdef",
        "s.AbCdEfGhIjKlMnOpQrStUvWx",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_0123456789abcdefghij0123456789abcdef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
        "b.AAAAAQIabcdefghijklmnop1234",
    ];

    #[test]
    fn secrets_of_every_kind_are_found_and_removed() {
        for token in TOKENS {
            for text in
                [token.to_owned(), format!("密钥=\"{token}\""), format!("a: b\n- x/{token} y")]
            {
                assert_eq!(find_secrets(&text).len(), 1, "{text}");
                let shown = redact(&text);
                assert!(!shown.contains(&token[5..]), "{shown}");
            }
        }
    }

    #[test]
    fn ordinary_words_are_not_secrets() {
        let text = "secret/data/ml/db_creds hvs. s.example.internal.service.name eyJ AKIA \
                    identity.entity.aliases.auth_jwt_1 -----BEGIN CERTIFICATE-----";
        assert_eq!(find_secrets(text), []);
    }
}
