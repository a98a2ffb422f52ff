//! Prints usage errors in the format that the command line requests.

use std::{ffi::OsString, process::ExitCode};

use clap::{ValueEnum as _, error::ErrorKind};
use envlock_report::{Code, Exit, Finding};

use super::print::print_usage_error;
use crate::flags::Format;

/// Prints a usage error, or the requested help or version.
pub(crate) fn usage(error: &clap::Error, line: impl IntoIterator<Item = OsString>) -> ExitCode {
    let is_requested = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let format = requested_format(line);
    if is_requested || format == Format::Human {
        let _ = error.print();
        let exit = if is_requested { Exit::Success } else { Exit::Usage };
        return ExitCode::from(exit.code());
    }
    print_usage_error(format, finding(error))
}

/// Returns the format that the words request, although they aren't valid as a whole. Words after
/// `--` belong to another program.
fn requested_format(line: impl IntoIterator<Item = OsString>) -> Format {
    let words: Vec<_> = line
        .into_iter()
        .take_while(|word| word != "--")
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let separate = words.windows(2).filter(|pair| pair[0] == "--format").map(|pair| &*pair[1]);
    let joined = words.iter().filter_map(|word| word.strip_prefix("--format="));
    separate
        .chain(joined)
        .find_map(|name| Format::from_str(name, false).ok())
        .unwrap_or(Format::Human)
}

/// Returns clap's error as a finding: its first paragraph is the message, the others are notes.
fn finding(error: &clap::Error) -> Finding {
    let missing =
        [ErrorKind::MissingSubcommand, ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand];
    if missing.contains(&error.kind()) {
        return Finding::new(Code::Usage, "a command is missing")
            .with_help("`envlock --help` lists the commands");
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
        .with_help("`envlock COMMAND --help` lists the arguments of a command")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_found_in_a_line_that_is_not_valid() {
        let format = |line: &str| requested_format(line.split(' ').map(OsString::from));
        assert_eq!(format("envlock solve --wrong"), Format::Human);
        assert_eq!(format("envlock --format json solve --wrong"), Format::Json);
        assert_eq!(format("envlock solve --wrong --format=sarif"), Format::Sarif);
        assert_eq!(format("envlock --format github --wrong"), Format::Github);
        assert_eq!(format("envlock --wrong --format gitlab"), Format::Gitlab);
        assert_eq!(format("envlock --format no --format=gitlab"), Format::Gitlab);
        assert_eq!(format("envlock run --wrong -- x --format json"), Format::Human);
        assert_eq!(format("envlock --format"), Format::Human);
    }
}
