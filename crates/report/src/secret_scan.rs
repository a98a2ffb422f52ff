//! Findings for what looks like a secret where none belongs: named by place, never shown.

use envlock_text::{Pos, redact::find_secrets, to_u32};

use crate::{Code, Finding};

/// What to say wherever something of the kind lies about.
const HELP: &str = "take it out of the file and its history, and revoke it: whoever read the file \
                    may have it; a manifest names `{env: NAME}` or `{file: PATH}` instead";

/// One finding for each thing in `text`, the content of `file`, that looks like a secret.
pub fn secrets_in_file(file: &str, text: &str) -> Vec<Finding> {
    let (mut pos, mut from) = (Pos::START, 0);
    find_secrets(text)
        .into_iter()
        .map(|(range, kind)| {
            pos = advance(pos, &text[from..range.start]);
            from = range.start;
            let message = format!("something shaped like {kind} stands in this file");
            let diagnostic = Finding::new(Code::SecretInFile, message);
            diagnostic.at(pos.place(file)).with_help(HELP)
        })
        .collect()
}

/// A finding for each variable of `variables` (name and value) that holds something shaped
/// like a secret, where the manifest expects only a name or a path. Named by the variable.
pub fn secrets_in_variables<'v>(
    variables: impl IntoIterator<Item = (&'v str, &'v str)>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, value) in variables {
        if let Some((_, kind)) = find_secrets(value).first() {
            let message = format!("the variable {name} holds something shaped like {kind}");
            let help =
                format!("unset {name}; envlock reads credentials only where the manifest says");
            findings.push(Finding::new(Code::SecretInVariable, message).with_help(help));
        }
    }
    findings
}

fn advance(pos: Pos, text: &str) -> Pos {
    match text.rfind('\n') {
        None => Pos { column: pos.column + to_u32(text.chars().count()), ..pos },
        Some(newline) => Pos {
            line: pos.line + to_u32(text.matches('\n').count()),
            column: to_u32(text[newline + 1..].chars().count() + 1),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_counts_characters_and_the_secret_is_not_shown() {
        let finding = &secrets_in_file("a.yml", "x: 1\n密: hvs.CAESIJ0123456789")[0];
        let place = finding.place.clone().unwrap();
        assert_eq!((place.line, place.column), (2, 4));
        assert!(!format!("{finding:?}").contains("CAESIJ"), "{finding:?}");
    }
}
