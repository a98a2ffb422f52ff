use std::fmt::Write;

use envlock_report::{AsFindings, Exit};

use super::{Environment, parse};

fn read(text: &str) -> Environment {
    parse("environment.yml", text).unwrap_or_else(|e| panic!("{e}"))
}

/// Returns `line:column code` of each finding about a text.
fn findings(text: &str) -> Vec<String> {
    let found = match parse("environment.yml", text) {
        Ok(environment) => environment.warnings,
        Err(invalid) => invalid.findings(),
    };
    let place = |d: &envlock_report::Finding| d.place.clone().unwrap();
    found.iter().map(|d| format!("{}:{} {}", place(d).line, place(d).column, d.code)).collect()
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_have_no_effect() {
    let unix = "name: x\nchannels:\n- conda-forge\ndependencies:\n- python=3.10 # [linux]\n";
    let windows = format!("\u{feff}{}", unix.replace('\n', "\r\n"));
    let windows = envlock_text::decode("environment.yml", windows.into_bytes()).unwrap();
    assert_eq!(format!("{:?}", read(unix)), format!("{:?}", read(&windows)));
}

#[test]
fn a_document_start_is_allowed_and_a_second_document_is_an_error() {
    assert_eq!(read("---\ndependencies: [a]\n").dependencies.len(), 1);
    assert_eq!(findings("dependencies: [a]\n---\nname: [\n"), ["2:1 second-document"]);
}

#[test]
fn a_text_that_is_no_environment_is_an_error() {
    assert_eq!(findings(""), ["1:1 empty-environment"]);
    assert_eq!(findings("# nothing\n"), ["1:1 empty-environment"]);
    assert_eq!(findings("---\n"), ["1:1 empty-environment"]);
    assert_eq!(findings("- numpy\n"), ["1:1 wrong-type"]);
    assert_eq!(findings("numpy\n"), ["1:1 wrong-type"]);
    assert_eq!(parse("f", "").unwrap_err().exit(), Exit::Usage);
}

#[test]
fn sections_may_be_empty_and_an_environment_without_dependencies_is_an_error() {
    let text = "name:\nchannels:\nplatforms:\ndependencies: []\nvariables:\n";
    let environment = read(text);
    assert!(environment.name.is_none() && environment.channels.is_none());
    assert_eq!(findings(text), [] as [&str; 0]);
    assert_eq!(findings("name: x\n"), ["1:1 no-dependencies"]);
    assert_eq!(findings("name: x\ndependencies:\n"), ["2:1 no-dependencies"]);
    assert_eq!(findings("name: x\ndependancies: [a]\n"), ["2:1 no-dependencies"]);
    assert_eq!(findings("dependencies: []\ndependancies: [a]\n"), ["2:1 unknown-key"]);
    assert_eq!(findings("dependencies: []\npip: [a]\n"), ["2:1 misplaced-pip"]);
    assert_eq!(read("channels: []\ndependencies: []\n").channels, Some(Vec::new()));
    assert_eq!(findings("dependencies:\n- pip\n- pip:\n- pip: []\n"), [] as [&str; 0]);
}

#[test]
fn a_syntax_error_has_its_line() {
    assert_eq!(findings("dependencies: [a\nname: x\n"), ["2:5 syntax-error"]);
    let invalid = parse("f", "dependencies:\n\t- a\n").unwrap_err();
    let [only] = invalid.findings.as_slice() else { panic!("{invalid}") };
    assert!(only.help.as_deref().unwrap().contains("tabs"), "{only:?}");
}

#[test]
fn a_duplicate_key_is_an_error_at_its_second_place() {
    assert_eq!(findings("name: a\ndependencies: [a]\nname: b\n"), ["3:1 duplicate-key"]);
    assert_eq!(findings("dependencies: [a]\nvariables:\n  A: 1\n  A: 2\n"), ["4:3 duplicate-key"]);
}

#[test]
fn an_alias_has_the_value_of_its_anchor() {
    let environment = read("dependencies:\n  - &py python==3.10\n  - pip\n  - pip: [*py]\n");
    assert_eq!(environment.pip[0].text, "python==3.10");
    assert_eq!(environment.pip[0].place.line, 4);
    assert_eq!(findings("dependencies: [*nothing]\n"), ["1:16 syntax-error"]);
}

#[test]
fn aliases_of_aliases_are_rejected_before_they_are_expanded() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..9 {
        let alias = format!("*a{}", n - 1);
        let ten = vec![alias; 10].join(", ");
        writeln!(bomb, "a{n}: &a{n} [{ten}]").unwrap();
    }
    assert_eq!(findings(&bomb).len(), 1);
    assert!(findings(&bomb)[0].ends_with("input-limit"));

    let mut chain = "a0: &a0 [x]\n".to_owned();
    for n in 1..2000 {
        writeln!(chain, "a{n}: &a{n} [[[*a{}]]]", n - 1).unwrap();
    }
    assert!(findings(&chain)[0].ends_with("input-limit"));
    assert_eq!(findings(&format!("name: x\n# {}\n", "x".repeat(20_000))), ["2:1 input-limit"]);
    let deep = format!("a: {}{}", "[".repeat(200), "]".repeat(200));
    assert!(findings(&deep)[0].ends_with("input-limit"));
}

