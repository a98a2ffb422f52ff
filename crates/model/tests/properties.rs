//! Laws of the reader: whatever the text, it answers, and always the same.

#![allow(clippy::unwrap_used, reason = "an unwrap in a test is its assertion")]

use std::fs;
use std::path::Path;

use envlock_model::spec::parse;
use envlock_report::AsFindings;
use proptest::prelude::*;

/// Real files where they are at hand, and our own.
fn seeds() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    [root.join("../../fixtures/environments"), root.join("../../../shared/environments")]
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok())
        .collect()
}

/// What makes a difference to YAML, to match specs or to selectors.
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

fn answers_twice_the_same(text: &str) {
    let [one, two] = [parse("f.yml", text), parse("f.yml", text)];
    assert_eq!(format!("{one:?}"), format!("{two:?}"));
    if let Err(invalid) = one {
        assert!(!invalid.findings().is_empty());
    }
}

proptest! {
    #[test]
    fn any_text_gets_an_answer(text in "\\PC{0,200}") {
        answers_twice_the_same(&text);
        answers_twice_the_same(&format!("dependencies:\n  - {text}\n"));
        answers_twice_the_same(&format!("dependencies:\n  - numpy # [{text}]\n"));
    }

    #[test]
    fn any_change_to_a_file_gets_an_answer(
        seed in proptest::sample::select(seeds()),
        changes in proptest::collection::vec((0.0..1.0, 0.0..0.05, piece()), 1..6),
    ) {
        let mut text = seed;
        for (from, length, piece) in changes {
            let (start, end) = (cut(&text, from), cut(&text, f64::min(from + length, 1.0)));
            text.replace_range(start..end, &piece);
        }
        answers_twice_the_same(&text);
    }
}
