//! The explanation of conflicts.

use super::*;

/// The message, the notes and the help of each reason.
fn explained(world: &Channels) -> Vec<String> {
    let reasons = world.with(&[], |problem| explain(problem, &crate::ChannelsByPackage::new()));
    let findings = reasons.iter().map(|reason| reason.finding(1));
    let text = |finding: envlock_report::Finding| {
        let notes =
            finding.notes.iter().fold(String::new(), |text, note| text + "- " + note + "\n");
        format!("{}\n{notes}help: {}", finding.message, finding.help.unwrap_or_default())
    };
    findings.map(text).collect()
}

#[test]
fn two_lines_that_need_other_versions_of_one_package_are_explained_by_these_needs() {
    let world = Channels::default().channel(
        "a",
        &[
            "left 1.0 | shared 1.*",
            "right 1.0 | middle",
            "middle 1.0 | shared 2.*",
            "shared 1.0",
            "shared 2.0",
        ],
    );
    insta::assert_snapshot!(explained(&world.ask(&["left", "right"]))[0], @"
    these 2 lines can't be met together: `left`, `right`
    - environment.yml:2 requests `right`
    - middle 1.0 needs shared 2
    - left 1.0 needs shared 1
    - right 1.0 needs middle
    help: loosen one of these lines
    ");
}

#[test]
fn the_cause_comes_first_and_builds_of_one_version_are_one_line() {
    let mut lines = vec![
        "cftime 1.6.2 a | python >=3.10,<3.11.0a0".to_owned(),
        "cftime 1.6.2 b | python >=3.11,<3.12.0a0".to_owned(),
        "cftime 1.6.4 c | python >=3.12,<3.13.0a0".to_owned(),
        "python 3.10.1".to_owned(),
        "python 3.11.1".to_owned(),
    ];
    for minor in 0..40 {
        lines.extend((0..3).map(|build| format!("python 3.12.{minor} {build}")));
    }
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let world = Channels::default().channel("a", &lines).ask(&["python=3.12", "cftime=1.6.2"]);
    insta::assert_snapshot!(explained(&world)[0], @"
    these 2 lines can't be met together: `python=3.12`, `cftime=1.6.2`
    - environment.yml:2 requests `cftime=1.6.2`
    - cftime 1.6.2 needs python 3.10 or 3.11, but environment.yml:1 requests 3.12
    help: write `cftime=1.6.4` or `python=3.11`
    ");
}

#[test]
fn builds_that_another_line_excludes_are_removed_before_the_others_are_compared() {
    let world = Channels::default().channel(
        "a",
        &[
            "numba 1 py10 | python 3.10.*; llvm 1.*",
            "numba 1 py12 | python 3.12.*; llvm 2.*",
            "h5py 1 py10 | python 3.10.*",
            "h5py 1 py11 | python 3.11.*",
            "python 3.10.1",
            "python 3.11.1",
            "python 3.12.1",
            "llvm 2.0",
        ],
    );
    insta::assert_snapshot!(explained(&world.ask(&["numba", "h5py"]))[0], @"
    these 2 lines can't be met together: `numba`, `h5py`
    - environment.yml:2 requests `h5py`
    - numba 1 py10 needs llvm 1, but the channels have only llvm 2.0
    - numba 1 py12 needs python 3.12
    - h5py 1 needs python 3.10 or 3.11
    help: loosen one of these lines
    ");
}

#[test]
fn a_dependency_that_no_channel_has_is_named_with_what_the_channels_have() {
    let world =
        Channels::default().channel("a", &["x 1 | gone >=2", "y 1 | z >=3", "z 1.0", "z 2.0"]);
    insta::assert_snapshot!(explained(&world.clone().ask(&["x"]))[0], @"
    `x` can't be installed: a dependency isn't available
    - x 1 needs gone >=2, but no channel has gone
    help: request another version, or add the channel that has the dependency
    ");
    insta::assert_snapshot!(explained(&world.ask(&["y"]))[0], @"
    `y` can't be installed: a dependency isn't available
    - y 1 needs z >=3, but the channels have only z 1.0 and 2.0
    help: request another version, or add the channel that has the dependency
    ");
}

#[test]
fn a_virtual_package_is_named_with_its_flag_if_it_is_missing_too_old_or_needed_indirectly() {
    let world = Channels::default().channel(
        "a",
        &[
            "gl 1.0 | __glibc >=2.34",
            "gpu 1.0 | __cuda >=12",
            "uses 1.0 | gpu",
            "old 1.0 | __cuda >=11.2,<12",
            "fast 1.0 | __archspec 1.* x86_64_v3",
        ],
    );
    let help = |line: &str| {
        let text = explained(&world.clone().ask(&[line])).remove(0);
        text.split_once("help: ").expect("a help").1.to_owned()
    };
    for (line, flag) in [
        ("gl", "__glibc=2.34"),
        ("gpu", "__cuda=12"),
        ("uses", "__cuda=12"),
        ("old", "__cuda=11.2"),
        ("fast", "__archspec=1=x86_64_v3"),
    ] {
        let expected = format!("if the machines have it, solve with `--virtual-package {flag}`");
        assert_eq!(help(line), expected, "{line}");
    }
    let any = Channels::default().channel("a", &["any 1.0 | __cuda"]).ask(&["any"]);
    assert!(explained(&any)[0].ends_with("solve with `--virtual-package __cuda=VERSION`"));
    insta::assert_snapshot!(explained(&world.clone().ask(&["gl"]))[0], @"
    `gl` can't be installed: a dependency isn't available
    - gl 1.0 needs __glibc >=2.34, but linux-64 is assumed to have 2.28
    help: if the machines have it, solve with `--virtual-package __glibc=2.34`
    ");
    insta::assert_snapshot!(explained(&world.ask(&["uses"]))[0], @"
    `uses` can't be installed: a dependency isn't available
    - gpu 1.0 needs __cuda >=12, but linux-64 is assumed to have no __cuda
    - uses 1.0 needs gpu
    help: if the machines have it, solve with `--virtual-package __cuda=12`
    ");
}

#[test]
fn a_conflict_that_no_chain_of_steps_shows_is_explained_by_cases() {
    // Each pair of versions is excluded by another package, so that no single step follows.
    let world = Channels::default().channel(
        "a",
        &[
            "x 1 | s 1.*",
            "x 2 | s 2.*",
            "y 1 | s 2.*; t 1.*",
            "y 2 | s 1.*; t 2.*",
            "z 1 | s 1.*; t 1.*",
            "z 2 | s 2.*; t 2.*",
            "s 1.0",
            "s 2.0",
            "t 1.0",
            "t 2.0",
        ],
    );
    insta::assert_snapshot!(explained(&world.ask(&["x", "y", "z"]))[0], @"
    these 2 lines can't be met together: `y`, `z`
    - environment.yml:3 requests `z`
    - with y 1, z 2 needs t 2
    - with y 1, z 1 needs s 1
    - with y 2, z 1 needs t 1
    - with y 2, z 2 needs s 2
    help: loosen one of these lines
    ");
}

#[test]
fn lines_of_a_large_environment_without_a_part_in_the_conflict_are_not_named() {
    let mut lines: Vec<String> = (0..60).map(|n| format!("p{n} 1 | q{n}")).collect();
    lines.extend((0..60).map(|n| format!("q{n} 1")));
    lines.extend(["left 1 | s 1.*", "right 1 | s 2.*", "s 1.0", "s 2.0"].map(str::to_owned));
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let mut asked: Vec<String> = (0..60).map(|n| format!("p{n}")).collect();
    asked.insert(20, "left".to_owned());
    asked.insert(40, "right".to_owned());
    let asked: Vec<_> = asked.iter().map(String::as_str).collect();
    let text = explained(&Channels::default().channel("a", &lines).ask(&asked)).remove(0);
    assert!(text.starts_with("these 2 lines can't be met together: `left`, `right`"), "{text}");
}

#[test]
fn a_constraint_on_a_virtual_package_is_explained_by_what_is_assumed() {
    let world = Channels::default().channel(
        "a",
        &[
            "lo 1 | constrains __glibc >=2.99",
            "hi 1 | constrains __glibc <2.17",
            "mixed 1 | constrains __glibc >=2.99",
            "mixed 2 | constrains __glibc >=3",
            "fine 1 | constrains __cuda >=12",
            "top 1 | mixed",
        ],
    );
    insta::assert_snapshot!(explained(&world.clone().ask(&["lo"]))[0], @"
    `lo` can't be installed: a dependency isn't available
    - lo 1 needs __glibc >=2.99, but linux-64 is assumed to have 2.28
    help: if the machines have it, solve with `--virtual-package __glibc=2.99`
    ");
    insta::assert_snapshot!(explained(&world.clone().ask(&["hi"]))[0], @"
    `hi` can't be installed: a dependency isn't available
    - hi 1 needs __glibc <2.17, but linux-64 is assumed to have 2.28
    help: if the machines have it, solve with `--virtual-package __glibc=2.16`
    ");
    insta::assert_snapshot!(explained(&world.clone().ask(&["top"]))[0], @"
    `top` can't be installed: a dependency isn't available
    - mixed 1 and 2 need __glibc >=2.99 or >=3, but linux-64 is assumed to have 2.28
    - top 1 needs mixed
    help: if the machines have it, solve with `--virtual-package __glibc=2.99`
    ");
    assert_eq!(world.ask(&["fine"]).solved(), ["a/fine-1-0"]);
}

#[test]
fn several_lines_for_one_package_are_explained_by_its_versions() {
    let world = Channels::default().channel("a", &["a 1", "a 2", "a 3", "b 1 | a"]);
    for lines in [["a=1", "a=2"], ["a>2", "a<2"], ["a=1", "a>1"]] {
        let text = explained(&world.clone().ask(&[lines[0], "b", lines[1]])).remove(0);
        assert!(text.starts_with("no version of a matches all of these lines"), "{text}");
    }
    insta::assert_snapshot!(explained(&world.ask(&["a=1", "a=2"]))[0], @"
    no version of a matches all of these lines: `a=1`, `a=2`
    - environment.yml:2 requests `a=2`
    - the channels have: 3, 2, 1
    help: keep one of these lines
    ");
}

#[test]
fn the_flag_for_a_missing_virtual_package_is_named_although_there_are_other_reasons() {
    let world = Channels::default().channel(
        "a",
        &["x 1 | __cuda >=11.2; gone", "x2 1 | __cuda <12", "c 1 | __cuda; gone", "w 1 | __win"],
    );
    let explained = |line: &str| explained(&world.clone().ask(&[line])).remove(0);
    insta::assert_snapshot!(explained("x"), @"
    `x` can't be installed: a dependency isn't available
    - x 1 needs __cuda >=11.2, but linux-64 is assumed to have no __cuda
    help: if the machines have it, solve with `--virtual-package __cuda=11.2`; there are other reasons, which are explained then
    ");
    assert!(explained("x2").contains("--virtual-package __cuda=11`"), "{}", explained("x2"));
    insta::assert_snapshot!(explained("w"), @"
    `w` can't be installed: a dependency isn't available
    - w 1 needs __win, but linux-64 is assumed to have no __win
    help: request another version: no channel has __win, and no machine of the platform
    ");
    insta::assert_snapshot!(explained("__win"), @"
    `__win` is requested, but linux-64 is assumed to have no __win
    help: remove it, or write it for its platforms only; no machine of linux-64 has it
    ");
}

#[test]
fn a_need_of_any_version_next_to_others_is_written_out() {
    let world = Channels::default().channel("a", &["c 1 | __cuda", "c 2 | __cuda >=12"]);
    let world = world.channel("b", &["f 1 | __archspec 1 x86_64_v4"]);
    insta::assert_snapshot!(explained(&world.clone().ask(&["c"]))[0], @"
    `c` can't be installed: a dependency isn't available
    - c 1 and 2 need __cuda >=12 or any version, but linux-64 is assumed to have no __cuda
    help: if the machines have it, solve with `--virtual-package __cuda=12`
    ");
    insta::assert_snapshot!(explained(&world.ask(&["f"]))[0], @"
    `f` can't be installed: a dependency isn't available
    - f 1 needs __archspec 1 x86_64_v4, but linux-64 is assumed to have x86_64
    help: if the machines have it, solve with `--virtual-package __archspec=1=x86_64_v4`
    ");
}