#[test]
fn tags_and_merge_keys_are_errors_except_the_tag_of_text() {
    assert_eq!(findings("dependencies: [!secret a]\n"), ["1:16 unknown-tag"]);
    assert_eq!(
        findings("a: &a {x: 1}\n<<: *a\ndependencies: [b]\n"),
        ["1:1 unknown-key", "2:1 merge-key"]
    );
    assert_eq!(read("name: !!str 3\ndependencies: [b]\n").name.unwrap().value, "3");
}

#[test]
fn a_wrong_type_is_an_error_with_the_expected_one() {
    let all = "name: [a]\nchannels: conda-forge\nplatforms: {a: b}\ndependencies: numpy\nvariables: [a]\n";
    assert_eq!(
        findings(all),
        [
            "1:7 wrong-type",
            "2:11 wrong-type",
            "3:12 wrong-type",
            "4:15 wrong-type",
            "5:12 wrong-type"
        ]
    );
    assert_eq!(findings("dependencies:\n- 3.10\n- true\n-\n- [a]\n- pip: a\n").len(), 5);
}

#[test]
fn a_misspelt_list_of_channels_is_an_error_unless_there_is_one() {
    let error = "channel: [conda-forge]\ndependencies: [a]\n".to_owned();
    assert_eq!(findings(&error), ["1:1 unknown-key"]);
    assert!(parse("environment.yml", &error).is_err());
    let both = format!("{error}channels: [conda-forge]\n");
    assert!(parse("environment.yml", &both).is_ok());
}

#[test]
fn an_unknown_key_is_a_warning_with_the_nearest_known_one() {
    let environment = read("dependancies: []\ncategory: dev\ndependencies: []\n");
    let help: Vec<&str> = environment.warnings.iter().filter_map(|w| w.help.as_deref()).collect();
    assert_eq!(help[0], "did you mean `dependencies`?");
    assert!(help[1].starts_with("the keys are name, channels"));
}

#[test]
fn secrets_is_not_read_and_prefix_is_ignored_with_a_warning() {
    let environment = read("dependencies: [a]\nsecrets:\n  whatever: [x]\nprefix: /opt/x\n");
    assert_eq!(environment.secrets.unwrap().line, 2);
    assert_eq!(environment.prefix.unwrap().value, "/opt/x");
    assert_eq!(environment.warnings.len(), 1);
}

#[test]
fn nodefaults_is_not_a_channel() {
    let environment = read("channels: [a, nodefaults, b, a]\ndependencies: [x]\n");
    let channels: Vec<String> =
        environment.channels.unwrap().into_iter().map(|channel| channel.value).collect();
    assert_eq!(channels, ["a", "b"]);
    assert!(environment.nodefaults);
    assert_eq!(environment.warnings[0].code, "duplicate-channel");
}

#[test]
fn a_name_that_no_directory_can_have_is_an_error() {
    let long = format!("\"{}\"", "n".repeat(250));
    for name in ["\"\"", "..", ".", ".hidden", "a/b", &long] {
        assert_eq!(
            findings(&format!("name: {name}\ndependencies: [a]\n")),
            ["1:7 environment-name-invalid"],
            "{name}"
        );
    }
    assert_eq!(findings("name: 机器学习-2.0\ndependencies: [a]\n"), [] as [&str; 0]);
}

#[test]
fn a_variable_with_a_nul_is_an_error() {
    let text = "dependencies: [a]\nvariables: {A: \"x\\0y\"}\n";
    let error = parse("environment.yml", text).unwrap_err();
    assert_eq!(error.findings[0].message, "the variable `A` has a NUL character");
}

#[test]
fn a_selector_of_unknown_words_is_a_warning_and_the_line_applies_to_all_platforms() {
    let text = "dependencies:\n- a # [cuda]\n- pip:\n  - b # [true]\n- pip # [1]\n";
    assert_eq!(findings(text), ["2:5 selector-unknown", "4:7 selector-unknown"]);
    let linux = rattler_conda_types::Subdir::Linux64;
    assert_eq!(read(text).dependencies_for(linux).count(), 2);
}

