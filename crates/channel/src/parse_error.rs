//! Messages of parse errors of indexes.

/// Returns the message of a parse error without the position in the index, which has one line.
pub(crate) fn describe(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    message.strip_suffix(&position).unwrap_or(&message).to_owned()
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
        ] {
            let error = serde_json::from_str::<PackageRecord>(json).expect_err("malformed");
            assert_eq!(describe(&error), message);
        }
    }
}
