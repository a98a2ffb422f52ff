//! Resolves a URL, a path or a name to the URL of a channel's folder.

use std::path::Path;
use std::str::FromStr;

use envlock_text::redact::has_misplaced_at;
use rattler_conda_types::Subdir;
use url::Url;

use super::InvalidChannel;

/// Returns the URL of the folder that a URL or a path means. `None` for a name.
pub(super) fn folder_url_unless_name(
    text: &str,
    base_dir: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Option<Result<Url, InvalidChannel>> {
    if let Some(bad) = text.chars().find(|c| c.is_control()) {
        return Some(Err(InvalidChannel::InvalidCharacter(bad.escape_debug().to_string())));
    }
    if text.contains("://") {
        return Some(url(text));
    }
    is_path(text).then(|| path(text, base_dir, variable))
}

fn url(text: &str) -> Result<Url, InvalidChannel> {
    if text.contains(['?', '#']) {
        return Err(InvalidChannel::QueryOrFragment);
    }
    if let Some(bad) = text.chars().find(|c| c.is_whitespace() || "<>\"'`{}|\\^*".contains(*c)) {
        return Err(InvalidChannel::InvalidCharacter(bad.to_string()));
    }
    let mut url = Url::parse(text).map_err(|_| InvalidChannel::InvalidUrl)?;
    match url.scheme() {
        // A password with a `/` ends the host for a parser, and the rest would be a path.
        "http" | "https" if has_misplaced_at(text) => return Err(InvalidChannel::MisplacedAt),
        "http" | "https" if url.has_host() => {}
        "file" => {}
        other => return Err(InvalidChannel::UnsupportedScheme(other.to_owned())),
    }
    trim(&mut url);
    Ok(url)
}

/// Removes a subdir, an index and slashes at the end, which are often copied with a URL.
fn trim(url: &mut Url) {
    let mut parts: Vec<&str> = url.path().split('/').filter(|part| !part.is_empty()).collect();
    let is_index = |part: &str| {
        ["repodata.json", "current_repodata.json"].iter().any(|index| {
            part.strip_prefix(index).is_some_and(|ext| ["", ".zst", ".bz2", ".gz"].contains(&ext))
        })
    };
    if parts.last().is_some_and(|part| is_index(part)) {
        parts.pop();
    }
    if parts.last().is_some_and(|part| Subdir::from_str(part).is_ok()) {
        parts.pop();
    }
    let slash = if parts.is_empty() { "" } else { "/" };
    let path = format!("/{}{slash}", parts.join("/"));
    url.set_path(&path);
}

fn is_path(text: &str) -> bool {
    let starts = ["./", "../", ".\\", "..\\", "/", "\\\\", "~/", "~\\"];
    matches!(text, "." | ".." | "~") || is_drive(text) || starts.iter().any(|s| text.starts_with(s))
}

/// Whether a path begins with `C:\` or `C:/`, with any letter.
fn is_drive(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.next() == Some(':')
        && matches!(chars.next(), Some('/' | '\\'))
}

fn path(
    text: &str,
    base_dir: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Url, InvalidChannel> {
    let absolute = if let Some(rest) = text.strip_prefix('~') {
        let home = variable("HOME").or_else(|| variable("USERPROFILE"));
        format!("{}{rest}", home.ok_or_else(|| InvalidChannel::UnsetVariable("HOME".to_owned()))?)
    } else if text.starts_with(['/', '\\']) || is_drive(text) {
        text.to_owned()
    } else {
        format!("{}/{text}", base_dir.to_str().ok_or(InvalidChannel::NoBaseFolder)?)
    };
    if !absolute.starts_with(['/', '\\']) && !is_drive(&absolute) {
        return Err(InvalidChannel::NoBaseFolder);
    }
    // `\` is a separator in a path of Windows only. Elsewhere it is a character of a name.
    let windows = is_drive(&absolute) || absolute.starts_with("\\\\");
    let slashed = if windows { absolute.replace('\\', "/") } else { absolute };
    file_url(&slashed)
}

fn file_url(path: &str) -> Result<Url, InvalidChannel> {
    let (host, path) = match path.strip_prefix("//") {
        Some(share) => share.split_once('/').unwrap_or((share, "")),
        None => ("", path),
    };
    let mut url = Url::parse(&format!("file://{host}/")).map_err(|_| InvalidChannel::InvalidUrl)?;
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    url.path_segments_mut()
        .map_err(|()| InvalidChannel::InvalidUrl)?
        .clear()
        .extend(parts)
        .push("");
    trim(&mut url);
    Ok(url)
}

/// Returns the URL of a name below the base URL of its setting.
pub(super) fn locate_name(text: &str, base: &Url) -> Result<Url, InvalidChannel> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '+');
    if let Some(bad) = text.chars().find(|c| !allowed(*c)) {
        return Err(InvalidChannel::InvalidCharacter(bad.to_string()));
    }
    let text = text.trim_end_matches('/');
    if text.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(InvalidChannel::InvalidNamePart);
    }
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| InvalidChannel::InvalidUrl)?
        .pop_if_empty()
        .extend(text.split('/'));
    trim(&mut url);
    Ok(url)
}
