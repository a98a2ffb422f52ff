//! Tests of `-r` and `-c`.

use envlock_model::pip::PipContent;

use super::{codes, inputs, meaning, read_in, section};

#[test]
fn included_lines_replace_the_line_in_order_and_know_where_they_come_from() {
    let files = [
        ("req/base.txt", "six\n-r more.txt\n-c ../limits.txt\n"),
        ("req/more.txt", "# more\nrequests>=2\n"),
        ("limits.txt", "six<2\n"),
    ];
    let environment = section(&["numpy", "-r req/base.txt  # [linux]", "scipy"], &files).unwrap();
    let lines: Vec<_> = environment
        .pip
        .iter()
        .map(|line| {
            let by: Vec<_> = line.included_at.iter().map(ToString::to_string).collect();
            let is_constraint = matches!(line.content, PipContent::Constraint(_));
            let kind = if is_constraint { "-c " } else { "" };
            let file = line.file.as_ref().map_or("-".into(), |file| file.display().to_string());
            format!("{kind}{} {} {file} [{}]", line.text, line.place, by.join(" "))
        })
        .collect();
    assert_eq!(
        lines,
        [
            "numpy environment.yml:4:7 - []",
            "six req/base.txt:1:1 req/base.txt [environment.yml:5:7]",
            "requests>=2 req/more.txt:2:1 req/more.txt [environment.yml:5:7 req/base.txt:2:1]",
            "-c six<2 limits.txt:1:1 limits.txt [environment.yml:5:7 req/base.txt:3:1]",
            "scipy environment.yml:6:7 - []",
        ]
    );
    assert!(environment.pip[2].selector.is_some() && environment.pip[0].selector.is_none());
    let windows = environment.pip_for(rattler_conda_types::Subdir::Win64);
    assert_eq!(meaning::of(&windows), ["numpy (any)", "scipy (any)"]);
}

#[test]
fn paths_are_relative_to_the_environment_and_included_files_to_the_file_that_names_them() {
    let files = [
        ("a/req/x.txt", "./pkg\n-e ./dev\n--find-links wheels\n-r ../../top.txt\n"),
        ("top.txt", ""),
    ];
    let text = "dependencies:\n  - pip\n  - pip:\n    - -r req/x.txt\n    - -f wheels\n";
    let (inputs, findings) = inputs(read_in("a", text, &files));
    assert_eq!(codes(&findings), [] as [&str; 0]);
    assert_eq!(
        meaning::of(&inputs),
        [
            "(no name) path a/pkg",
            "(no name) editable a/dev",
            "find-links path a/req/wheels or a/wheels",
            "find-links path a/wheels",
        ]
    );
}

#[test]
fn a_missing_file_a_loop_and_an_error_have_the_places_of_all_files() {
    let files = [("a.txt", "-r b.txt\n"), ("b.txt", "numpy=1\n-r sub/../a.txt\n-c none.txt\n")];
    let (_, findings) = inputs(section(&["-r a.txt", "-r gone.txt"], &files));
    assert_eq!(
        codes(&findings),
        [
            "b.txt:1:6 pip-requirement",
            "b.txt:2:4 pip-include",
            "b.txt:3:4 pip-include",
            "environment.yml:5:10 pip-include",
        ]
    );
    let related: Vec<_> = findings[0].related.iter().map(|r| r.place.to_string()).collect();
    assert_eq!(related, ["a.txt:1:1", "environment.yml:4:7"]);
    assert_eq!(findings[1].message, "a.txt includes itself: a.txt > b.txt > a.txt");
    assert!(findings[2].message.contains("none.txt"), "{:?}", findings[2]);
}

#[test]
fn a_constraint_must_be_a_package_by_name_without_extras() {
    let limits = "six<2\nsix[a]\n./x\n-e .\nsix @ https://h.example/six-1.0.zip\n--pre\n-r r.txt\n";
    let files = [("c.txt", limits), ("r.txt", "pip[x]\n")];
    let (_, findings) = inputs(section(&["-c c.txt"], &files));
    assert_eq!(
        codes(&findings),
        ["c.txt:2:1 pip-requirement", "c.txt:3:1 pip-requirement", "c.txt:4:4 pip-requirement"]
    );
}

#[test]
fn files_that_include_each_other_many_times_are_bounded() {
    let names: Vec<_> = (0..40).map(|n| format!("f{n}.txt")).collect();
    let texts: Vec<_> = (1..41).map(|n| format!("-r f{n}.txt\n-r f{n}.txt\n")).collect();
    let files: Vec<_> = names.iter().zip(&texts).map(|(n, t)| (n.as_str(), t.as_str())).collect();
    let (_, findings) = inputs(section(&["-r f0.txt"], &files));
    assert!(findings.iter().any(|finding| finding.code == "input-limit"));
    assert!(findings.len() < 200, "{}", findings.len());
}

