//! Validators of the texts in a manifest. Each text has one, so that a secret value is rejected.
//!
//! A validator returns a description of the valid texts as its error.

/// Checks the name of a need, a profile, a group or a policy: letters, digits, `_`, `-`, `.`.
pub fn name(text: &str) -> Result<(), &'static str> {
    let fits = !text.is_empty()
        && text.chars().count() <= 128
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if fits { Ok(()) } else { Err("letters, digits, `_`, `-` and `.`") }
}

/// Checks a mount, path, role or key, which becomes part of a request's path.
pub fn path(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.starts_with('/') || text.ends_with('/') {
        return Err("a path without a slash at its start or end");
    }
    if text.contains(['*', '+']) || text.contains("{{") {
        return Err("one exact path: no `*`, no `+`, no `{{`");
    }
    // HTTP clients resolve `.` and `..` in a URL, so the request would go to another path.
    if text.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Err("a path without empty segments, `.` and `..`");
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) || text.len() > 1024 {
        return Err("a path without spaces, of at most 1024 bytes");
    }
    Ok(())
}

/// Returns what a URL has after the server's address, without the API's `v1/`. `None` if the text
/// isn't a URL.
pub fn below_server(text: &str) -> Option<&str> {
    let scheme = text.get(..8)?.to_ascii_lowercase();
    let scheme = ["https://", "http://"].into_iter().find(|known| scheme.starts_with(known))?;
    let path = text[scheme.len()..].split_once('/').map_or("", |(_, path)| path);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    Some(path.strip_prefix("v1/").unwrap_or(path))
}

/// Checks the name of a variable.
pub fn variable(text: &str) -> Result<(), &'static str> {
    let fits = !text.is_empty()
        && text.len() <= 256
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if fits { Ok(()) } else { Err("a variable's name: letters, digits and `_`") }
}

/// Checks the name of a parameter of a request.
pub fn parameter(text: &str) -> Result<(), &'static str> {
    let fits = !text.is_empty() && text.len() <= 256 && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err("a name of at most 256 bytes") }
}

/// Checks a namespace: a path, or an empty text for the root namespace.
pub fn namespace(text: &str) -> Result<(), &'static str> {
    match text.trim_matches('/') {
        "" => Ok(()),
        inner => path(inner).map_err(|_| "a namespace such as admin/team-a, or `root`"),
    }
}

/// Checks the path of a file.
pub fn file_path(text: &str) -> Result<(), &'static str> {
    let fits = !text.is_empty() && text.len() <= 4096 && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err("the path of a file") }
}

/// Checks a duration such as `90s`, `15m`, `1h` or `7d`.
pub fn duration(text: &str) -> Result<(), &'static str> {
    let number = text.strip_suffix(['s', 'm', 'h', 'd']);
    let fits = number.is_some_and(|number| {
        !number.is_empty() && number.len() <= 9 && number.bytes().all(|b| b.is_ascii_digit())
    });
    if fits { Ok(()) } else { Err("a duration such as 90s, 15m, 1h or 7d") }
}

/// Checks a renewal such as `until 12h`.
pub fn renewal(text: &str) -> Result<(), &'static str> {
    match text.strip_prefix("until ").map(str::trim) {
        Some(rest) if duration(rest).is_ok() => Ok(()),
        _ => Err("`until` and a duration, such as until 12h"),
    }
}

/// Returns the seconds of `12h` or `until 12h`. `None` if the text isn't a duration.
pub fn seconds(text: &str) -> Option<u64> {
    let text = text.strip_prefix("until ").map_or(text, str::trim);
    let unit = match text.chars().next_back()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    text[..text.len() - 1].parse::<u64>().ok()?.checked_mul(unit)
}

/// Checks the length of a text for people.
pub fn free_text(text: &str) -> Result<(), &'static str> {
    if text.len() <= 1000 { Ok(()) } else { Err("a text of at most 1000 bytes") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_paths_are_paths() {
        for good in ["ml/db_creds", "团队/密钥", "a.b-c"] {
            assert_eq!(path(good), Ok(()), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", "a/../b", "a/./b", "a/*", "+/b", "{{x}}", "a b"] {
            assert!(path(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_url_is_known_by_its_scheme_and_loses_the_server() {
        let below = below_server("https://vault:8200/v1/secret/data/app?version=2");
        assert_eq!(below, Some("secret/data/app"));
        assert_eq!(below_server("HTTP://vault"), Some(""));
        assert_eq!((below_server("secret/app"), below_server("http:/团队/密钥")), (None, None));
    }

    #[test]
    fn durations_have_one_unit() {
        assert!(duration("90s").is_ok() && renewal("until 12h").is_ok());
        for bad in ["", "1", "h", "1h30m", "-1h", "1w"] {
            assert!(duration(bad).is_err() && seconds(bad).is_none(), "{bad}");
        }
        assert_eq!([seconds("15m"), seconds("until 12h")], [Some(900), Some(43_200)]);
        assert_eq!(seconds("999999999d"), Some(86_399_999_913_600));
    }
}
