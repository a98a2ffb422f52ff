//! One finding as a paragraph: what, where, for what, why, and what to do.

use std::collections::BTreeMap;

use super::{hidden::Hidden, snippet::snippet, wrap::paragraph};
use crate::{
    Code, Finding, Level, Place, count, one_line, printable,
    render::{SourceTexts, style},
    sink::Summary,
};

/// How text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Columns of a line.
    pub width: usize,
    /// Whether to colour.
    pub colour: bool,
}

impl Layout {
    /// 80 columns without colour: what a pipe or a file gets.
    pub const PLAIN: Self = Self { width: super::super::WIDTH, colour: false };
}

/// So many findings of one code without a place are listed; other formats have all.
const LISTED: usize = 40;

/// All findings as paragraphs with a blank line between them; empty without any.
pub fn human(findings: &[Finding], sources: &SourceTexts, layout: Layout) -> String {
    let hidden = Hidden::of(findings);
    let mut paragraphs = Vec::new();
    let mut listed: BTreeMap<Code, usize> = BTreeMap::new();
    for finding in findings {
        if finding.place.is_none() {
            let number = listed.entry(finding.code).or_default();
            *number += 1;
            if *number > LISTED {
                continue;
            }
        }
        paragraphs.push(one(finding, sources, &hidden, layout));
    }
    for (code, number) in listed {
        if let Some(more) = number.checked_sub(LISTED).filter(|more| *more > 0) {
            let text = format!("and {more} more `{code}`: `--format json` lists all of them");
            paragraphs.push(paragraph(&text, "", "  ", layout.width));
        }
    }
    paragraphs.join("\n")
}

fn one(finding: &Finding, sources: &SourceTexts, hidden: &Hidden<'_>, layout: Layout) -> String {
    let Layout { width, colour } = layout;
    let word = finding.level.as_str();
    let head = format!("{word}[{}]: {}", finding.code, one_line(&finding.message));
    let head = paragraph(&head, "", "  ", width);
    let mut text = style::paint(word, style::of_level(finding.level), colour) + &head[word.len()..];
    if let Some(place) = &finding.place {
        text.push_str(&at(place, "", layout));
        text.push_str(&snippet(place, finding.level, sources, hidden, layout));
    }
    for related in &finding.related {
        text.push_str(&at(&related.place, &related.message, layout));
        text.push_str(&snippet(&related.place, Level::Note, sources, hidden, layout));
    }
    if let Some(whom) = whom(finding) {
        text.push_str(&paragraph(&whom, "  - ", "    ", width));
    }
    for note in &finding.notes {
        let note = printable(note);
        if note.contains('\n') {
            text.extend(note.lines().map(|line| block_line(line, width)));
        } else {
            text.push_str(&paragraph(&note, "  - ", "    ", width));
        }
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

fn at(place: &Place, message: &str, layout: Layout) -> String {
    let place = place.to_string();
    let colon = if message.is_empty() { "" } else { ": " };
    let text = format!("--> {}{colon}{}", one_line(&place), one_line(message));
    paragraph(&text, "  ", "      ", layout.width)
}

fn whom(finding: &Finding) -> Option<String> {
    let mut whom: Vec<_> = finding.need.iter().map(|need| format!("need {need}")).collect();
    match finding.profiles.as_slice() {
        [] => {}
        [profile] => whom.push(format!("profile {profile}")),
        profiles => whom.push(format!("profiles {}", profiles.join(", "))),
    }
    (!whom.is_empty()).then(|| format!("for {}", one_line(&whom.join(", "))))
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
    paragraph(words, &format!("  | {branches}"), &format!("  | {below}  "), width)
}

/// The number of findings of each level, as a line.
pub fn sum(summary: Summary) -> String {
    let Summary { errors, warnings, notes } = summary;
    let [errors, warnings, notes] =
        [(errors, "error"), (warnings, "warning"), (notes, "note")].map(|(n, word)| count(n, word));
    format!("{errors}, {warnings}, {notes}\n")
}

#[cfg(test)]
mod tests;
