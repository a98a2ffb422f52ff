//! Reads real environment files, and files with many mistakes.

#![allow(clippy::unwrap_used, reason = "an unwrap in a test is its assertion")]

use std::fs;
use std::path::{Path, PathBuf};

use envlock_model::spec::{Environment, parse};
use rattler_conda_types::{Subdir, Version};

mod real_files;

use real_files::{REAL, REFUSED};

/// Returns the folder of real files, if it exists. They aren't part of this repository.
fn real() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/environments");
    folder.is_dir().then_some(folder)
}

fn read(file: &str) -> Option<Environment> {
    let text = fs::read_to_string(real()?.join(file)).unwrap();
    Some(parse(file, &text).unwrap())
}

fn fixture(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/environments");
    fs::read_to_string(folder.join(file)).unwrap()
}

/// Whether the request for `name` accepts a version and a build.
fn accepts(environment: &Environment, name: &str, version: &str, build: &str) -> bool {
    let named = |spec: &rattler_conda_types::MatchSpec| {
        spec.name.as_exact().is_some_and(|exact| exact.as_normalized() == name)
    };
    let request = environment.dependencies.iter().find(|r| named(&r.spec)).unwrap();
    let parsed: Version = version.parse().unwrap();
    request.spec.version.as_ref().is_none_or(|spec| spec.matches(&parsed))
        && request.conditions.match_version(version)
        && request.spec.build.as_ref().is_none_or(|spec| spec.matches(build))
}

#[test]
fn each_real_file_is_read_as_expected() {
    if real().is_none() {
        return;
    }
    for expected in REAL {
        let file = expected.file;
        let environment = read(file).unwrap();
        assert_eq!(environment.dependencies.len(), expected.requests, "{file}");
        assert_eq!(environment.pip.len(), expected.pip, "{file}");
        let channels: Vec<&str> =
            environment.channels.iter().flatten().map(|c| c.value.as_str()).collect();
        assert_eq!(channels.join(" "), expected.channels, "{file}");
        assert_eq!(environment.nodefaults, expected.nodefaults, "{file}");
        let warnings: Vec<String> = environment
            .warnings
            .iter()
            .map(|w| format!("{} {}", w.place.as_ref().unwrap().line, w.code))
            .collect();
        assert_eq!(warnings, expected.warnings, "{file}");
        for (name, yes, no) in expected.means {
            let split = |candidate: &'static str| candidate.split_once(' ').unwrap();
            let ((version, build), (other, other_build)) = (split(yes), split(no));
            assert!(accepts(&environment, name, version, build), "{file}: {name} accepts {yes}");
            assert!(
                !accepts(&environment, name, other, other_build),
                "{file}: {name} doesn't accept {no}"
            );
        }
    }
}

#[test]
fn every_real_file_has_an_expectation() {
    let Some(folder) = real() else { return };
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let known = REAL.iter().any(|expected| expected.file == file)
            || REFUSED.iter().any(|(refused, ..)| *refused == file);
        assert!(known || file == "INDEX.tsv", "{file}");
    }
}

#[test]
fn a_placeholder_of_a_template_is_an_error_with_its_line() {
    let Some(folder) = real() else { return };
    for (file, line, placeholder) in REFUSED {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let invalid = parse(file, &text).unwrap_err();
        // A file that a template includes isn't there.
        let found: Vec<_> = invalid.findings.iter().filter(|f| f.code != "pip-include").collect();
        let [only] = found.as_slice() else { panic!("{file}: {invalid}") };
        assert_eq!(
            (only.code.as_str(), only.place.as_ref().unwrap().line),
            ("placeholder-in-environment", *line)
        );
        assert!(only.message.contains(placeholder), "{}", only.message);
    }
}

#[test]
fn selectors_of_real_files_select_lines_by_platform() {
    let Some(mamba) = read("mamba-org__mamba__dev__environment-dev.yml") else { return };
    let count = |subdir| mamba.dependencies_for(subdir).count();
    assert_eq!(
        (count(Subdir::Linux64), count(Subdir::OsxArm64), count(Subdir::Win64)),
        (48, 47, 50)
    );

    let lock =
        read("conda__conda-lock__tests__test-pip-with-platform-selector__environment.yml").unwrap();
    let platforms: Vec<Subdir> = lock.platforms.iter().map(|p| p.value).collect();
    assert_eq!(platforms, [Subdir::Linux64, Subdir::OsxArm64]);
    assert_eq!(lock.pip_for(Subdir::Linux64).lines.len(), 1);
    assert_eq!(lock.pip_for(Subdir::OsxArm64).lines.len(), 0);
}

#[test]
fn channels_before_double_colons_are_separated_from_the_spec() {
    let Some(esm) = read("facebookresearch__esm__environment.yml") else { return };
    let channels: Vec<&str> =
        esm.dependencies.iter().filter_map(|r| r.channel.as_deref()).collect();
    assert_eq!(channels.len(), 16);
    assert_eq!(channels.iter().filter(|c| **c == "bioconda").count(), 3);
    assert!(esm.dependencies.iter().all(|r| r.spec.channel.is_none()));
}

#[test]
fn every_form_of_a_match_spec_is_read() {
    let environment = parse("forms.yml", &fixture("forms.yml")).unwrap();
    let shown: Vec<String> = environment
        .dependencies
        .iter()
        .map(|r| {
            let from = [r.channel.clone(), r.subdir.map(|s| s.to_string())];
            let from: Vec<String> = from.into_iter().flatten().collect();
            format!("{} <{}>", r.spec, from.join(" "))
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
    assert_eq!(environment.variables["RATIO"], "1.10");
    assert_eq!(environment.variables["DEBUG"], "true");
    assert_eq!(environment.variables["GREETING"], "你好");
    assert_eq!(environment.pip.len(), 2);
    assert!(environment.nodefaults && environment.warnings.is_empty());
}

#[test]
fn selectors_select_lines_by_platform() {
    let environment = parse("selectors.yml", &fixture("selectors.yml")).unwrap();
    let on = |subdir: Subdir| {
        let dependencies = environment.dependencies_for(subdir).map(|r| r.text.clone());
        let pip = environment.pip_for(subdir).lines.into_iter().map(|line| line.text);
        dependencies.chain(pip).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        on(Subdir::Linux64),
        "python sysroot_linux-64 ncurses readline pip plain linked psutil"
    );
    assert_eq!(on(Subdir::LinuxAarch64), "python ncurses readline pip plain linked");
    assert_eq!(on(Subdir::OsxArm64), "python libcxx ncurses readline pip plain linked pyobjc");
    assert_eq!(on(Subdir::Win64), "python menuinst pywin32 pip plain linked colorama");
}

#[test]
fn all_mistakes_of_a_file_are_reported_in_one_run_without_passwords() {
    let invalid = parse("broken.yml", &fixture("broken.yml")).unwrap_err();
    let shown: Vec<String> = invalid
        .findings
        .iter()
        .map(|d| {
            let place = d.place.as_ref().unwrap();
            let help = d.help.as_deref().unwrap_or("-");
            format!("{place} {}\n    {}\n    {help}", d.code, d.message)
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
    assert!(!format!("{invalid} {invalid:?}").contains("hunter2"));
}