#[test]
fn later_options_override_or_add_and_dropped_ones_are_said() {
    let items = [
        "--extra-index-url https://one.example",
        "--index-url https://two.example",
        "--extra-index-url https://three.example",
        "'--only-binary :all:'",
        "--no-binary foo",
        "--pre",
        "--only-final bar",
    ];
    let (found, findings) = inputs(section(&items, &[]));
    assert_eq!(codes(&findings), ["environment.yml:4:7 pip-option-unused"]);
    assert_eq!(
        meaning::of(&found),
        [
            "index https://two.example",
            "extra index https://three.example",
            "no binary foo",
            "only binary all",
            "pre all",
            "only final bar",
        ]
    );
    let name = |text: &str| envlock_model::pip::PackageName::new(text.to_owned()).unwrap();
    assert_eq!(found.options.archives_of(&name("foo")), envlock_model::pip::Archives::Sdists);
    assert_eq!(found.options.archives_of(&name("x")), envlock_model::pip::Archives::Wheels);
    assert_eq!(found.options.allows_pre(&name("bar")), Some(false));
    assert_eq!(found.options.allows_pre(&name("x")), Some(true));

    let (found, findings) = inputs(section(&["--no-index", "-i https://one.example"], &[]));
    assert_eq!(codes(&findings), ["environment.yml:5:7 pip-option-unused"]);
    assert_eq!(meaning::of(&found), ["no index"]);
}

#[test]
fn lines_of_one_package_that_exclude_each_other_are_an_error_with_both_places() {
    let conflict = |items: &[&str], files: &[(&str, &str)]| {
        let (_, findings) = inputs(section(items, files));
        codes(&findings)
    };
    let none: [&str; 0] = [];
    assert_eq!(conflict(&["a==1", "A==2"], &[]), ["environment.yml:5:7 pip-conflict"]);
    assert_eq!(conflict(&["a==1", "a>=2"], &[]), ["environment.yml:5:7 pip-conflict"]);
    assert_eq!(conflict(&["a==1", "-c c.txt"], &[("c.txt", "a==1.1")]), ["c.txt:1:1 pip-conflict"]);
    assert_eq!(
        conflict(&["a @ git+https://h.example/a@1", "a @ git+https://h.example/a@2"], &[]),
        ["environment.yml:5:7 pip-conflict"]
    );
    assert_eq!(conflict(&["a==1", "a==1.0"], &[]), none);
    assert_eq!(conflict(&["a==1.0", "a==1.0+cu118"], &[]), none);
    assert_eq!(conflict(&["a>=1", "a<3", "a==2"], &[]), none);
    assert_eq!(conflict(&["a==1  # [linux]", "a==2  # [win]"], &[]), none);
    let markers = ["a==1; sys_platform == 'win32'", "a==2; sys_platform != 'win32'"];
    assert_eq!(conflict(&markers, &[]), none);
    assert_eq!(conflict(&["a==1", "b", "a==1"], &[]), ["environment.yml:6:7 duplicate-dependency"]);
    let (_, findings) = inputs(section(&["a==1", "a==2"], &[]));
    assert_eq!(findings[0].message, "`a==2` can't hold together with `a==1` on line 4");
    assert_eq!(findings[0].related[0].place.to_string(), "environment.yml:4:7");
}

#[test]
fn a_value_of_a_variable_and_a_credential_are_never_shown() {
    let value = |_: &str| Some("geheim".to_owned());
    let items = ["x @ https://${USER}:${TOKEN}@h.example/x.zip", "-i https://${TOKEN}@h.example"];
    let environment = section(&items, &[]).unwrap();
    let inputs = environment.pip_for(rattler_conda_types::Subdir::Linux64);
    let envlock_model::pip::RequirementKind::Url { url, .. } = &inputs.requirements[0].kind else {
        panic!("{inputs:?}")
    };
    let expanded = url.expand(&value).unwrap();
    assert_eq!(expanded.expose(), "https://geheim:geheim@h.example/x.zip");
    assert_eq!(url.expand(&|_| None).unwrap_err().to_string(), "the variable USER isn't set");
    assert!(!format!("{environment:?} {inputs:?} {expanded:?}").contains("geheim"));
    assert_eq!(inputs.lines[1].text, "-i https://${TOKEN}@h.example");
    let (_, findings) = super::inputs(section(
        &["-r r.txt"],
        &[("r.txt", "x @ https://u:geheim@h.example/x.zip\n")],
    ));
    assert_eq!(codes(&findings), ["r.txt:1:1 pip-credential"]);
    assert!(!format!("{findings:?}").contains("geheim"));
}
