//! Base64: a server decodes a policy whose whole text is base64.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

use super::hcl_body::{HclBody, Value, ValueKind};
use super::json::JsonPitfall;
use envlock_text::Pos;

/// As Go decodes it: the padding is required, and the unused bits of the last character may be set.
const DECODER: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Decodes a text that is base64 as a whole; line ends don't count. `None` for any other text.
pub(crate) fn decoded(text: &str) -> Option<Vec<u8>> {
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '\r' | '\n');
    if !text.chars().all(is_plain) {
        return None;
    }
    DECODER.decode(text.replace(['\r', '\n'], "")).ok()
}

/// Moves every position to the start of the file, because the decoded text has none in it.
pub(crate) fn move_to_start(body: &mut HclBody, pitfalls: &mut [JsonPitfall]) {
    for item in &mut body.items {
        item.keys.iter_mut().for_each(|key| key.pos = Pos::START);
        move_value(&mut item.value);
    }
    for pitfall in pitfalls {
        let (JsonPitfall::DroppedBoolean(pos)
        | JsonPitfall::FlattenedObject(pos)
        | JsonPitfall::IgnoredRest(pos)) = pitfall;
        *pos = Pos::START;
    }
}

fn move_value(value: &mut Value) {
    value.pos = Pos::START;
    match &mut value.kind {
        ValueKind::List(items) => items.iter_mut().for_each(move_value),
        ValueKind::Body(body) => move_to_start(body, &mut []),
        ValueKind::Text(_) | ValueKind::Number(_) | ValueKind::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_text_of_base64_is_decoded() {
        assert_eq!(decoded("Iw==").as_deref(), Some(&b"#"[..]));
        assert_eq!(decoded("Ix==\r\n").as_deref(), Some(&b"#"[..]));
        assert_eq!(decoded("\n").as_deref(), Some(&b""[..]));
        for other in ["Iw=", "Iw", " Iw==", "Iw== ", "I_w=", "path \"a\" {}"] {
            assert_eq!(decoded(other), None, "{other}");
        }
    }
}
