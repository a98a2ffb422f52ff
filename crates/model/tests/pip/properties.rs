//! Reads random lines: none panics, and the result is always the same.

use proptest::prelude::*;

use super::{inputs, section};

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "numpy",
            "==",
            "1.0",
            "-e ",
            "-r ",
            "--hash=sha256:",
            "git+https://h/",
            "@",
            "#egg=",
            "; ",
            "python_version",
            " < \"3\"",
            "[a]",
            "\\\n",
            " # ",
            "${X}",
            "${",
            "$",
            "(",
            ")",
            "and ",
            "not in ",
            "'",
            "\"",
            "file:",
            "--index-url ",
            "--no-binary ",
            ":all:",
            "r.txt",
            "../",
            ".whl",
            "\u{feff}",
            "名",
            "\r",
            "\u{2028}",
            "://",
            "-",
            "--",
            "=",
            "{{x}}",
        ])
        .prop_map(str::to_owned),
        "\\PC{1,6}",
        "[-=<>!~,|*\\[\\](){}:#@$'\"&?%\\\\ \t\n]{1,4}",
    ]
}

proptest! {
    #[test]
    fn any_line_has_the_same_result_twice(pieces in prop::collection::vec(piece(), 0..12)) {
        let text = pieces.concat();
        let files = [("r.txt", text.as_str())];
        let [one, two] = [(); 2].map(|()| inputs(section(&["-r r.txt"], &files)));
        prop_assert_eq!(format!("{:?}", one), format!("{:?}", two));
        for line in &one.0.lines {
            prop_assert!(!line.text.is_empty() && line.text.trim() == line.text);
        }
        for finding in &one.1 {
            prop_assert!(finding.help.is_some() || !finding.message.is_empty());
            let place = finding.place.as_ref().unwrap();
            prop_assert!(place.column >= 1 && place.line >= 1);
        }
    }

    #[test]
    fn a_line_of_the_lock_is_read_as_the_same_line(pieces in prop::collection::vec(piece(), 0..8)) {
        let text = pieces.concat();
        let (first, _) = inputs(section(&["-r r.txt"], &[("r.txt", &text)]));
        let written: String = first.lines.iter().map(|line| format!("{}\n", line.text)).collect();
        let (second, _) = inputs(section(&["-r r.txt"], &[("r.txt", &written), ("other.txt", "")]));
        let texts = |inputs: &envlock_model::pip::PipInputs| -> Vec<_> {
            inputs.lines.iter().map(|line| line.text.clone()).collect()
        };
        prop_assert_eq!(texts(&first), texts(&second));
    }
}

/// The cost is counted in findings and lines, not in time: the limits bound both.
#[test]
fn long_and_many_lines_are_bounded() {
    let open = "(".repeat(60_000);
    let deep = format!("a; {}python_version < \"3\"\n", "(".repeat(5_000));
    let terms = format!("a; {}python_version < \"3\"\n", "extra == \"x\" or ".repeat(500));
    let many = "a\n".repeat(30_000);
    for text in [open, deep, terms, many, "\\\n".repeat(100_000), "'".repeat(9_999)] {
        let (_, findings) = inputs(section(&["-r r.txt"], &[("r.txt", &text)]));
        assert!(findings.len() < 20_010);
    }
    let limited = |text: &str| {
        let (_, findings) = inputs(section(&["-r r.txt"], &[("r.txt", text)]));
        findings.iter().any(|finding| finding.code == "input-limit")
    };
    let sets: String = (0..9).map(|n| format!("extra == \"x{n}\" or ")).collect();
    assert!(limited(&format!("a; {sets}python_version < \"3\"\n")));
    assert!(limited(&format!("a; {}", "python_version < \"3\" or ".repeat(65))));
    assert!(limited(&format!("a; {}", "(".repeat(17))));
    assert!(limited(&"a".repeat(60_000)));
    assert!(limited(&(0..20_001).map(|n| format!("a{n}\n")).collect::<String>()));
    assert!(!limited(&format!(
        "a; {}",
        "python_version < \"3\" or ".repeat(60) + "os_name == \"nt\""
    )));
}
