//! Reads random texts: each is an environment or has findings, and the result is always the same.

#![allow(clippy::unwrap_used, reason = "an unwrap in a test is its assertion")]

use std::fs;
use std::path::Path;

use envlock_model::spec::parse;
use envlock_report::AsFindings;
use proptest::prelude::*;

/// Returns the texts of the fixtures, and of real files if they exist.
fn seeds() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    [root.join("../../fixtures/environments"), root.join("../../../shared/environments")]
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok())
        .collect()
}

/// Creates a text with a meaning in YAML, match specs or selectors.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("\n  - ".to_owned()),
        Just("  # [".to_owned()),
        Just("&a ".to_owned()),
        Just("*a ".to_owned()),
        Just("\u{feff}".to_owned()),
        Just("\r\n".to_owned()),
        Just("---\n".to_owned()),
        Just("::".to_owned()),
        Just("sel(".to_owned()),
        Just("{{".to_owned()),
        "[-=<>!~,|*\\[\\](){}:#@$'\"&?%\\\\ \t\n]{1,4}",
        "\\PC{1,8}",
        "((not |and |or |\\(|linux ?){1,6})",
    ]
}

fn cut(text: &str, at: f64) -> usize {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let near = (text.len() as f64 * at) as usize;
    (0..=near).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

fn check_same_result_twice(text: &str) {
    let [one, two] = [parse("f.yml", text), parse("f.yml", text)];
    assert_eq!(format!("{one:?}"), format!("{two:?}"));
    if let Err(invalid) = one {
        assert!(!invalid.findings().is_empty());
    }
}

proptest! {
    #[test]
    fn any_text_has_the_same_result_twice(text in "\\PC{0,200}") {
        check_same_result_twice(&text);
        check_same_result_twice(&format!("dependencies:\n  - {text}\n"));
        check_same_result_twice(&format!("dependencies:\n  - numpy # [{text}]\n"));
    }

    #[test]
    fn a_changed_file_has_the_same_result_twice(
        seed in proptest::sample::select(seeds()),
        changes in proptest::collection::vec((0.0..1.0, 0.0..0.05, piece()), 1..6),
    ) {
        let mut text = seed;
        for (from, length, piece) in changes {
            let (start, end) = (cut(&text, from), cut(&text, f64::min(from + length, 1.0)));
            text.replace_range(start..end, &piece);
        }
        check_same_result_twice(&text);
    }
}
