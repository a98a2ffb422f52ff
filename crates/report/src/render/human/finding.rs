//! Formats a finding as a paragraph: message, place, subject, notes and help.

use std::{borrow::Cow, collections::BTreeMap};

use super::{hidden::HiddenValues, snippet::snippet, wrap::paragraph};
use crate::{
    Code, Finding, Level, Place, count, one_line,
    outcome::Summary,
    printable,
    render::{SourceTexts, style},
};

/// The layout of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The number of columns of a line.
    pub width: usize,
    /// Whether the text has colours.
    pub colour: bool,
    /// Whether long lists are shown to their ends.
    pub whole: bool,
}

impl Layout {
    /// 80 columns without colour, for a pipe or a file.
    pub const PLAIN: Self = Self { width: super::super::WIDTH, colour: false, whole: false };
}

/// More findings of one code and level than this are cut to [`SHOWN_FINDINGS`], since they mostly have
/// one cause. [`Layout::whole`] and the other formats list all.
const MAX_FINDINGS: usize = 10;

/// How many findings of a larger group are shown.
const SHOWN_FINDINGS: usize = 5;

/// Formats the findings as paragraphs with blank lines between them. Empty without findings.
pub fn human(findings: &[Finding], sources: &SourceTexts, layout: Layout) -> String {
    let hidden = HiddenValues::new(findings);
    let mut groups: BTreeMap<(Level, Code), (usize, usize)> = BTreeMap::new();
    for finding in findings {
        groups.entry((finding.level, finding.code)).or_default().0 += 1;
    }
    let mut paragraphs = Vec::new();
    for finding in findings {
        let Some((all, shown)) = groups.get_mut(&(finding.level, finding.code)) else { continue };
        *shown += 1;
        if layout.whole || *all <= MAX_FINDINGS || *shown <= SHOWN_FINDINGS {
            paragraphs.push(render_one(finding, sources, &hidden, layout));
        } else if *shown == *all {
            let more = *all - SHOWN_FINDINGS;
            let (level, code) = (finding.level.as_str(), finding.code);
            let text = format!("and {more} more {level}[{code}]: `-v` lists all of them");
            paragraphs.push(paragraph(&text, "", "  ", layout.width));
        }
    }
    paragraphs.join("\n")
}

fn render_one(
    finding: &Finding,
    sources: &SourceTexts,
    hidden: &HiddenValues<'_>,
    layout: Layout,
) -> String {
    let Layout { width, colour, whole } = layout;
    let level = finding.level.as_str();
    let head = format!("{level}[{}]: {}", finding.code, one_line(&finding.message));
    let head = paragraph(&head, "", "  ", width);
    let mut text =
        style::paint(level, style::of_level(finding.level), colour) + &head[level.len()..];
    if let Some(place) = &finding.place {
        text.push_str(&place_line(place, "", layout));
        text.push_str(&snippet(place, finding.level, sources, hidden, layout));
    }
    for related in &finding.related {
        text.push_str(&place_line(&related.place, &related.message, layout));
        text.push_str(&snippet(&related.place, Level::Note, sources, hidden, layout));
    }
    if let Some(subject) = subject_line(finding) {
        text.push_str(&paragraph(&subject, "  - ", "    ", width));
    }
    let cut = !layout.whole && finding.notes.len() > MAX_NOTES;
    let shown = if cut { SHOWN_NOTES } else { finding.notes.len() };
    for note in &finding.notes[..shown] {
        let note = printable(note);
        if note.contains('\n') {
            text.extend(shortened(&note, whole).iter().map(|line| block_line(line, width)));
        } else {
            text.push_str(&paragraph(&note, "  - ", "    ", width));
        }
    }
    if cut {
        let more = finding.notes.len() - shown;
        let more = format!("and {more} more: `-v` lists all of them");
        text.push_str(&paragraph(&more, "  - ", "    ", width));
    }
    if let Some(help) = &finding.help {
        let help = paragraph(&format!("help: {}", printable(help)), "  ", "        ", width);
        text.push_str(&help.replacen("help", &style::paint("help", style::HELP, colour), 1));
    }
    // Text that is copied into a file isn't wrapped.
    for line in finding.fix.iter().flat_map(|fix| fix.lines()) {
        text.push_str(format!("      {}", one_line(line)).trim_end());
        text.push('\n');
    }
    text
}

fn place_line(place: &Place, message: &str, layout: Layout) -> String {
    let place = place.to_string();
    let colon = if message.is_empty() { "" } else { ": " };
    let text = format!("--> {}{colon}{}", one_line(&place), one_line(message));
    paragraph(&text, "  ", "      ", layout.width)
}

/// Names the need and the profiles that a finding is about.
fn subject_line(finding: &Finding) -> Option<String> {
    let mut subjects: Vec<_> = finding.need.iter().map(|need| format!("need {need}")).collect();
    match finding.profiles.as_slice() {
        [] => {}
        [profile] => subjects.push(format!("profile {profile}")),
        profiles => subjects.push(format!("profiles {}", profiles.join(", "))),
    }
    (!subjects.is_empty()).then(|| format!("for {}", one_line(&subjects.join(", "))))
}

/// A list of more items than this is cut to [`SHOWN_ITEMS`]. Other formats have all items.
const MAX_ITEMS: usize = 10;

/// How many items of a longer list are shown.
const SHOWN_ITEMS: usize = 5;

/// More notes of one finding than this are cut to [`SHOWN_NOTES`]: the first ones matter most.
const MAX_NOTES: usize = 12;

/// How many notes of a longer list are shown.
const SHOWN_NOTES: usize = 8;

/// How many lines of any other block are shown.
const MAX_LINES: usize = 60;

/// Returns the lines of a block, cut if there are many and it isn't shown whole. A list is a line of
/// text and indented items.
fn shortened(note: &str, whole: bool) -> Vec<Cow<'_, str>> {
    let lines: Vec<_> = note.lines().collect();
    let is_item = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    let items = lines.get(1..).unwrap_or_default();
    let shown = if whole {
        lines.len()
    } else if items.iter().all(is_item) && items.len() > MAX_ITEMS {
        1 + SHOWN_ITEMS
    } else {
        lines.len().min(MAX_LINES)
    };
    let mut text: Vec<Cow<'_, str>> = lines[..shown].iter().map(|line| (*line).into()).collect();
    if let Some(more) = lines.len().checked_sub(shown).filter(|more| *more > 0) {
        text.push(format!("  and {more} more: `-v` lists all of them").into());
    }
    text
}

/// Formats a line of a block. If it is wrapped, the branches of a tree are drawn on each line.
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
    paragraph(words, &format!("  | {branches}"), &format!("  | {below}  "), width)
}

/// Formats the number of findings of each level as a line.
pub fn summary_line(summary: Summary) -> String {
    let Summary { errors, warnings, notes } = summary;
    let [errors, warnings, notes] =
        [(errors, "error"), (warnings, "warning"), (notes, "note")].map(|(n, word)| count(n, word));
    format!("{errors}, {warnings}, {notes}\n")
}

#[cfg(test)]
mod tests;
