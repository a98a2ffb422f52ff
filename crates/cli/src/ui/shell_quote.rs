//! Words of a shell.

/// Quotes a word for a shell. A word of a command line has no NUL.
pub(crate) fn shell_word(word: &str) -> String {
    shlex::try_quote(word).unwrap_or(word.into()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_take_it_apart() {
        assert_eq!(shell_word("--mirror"), "--mirror");
        assert_eq!(shell_word("环境/x"), "'环境/x'");
        assert_eq!(shell_word("a b"), "'a b'");
        assert_eq!(shell_word("it's $HOME"), r#""it's "'$HOME'"#);
        assert_eq!(shell_word("a=b"), "'a=b'");
        assert_eq!(shell_word(""), "''");
    }
}
