//! Messages of parse errors of indexes.

/// Returns the message of a parse error without the position in the index, which has one line.
pub(crate) fn describe(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&position).unwrap_or(&message);
    // An index with bytes that aren't UTF-8 is read with such an escape sequence instead of them.
    if message.contains("surrogate") || message == "unexpected end of hex escape" {
        return "a text of it isn't UTF-8".to_owned();
    }
    message.to_owned()
}

#[cfg(test)]
mod tests {
    use rattler_conda_types::PackageRecord;

    use super::describe;

    #[test]
    fn the_message_has_the_fault_and_no_position() {
        for (json, message) in [
            (r#"{"name":"a","version":"1"}"#, "missing field `build`"),
            (r#"{"depends":5}"#, "invalid type: integer `5`, expected a sequence"),
            (r#"{"name":"\udfff"}"#, "a text of it isn't UTF-8"),
            (r#"{"name":"\ud800x"}"#, "a text of it isn't UTF-8"),
            (r#"{"name":"\ud800\ud800"}"#, "a text of it isn't UTF-8"),
        ] {
            let error = serde_json::from_str::<PackageRecord>(json).expect_err("malformed");
            assert_eq!(describe(&error), message);
        }
    }
}
