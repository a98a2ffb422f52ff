//! Reads the body of a lock by `rattler_lock`, and describes its errors with their places.

use envlock_text::Pos;
use envlock_text::tree::{Kind, Node};
use rattler_lock::{LockFile, ParseCondaLockError};

use super::LockError;

/// Reads the body of a lock whose text is `document`.
pub(super) fn read(file: &str, text: &str, document: &Node) -> Result<LockFile, LockError> {
    LockFile::from_str_with_base_directory(text, None)
        .map_err(|error| explain(file, document, &error))
}

/// Describes an error of the library with its place. The library's errors have no line, so the
/// package with the error is found by reading each package alone.
fn explain(file: &str, document: &Node, error: &ParseCondaLockError) -> LockError {
    if let ParseCondaLockError::MissingPackage { platform, location, .. } = error {
        let node = document.get("environments").and_then(|node| with_text(node, location));
        return LockError::Malformed {
            place: node.unwrap_or(document).place(file),
            message: format!("{} is listed for {platform}, but has no block", last(location)),
        };
    }
    let packages = document.get("packages").and_then(Node::items).unwrap_or_default();
    let invalid = packages.iter().find(|package| !is_readable(package));
    let url = invalid.and_then(|package| package.get("conda"));
    if let (Some(package), Some((node, url))) =
        (invalid, url.and_then(|node| Some((node, node.text()?))))
    {
        let message = format!("{} {}", last(url), fault(package));
        return LockError::Malformed { place: node.place(file), message };
    }
    let entry = document.entry("environments");
    let place = entry.map_or(Pos::START.place(file), |entry| entry.key.place(file));
    let message = "its platforms, environments and packages contradict each other".to_owned();
    LockError::Malformed { place, message }
}

/// Returns the last scalar with this text.
fn with_text<'n>(node: &'n Node, text: &str) -> Option<&'n Node> {
    match &node.kind {
        Kind::Scalar { .. } => node.text().filter(|own| *own == text).map(|_| node),
        Kind::List(items) => items.iter().rev().find_map(|item| with_text(item, text)),
        Kind::Map(entries) => entries.iter().rev().find_map(|entry| with_text(&entry.value, text)),
    }
}

/// Whether a lock with only this package can be read. The lock is JSON, which is also YAML.
fn is_readable(package: &Node) -> bool {
    let alone = serde_json::json!({
        "version": super::BODY_VERSION,
        "platforms": [],
        "environments": {},
        "packages": [package.to_json()],
    });
    LockFile::from_str_with_base_directory(&alone.to_string(), None).is_ok()
}

/// Describes the error in a package's block.
fn fault(package: &Node) -> String {
    let is_wrong = |(key, digits): &(&str, usize)| {
        let text = package.get(key).and_then(Node::text);
        let is_digest =
            |text: &str| text.len() == *digits && text.chars().all(|c| c.is_ascii_hexdigit());
        package.get(key).is_some() && !text.is_some_and(is_digest)
    };
    match [("sha256", 64), ("md5", 32)].iter().find(|digest| is_wrong(digest)) {
        Some((key, digits)) => format!("has a {key} that isn't {digits} hexadecimal digits"),
        None => "has an invalid block".to_owned(),
    }
}

/// Returns the file name at the end of a URL.
fn last(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}
