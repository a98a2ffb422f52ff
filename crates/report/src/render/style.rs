//! The colours of text for people, in one table. Colour only repeats what the words say.

use annotate_snippets::renderer::{AnsiColor, Effects, Style};

use crate::Level;

const fn bold(colour: AnsiColor) -> Style {
    colour.on_default().effects(Effects::BOLD)
}

/// `error`, `warning`, `note`.
pub(super) const fn of_level(level: Level) -> Style {
    match level {
        Level::Error => bold(AnsiColor::Red),
        Level::Warning => bold(AnsiColor::Yellow),
        Level::Note => bold(AnsiColor::Cyan),
    }
}

/// `help`.
pub(super) const HELP: Style = bold(AnsiColor::Green);

/// Line numbers and the lines of a snippet's frame.
pub(super) const FRAME: Style = bold(AnsiColor::Blue);

/// `text` with the style, where colour is wanted.
pub(super) fn paint(text: &str, style: Style, colour: bool) -> String {
    if colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
}
