//! The real records and files beside the repository, where they are there.

use envlock_testkit::{IndexFormats, Project, TestMirror, shared_data};

use crate::support::{BINARY, Lab, json, urls};

/// The real channels with this environment.yml.
fn lab(environment_yml: &str) -> Option<Lab> {
    Some(Lab::new(TestMirror::shared_channels(IndexFormats::ZST)?, environment_yml))
}

#[test]
fn the_pytorch_environment_solves_and_solves_to_the_same_bytes() {
    let Some(lab) = lab(
        "name: ml\nchannels: [pytorch, nvidia, conda-forge]\nplatforms: [linux-64]\ndependencies:\n  \
         - python=3.10\n  - numpy=1.24.3\n  - pandas=1.5.3\n  - pytorch::pytorch=2.0.1\n  - cpuonly\n  \
         - jupyter\n  - pip\n",
    ) else {
        return;
    };
    lab.solve(&["-q"]).success();
    let lock = lab.lock();
    let locked = lab.locked("linux-64");
    for expected in ["python-3.10.", "numpy-1.24.3-", "pandas-1.5.3-", "pytorch-2.0.1-py3.10_cpu"] {
        assert!(locked.iter().any(|name| name.starts_with(expected)), "{expected}: {locked:?}");
    }
    assert_eq!(locked.len(), 177);
    assert!(
        urls(&lock, "linux-64").iter().all(|url| url.starts_with("https://conda.anaconda.org/"))
    );
    let document: serde_yaml::Value = serde_yaml::from_str(&lock).unwrap();
    let packages = document["packages"].as_sequence().unwrap();
    assert!(
        packages.iter().all(|package| package["sha256"].as_str().is_some_and(|s| s.len() == 64))
    );

    lab.solve(&["-q"]).success();
    assert_eq!(lab.lock(), lock, "again");
    fs_err::remove_file(lab.project.path("envlock.lock")).unwrap();
    lab.solve(&["-q", "--offline"]).success();
    assert_eq!(lab.lock(), lock, "anew, and offline");
}

#[test]
fn conflicts_of_real_packages_are_explained_in_ten_lines_with_the_cause_first() {
    for (first, second, cause) in [
        (
            "python=3.12",
            "cftime=1.6.2",
            "cftime 1.6.2 needs python 3.10 or 3.11, but environment.yml:4 requests 3.12",
        ),
        ("numba=0.60.0", "h5py=3.9.0", "llvmlite 0.43.0 needs libzlib >=1.3.1,<2.0a0"),
    ] {
        let dependencies = format!("dependencies:\n  - {first}\n  - {second}\n");
        let yml = format!("channels: [conda-forge]\nplatforms: [linux-64]\n{dependencies}");
        let Some(lab) = lab(&yml) else { return };
        let output = lab.solve(&["-q"]);
        assert_eq!(output.code, Some(6));
        let notes: Vec<_> = output.stderr.lines().filter(|line| line.starts_with("  - ")).collect();
        assert!(notes.len() <= 6, "{}", output.stderr);
        assert!(output.stderr.contains(cause), "{}", output.stderr);
        assert!(output.stderr.contains("  help: write `"), "{}", output.stderr);
    }
}

