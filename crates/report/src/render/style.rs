//! The colours of text for people. Colours add no information that isn't in the text.

use annotate_snippets::renderer::{AnsiColor, Effects, Style};

use crate::Level;

const fn bold(colour: AnsiColor) -> Style {
    colour.on_default().effects(Effects::BOLD)
}

/// Returns the style of `error`, `warning` or `note`.
pub(super) const fn of_level(level: Level) -> Style {
    match level {
        Level::Error => bold(AnsiColor::Red),
        Level::Warning => bold(AnsiColor::Yellow),
        Level::Note => bold(AnsiColor::Cyan),
    }
}

/// The style of `help`.
pub(super) const HELP: Style = bold(AnsiColor::Green);

/// The style of line numbers and of a snippet's frame.
pub(super) const FRAME: Style = bold(AnsiColor::Blue);

/// Adds the style to `text` if `colour` is set.
pub(super) fn paint(text: &str, style: Style, colour: bool) -> String {
    if colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
}
