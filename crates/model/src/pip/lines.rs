//! Splits the text of a requirements file into the lines that pip reads: joined at `\`, and without
//! comments.

use std::ops::Range;

/// A line as pip reads it. Offsets are in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LogicalLine {
    /// The text without comment and continuations, trimmed.
    pub(crate) text: String,
    /// The comment with its `#`, and its offset in the source.
    pub(crate) comment: Option<(usize, String)>,
    /// Whether the source ends in a `\`, so that the line has no end.
    pub(crate) is_unfinished: bool,
    /// Where parts of the text come from: offset in the text, offset in the source. Sorted.
    parts: Vec<(usize, usize)>,
}

impl LogicalLine {
    /// Returns where a range of the text is in the source.
    pub(crate) fn in_source(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.offset(range.start);
        if range.is_empty() { start..start } else { start..self.offset(range.end - 1) + 1 }
    }

    fn offset(&self, at: usize) -> usize {
        let part = self.parts.partition_point(|(start, _)| *start <= at).saturating_sub(1);
        self.parts.get(part).map_or(0, |(start, source)| source + (at - start))
    }

    fn push(&mut self, text: &str, source: usize) {
        self.parts.push((self.text.len(), source));
        self.text.push_str(text);
    }

    /// Removes the comment and the blanks at both ends.
    fn finish(mut self) -> Self {
        if let Some((blank, hash)) = comment(&self.text) {
            self.comment = Some((self.offset(hash), self.text[hash..].to_owned()));
            self.text.truncate(blank);
        }
        self.text.truncate(self.text.trim_end().len());
        let cut = self.text.len() - self.text.trim_start().len();
        if cut > 0 {
            let from = self.offset(cut);
            self.text.drain(..cut);
            let later = self.parts.partition_point(|(start, _)| *start <= cut);
            self.parts.drain(..later);
            self.parts.iter_mut().for_each(|(start, _)| *start -= cut);
            self.parts.insert(0, (0, from));
        }
        self
    }
}

/// Splits a text into logical lines, without those that are empty or only a comment.
pub(crate) fn logical_lines(source: &str) -> Vec<LogicalLine> {
    let mut lines = Vec::new();
    let mut open: Option<LogicalLine> = None;
    for (start, line) in physical_lines(source) {
        let is_comment = comment(line).is_some_and(|(blank, _)| blank == 0);
        let mut current = open.take().unwrap_or_default();
        if line.ends_with('\\') && !is_comment {
            let inner = line.trim_start_matches('\\');
            let at = start + (line.len() - inner.len());
            current.push(inner.trim_end_matches('\\'), at);
            open = Some(current);
            continue;
        }
        if is_comment && !current.text.is_empty() {
            // pip reads a comment after a continuation as one, even without a blank before it.
            current.push(" ", start);
        }
        current.push(line, start);
        lines.push(current.finish());
    }
    if let Some(last) = open {
        lines.push(LogicalLine { is_unfinished: true, ..last.finish() });
    }
    lines.retain(|line| !line.text.is_empty() || line.is_unfinished);
    lines
}

/// Finds a comment: its offset with the blanks before it, and the offset of its `#`.
fn comment(line: &str) -> Option<(usize, usize)> {
    let (hash, _) = line
        .match_indices('#')
        .find(|(at, _)| *at == 0 || line[..*at].ends_with(char::is_whitespace))?;
    Some((line[..hash].trim_end().len(), hash))
}

/// Splits a text at the line ends of Python, with the offset of each line.
fn physical_lines(source: &str) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut chars = source.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if !is_line_end(c) {
            continue;
        }
        lines.push((start, &source[start..at]));
        start = at + c.len_utf8();
        if c == '\r' && chars.next_if(|(_, next)| *next == '\n').is_some() {
            start += 1;
        }
    }
    if start < source.len() {
        lines.push((start, &source[start..]));
    }
    lines
}

fn is_line_end(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<String> {
        logical_lines(source).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn lines_are_joined_and_comments_removed_as_pip_does() {
        // The results are those of pip 26.3, `req_file.preprocess`.
        for (source, expected) in [
            ("a\nb\r\nc\rd", &["a", "b", "c", "d"][..]),
            ("a \\\n  b", &["a   b"]),
            ("a\\\nb", &["ab"]),
            ("a\\\n# c\nb", &["a", "b"]),
            ("a \\\n  # c\nb", &["a", "b"]),
            ("a # c \\\nb", &["a"]),
            ("# c \\\nb", &["b"]),
            ("a#b\n#c\n \t#d\n\n", &["a#b"]),
            ("a  #b#c", &["a"]),
            ("a\t# x", &["a"]),
            ("a\\", &["a"]),
            ("\\a\\\nb", &["ab"]),
            ("  a  \n", &["a"]),
            ("a\u{2028}b", &["a", "b"]),
            ("", &[]),
            ("\\\n\\\nx", &["x"]),
        ] {
            assert_eq!(texts(source), expected, "{source:?}");
        }
    }

    #[test]
    fn each_character_of_a_line_is_found_in_the_source() {
        for source in ["  a==1 \\\n   --hash=x \\\n# c\nb", "密 \\\n  钥==1  # 说明\n x\\\ny"] {
            for line in logical_lines(source) {
                for (at, c) in line.text.char_indices() {
                    let range = line.in_source(&(at..at + c.len_utf8()));
                    assert!(c == ' ' || source[range.clone()].starts_with(c), "{source:?} {c}");
                    assert_eq!(range.len(), c.len_utf8());
                }
                if let Some((at, text)) = &line.comment {
                    assert!(source[*at..].starts_with(text.as_str()), "{source:?}");
                }
            }
        }
    }
}
