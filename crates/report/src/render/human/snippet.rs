//! Draws the source line of a place and marks the place.

use annotate_snippets::{AnnotationKind, Group, Level as Mark, Renderer, Snippet};

use super::{Layout, hidden::HiddenValues};
use crate::{
    Level, Place, one_line,
    render::{
        source::{RedactedLine, SourceTexts},
        style,
    },
};

/// Returns the lines of the snippet. Empty if the source line is unknown or blank.
pub(super) fn snippet(
    place: &Place,
    level: Level,
    sources: &SourceTexts,
    hidden: &HiddenValues<'_>,
    layout: Layout,
) -> String {
    let Some(RedactedLine { text, is_redacted }) = sources.line(place) else {
        return String::new();
    };
    let cut = if is_redacted { None } else { hidden.cut(&text, place) };
    let (text, is_cut) = cut.map_or((text, false), |cut| (cut.into(), true));
    let (from, to) = match marked(&text, place) {
        _ if is_redacted => whole(&text),
        // The mark is in the hidden part of the line.
        (from, to) if is_cut && (text[from..to].contains('*') || from == text.len()) => {
            whole(&text)
        }
        mark => mark,
    };
    let [before, word, after] = [&text[..from], &text[from..to], &text[to..]].map(shown);
    let line = format!("{before}{word}{after}");
    let span = before.len()..before.len() + word.len();
    let number = usize::try_from(place.line).unwrap_or(usize::MAX);
    let snippet =
        Snippet::source(line).line_start(number).annotation(AnnotationKind::Primary.span(span));
    let mark = match level {
        Level::Error => Mark::ERROR,
        Level::Warning => Mark::WARNING,
        Level::Note => Mark::NOTE,
    };
    let drawn = renderer(layout)
        .term_width(layout.width.saturating_sub(INDENT.len()))
        .render(&[Group::with_level(mark).element(snippet)]);
    // The first line repeats the place, which `place_line` formats with the right column.
    let lines = drawn.lines().skip(1);
    lines.map(|line| format!("{INDENT}{line}").trim_end().to_owned() + "\n").collect()
}

const INDENT: &str = "  ";

fn renderer(layout: Layout) -> Renderer {
    if !layout.colour {
        return Renderer::plain();
    }
    Renderer::styled()
        .error(style::of_level(Level::Error))
        .warning(style::of_level(Level::Warning))
        .note(style::of_level(Level::Note))
        .line_num(style::FRAME)
}

fn shown(text: &str) -> String {
    one_line(&text.replace('\t', "    ")).into_owned()
}

/// Returns the range of a line without the blanks around it.
fn whole(line: &str) -> (usize, usize) {
    let end = line.trim_end().len();
    (end - line[..end].trim_start().len(), end)
}

/// Returns the range to mark: from the column to the end of the place. If the end is unknown,
/// the word at the column: up to its closing quote, a blank, or punctuation that ends a value.
pub(super) fn marked(line: &str, place: &Place) -> (usize, usize) {
    let offset = |column: u32| {
        let column = usize::try_from(column).unwrap_or(usize::MAX).saturating_sub(1);
        line.char_indices().nth(column).map_or(line.len(), |(at, _)| at)
    };
    let from = offset(place.column);
    if let Some(end) = place.end_column.map(offset).filter(|end| *end > from) {
        return (from, end);
    }
    let rest = &line[from..];
    let first = rest.chars().next();
    let length = if let Some(quote) = first.filter(|c| "\"'`".contains(*c)) {
        rest[1..].find(quote).map_or(rest.len(), |at| at + 2)
    } else {
        let ends = |c: char| c.is_whitespace() || ",]})".contains(c);
        let length = rest.find(ends).unwrap_or(rest.len());
        // The colon after a key isn't part of it.
        rest[..length].strip_suffix(':').map_or(length, str::len)
    };
    let one = first.map_or(0, char::len_utf8);
    (from, from + length.max(one))
}
