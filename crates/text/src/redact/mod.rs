//! What must not be shown: credentials in addresses, and whatever has a secret's shape.

mod address;
mod shape;

use std::borrow::Cow;

pub use address::{has_credentials, token};
pub use shape::scan;

/// The text with `***` in place of every password, token and query of an address in it, and
/// without what looks like a secret.
pub fn redact(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return shape::redact(text);
    }
    let shown = address::redact(text);
    match shape::redact(&shown) {
        Cow::Owned(shown) => Cow::Owned(shown),
        Cow::Borrowed(_) => Cow::Owned(shown),
    }
}