#[test]
fn the_articles_file_has_the_expected_findings() {
    let Some(file) = shared_data("environments/article.yml") else { return };
    let Some(lab) = lab(&fs_err::read_to_string(file).unwrap()) else { return };
    let output = lab.solve(&["-q"]);
    assert_eq!(output.code, Some(6));
    assert!(!lab.project.path("envlock.lock").exists());
    insta::assert_snapshot!(lab.shown(&output), @r#"
    -- stderr
    error[no-such-version]: there is no tensorflow 2.13.0; the nearest is 2.13.1,
      which needs Python 3.11, but environment.yml:6 requests 3.10
      --> environment.yml:10:5
      10 |   - tensorflow=2.13.0
         |     ^^^^^^^^^^^^^^^^^
      - versions, the nearest first: 2.13.1, 2.12.1, 2.14.0, 2.11.0, 2.11.1, 2.15.0,
        … (11 in all)
      - tensorflow 2.13.1 depends on `python >=3.11,<3.12.0a0`
      help: the nearest that fits the other lines that can be met is 2.12.1, for
            machines with __cuda: write `tensorflow=2.12.1` and solve with
            `--virtual-package __cuda=VERSION --channel-priority flexible`

    error[hidden-by-priority]: `jupyter` can't be met: strict channel priority uses
      defaults for jupyterlab, jupyter_client, jupyter_core, packaging, traitlets,
      …, so those of conda-forge are hidden
      --> environment.yml:11:5
      11 |   - jupyter
         |     ^^^^^^^
      - jupyter 1.1.1 -> notebook 7.6.2 -> jupyterlab >=4.6.3,<4.7: defaults comes
        first and has 3.0.14, 3.0.11, 2.3.1, … (12 in all), so 4.6.3 of conda-forge
        is ignored
      - jupyter 1.1.1 -> ipykernel 7.3.0 -> jupyter_client >=8.9.0: defaults comes
        first and has 6.1.12, 6.1.7, 6.1.6, … (10 in all), so 8.9.1 of conda-forge
        is ignored
      - jupyter 1.1.1 -> ipykernel 7.3.0 -> jupyter_core >=5.1,!=6.0.*: defaults
        comes first and has 4.5.0, so 5.9.1 of conda-forge is ignored
      - jupyter 1.1.1 -> ipykernel 7.3.0 -> packaging >=22: defaults comes first and
        has 20.9, 20.8, 20.7, … (8 in all), so 26.3 of conda-forge is ignored
      - jupyter 1.1.1 -> ipykernel 7.3.0 -> traitlets >=5.4.0: defaults comes first
        and has 5.0.5, 5.0.4, so 5.16.1 of conda-forge is ignored
      help: list conda-forge before defaults in `channels:`

    warning[defaults-terms]: packages come from Anaconda's own channels, whose terms
      of service require larger organisations to pay
      - its servers sometimes block whole networks; the terms also apply to mirrors
      help: use `conda-forge`, or forbid them: `forbid-channels = ["defaults"]` in
            envlock.toml

    warning[subdir-empty]: the channel defaults has nothing for linux-64
      - its index is there and lists no package:
        http://mirror/anaconda/pkgs/main/linux-64/

    warning[subdir-empty]: the channel defaults has nothing for linux-64
      - its index is there and lists no package:
        http://mirror/anaconda/pkgs/r/linux-64/
    -- exit 6
    "#);
}

/// Files of hundreds of lines and of conflicts that take seconds to explain.
const LONG: [&str; 7] = [
    "article.yml",
    "CryoInTheCloud",
    "autonomousvision",
    "geopandas",
    "pangeo-data__pangeo-docker-images__pangeo",
    "pangeo-data__pangeo-docker-images__pytorch",
    "sunpy",
];

#[test]
fn every_real_file_gives_a_json_document_and_no_panic() {
    let Some(folder) = shared_data("environments") else { return };
    let Some(world) = TestMirror::shared_channels(IndexFormats::ZST) else { return };
    let project = Project::new(BINARY, "");
    let lab = Lab { world, project };
    for item in fs_err::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "yml" && ending != "yaml") {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy();
        if LONG.iter().any(|long| name.starts_with(long)) {
            continue;
        }
        let file = path.display().to_string();
        let args = ["--platform", "linux-64", "--dry-run", "--format", "json", "-f", &file];
        let output = lab.solve(&args);
        let report = json(&output.stdout);
        assert_eq!(report["exit_code"].as_i64(), output.code.map(i64::from), "{file}");
        assert!(matches!(output.code, Some(0 | 2 | 3 | 6)), "{file}: {:?}", output.code);
        assert!(!output.stderr.contains("panicked"), "{file}: {}", output.stderr);
    }
}
