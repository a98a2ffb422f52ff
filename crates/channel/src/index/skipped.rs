//! The records of an index that are skipped because they can't be read.

use envlock_report::{Code, Finding, Level, count};
use envlock_text::excerpt;

/// How many records are named. The rest is counted, since an index can have millions of them.
const MAX_NAMED: usize = 10_000;
/// The maximum length of a file name and of a reason in a message, in characters.
const MAX_CHARS: usize = 120;

/// The skipped records, with the reason of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SkippedRecords {
    count: usize,
    named: Vec<SkippedRecord>,
}

/// A record of an index that isn't used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedRecord {
    /// The file name.
    pub file: String,
    /// Why the record isn't used.
    pub reason: String,
}

impl SkippedRecord {
    pub(crate) fn new(file: &str, reason: &str) -> Self {
        Self { file: excerpt(file, MAX_CHARS), reason: excerpt(reason, MAX_CHARS) }
    }
}

impl SkippedRecords {
    /// Adds a record. Of a large number of records only the first ones are kept.
    pub(crate) fn add(&mut self, file: &str, reason: &str) {
        self.count += 1;
        if self.named.len() < MAX_NAMED {
            self.named.push(SkippedRecord::new(file, reason));
        }
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Returns a note about these records of the index `index`; `None` if there are none.
    pub(crate) fn finding(&self, index: &str, served_by: &str) -> Option<Finding> {
        (self.count > 0).then(|| finding(index, self.count, &self.named, served_by))
    }
}

/// Returns a note about `number` skipped records of an index, of which those in `named` are named.
pub(crate) fn finding(
    index: &str,
    number: usize,
    named: &[SkippedRecord],
    served_by: &str,
) -> Finding {
    let named = &named[..named.len().min(MAX_NAMED)];
    let more = number - named.len();
    let lines = named.iter().map(|record| format!("{}: {}", record.file, record.reason));
    let lines = lines.chain((more > 0).then(|| format!("and {more} more")));
    let verb = if number == 1 { "is" } else { "are" };
    Finding::new(
        Code::IndexRecordMalformed,
        format!(
            "{} of the index of {index} can't be read and {verb} left out",
            count(number, "record")
        ),
    )
    .at_level(Level::Note)
    .with_list("left out:", lines)
    .with_note(format!("served by {served_by}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_records_are_named_and_all_are_counted() {
        let mut skipped = SkippedRecords::default();
        assert_eq!(skipped.finding("c/noarch", "http://h/"), None);
        for number in 0..10_005 {
            skipped.add(&format!("a-{number}"), "it isn't a file name");
        }
        let finding = skipped.finding("c/noarch", "http://h/").expect("a note");
        assert_eq!(
            finding.message,
            "10005 records of the index of c/noarch can't be read and are left out"
        );
        assert_eq!(finding.notes[0].lines().count(), 10_002);
        assert!(finding.notes[0].ends_with("and 5 more"), "{finding:?}");
    }

    #[test]
    fn a_name_of_any_length_or_content_gives_one_short_line() {
        let long = format!("https://me:geheim@h/{}\n\u{1b}[2J", "x".repeat(5000));
        let record = SkippedRecord::new(&long, &long);
        assert!(record.file.len() < 200 && !record.file.contains('\n'), "{record:?}");
        assert!(!record.file.contains("geheim"), "{record:?}");
    }
}
