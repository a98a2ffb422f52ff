//! Redacts credentials in URLs and strings that look like secrets.

mod credential;
mod secret_shape;
mod single_url;
mod url;

use std::borrow::Cow;

pub use credential::holds_credential;
pub use secret_shape::find_secrets;
pub use single_url::redact_url;
pub use url::{has_misplaced_at, split_path_token, url_needs_redaction};

/// Redacts a text: every password, token and query of a URL becomes `***`, and strings that
/// look like secrets are removed.
pub fn redact(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return secret_shape::redact(text);
    }
    let shown = url::redact(text);
    match secret_shape::redact(&shown) {
        Cow::Owned(shown) => Cow::Owned(shown),
        Cow::Borrowed(_) => Cow::Owned(shown),
    }
}
