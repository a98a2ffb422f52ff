//! Splits a line of pip into a requirement and the words of its options.

use std::ops::Range;

/// A word of the options, without quotes and escapes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// The offset in the line of each byte of the text.
    at: Vec<usize>,
    /// The offsets in the line of the word with its quotes.
    start: usize,
    end: usize,
}

/// Why the options can't be split into words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfinished {
    /// A quote that isn't closed.
    Quote(usize),
    /// A `\` at the end.
    Escape(usize),
}

impl Word {
    /// Returns where a range of the text is in the line.
    pub(super) fn in_line(&self, range: Range<usize>) -> Range<usize> {
        let at = |offset: usize| self.at.get(offset).copied().unwrap_or(self.end);
        // The last character ends before the quote.
        let end = match range.end.checked_sub(1).and_then(|last| self.at.get(last)) {
            Some(last) if range.end >= self.text.len() => {
                last + self.text.chars().next_back().map_or(0, char::len_utf8)
            }
            _ => at(range.end),
        };
        at(range.start)..end.max(at(range.start))
    }

    /// Returns where the whole word is in the line, with its quotes.
    pub(super) fn whole(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Returns where the text of the word is in the line.
    pub(super) fn inner(&self) -> Range<usize> {
        self.in_line(0..self.text.len())
    }

    fn at(start: usize) -> Self {
        Self { start, ..Self::default() }
    }

    fn push(&mut self, c: char, at: usize) {
        self.text.push(c);
        self.at.extend(std::iter::repeat_n(at, c.len_utf8()));
    }
}

/// Returns where the options of a line start: at the first word that starts with `-`. pip splits
/// only at blanks here, so that the quotes of a marker have no meaning.
pub(super) fn options_start(line: &str) -> usize {
    let mut at = 0;
    for token in line.split(' ') {
        if token.starts_with('-') {
            return at;
        }
        at += token.len() + 1;
    }
    line.len()
}

/// Splits the text from `start` as a POSIX shell would, with the rules of Python's `shlex.split`.
pub(super) fn split(line: &str, start: usize) -> Result<Vec<Word>, Unfinished> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut quote: Option<(char, usize)> = None;
    let mut chars = line[start..].char_indices().map(|(at, c)| (start + at, c)).peekable();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some((open, _)), c) if c == open => quote = None,
            (Some(('"', _)), '\\') => {
                let escaped = chars.next_if(|(_, next)| matches!(next, '"' | '\\'));
                let (at, c) = escaped.unwrap_or((at, c));
                word.get_or_insert_with(|| Word::at(at)).push(c, at);
            }
            (Some(_), c) => word.get_or_insert_with(|| Word::at(at)).push(c, at),
            (None, '"' | '\'') => {
                word.get_or_insert_with(|| Word::at(at));
                quote = Some((c, at));
            }
            (None, '\\') => {
                let Some((at, c)) = chars.next() else { return Err(Unfinished::Escape(at)) };
                word.get_or_insert_with(|| Word::at(at)).push(c, at);
            }
            (None, ' ' | '\t' | '\r' | '\n') => words.extend(word.take()),
            (None, c) => word.get_or_insert_with(|| Word::at(at)).push(c, at),
        }
        if let Some(word) = &mut word {
            word.end = at + c.len_utf8();
        }
    }
    if let Some((_, at)) = quote {
        return Err(Unfinished::Quote(at));
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_split_as_pythons_shlex_does() {
        // The results are those of Python's `shlex.split`.
        for (line, expected) in [
            ("-e .", &["-e", "."][..]),
            ("-e './a b'", &["-e", "./a b"]),
            ("--x=\"a \\\" b\" c", &["--x=a \" b", "c"]),
            ("--x=\"a\\n\"", &["--x=a\\n"]),
            ("-e a\\ b", &["-e", "a b"]),
            ("-e '' x", &["-e", "", "x"]),
            ("-e  a\t b", &["-e", "a", "b"]),
            ("-e '密 钥'x", &["-e", "密 钥x"]),
        ] {
            let words = split(line, 0).unwrap();
            let texts: Vec<_> = words.iter().map(|word| word.text.as_str()).collect();
            assert_eq!(texts, expected, "{line}");
            for word in words {
                for (at, c) in word.text.char_indices() {
                    assert!(line[word.in_line(at..at).start..].starts_with(c), "{line}: {c}");
                }
            }
        }
        assert_eq!(split("-e 'a", 0), Err(Unfinished::Quote(3)));
        assert_eq!(split("-e a\\", 0), Err(Unfinished::Escape(4)));
    }

    #[test]
    fn options_start_at_the_first_word_with_a_dash() {
        for (line, start) in [("a", 1), ("-e .", 0), ("a  --x", 3), ("a-b --x", 4), ("a\t-e", 4)] {
            assert_eq!(options_start(line), start, "{line}");
        }
    }
}
