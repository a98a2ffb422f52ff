use proptest::prelude::*;
use rattler_conda_types::Subdir;

use super::{Selector, SelectorError};

fn platforms(selector: &str) -> Vec<&'static str> {
    let usual = [
        Subdir::Linux64,
        Subdir::LinuxAarch64,
        Subdir::Osx64,
        Subdir::OsxArm64,
        Subdir::Win64,
        Subdir::WinArm64,
    ];
    let selector = Selector::parse(selector).unwrap();
    usual.into_iter().filter(|s| selector.matches(*s)).map(Subdir::as_str).collect()
}

#[test]
fn words_have_the_same_meaning_as_in_conda_build() {
    let cases: &[(&str, &[&str])] = &[
        ("linux", &["linux-64", "linux-aarch64"]),
        ("osx", &["osx-64", "osx-arm64"]),
        ("win", &["win-64", "win-arm64"]),
        ("unix", &["linux-64", "linux-aarch64", "osx-64", "osx-arm64"]),
        ("linux64", &["linux-64"]),
        ("osx64", &["osx-64"]),
        ("win64", &["win-64"]),
        ("x86_64", &["linux-64", "osx-64", "win-64"]),
        ("x86", &["linux-64", "osx-64", "win-64"]),
        ("arm64", &["osx-arm64", "win-arm64"]),
        ("aarch64", &["linux-aarch64"]),
        ("linux-64", &["linux-64"]),
        ("ppc64le", &[]),
        ("not win", &["linux-64", "linux-aarch64", "osx-64", "osx-arm64"]),
        ("osx and arm64", &["osx-arm64"]),
        ("win or osx and arm64", &["osx-arm64", "win-64", "win-arm64"]),
        ("(win or osx) and arm64", &["osx-arm64", "win-arm64"]),
        ("unix and not (osx or aarch64)", &["linux-64"]),
        ("not not win64", &["win-64"]),
    ];
    for (selector, expected) in cases {
        assert_eq!(platforms(selector), *expected, "{selector}");
    }
}

#[test]
fn a_misspelled_selector_is_an_error_and_an_ordinary_comment_is_not() {
    for comment in ["# [linux]", "#[linux]", "# [ linux ] as the others have it", "## [linux]"] {
        assert!(matches!(Selector::in_comment(comment), Ok(Some(_))), "{comment}");
    }
    for comment in [
        "# linux",
        "# [1]",
        "# [see docs](https://x)",
        "# [linux](https://x)",
        "# [TODO]",
        "# see [win]",
        "#",
    ] {
        assert_eq!(Selector::in_comment(comment), Ok(None), "{comment}");
    }
    for comment in [
        "# [linx]",
        "# [linux and py38]",
        "# [linux",
        "# [linux or]",
        "# [linux osx]",
        "# [Linux]",
        "# [(win]",
        "# [linux and py>=38]",
    ] {
        assert!(Selector::in_comment(comment).is_err(), "{comment}");
    }
    let Err(SelectorError::UnknownWord { nearest, .. }) = Selector::in_comment("# [not windos]")
    else {
        panic!("a misspelt word")
    };
    assert_eq!(nearest.as_deref(), Some("win"));
}

#[test]
fn a_selector_of_words_that_are_no_platforms_is_found() {
    for (comment, text) in [
        ("# [foo]", "foo"),
        ("# [cuda]", "cuda"),
        ("#[ true ]", "true"),
        ("# [not py38 and (gpu or cuda)]", "not py38 and (gpu or cuda)"),
    ] {
        assert_eq!(Selector::in_comment(comment), Ok(None), "{comment}");
        assert_eq!(Selector::unknown_in_comment(comment), Some(text), "{comment}");
    }
    for comment in ["# foo", "# [1]", "# [see docs]", "# [foo](https://x)", "# [a, b]", "# see [x]"]
    {
        assert_eq!(Selector::unknown_in_comment(comment), None, "{comment}");
    }
}

#[test]
fn very_long_selectors_are_rejected() {
    assert!(Selector::parse(&"(".repeat(100_000)).is_err());
    assert!(Selector::parse(&"not ".repeat(100_000)).is_err());
}

fn selector() -> impl Strategy<Value = String> {
    let word = proptest::sample::select(vec!["linux", "osx", "win", "arm64", "linux-64", "unix"]);
    word.prop_map(str::to_owned).prop_recursive(4, 12, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| format!("not ({a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) and ({b})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a}) or ({b})")),
        ]
    })
}

proptest! {
    #[test]
    fn the_canonical_text_means_the_same(text in selector()) {
        let selector = Selector::parse(&text);
        prop_assume!(selector.is_ok());
        let selector = selector.unwrap();
        let again = Selector::parse(&selector.to_string()).unwrap();
        prop_assert_eq!(again.to_string(), selector.to_string());
        for subdir in Subdir::all() {
            prop_assert_eq!(again.matches(subdir), selector.matches(subdir));
        }
    }
}
