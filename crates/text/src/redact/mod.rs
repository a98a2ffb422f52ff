//! Redacts credentials in URLs and strings that look like secrets.

mod secret_shape;
mod url;

use std::borrow::Cow;

pub use secret_shape::find_secrets;
pub use url::{has_credentials, split_path_token};

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
