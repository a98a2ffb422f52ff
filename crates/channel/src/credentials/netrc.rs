//! Reads `.netrc`: a user and a password by machine.
//!
//! The format is that of ftp and curl. `default` is ignored: it would send a password to every
//! server.

/// One machine and its login.
#[derive(Default)]
pub(super) struct Machine {
    pub(super) name: String,
    pub(super) login: String,
    pub(super) password: String,
}

/// Returns the machines that have a password.
pub(super) fn read(text: &str) -> Vec<Machine> {
    let mut machines: Vec<Machine> = Vec::new();
    let mut words = words(text).into_iter();
    let mut is_default = true;
    while let Some(word) = words.next() {
        match word.as_str() {
            "machine" => {
                let name = words.next().unwrap_or_default();
                machines.push(Machine { name, ..Machine::default() });
                is_default = false;
            }
            "default" => is_default = true,
            "login" | "password" | "account" => {
                let value = words.next().unwrap_or_default();
                match machines.last_mut().filter(|_| !is_default) {
                    Some(machine) if word == "login" => machine.login = value,
                    Some(machine) if word == "password" => machine.password = value,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    machines.retain(|machine| !machine.name.is_empty() && !machine.password.is_empty());
    machines
}

/// Splits the file into words, without comments and macros, and without the quotes of quoted
/// words.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut in_macro = false;
    for line in text.lines() {
        if in_macro {
            in_macro = !line.trim().is_empty();
            continue;
        }
        let mut rest = line.trim_start();
        while !rest.is_empty() && !rest.starts_with('#') {
            let (word, after) = word(rest);
            if word == "macdef" {
                in_macro = true;
                break;
            }
            words.push(word);
            rest = after.trim_start();
        }
    }
    words
}

/// Splits the first word off a text that begins with one.
fn word(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut word = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (word, &quoted[at + 1..]),
            '\\' => word.extend(chars.next().map(|(_, escaped)| escaped)),
            c => word.push(c),
        }
    }
    (word, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_read_in_any_layout() {
        let text = "# machine no login no password no\n\
                    machine a.example login me password p#1\n\
                    machine 包.example\n  login \"m e\"\n  account x\n  password \"p \\\" q\"\n\
                    macdef init\n  machine no password no\n\n\
                    machine none.example login me\n\
                    default login anybody password secret\n\
                    machine b.example password only\n\
                    machine";
        let read: Vec<_> = read(text)
            .into_iter()
            .map(|machine| [machine.name, machine.login, machine.password].join("|"))
            .collect();
        assert_eq!(read, ["a.example|me|p#1", "包.example|m e|p \" q", "b.example||only"]);
    }

    proptest::proptest! {
        #[test]
        fn reading_never_panics(text in "(machine|default|macdef|\"|\\\\|#|login|[a-z]|\\s){0,40}") {
            read(&text);
        }
    }
}
