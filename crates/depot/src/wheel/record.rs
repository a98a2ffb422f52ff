//! The lines of `RECORD`.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rattler_digest::{Sha256, compute_bytes_digest};

/// A line of `RECORD`.
pub(super) struct Row<'a> {
    pub(super) path: &'a str,
    /// None for `RECORD` itself, which can't have its own hash.
    pub(super) content: Option<&'a [u8]>,
}

impl Row<'_> {
    /// Returns the line without its end.
    pub(super) fn line(&self) -> String {
        let path = quoted(self.path);
        let Some(content) = self.content else { return format!("{path},,") };
        let digest = BASE64_URL_SAFE_NO_PAD.encode(compute_bytes_digest::<Sha256>(content));
        format!("{path},sha256={digest},{}", content.len())
    }
}

/// Quotes a field as Python's `csv` does.
fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_hash_in_urlsafe_base64_without_padding() {
        // `printf '>' | openssl dgst -sha256 -binary | base64 | tr +/ -_ | tr -d =`
        let row = Row { path: "a/b.py", content: Some(b">") };
        assert_eq!(row.line(), "a/b.py,sha256=YrZ-H2hbf-9RECAF3d0nd0vj_uOMQpZcU6qwNdC2siE,1");
        assert_eq!(Row { path: "RECORD", content: None }.line(), "RECORD,,");
    }

    #[test]
    fn a_path_with_a_comma_or_a_quote_is_quoted() {
        assert_eq!(Row { path: "a,b\"c", content: None }.line(), "\"a,b\"\"c\",,");
    }
}
