//! Secret strings.

use serde::de::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A secret string that can't be printed, compared or serialised: a token, a password, a signed
/// request. Its memory is wiped on drop. It has none of `Debug`, `Display`, `Clone` and
/// `Serialize`, so code that would show it doesn't compile.
///
/// Copies that an HTTP library makes for a request aren't wiped.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for the request.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it is valid in a header: a line break in a token would end the header.
    pub(crate) fn is_header_value(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Writes a JSON object of texts, as the body of a request. The texts are borrowed from secrets,
/// so that no serialisable type owns one.
pub(crate) fn object(fields: &[(&str, &Secret)]) -> Vec<u8> {
    let mut body = vec![b'{'];
    for (name, secret) in fields {
        if body.len() > 1 {
            body.push(b',');
        }
        let written = serde_json::to_writer(&mut body, name)
            .map(|()| body.push(b':'))
            .and_then(|()| serde_json::to_writer(&mut body, secret.reveal()));
        written.expect("a text can always be written to memory");
    }
    body.push(b'}');
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_an_object_are_escaped() {
        let secret = Secret::new("a\"b\n密".to_owned());
        let body = object(&[("role", &Secret::new("r".to_owned())), ("jwt", &secret)]);
        let read: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(read, serde_json::json!({"role": "r", "jwt": "a\"b\n密"}));
    }

    #[test]
    fn only_printable_ascii_is_a_header_value() {
        for (text, fits) in [("hvs.abc", true), ("", false), ("a\nb", false), ("密", false)] {
            assert_eq!(Secret::new(text.to_owned()).is_header_value(), fits, "{text:?}");
        }
    }
}
