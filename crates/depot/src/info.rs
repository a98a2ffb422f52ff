//! The files under `info/` of a package.

use std::fmt::Write as _;
use std::io;

use rattler_conda_types::package::FileMode;
use serde_json::{Map, Value, json};

use crate::entry::{Content, Entry, PLACEHOLDER};

/// Creates the files of `info/`, sorted by path.
///
/// `index` is the package's `index.json`; `link` its `link.json`, when it needs one.
pub(crate) fn files(
    index: &Map<String, Value>,
    link: Option<Value>,
    payload: &[Entry],
) -> io::Result<Vec<Entry>> {
    let about = json!({ "license": index.get("license"), "summary": "made by envlock" });
    let paths = payload.iter().map(path).collect::<io::Result<Vec<_>>>()?;
    let mut files = vec![
        json_file("info/about.json", &about),
        Entry::bytes("info/files", list(payload)),
        json_file("info/index.json", index),
        json_file("info/paths.json", &json!({ "paths": paths, "paths_version": 1 })),
    ];
    if payload.iter().any(|entry| entry.placeholder.is_some()) {
        files.push(Entry::bytes("info/has_prefix", has_prefix(payload)));
    }
    files.extend(link.map(|link| json_file("info/link.json", &link)));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn json_file(path: &str, value: &impl serde::Serialize) -> Entry {
    let text = serde_json::to_vec_pretty(value).expect("JSON values have string keys only");
    Entry::bytes(path, text)
}

fn list(payload: &[Entry]) -> String {
    payload.iter().fold(String::new(), |list, entry| list + &entry.path + "\n")
}

/// Creates an entry of `paths.json`, version 1. A link's digest would be its target's; it has none.
fn path(entry: &Entry) -> io::Result<Value> {
    if let Content::Symlink(_) = entry.content {
        return Ok(json!({ "_path": entry.path, "path_type": "softlink" }));
    }
    let (sha256, size) = match &entry.listed {
        Some(bytes) => Entry::bytes("", bytes.clone()).digest()?,
        None => entry.digest()?,
    };
    let mut path = json!({
        "_path": entry.path,
        "path_type": "hardlink",
        "sha256": sha256,
        "size_in_bytes": size,
    });
    if let Some(mode) = entry.placeholder {
        path["prefix_placeholder"] = json!(PLACEHOLDER);
        path["file_mode"] = json!(mode_name(mode));
    }
    Ok(path)
}

/// Creates `has_prefix`, which older installers read instead of `paths.json`.
fn has_prefix(payload: &[Entry]) -> String {
    let mut text = String::new();
    for entry in payload {
        let Some(mode) = entry.placeholder else { continue };
        // The line is split as a shell would.
        let quote = if entry.path.contains(char::is_whitespace) { "\"" } else { "" };
        let mode = mode_name(mode);
        writeln!(text, "{PLACEHOLDER} {mode} {quote}{}{quote}", entry.path)
            .expect("a String takes everything");
    }
    text
}

fn mode_name(mode: FileMode) -> &'static str {
    match mode {
        FileMode::Binary => "binary",
        FileMode::Text => "text",
    }
}
