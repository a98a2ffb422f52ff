//! What must not be shown: credentials in addresses, and whatever has a secret's secret_shape.

mod address;
mod secret_shape;

use std::borrow::Cow;

pub use address::{has_credentials, split_path_token};
pub use secret_shape::find_secrets;

/// The text with `***` in place of every password, token and query of an address in it, and
/// without what looks like a secret.
pub fn redact(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return secret_shape::redact(text);
    }
    let shown = address::redact(text);
    match secret_shape::redact(&shown) {
        Cow::Owned(shown) => Cow::Owned(shown),
        Cow::Borrowed(_) => Cow::Owned(shown),
    }
}
