//! A page for every code that a finding or an error of this crate can have.

use envlock_report::nearest;
use envlock_report::render::RuleText;

/// The page of one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The code.
    pub code: &'static str,
    /// The page, in Markdown: a title, what is the case and why, and what to do.
    pub text: &'static str,
}

impl Page {
    /// The title.
    pub fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches("# ")
    }
}

macro_rules! pages {
    ($($code:literal),* $(,)?) => {
        &[$(Page { code: $code, text: include_str!(concat!("pages/", $code, ".md")) }),*]
    };
}

/// Sorted by code.
const PAGES: &[Page] = pages![
    "address-in-manifest",
    "clock-skew",
    "credential-absent",
    "credential-malformed",
    "credential-unsupported",
    "denied",
    "deny-discards",
    "deny-leaves-parent",
    "depends-on-identity",
    "dialect-dependent",
    "dialect-only",
    "disagreement",
    "double-slash",
    "dr-secondary",
    "duplicate-attribute",
    "duplicate-key",
    "excess",
    "expired-block",
    "expiring",
    "extends-itself",
    "grants-everything",
    "grants-nothing",
    "input-limit",
    "insecure-tls",
    "interactive",
    "json-flattened",
    "json-lost-value",
    "kv2-data-path",
    "list-on-data",
    "literal-wildcard",
    "login-interactive",
    "login-lost",
    "login-refused",
    "logout-failed",
    "lone-star-value",
    "missing",
    "missing-field",
    "missing-key",
    "mixed-group",
    "namespace-unknown",
    "no-address",
    "no-profile",
    "non-expiring-token",
    "not-a-vault",
    "not-caught-up",
    "not-initialised",
    "not-utf8",
    "nothing-attached",
    "nothing-expected",
    "one-of-several",
    "plaintext",
    "policy-file",
    "policy-rejected",
    "policy-shorthand",
    "policy-syntax",
    "rate-limited",
    "redirected",
    "root-token",
    "sealed",
    "second-label",
    "secret-in-file",
    "secret-in-variable",
    "server-error",
    "star-key-values",
    "sudo-alone",
    "syntax",
    "timed-out",
    "tls-client",
    "tls-untrusted",
    "token-refused",
    "token-uses",
    "ttl-too-short",
    "two-addresses",
    "unattached-policy",
    "unknown-field",
    "unknown-key",
    "unknown-name",
    "unknown-version",
    "unknown-word",
    "unlabelled-path",
    "unreachable",
    "unreadable-answer",
    "unused-allowance",
    "unused-policy",
    "unverifiable",
    "value-in-manifest",
    "variable-twice",
    "wrapped-elsewhere",
    "wrapped-used",
    "write-to-slash",
    "wrong-address",
    "wrong-engine",
    "wrong-key",
    "wrong-shape",
    "wrong-word",
    "yaml-alias",
];

/// Every page, sorted by code.
pub fn all() -> impl Iterator<Item = &'static Page> {
    PAGES.iter()
}

/// The page of `code`.
pub fn page(code: &str) -> Option<&'static Page> {
    PAGES.binary_search_by_key(&code, |page| page.code).ok().map(|at| &PAGES[at])
}

/// The code that was probably meant by `word`.
pub fn nearest_code(word: &str) -> Option<&'static str> {
    nearest(word, PAGES.iter().map(|page| page.code))
}

/// The pages as the rules of a SARIF report.
pub fn rules() -> Vec<RuleText<'static>> {
    all().map(|page| RuleText { code: page.code, title: page.title(), page: page.text }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_sorted_have_a_title_and_say_what_to_do() {
        assert!(PAGES.is_sorted_by_key(|page| page.code));
        for page in all() {
            assert!(page.text.starts_with("# ") && !page.title().is_empty(), "{}", page.code);
            assert!(page.text.contains("\n\nDo: "), "{}", page.code);
            assert!(page.text.lines().all(|line| line.chars().count() <= 80), "{}", page.code);
        }
        assert_eq!(page("denied").map(|page| page.code), Some("denied"));
        assert_eq!(nearest_code("kv2-datapath"), Some("kv2-data-path"));
    }
}
