//! Finds secrets in files and variables where they aren't allowed. The findings have the places
//! and never the secrets.

use envlock_text::{Pos, redact::find_secrets, to_u32};

use crate::{Code, Finding};

const HELP: &str = "remove it from the file and its history, and revoke it, because readers of \
                    the file can have copied it; write `{env: NAME}` or `{file: PATH}` instead";

/// Returns a finding for each part of `text`, the content of `file`, that looks like a secret.
pub fn secrets_in_file(file: &str, text: &str) -> Vec<Finding> {
    let (mut pos, mut from) = (Pos::START, 0);
    find_secrets(text)
        .into_iter()
        .map(|(range, kind)| {
            pos = advance(pos, &text[from..range.start]);
            from = range.start;
            let message = format!("this text looks like {kind}");
            Finding::new(Code::SecretInFile, message).at(pos.place(file)).with_help(HELP)
        })
        .collect()
}

/// Returns a finding for each of `variables` (name and value) whose value looks like a secret.
/// Their values should be names or paths.
pub fn secrets_in_variables<'v>(
    variables: impl IntoIterator<Item = (&'v str, &'v str)>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, value) in variables {
        if let Some((_, kind)) = find_secrets(value).first() {
            let message = format!("the value of the variable {name} looks like {kind}");
            let help = format!(
                "unset {name}; envlock reads credentials only from the variables and files that \
                 the manifest names"
            );
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
    fn a_finding_has_the_place_of_the_secret_and_not_the_secret() {
        let finding = &secrets_in_file("a.yml", "x: 1\n密: hvs.CAESIJ0123456789")[0];
        let place = finding.place.clone().unwrap();
        assert_eq!((place.line, place.column), (2, 4));
        assert!(!format!("{finding:?}").contains("CAESIJ"), "{finding:?}");
    }
}
