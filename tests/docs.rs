//! The documentation by itself: both languages agree, links lead somewhere, the index and the
//! page on variables are complete.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::pages::{Block, Page, pages, root};

/// Pairs of a page and its translation.
fn translated() -> Vec<(Page, Page)> {
    let is_chinese = |page: &Page| page.path.contains("zh");
    let english = pages().into_iter().filter(|page| !is_chinese(page));
    english.filter_map(|page| Some((Page::read(&page.translation()?), page))).collect()
}

#[test]
fn a_translation_has_the_same_code_blocks() {
    assert!(translated().len() >= 4, "README, index, tutorial, mirrors");
    for (chinese, english) in translated() {
        let [ours, theirs] = [&english, &chinese].map(Page::blocks);
        assert_eq!(ours.len(), theirs.len(), "{} has other blocks", chinese.path);
        for (our, their) in ours.iter().zip(&theirs) {
            assert_eq!(our.language, their.language, "{}:{}", chinese.path, their.at.start);
            let [our_lines, their_lines] = [our, their].map(Block::without_comments);
            assert_eq!(our_lines, their_lines, "{}:{}", chinese.path, their.at.start);
        }
    }
}

#[test]
fn a_translation_has_the_same_headings_and_rows() {
    for (chinese, english) in translated() {
        assert_eq!(english.outline(), chinese.outline(), "{}", chinese.path);
    }
}

#[test]
fn every_translated_page_links_to_the_other_language_at_its_top() {
    for page in pages() {
        let Some(other) = page.translation() else {
            assert!(!page.path.contains("zh"), "{} translates nothing", page.path);
            continue;
        };
        let top = Page { text: page.text.lines().take(3).collect::<Vec<_>>().join("\n"), ..page };
        let targets = top.links();
        let targets: Vec<_> = targets.iter().map(|target| resolved(&top, target).0).collect();
        assert!(targets.contains(&root().join(&other)), "{}: {targets:?}", top.path);
    }
}

/// The file that a link leads to, and its anchor.
fn resolved(page: &Page, target: &str) -> (PathBuf, Option<String>) {
    let (file, anchor) = match target.split_once('#') {
        Some((file, anchor)) => (file, Some(anchor.to_owned())),
        None => (target, None),
    };
    let mut path = if file.is_empty() {
        PathBuf::from(&page.path)
    } else {
        Path::new(&page.path).parent().unwrap().to_owned()
    };
    for part in Path::new(file) {
        match part.to_str().unwrap() {
            ".." => assert!(path.pop(), "{}: {target}", page.path),
            "." => {}
            part => path.push(part),
        }
    }
    (root().join(path), anchor)
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading() {
    let mut broken = Vec::new();
    for page in pages() {
        for target in page.links().iter().filter(|target| !target.contains("://")) {
            let (path, anchor) = resolved(&page, target);
            let has_heading = |anchor: String| {
                let below = path.strip_prefix(root()).unwrap().to_str().unwrap();
                Page::read(below).anchors().contains(&anchor)
            };
            if !path.exists() || !anchor.is_none_or(has_heading) {
                broken.push(format!("{}: {target}", page.path));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn the_index_of_each_language_names_every_page() {
    for index in ["docs/README.md", "docs/zh/README.md"].map(Page::read) {
        let links: BTreeSet<_> =
            index.links().iter().map(|target| resolved(&index, target).0).collect();
        let folder = index.path.strip_suffix("README.md").unwrap();
        for page in pages() {
            let Some(name) = page.path.strip_prefix(folder) else { continue };
            if !name.contains('/') && name != "README.md" {
                assert!(links.contains(&root().join(&page.path)), "{}: {name}", index.path);
            }
        }
    }
}

/// The texts in capitals in the shipped part of a file that look like names of variables.
fn names_in(text: &str) -> Vec<String> {
    let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code = shipped.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n");
    let texts = code.split('"').skip(1).step_by(2).map(str::to_owned);
    let is_capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let is_name = |text: &String| text.len() > 2 && text.chars().all(is_capital);
    texts.filter(is_name).collect()
}

/// The shipped Rust files below a folder of the repository.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(root().join(folder)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = format!("{folder}/{name}");
        let is_rust = Path::new(&name).extension().is_some_and(|ending| ending == "rs");
        if root().join(&path).is_dir() {
            found.extend(sources(&path));
        } else if is_rust && !path.ends_with("tests.rs") && !path.contains("/tests/") {
            found.push((path.clone(), fs_err::read_to_string(root().join(path)).unwrap()));
        }
    }
    found
}

#[test]
fn the_page_on_variables_names_every_variable_that_is_read() {
    const FOLDERS: [&str; 6] = [
        "crates/cli/src",
        "crates/config/src",
        "crates/vault/src",
        "crates/pipeline/src",
        "crates/channel/src",
        "crates/install/src",
    ];
    let page = Page::read("docs/variables.md");
    let spans: BTreeSet<_> =
        page.spans().into_iter().map(|span| span.split('=').next().unwrap().to_owned()).collect();
    let mut missing = BTreeSet::new();
    let mut seen = 0;
    for folder in FOLDERS {
        for (path, text) in sources(folder) {
            // The server's variables are written without their prefix, as they have two.
            let of_server = path.ends_with("settings/vault.rs");
            for name in names_in(&text) {
                // One word in capitals may be anything, unless a variable of that name is read.
                let is_read = text.contains(&format!("get(\"{name}\")"));
                let name = name.trim_end_matches('_');
                let is_variable = is_read || of_server || name.contains('_');
                if !is_variable || name.starts_with("CARGO_") {
                    continue;
                }
                seen += 1;
                let prefix = if of_server { "VAULT_" } else { "" };
                let forms = [name.to_owned(), format!("{name}_*"), format!("{prefix}{name}")];
                if !forms.iter().any(|form| spans.contains(form))
                    && name != "VAULT"
                    && name != "BAO"
                {
                    missing.insert(format!("{path}: {name}"));
                }
            }
        }
    }
    assert!(seen > 30, "{seen}");
    assert_eq!(missing, BTreeSet::new());
}

/// The names of all tests of the workspace.
fn tests_of_the_workspace() -> BTreeSet<String> {
    let files = ["crates", "tests"].iter().flat_map(|folder| rust_files(&root().join(folder)));
    let texts = files.map(|file| fs_err::read_to_string(file).unwrap());
    let mut names = BTreeSet::new();
    for text in texts {
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
            if let Some(name) = name.and_then(|name| name.split('(').next()) {
                if is_test {
                    names.insert(name.to_owned());
                }
                is_test = false;
            }
        }
    }
    names
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    let below = folders.iter().filter(|path| !path.ends_with("target"));
    files.into_iter().filter(is_rust).chain(below.flat_map(|path| rust_files(path))).collect()
}

#[test]
fn every_test_that_the_page_on_security_names_exists() {
    let page = Page::read("docs/security.md");
    let tests = tests_of_the_workspace();
    let rows = page.text.lines().filter(|line| line.starts_with("| ") && line.ends_with("` |"));
    let mut named = 0;
    for row in rows {
        let last = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        for name in last.split(", ").map(|name| name.trim_matches('`')) {
            assert!(tests.contains(name), "no test is named {name}");
            named += 1;
        }
    }
    assert!(named > 30, "{named} tests are named");
}
