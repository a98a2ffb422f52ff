//! Numbers as people read them.

/// A size in bytes, for example `1.6 MB` (powers of ten, as package sites write them).
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    for (unit, name) in UNITS {
        // 999 950 bytes are 1.0 MB, not 1000.0 kB.
        if bytes >= unit - unit / 20_000 {
            let tenths = (bytes + unit / 20) / (unit / 10);
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} B")
}

/// `1 index`, `3 indexes`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// What a parser found wrong in an index, in the words of an index: without types, and without
/// a position in a file that nobody reads.
pub(crate) fn fault(sentence: &str) -> String {
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

/// A digest as records and people write it.
pub(crate) fn hex(digest: &[u8]) -> String {
    use std::fmt::Write;
    digest.iter().fold(String::with_capacity(digest.len() * 2), |mut text, byte| {
        // Writing to a string doesn't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{fault, size};

    #[test]
    fn what_a_parser_says_becomes_what_an_index_lacks() {
        for (said, told) in [
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
            assert_eq!(fault(said), told);
        }
    }

    #[test]
    fn sizes_are_rounded_to_a_tenth_of_their_unit() {
        let all = [0, 999, 1_000, 1_249, 999_949, 999_950, 1_577_516, 2_000_000_000].map(size);
        assert_eq!(
            all,
            ["0 B", "999 B", "1.0 kB", "1.2 kB", "999.9 kB", "1.0 MB", "1.6 MB", "2.0 GB"]
        );
    }
}
