//! Reads the files that findings name, to show their lines.

use std::{collections::BTreeSet, fs::File, io::Read as _, path::Path};

use envlock_report::{Finding, render::SourceTexts};

/// The maximum size of a file that is read only to show its lines, in bytes. Larger than every
/// file that people write; a lock may be larger.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The maximum number of files that are read to show their lines. A run reads a handful of
/// files; only the findings about a large folder of policies name more. Together with
/// [`MAX_BYTES`] it bounds the memory.
const MAX_FILES: usize = 64;

/// Returns the texts of the files that findings name. Files that can't be read, aren't regular
/// files, are too large or aren't text are left out: their lines aren't shown.
pub(super) fn sources(findings: &[Finding]) -> SourceTexts {
    let places = findings.iter().flat_map(|finding| {
        finding.place.iter().chain(finding.related.iter().map(|related| &related.place))
    });
    let files: BTreeSet<_> = places.map(|place| place.file.as_str()).collect();
    let mut sources = SourceTexts::default();
    for file in files.into_iter().take(MAX_FILES) {
        if let Some(text) = text(file) {
            sources.insert(file, text);
        }
    }
    sources
}

fn text(file: &str) -> Option<String> {
    let path = Path::new(file);
    // A device or a pipe isn't opened, since opening it may block or have an effect.
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    let read = File::open(path).ok()?.take(MAX_BYTES + 1).read_to_end(&mut bytes).ok()?;
    if u64::try_from(read).ok()? > MAX_BYTES {
        return None;
    }
    envlock_text::decode(file, bytes).ok()
}
