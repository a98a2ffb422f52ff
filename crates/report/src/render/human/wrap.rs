//! Wraps text to a width, in any script.

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm, core::Word};

/// Replaces the spaces of a command, so that it stays on one line.
const SPACE: char = '\u{a0}';
/// Joins the characters of a command or URL, so that no line ends after one of its slashes.
const JOINER: char = '\u{2060}';

/// Formats a paragraph, which ends with a newline. `first` is put before its first line and
/// `rest` before the other lines. Commands in backquotes, paths and URLs aren't broken.
pub fn paragraph(text: &str, first: &str, rest: &str, width: usize) -> String {
    let mut inside = false;
    let mut glued = String::with_capacity(text.len());
    for word in text.split_inclusive(' ') {
        let is_url = word.contains("://");
        for c in word.chars() {
            if c == '`' {
                inside = !inside;
            }
            glued.push(if inside && c == ' ' { SPACE } else { c });
            if c != ' ' && (inside || is_url) {
                glued.push(JOINER);
            }
        }
    }
    let options = Options::new(width)
        .initial_indent(first)
        .subsequent_indent(rest)
        .word_separator(WordSeparator::Custom(words))
        // The default depends on a feature that another crate may enable.
        .wrap_algorithm(WrapAlgorithm::FirstFit)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false);
    let lines = textwrap::wrap(&glued, options);
    let lines: Vec<_> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n").replace(SPACE, " ").replace(JOINER, "") + "\n"
}

/// Breaks at spaces and within CJK text, but not within a path, so that it can be copied.
fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut words: Vec<Word<'_>> = Vec::new();
    let mut start = 0;
    for word in WordSeparator::UnicodeBreakProperties.find_words(line) {
        let length = word.word.len() + word.whitespace.len();
        let joins = words.last().is_some_and(|last| {
            last.whitespace.is_empty()
                && last.word.ends_with(|c: char| c.is_ascii())
                && word.word.starts_with(|c: char| c.is_ascii())
        });
        match words.last_mut().filter(|_| joins) {
            Some(last) => {
                let from = start - last.word.len();
                *last = Word::from(&line[from..start + length]);
            }
            None => words.push(word),
        }
        start += length;
    }
    Box::new(words.into_iter())
}
