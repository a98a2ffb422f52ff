//! Recognises lines in the syntax of something else, such as conda, and says how pip writes them.

use pep508_rs::PackageName;

use super::problem::Problem;

/// Characters of other keyboards, and the ones that are meant.
const WIDE: [(char, &str); 17] = [
    ('＝', "="),
    ('＜', "<"),
    ('＞', ">"),
    ('！', "!"),
    ('～', "~"),
    ('；', ";"),
    ('，', ","),
    ('（', "("),
    ('）', ")"),
    ('［', "["),
    ('］', "]"),
    ('＠', "@"),
    ('“', "\""),
    ('”', "\""),
    ('‘', "'"),
    ('’', "'"),
    ('：', ":"),
];

/// Returns the problem of a line that pip can't mean, whatever its other parts are.
pub(super) fn recognise(text: &str) -> Option<Problem> {
    command(text).or_else(|| dash(text)).or_else(|| channel(text)).or_else(|| wide(text))
}

fn command(text: &str) -> Option<Problem> {
    let mut words = text.split_whitespace();
    let is_install = match (words.next()?, words.next()?) {
        ("pip" | "pip3" | "conda" | "mamba", "install") => true,
        ("uv", "pip") => words.next() == Some("install"),
        _ => false,
    };
    if !is_install {
        return None;
    }
    let at = text.find("install").map_or(text.len(), |at| at + "install".len());
    let rest = text[at..].trim();
    let help = match rest {
        "" => "remove the line".to_owned(),
        rest => format!("write only `{rest}`"),
    };
    Some(Problem::syntax(0..at, "this is a command, and not a requirement", help))
}

/// An option whose dashes a text editor has replaced.
fn dash(text: &str) -> Option<Problem> {
    let is_dash = |c: char| matches!(c, '–' | '—' | '−' | '‐');
    let rest = text.trim_start_matches(|c: char| is_dash(c) || c == '-');
    let is_option =
        text.starts_with(is_dash) && rest.starts_with(|c: char| c.is_ascii_alphabetic());
    is_option.then(|| {
        let dashes = if rest.chars().nth(1).is_none_or(char::is_whitespace) { "-" } else { "--" };
        let option = rest.split_whitespace().next().unwrap_or(rest);
        let message = "this line starts with a long dash, and not with `-`";
        Problem::syntax(0..text.len() - rest.len(), message, format!("write `{dashes}{option}`"))
    })
}

fn channel(text: &str) -> Option<Problem> {
    let front = text.split(['"', '\'', ';']).next()?;
    let at = front.find("::")?;
    // In `https://[fe80::1]/` it is a part of the host.
    let is_host = |address: &str| !address.contains('/');
    if front[..at].split_once("://").is_some_and(|(_, address)| is_host(address))
        || front[..at].contains('@')
    {
        return None;
    }
    let message = format!("`{}` is a conda channel, which pip doesn't have", &front[..at]);
    let help = "move the line to `dependencies:`, above `- pip:`";
    Some(Problem::syntax(0..at + 2, message, help))
}

fn wide(text: &str) -> Option<Problem> {
    // A path or a URL can have any character.
    if text.split(';').next()?.contains('/') {
        return None;
    }
    let (at, c, plain) = text.char_indices().find_map(|(at, c)| {
        let (_, plain) = WIDE.iter().find(|(wide, _)| *wide == c)?;
        Some((at, c, *plain))
    })?;
    let message = format!("`{c}` isn't the character `{plain}`");
    Some(Problem::syntax(at..at + c.len_utf8(), message, format!("write `{plain}`")))
}

/// Explains what follows a name where an operator is expected. `rest` starts at an offset of the
/// text.
pub(super) fn explain_rest(text: &str, name: &PackageName, start: usize) -> Problem {
    let rest = text[start..].trim_end();
    let at = start..start + rest.len();
    let starts_with_digit = rest.starts_with(|c: char| c.is_ascii_digit());
    if starts_with_digit {
        let mut words = rest.split_whitespace();
        let version = words.next().unwrap_or(rest);
        let version = version.split('=').next().unwrap_or(version);
        let message = format!("an operator is missing before `{rest}`");
        return Problem::syntax(at, message, format!("write `{name}=={version}`"));
    }
    let help = match rest.chars().next() {
        Some('/' | '\\' | ':') => "a path starts with `./`, and a URL with its scheme: `https://`",
        Some(c) if c.is_alphanumeric() && !c.is_ascii() => {
            let message = format!("a package name can't have `{c}`");
            let at = start..start + c.len_utf8();
            return Problem::syntax(at, message, "use ASCII letters, digits, `-`, `_` and `.`");
        }
        Some(c) if c.is_alphanumeric() => {
            "write one requirement per line, and a comment after ` #`"
        }
        _ => "write it like `numpy>=1.24,<2`, and a marker after `;`",
    };
    Problem::syntax(at, format!("`{rest}` can't follow a package's name"), help)
}
