//! For people: a paragraph a finding, at most 80 columns.

use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter, wrap};

use super::WIDTH;
use crate::output::Summary;
use crate::{Finding, Level, count};

/// A paragraph for each finding (what, for whom, the lines, why, what to do) and the sum.
/// Text that is meant to be copied into a file isn't wrapped.
pub fn human(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        paragraph(finding, &mut out);
        out.push('\n');
    }
    out.push_str(&sum(Summary::of(findings)));
    out
}

fn paragraph(finding: &Finding, out: &mut String) {
    let word = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    };
    let title = format!("{word}[{}]: {}", finding.code, finding.message);
    fill(&title, "", "  ", out);
    if let Some(place) = &finding.place {
        fill(&format!("--> {place}"), "  ", "      ", out);
    }
    for related in &finding.related {
        fill(&format!("--> {}: {}", related.place, related.message), "  ", "      ", out);
    }
    let mut whom = Vec::new();
    whom.extend(finding.need.as_ref().map(|need| format!("need {need}")));
    if !finding.profiles.is_empty() {
        let word = if finding.profiles.len() == 1 { "profile" } else { "profiles" };
        whom.push(format!("{word} {}", finding.profiles.join(", ")));
    }
    if !whom.is_empty() {
        fill(&format!("- for {}", whom.join(", ")), "  ", "    ", out);
    }
    for note in &finding.notes {
        fill(&format!("- {note}"), "  ", "    ", out);
    }
    if let Some(help) = &finding.help {
        fill(&format!("help: {help}"), "  ", "        ", out);
    }
    for line in finding.fix.iter().flat_map(|fix| fix.lines()) {
        out.push_str(format!("      {line}").trim_end());
        out.push('\n');
    }
}

/// A sentence on its own, as wide as all text for people.
pub fn sentence(text: &str) -> String {
    let mut out = String::new();
    fill(text, "", "  ", &mut out);
    out
}

fn fill(text: &str, first: &str, others: &str, out: &mut String) {
    for (at, line) in text.lines().enumerate() {
        let first = if at == 0 { first } else { others };
        let options = Options::new(WIDTH)
            .initial_indent(first)
            .subsequent_indent(others)
            .word_separator(WordSeparator::Custom(words))
            .word_splitter(WordSplitter::NoHyphenation);
        for line in wrap(line, options) {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
}

/// Breaks at spaces and within CJK text; not within a path, which wants to be copied whole.
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

fn sum(summary: Summary) -> String {
    let Summary { errors, warnings, notes } = summary;
    let [errors, warnings, notes] =
        [(errors, "error"), (warnings, "warning"), (notes, "note")].map(|(n, word)| count(n, word));
    format!("{errors}, {warnings}, {notes}\n")
}
