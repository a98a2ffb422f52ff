use super::*;

const PLAIN: Layout = Layout { width: 60, colour: false, whole: false };

fn plain(finding: &Finding) -> String {
    human(std::slice::from_ref(finding), &SourceTexts::default(), PLAIN)
}

fn in_file(finding: &Finding, file: &str, text: &str, layout: Layout) -> String {
    let mut sources = SourceTexts::default();
    sources.insert(file, text.to_owned());
    human(std::slice::from_ref(finding), &sources, layout)
}

#[test]
fn a_finding_has_message_place_notes_and_help() {
    let finding =
        Finding::new(Code::NoSuchVersion, "there is no tensorflow 2.13.0; the nearest is 2.13.1")
            .at(Place::new("environment.yml", 9, 5))
            .with_note("versions: 2.12.1, 2.13.1")
            .with_note("a\n└─ b")
            .with_help("write `tensorflow=2.12.1 or another`");
    insta::assert_snapshot!(plain(&finding), @"
    error[no-such-version]: there is no tensorflow 2.13.0; the
      nearest is 2.13.1
      --> environment.yml:9:5
      - versions: 2.12.1, 2.13.1
      | a
      | └─ b
      help: write `tensorflow=2.12.1 or another`
    ");
}

#[test]
fn the_source_line_is_shown_with_the_place_marked() {
    let finding = Finding::new(Code::UnknownPackage, "no channel has appp")
        .at(Place::new("environment.yml", 3, 5))
        .with_related(Place::new("environment.yml", 1, 12), "the channels that are searched")
        .about_need("db")
        .in_profile("ci");
    let text = "channels: [conda-forge, '环境']\ndependencies:\n  - appp >=1 # 注\n";
    insta::assert_snapshot!(in_file(&finding, "environment.yml", text, PLAIN), @"
    error[unknown-package]: no channel has appp
      --> environment.yml:3:5
      3 |   - appp >=1 # 注
        |     ^^^^
      --> environment.yml:1:12: the channels that are searched
      1 | channels: [conda-forge, '环境']
        |            ^^^^^^^^^^^
      - for need db, profile ci
    ");
}

#[test]
fn a_mark_below_wide_characters_is_in_its_column() {
    let finding = Finding::new(Code::InvalidSelector, "x").at(Place::new("a.yml", 1, 8));
    insta::assert_snapshot!(in_file(&finding, "a.yml", "- 环境库: 包x\n", PLAIN), @"
    error[invalid-selector]: x
      --> a.yml:1:8
      1 | - 环境库: 包x
        |           ^^^
    ");
}

#[test]
fn a_long_line_is_cut_around_its_mark() {
    let line = format!("{} here {}\n", "a ".repeat(200), "b ".repeat(200));
    let finding = Finding::new(Code::InvalidSelector, "x").at(Place::new("a.yml", 1, 402));
    let text = in_file(&finding, "a.yml", &line, PLAIN);
    assert!(text.contains("here") && text.contains("^^^^"), "{text}");
    for line in text.lines() {
        assert!(unicode_width::UnicodeWidthStr::width(line) <= 60, "{text}");
    }
}

#[test]
fn control_characters_of_a_line_are_shown_as_escapes() {
    let finding = Finding::new(Code::InvalidSelector, "x").at(Place::new("a.yml", 1, 4));
    let text = in_file(&finding, "a.yml", "a\u{1b}[2J\u{202e}\tb\n", PLAIN);
    assert!(text.contains(r"a\u{1b}[2J\u{202e}") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_redacted_line_is_marked_as_a_whole() {
    let finding = Finding::new(Code::SecretInFile, "x").at(Place::new("a.yml", 1, 10));
    let line = "  - https://user:CANARY@host/channel\n";
    insta::assert_snapshot!(in_file(&finding, "a.yml", line, PLAIN), @"
    error[secret-in-file]: x
      --> a.yml:1:10
      1 |   - https://user:***@host/channel
        |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn a_place_beyond_the_end_of_its_file_is_named_without_a_source_line() {
    for place in [Place::new("a.yml", 9, 1), Place::new("b.yml", 1, 1)] {
        let finding = Finding::new(Code::InvalidSelector, "x").at(place.clone());
        let text = in_file(&finding, "a.yml", "a\n", PLAIN);
        assert_eq!(text, format!("error[invalid-selector]: x\n  --> {place}\n"));
    }
    let beyond = Finding::new(Code::InvalidSelector, "x").at(Place::new("a.yml", 1, 99));
    assert!(in_file(&beyond, "a.yml", "abc\n", PLAIN).contains("1 | abc"));
}

#[test]
fn control_characters_in_names_never_reach_the_terminal() {
    let name = "\u{1b}]0;owned\u{7}\nerror: all is well";
    let finding = Finding::new(Code::DependencyConflict, format!("two packages bring {name}"))
        .at(Place::new(name, 1, 1))
        .with_related(Place::new(name, 1, 1), name)
        .about_need(name)
        .in_profile(name)
        .with_note(name)
        .with_help(name)
        .with_fix(name);
    let text = plain(&finding);
    assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
    assert_eq!(text.lines().filter(|line| line.starts_with("error")).count(), 1, "{text}");
}

#[test]
fn no_line_of_prose_is_wider_than_the_layout_in_any_script() {
    let message = "环境文件中的软件包名称无法在任何频道中找到请检查名称或添加频道".repeat(3);
    let text = plain(&Finding::new(Code::DependencyConflict, message));
    assert!(text.lines().count() > 2);
    for line in text.lines() {
        assert!(unicode_width::UnicodeWidthStr::width(line) <= 60, "{line}");
    }
}

#[test]
fn a_tree_keeps_its_shape_where_a_line_is_too_long() {
    let tree = "├─ left * can be installed with any of the following options:\n\
                │  └─ left 1.0 would require a certain other package in some version";
    insta::assert_snapshot!(plain(&Finding::new(Code::DependencyConflict, "no").with_note(tree)), @"
    error[dependency-conflict]: no
      | ├─ left * can be installed with any of the following
      | │    options:
      | │  └─ left 1.0 would require a certain other package in
      | │       some version
    ");
}

#[test]
fn commands_and_urls_are_never_broken() {
    let url = "https://conda.anaconda.org/conda-forge/linux-64/repodata.json.zst";
    let command = "envlock solve --mirror https://conda.anaconda.org/=URL --no-origin";
    let finding = Finding::new(Code::DependencyConflict, format!("no source has {url} at all"))
        .with_help(format!("try `{command}` or {url}"));
    let text = plain(&finding);
    assert_eq!(text.lines().filter(|line| line.contains(url)).count(), 2, "{text}");
    assert!(text.lines().any(|line| line.contains(command)), "{text}");
}

#[test]
fn coloured_text_differs_from_plain_text_only_in_colours() {
    let finding = Finding::new(Code::DependencyConflict, "words")
        .at(Place::new("a.yml", 1, 3))
        .with_related(Place::new("a.yml", 1, 1), "there")
        .with_help("do it");
    for level in [Level::Error, Level::Warning, Level::Note] {
        let finding = finding.clone().at_level(level);
        let layout = Layout { colour: true, ..PLAIN };
        let coloured = in_file(&finding, "a.yml", "- words\n", layout);
        assert!(coloured.contains("\u{1b}["), "{coloured}");
        let mut bare = String::new();
        let mut parts = coloured.split('\u{1b}');
        bare.push_str(parts.next().unwrap());
        parts.for_each(|part| bare.push_str(part.split_once('m').unwrap().1));
        assert_eq!(bare, in_file(&finding, "a.yml", "- words\n", PLAIN));
    }
}

#[test]
fn of_many_findings_of_one_code_five_are_shown_and_the_others_are_counted() {
    let many = |code, level, number: u32| {
        (0..number).map(move |at| {
            let finding = Finding::new(code, format!("lib/{at} is wrong")).at_level(level);
            if at % 2 == 0 { finding.at(Place::new("a.yml", at + 1, 1)) } else { finding }
        })
    };
    let findings: Vec<_> = many(Code::UnknownPackage, Level::Error, 250)
        .chain(many(Code::NoSuchVersion, Level::Error, 11))
        .chain(many(Code::FileMissing, Level::Error, 10))
        .chain(many(Code::UnknownPackage, Level::Warning, 3))
        .collect();
    let text = human(&findings, &SourceTexts::default(), PLAIN);
    for (head, shown) in [
        ("error[unknown-package]: lib", 5),
        ("error[no-such-version]: lib", 5),
        ("error[file-missing]: lib", 10),
        ("warning[unknown-package]: lib", 3),
    ] {
        assert_eq!(text.matches(head).count(), shown, "{head}: {text}");
    }
    assert!(text.contains("\nand 245 more error[unknown-package]: `-v` lists"), "{text}");
    assert!(text.contains("\nand 6 more error[no-such-version]: "), "{text}");
    assert!(text.lines().count() < 80, "{text}");
}

#[test]
fn of_many_notes_the_first_are_shown_and_the_others_are_counted() {
    let notes = |number: usize| {
        let finding = Finding::new(Code::DependencyConflict, "x").with_help("do it");
        let finding = (0..number).fold(finding, |f, at| f.with_note(format!("step {at}.")));
        plain(&finding)
    };
    let text = notes(30);
    assert_eq!(text.matches("step ").count(), 8, "{text}");
    assert!(text.contains("- and 22 more: `-v` lists all of them\n  help"), "{text}");
    assert_eq!(notes(12).matches("step ").count(), 12);
}

#[test]
fn a_long_list_in_a_note_is_cut_to_five_items_and_a_count() {
    let list = |number: usize| {
        let items: Vec<_> = (0..number).map(|at| format!("  package-{at}.conda")).collect();
        let note = format!("the same for {number} more packages:\n{}", items.join("\n"));
        let finding = Finding::new(Code::PackagesUnavailable, "x").with_note(note);
        let finding = finding.with_note("nothing was changed");
        human(&[finding], &SourceTexts::default(), PLAIN)
    };
    let text = list(244);
    assert_eq!(text.matches(".conda").count(), 5, "{text}");
    assert!(text.contains("and 239 more: `-v` lists all of them\n"), "{text}");
    assert!(text.contains("- nothing was changed"), "{text}");
    assert_eq!(list(10).matches(".conda").count(), 10);
}

#[test]
fn a_value_that_is_a_public_name_or_that_the_message_quotes_is_shown() {
    for (line, code, column, message) in [
        ("channel: [conda-forge]", Code::UnknownKey, 1, "the key `channel`: is it `channels`?"),
        ("dependencies: zlib", Code::WrongType, 15, "`dependencies` must be a list"),
        ("notify_outdated_conda: perhaps", Code::WrongType, 24, "it must be true, not `perhaps`"),
    ] {
        let finding = Finding::new(code, message).at(Place::new("a.yml", 1, column));
        let text = in_file(&finding, "a.yml", &format!("{line}\n"), PLAIN);
        assert!(text.contains(line) && !text.contains("***"), "{text}");
    }
    let finding = Finding::new(Code::WrongType, "it must be true").at(Place::new("a.yml", 1, 24));
    let text = in_file(&finding, "a.yml", "notify_outdated_conda: geheim\n", PLAIN);
    assert!(text.contains("***") && !text.contains("geheim"), "{text}");
}

#[test]
fn no_finding_shows_the_value_of_an_unknown_key_on_its_line() {
    let line = "  db: {engine: kv2, pasword: CANARY}\n";
    let at = |code, column| Finding::new(code, "x").at(Place::new("a.yml", 1, column));
    let findings = [at(Code::MissingKey, 3), at(Code::UnknownKey, 21), at(Code::InvalidText, 30)];
    let mut sources = SourceTexts::default();
    sources.insert("a.yml", line.to_owned());
    insta::assert_snapshot!(human(&findings, &sources, PLAIN), @"
    error[missing-key]: x
      --> a.yml:1:3
      1 |   db: {engine: kv2, pasword ***
        |   ^^

    error[unknown-key]: x
      --> a.yml:1:21
      1 |   db: {engine: kv2, pasword ***
        |                     ^^^^^^^

    error[invalid-text]: x
      --> a.yml:1:30
      1 |   db: {engine: kv2, pasword ***
        |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn a_value_in_the_wrong_place_is_not_shown() {
    for code in [Code::WrongType, Code::VariableCredential, Code::PipCredential] {
        let finding = Finding::new(code, "x").at(Place::new("a.yml", 1, 5));
        let text = in_file(&finding, "a.yml", "db: CANARY\n", PLAIN);
        assert!(!text.contains("CANARY") && text.contains("db: ***"), "{text}");
        let text = in_file(&finding, "a.yml", "db: 3\n", PLAIN);
        assert!(text.contains("db: 3"), "{text}");
    }
}
