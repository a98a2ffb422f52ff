//! Checks the names of environments.

use thiserror::Error;

/// The maximum size of a name. File systems allow 255 bytes, and longer names such as
/// `NAME~previous` are used next to the prefix `NAME`.
const MAX_BYTES: usize = 200;

/// Characters that aren't allowed in a name: those that conda rejects, the path separator of
/// Windows, and `~`, which envlock uses in the names next to a prefix, such as `NAME~previous`.
const FORBIDDEN: &str = "/ :#\\~";

/// Why a text can't be the name of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidName {
    /// The text is empty.
    #[error("the name of an environment can't be empty")]
    Empty,
    /// The text begins with a dot, as the names of hidden files do.
    #[error("the name of an environment can't begin with a dot, as `{0}` does")]
    LeadingDot(String),
    /// The text has more bytes than the limit: the number of bytes.
    #[error("the name of an environment can't have {0} bytes; the limit is {MAX_BYTES}")]
    TooLong(usize),
    /// The text has a character that paths, shells or conda don't allow in a name.
    #[error("the name of an environment can't have `{}`", .0.escape_debug())]
    Character(char),
}

/// The help for an invalid name.
pub const HELP: &str = "use letters, digits, `-`, `_` and `.`, as in `my-env`";

/// Checks that `name` can be the name of an environment and of its directory.
pub fn check(name: &str) -> Result<(), InvalidName> {
    if name.is_empty() {
        return Err(InvalidName::Empty);
    }
    if name.starts_with('.') {
        return Err(InvalidName::LeadingDot(name.to_owned()));
    }
    if name.len() > MAX_BYTES {
        return Err(InvalidName::TooLong(name.len()));
    }
    let is_forbidden = |c: &char| c.is_control() || c.is_whitespace() || FORBIDDEN.contains(*c);
    name.chars().find(is_forbidden).map_or(Ok(()), |c| Err(InvalidName::Character(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_directory_that_shells_and_conda_accept() {
        for good in ["ml", "my-env_1.0", "环境", "a+b", "a..b", "ml-"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        assert_eq!(check(""), Err(InvalidName::Empty));
        assert_eq!(check("n".repeat(201).as_str()), Err(InvalidName::TooLong(201)));
        for hidden in [".", "..", ".hidden", "../x"] {
            assert_eq!(check(hidden), Err(InvalidName::LeadingDot(hidden.to_owned())));
        }
        let wrong = [
            ("a/b", '/'),
            ("a b", ' '),
            ("a\u{3000}b", '\u{3000}'),
            ("a:b", ':'),
            ("a#b", '#'),
            ("a\\b", '\\'),
            ("a\nb", '\n'),
            ("x~previous", '~'),
        ];
        for (name, character) in wrong {
            assert_eq!(check(name), Err(InvalidName::Character(character)), "{name:?}");
        }
    }
}
