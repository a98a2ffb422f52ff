//! A command line that can't be understood, printed in the format that it asks for.

use std::{ffi::OsString, process::ExitCode};

use clap::error::ErrorKind;
use envlock_report::{Code, Exit, Finding};

use super::print::usage_document;

/// Prints what is wrong, or the help or version that was asked for.
pub(crate) fn usage(error: &clap::Error, line: impl IntoIterator<Item = OsString>) -> ExitCode {
    let is_asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if is_asked || !wants_json(line) {
        let _ = error.print();
        return ExitCode::from(if is_asked { Exit::Success.code() } else { Exit::Usage.code() });
    }
    usage_document(finding(error))
}

/// Whether the line asks for JSON, as far as it can be understood; what stands behind `--` is
/// another program's.
fn wants_json(line: impl IntoIterator<Item = OsString>) -> bool {
    let words: Vec<_> = line.into_iter().take_while(|word| word != "--").collect();
    let pairs = words.windows(2).any(|pair| pair[0] == "--format" && pair[1] == "json");
    pairs || words.iter().any(|word| word == "--format=json")
}

/// The parser's own words: the first paragraph says what is wrong, the others what to do.
fn finding(error: &clap::Error) -> Finding {
    let missing =
        [ErrorKind::MissingSubcommand, ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand];
    if missing.contains(&error.kind()) {
        return Finding::new(Code::Usage, "a command is missing")
            .with_help("`envlock --help` lists them");
    }
    let text = error.render().to_string();
    let mut paragraphs = text
        .split("\n\n")
        .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    let message = paragraphs.next().unwrap_or_default();
    let finding = Finding::new(Code::Usage, message.strip_prefix("error: ").unwrap_or(&message));
    paragraphs
        .filter(|note| !note.starts_with("For more"))
        .fold(finding, Finding::with_note)
        .with_help("`envlock COMMAND --help` lists what it takes")
}
