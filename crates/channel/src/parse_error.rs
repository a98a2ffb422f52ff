//! Messages of parse errors of indexes.

/// Describes a parse error of an index, without Rust types and without the position.
pub(crate) fn describe(sentence: &str) -> String {
    let end = sentence.rfind(" at line ").unwrap_or(sentence.len());
    let sentence = &sentence[..end];
    let quoted = |quote: char| sentence.split(quote).nth(1).unwrap_or_default();
    if let Some(field) = sentence.strip_prefix("missing field ") {
        format!("{field} is missing")
    } else if sentence == "failed to parse digest" {
        "a digest in it is malformed".to_owned()
    } else if sentence.starts_with("malformed version string") {
        format!("`{}` isn't a version", quoted('\''))
    } else if let Some((_, rest)) = sentence.split_once("package filename (") {
        format!("`{}` isn't the name of an archive", rest.split(')').next().unwrap_or_default())
    } else if let Some((found, expected)) =
        sentence.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "))
    {
        format!("expected {expected}, found {found}")
    } else {
        sentence.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn parse_errors_are_described_without_types_and_positions() {
        for (error, described) in [
            ("missing field `build` at line 1 column 46", "`build` is missing"),
            ("failed to parse digest at line 1 column 94", "a digest in it is malformed"),
            (
                "package filename (a.conda) must contain at least two `-` at line 1 column 75",
                "`a.conda` isn't the name of an archive",
            ),
            (
                "malformed version string 'not one!': encountered more at line 1 column 4",
                "`not one!` isn't a version",
            ),
            (
                "invalid type: integer `5`, expected a table of packages at line 1 column 44",
                "expected a table of packages, found integer `5`",
            ),
            ("key must be a string at line 1 column 45", "key must be a string"),
        ] {
            assert_eq!(describe(error), described);
        }
    }
}
