//! Diagnostics as text for a person: wrapped to a width, with colour where it is wanted.
//!
//! Colour only repeats what the words say.

use textwrap::{Options, WordSplitter};

use crate::{Finding, Level, one_line, printable};

/// How text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Columns to a line.
    pub width: usize,
    /// Whether to colour.
    pub colour: bool,
}

/// A diagnostic as lines of text, ending in a newline.
///
/// Blocks of several lines in a note (a tree of packages) keep their shape: what is too long
/// goes on below itself.
pub fn diagnostic(diagnostic: &Finding, layout: Layout) -> String {
    let (word, colour) = match diagnostic.level {
        Level::Error => ("error", "\x1b[1;31m"),
        Level::Warning => ("warning", "\x1b[1;33m"),
        Level::Note => ("note", "\x1b[1;36m"),
    };
    let head = format!("{word}: {}", one_line(&diagnostic.message));
    let mut text =
        paint(&wrapped(&head, "", "  ", layout.width), word.len(), colour, layout.colour);
    if let Some(place) = &diagnostic.place {
        text.push_str(&format!("  --> {}\n", one_line(&place.to_string())));
    }
    for note in &diagnostic.notes {
        let note = printable(note);
        if note.contains('\n') {
            for line in note.lines() {
                text.push_str(&block_line(line, layout.width));
            }
        } else {
            text.push_str(&wrapped(&note, "  - ", "    ", layout.width));
        }
    }
    if let Some(help) = &diagnostic.help {
        let help = wrapped(&format!("help: {}", printable(help)), "  ", "        ", layout.width);
        text.push_str(&paint_at(&help, 2, "help".len(), "\x1b[1;32m", layout.colour));
    }
    text
}

/// A line of a block; the branches of a tree go on beside what is wrapped.
fn block_line(line: &str, width: usize) -> String {
    let words = line.trim_start_matches([' ', '│', '├', '└', '─']);
    let branches = &line[..line.len() - words.len()];
    let below: String = branches
        .chars()
        .map(|c| match c {
            '│' | '├' => '│',
            _ => ' ',
        })
        .collect();
    wrapped(words, &format!("  | {branches}"), &format!("  | {below}  "), width)
}

/// Keeps the words of a command on one line.
const SPACE: char = '\u{a0}';
/// Keeps an address whole, in which a line could otherwise end behind every slash.
const JOINER: char = '\u{2060}';

/// One paragraph: `first` before its first line and `rest` before the others.
pub fn paragraph(text: &str, first: &str, rest: &str, width: usize) -> String {
    wrapped(text, first, rest, width)
}

/// Text wrapped to a width, ending in a newline; commands in backquotes and addresses stay
/// whole.
fn wrapped(text: &str, first: &str, rest: &str, width: usize) -> String {
    let mut inside = false;
    let mut glued = String::with_capacity(text.len());
    for word in text.split_inclusive(' ') {
        let address = word.contains("://");
        for c in word.chars() {
            if c == '`' {
                inside = !inside;
            }
            glued.push(if inside && c == ' ' { SPACE } else { c });
            if c != ' ' && (inside || address) {
                glued.push(JOINER);
            }
        }
    }
    // A name such as conda-forge::x is one word.
    let options = Options::new(width)
        .initial_indent(first)
        .subsequent_indent(rest)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false);
    let lines = textwrap::wrap(&glued, options).join("\n");
    lines.replace(SPACE, " ").replace(JOINER, "") + "\n"
}

fn paint(text: &str, length: usize, colour: &str, on: bool) -> String {
    paint_at(text, 0, length, colour, on)
}

fn paint_at(text: &str, from: usize, length: usize, colour: &str, on: bool) -> String {
    if !on {
        return text.to_owned();
    }
    let (before, rest) = text.split_at(from);
    let (word, after) = rest.split_at(length);
    format!("{before}{colour}{word}\x1b[0m{after}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Place};

    const PLAIN: Layout = Layout { width: 60, colour: false };

    #[test]
    fn a_diagnostic_says_what_where_why_and_what_next() {
        let said = diagnostic(
            &Finding::new(
                Code::NoSuchVersion,
                "there is no tensorflow 2.13.0; the nearest is 2.13.1",
            )
            .at(Place::new("environment.yml", 9, 5))
            .with_note("versions: 2.12.1, 2.13.1")
            .with_note("a\n└─ b")
            .with_help("write `tensorflow=2.12.1 or another`"),
            PLAIN,
        );
        insta::assert_snapshot!(said, @r"
        error: there is no tensorflow 2.13.0; the nearest is 2.13.1
          --> environment.yml:9:5
          - versions: 2.12.1, 2.13.1
          | a
          | └─ b
          help: write `tensorflow=2.12.1 or another`
        ");
    }

    #[test]
    fn no_foreign_name_reaches_the_terminal_as_it_is() {
        let name = "\u{1b}]0;owned\u{7}\nerror: all is well";
        let subject = Finding::new(Code::Conflict, format!("two packages bring {name}"))
            .at(Place::new(name, 1, 1))
            .with_note(name)
            .with_help(name);
        let said = diagnostic(&subject, PLAIN);
        assert!(!said.contains(['\u{1b}', '\u{7}']), "{said:?}");
        assert_eq!(said.lines().filter(|line| line.starts_with("error")).count(), 0, "{said}");
    }

    #[test]
    fn no_line_of_prose_is_wider_than_the_layout_in_any_script() {
        let message = "环境文件中的软件包名称无法在任何频道中找到请检查名称或添加频道".repeat(3);
        let said = diagnostic(&Finding::new(Code::Conflict, message), PLAIN);
        assert!(said.lines().count() > 2);
        for line in said.lines() {
            assert!(unicode_width::UnicodeWidthStr::width(line) <= 60, "{line}");
        }
    }

    #[test]
    fn a_tree_keeps_its_shape_where_a_line_is_too_long() {
        let tree = "├─ left * can be installed with any of the following options:\n\
                    │  └─ left 1.0 would require a certain other package in some version";
        let said = diagnostic(&Finding::new(Code::Conflict, "no").with_note(tree), PLAIN);
        insta::assert_snapshot!(said, @"
        error: no
          | ├─ left * can be installed with any of the following
          | │    options:
          | │  └─ left 1.0 would require a certain other package in
          | │       some version
        ");
    }

    #[test]
    fn commands_and_addresses_are_never_broken() {
        let address = "https://conda.anaconda.org/conda-forge/linux-64/repodata.json.zst";
        let command = "envlock solve --mirror https://conda.anaconda.org/=URL --no-origin";
        let subject = Finding::new(Code::Conflict, format!("nobody has {address} at all"))
            .with_help(format!("try `{command}` or {address}"));
        let said = diagnostic(&subject, PLAIN);
        assert_eq!(said.lines().filter(|line| line.contains(address)).count(), 2, "{said}");
        assert!(said.lines().any(|line| line.contains(command)), "{said}");
    }

    #[test]
    fn without_its_colours_a_coloured_text_is_the_plain_one() {
        let subject = Finding::new(Code::Conflict, "words").with_help("do it");
        let coloured = diagnostic(&subject, Layout { colour: true, ..PLAIN });
        assert!(coloured.contains("\x1b["));
        let mut bare = coloured;
        for code in ["\x1b[1;36m", "\x1b[1;32m", "\x1b[0m"] {
            bare = bare.replace(code, "");
        }
        assert_eq!(bare, diagnostic(&subject, PLAIN));
    }
}
