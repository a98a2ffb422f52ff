//! The files that findings name, read once more to show the lines.

use std::{collections::BTreeSet, fs::File, io::Read as _, path::Path};

use envlock_report::{Finding, render::SourceTexts};

/// Larger files aren't read again only to show a line of them, in bytes.
const MOST: u64 = 4 * 1024 * 1024;

/// So many files are read at most.
const FILES: usize = 64;

/// The texts of the files that findings name. A file that can't be read, is no regular file, is
/// too large or isn't text is left out: its lines aren't shown.
pub(super) fn sources(findings: &[Finding]) -> SourceTexts {
    let places = findings.iter().flat_map(|finding| {
        finding.place.iter().chain(finding.related.iter().map(|related| &related.place))
    });
    let files: BTreeSet<_> = places.map(|place| place.file.as_str()).collect();
    let mut sources = SourceTexts::default();
    for file in files.into_iter().take(FILES) {
        if let Some(text) = text(file) {
            sources.insert(file, text);
        }
    }
    sources
}

fn text(file: &str) -> Option<String> {
    let path = Path::new(file);
    // A device or a pipe isn't opened: opening it may wait, or do something.
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    let read = File::open(path).ok()?.take(MOST + 1).read_to_end(&mut bytes).ok()?;
    if u64::try_from(read).ok()? > MOST {
        return None;
    }
    envlock_text::decode(file, bytes).ok()
}