#[test]
fn values_of_variables_are_text_as_written() {
    let text = "dependencies: []\nvariables: {A: 1.10, B: yes, C: 'x y', D: 0x10, _E9: \"\"}\n";
    let variables = read(text).variables;
    let values: Vec<&str> = variables.values().map(String::as_str).collect();
    assert_eq!(values, ["1.10", "yes", "x y", "0x10", ""]);
    assert_eq!(
        findings("dependencies: []\nvariables:\n  A-B: 1\n  C:\n"),
        ["3:3 variable-name-invalid", "4:4 wrong-type"]
    );
}

#[test]
fn a_selector_is_read_wherever_a_package_is_written() {
    let text = "dependencies:\n- a # [win]\n- 'b'  # [win] because\n- |  # [win]\n  c\n- d\n  # [win]\n- pip: # [win]\n  - e\n";
    let environment = read(text);
    let selected: Vec<bool> =
        environment.dependencies.iter().map(|r| r.selector.is_some()).collect();
    assert_eq!(selected, [true, true, true, false]);
    assert_eq!(environment.pip[0].selector.as_ref().unwrap().to_string(), "win");
}

#[test]
fn a_comment_is_found_after_quotes_and_not_within_them() {
    let lines = [
        "'a; os_name == ''# [osx]''' # [win]",
        "\"a; os_name == \\\"# [osx]\\\" \" # [win]",
        "\"a\n    ==1\"  # [win]",
    ];
    for line in lines {
        let environment = read(&format!("dependencies:\n- pip\n- pip:\n  - {line}\n"));
        let selector = environment.pip[0].selector.as_ref().map(ToString::to_string);
        assert_eq!(selector.as_deref(), Some("win"), "{line}");
    }
    let flow = read("dependencies: [\"a\", 'b # x', c]  # [win]\n");
    assert!(flow.dependencies.iter().all(|r| r.selector.is_some()), "{flow:?}");
}

#[test]
fn a_selector_without_effect_is_a_warning() {
    assert_eq!(findings("channels:\n- a  # [win]\ndependencies:\n- b\n"), ["2:6 selector-ignored"]);
    assert_eq!(findings("dependencies:\n- a  # fails on [win]\n"), ["2:6 selector-not-first"]);
    assert_eq!(findings("dependencies: # [win]\n- a\n"), ["1:15 selector-ignored"]);
}

#[test]
fn pip_lines_without_pip_and_duplicate_packages_are_warnings() {
    assert_eq!(
        findings("dependencies:\n- a\n- a\n- pip: [b]\n"),
        ["3:3 duplicate-dependency", "4:3 pip-missing"]
    );
    assert_eq!(
        findings("dependencies:\n- a # [win]\n- a # [linux]\n- pip>=23\n- pip: [b]\n"),
        [] as [&str; 0]
    );
}

#[test]
fn a_password_is_never_shown() {
    let text = "channels:\n- https://me:hunter2@example.org/t/s3cret/a\ndependencies:\n\
                - https://me:hunter2@example.org/a::x\n";
    let environment = read(text);
    let shown = format!("{environment:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("s3cret"), "{shown}");
    assert_eq!(environment.dependencies[0].text, "https://me:***@example.org/a::x");
    assert!(environment.dependencies[0].channel.as_ref().unwrap().contains("hunter2"));

    let invalid = parse("f", "dependencies:\n- https://me:hunter2@example.org/x[]\n").unwrap_err();
    assert!(!format!("{invalid:?} {invalid}").contains("hunter2"));
}

#[test]
fn a_credential_or_a_query_in_a_pip_line_or_a_variable_is_an_error_at_its_line() {
    let text = "dependencies:\n- pip\n- pip:\n  - git+https://u:hunter2@h/x.git\n  \
                - https://h/foo.whl?token=hunter2\n  - git+https://h/x@v2#egg=y\n\
                variables:\n  URL: 'postgres://u:hunter2@h/db'\n  PLAIN: https://h/x\n";
    assert_eq!(
        findings(text),
        ["4:5 pip-credential", "5:5 pip-credential", "8:8 variable-credential"]
    );
    let invalid = parse("f", text).unwrap_err();
    assert!(!format!("{invalid:?} {invalid}").contains("hunter2"));
}

#[test]
fn columns_count_characters_in_chinese_text() {
    let environment = read("name: 环境\ndependencies: [\"numpy\", scipy]  # 说明\n");
    assert_eq!(environment.name.unwrap().value, "环境");
    assert_eq!(
        findings("dependencies: [数据, 'b >=1 <2']\n"),
        ["1:16 match-spec-invalid", "1:23 match-spec-invalid"]
    );
}
