//! What a parser finds wrong in an index, in plain words.

/// What a parser found wrong in an index, in the words of an index: without types, and without
/// a position in a file that nobody reads.
pub(crate) fn describe(sentence: &str) -> String {
    let end = sentence.rfind(" at line ").unwrap_or(sentence.len());
    let sentence = &sentence[..end];
    let quoted = |quote: char| sentence.split(quote).nth(1).unwrap_or_default();
    if let Some(field) = sentence.strip_prefix("missing field ") {
        format!("{field} is missing")
    } else if sentence == "failed to parse digest" {
        "a digest in it isn't one".to_owned()
    } else if sentence.starts_with("malformed version string") {
        format!("`{}` is no version", quoted('\''))
    } else if let Some((_, rest)) = sentence.split_once("package filename (") {
        format!("`{}` isn't the name of an archive", rest.split(')').next().unwrap_or_default())
    } else if let Some((found, expected)) =
        sentence.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "))
    {
        format!("{expected} is expected, and there is {found}")
    } else {
        sentence.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn what_a_parser_says_becomes_what_an_index_lacks() {
        for (error, described) in [
            ("missing field `build` at line 1 column 46", "`build` is missing"),
            ("failed to parse digest at line 1 column 94", "a digest in it isn't one"),
            (
                "package filename (a.conda) must contain at least two `-` at line 1 column 75",
                "`a.conda` isn't the name of an archive",
            ),
            (
                "malformed version string 'not one!': encountered more at line 1 column 4",
                "`not one!` is no version",
            ),
            (
                "invalid type: integer `5`, expected a table of packages at line 1 column 44",
                "a table of packages is expected, and there is integer `5`",
            ),
            ("key must be a string at line 1 column 45", "key must be a string"),
        ] {
            assert_eq!(describe(error), described);
        }
    }
}
