//! The `pip:` sections of real files. They aren't part of this repository.

use std::fs;
use std::path::Path;

use super::{codes, inputs, meaning, read};

#[test]
fn the_pip_sections_of_real_files_mean_what_is_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/environments");
    let Ok(index) = fs::read_to_string(folder.join("INDEX.tsv")) else { return };
    let listed = index.lines().filter(|line| line.contains("pip-section"));
    let mut names: Vec<_> = listed.filter_map(|line| line.split('\t').next()).collect();
    names.push("article.yml");
    names.sort_unstable();
    let mut found = String::new();
    for name in names {
        // A template: its placeholder has a value, and its file exists.
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let text = text.replace("{ARGH_PATH_PLACEHOLDER}", "https://example.org/argh");
        let (inputs, findings) =
            inputs(read(&text, &[("another-project-requirements.txt", "six")]));
        found.push_str(&format!("{name}\n"));
        for line in meaning::of(&inputs).iter().chain(&codes(&findings)) {
            found.push_str(&format!("    {line}\n"));
        }
    }
    insta::assert_snapshot!(found);
}
