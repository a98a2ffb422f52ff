//! Which channels a package may come from.

use envlock_testkit::{Channel, Format, IndexFormats, Package, TestMirror};

use crate::support::{Lab, urls};

/// `defaults` in two channels, and conda-forge beside them.
fn two_worlds() -> TestMirror {
    TestMirror::new()
        .channel("pkgs/main", |c| {
            c.add("python 3.10.1 main_0");
            c.add("both 1.0 main_0");
            c.add("needs-r 1.0 | r-base");
        })
        .channel("pkgs/r", |c| {
            c.add("r-base 4.1 r_0");
            c.add("both 2.0 r_0");
        })
        .channel("conda-forge", |c| {
            c.add("python 3.10.9 cf_0");
            c.add("both 3.0 cf_0");
            c.add("only-forge 1.0 cf_0 | helper");
            c.add("helper 1.0 cf_0");
        })
}

fn solved(yml: &str) -> Vec<String> {
    Lab::solved(two_worlds(), yml).locked("linux-64")
}

#[test]
fn defaults_is_main_and_r_in_one_tier() {
    let yml = "channels: [defaults, conda-forge]\ndependencies: [both, needs-r]\n";
    let lab = Lab::solved(two_worlds(), yml);
    // The newer version, of pkgs/r: the two are one channel. Never conda-forge's 3.0.
    assert_eq!(lab.locked("linux-64"), ["both-2.0-r_0", "needs-r-1.0-0", "r-base-4.1-r_0"]);
    let url = "https://repo.anaconda.com/pkgs/r/linux-64/both-2.0-r_0.conda";
    assert!(urls(&lab.lock(), "linux-64").contains(&url.to_owned()));
    assert!(lab.world.requests("*/cloud/defaults/*").is_empty(), "there is no channel `defaults`");
    assert!(lab.world.requests("*/msys2/*").is_empty(), "msys2 is for Windows");
}

#[test]
fn msys2_is_one_of_the_defaults_on_windows() {
    let world = two_worlds().channel("pkgs/msys2", |c| {
        c.add_for(envlock_testkit::Subdir::Win64, "m2-base 1.0");
    });
    let yml = "channels: [defaults]\nplatforms: [win-64]\ndependencies: [m2-base]\n";
    assert_eq!(Lab::solved(world, yml).locked("win-64"), ["m2-base-1.0-0"]);
}

#[test]
fn a_spec_can_name_defaults_or_one_of_its_channels() {
    let asked = |spec: &str| {
        solved(&format!("channels: [conda-forge, defaults]\ndependencies: [{spec}]\n"))
    };
    assert_eq!(asked("both"), ["both-3.0-cf_0"]);
    assert_eq!(asked("'defaults::both'"), ["both-2.0-r_0"]);
    assert_eq!(asked("'pkgs/main::both'"), ["both-1.0-main_0"]);
    assert_eq!(asked("'pkgs/r::both'"), ["both-2.0-r_0"]);
    assert_eq!(asked("'https://repo.anaconda.com/pkgs/main::both'"), ["both-1.0-main_0"]);
    assert_eq!(asked("'https://conda.anaconda.org/conda-forge::both'"), ["both-3.0-cf_0"]);
}

#[test]
fn without_a_list_it_is_defaults_with_a_warning_and_never_conda_forge() {
    let lab = Lab::new(two_worlds(), "dependencies: [python]\n");
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-q"])), @"
    -- stdout
    linux-64  1 package  1.0 kB to download at most
    wrote envlock.lock
    -- stderr
    warning[implicit-defaults]: no channel is listed: `defaults` is searched
      --> environment.yml:1:1
      1 | dependencies: [python]
        | ^^^^^^^^^^^^
      - Anaconda's terms of service for it require larger organisations to pay
      help: say which: `channels: [conda-forge]` or `channels: [defaults]`
    -- exit 0
    ");
    assert_eq!(lab.locked("linux-64"), ["python-3.10.1-main_0"]);
    assert!(lab.world.requests("*conda-forge*").is_empty());
}

#[test]
fn nodefaults_is_not_a_channel() {
    let yml = "channels: [conda-forge, nodefaults]\ndependencies: [python]\n";
    let lab = Lab::solved(two_worlds(), yml);
    assert_eq!(lab.locked("linux-64"), ["python-3.10.9-cf_0"]);
    assert!(lab.world.requests("*nodefaults*").is_empty());
    let lab = Lab::new(two_worlds(), "channels: [nodefaults]\ndependencies: [python]\n");
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-q"])), @"
    -- stderr
    error[no-channel]: there is no channel: `channels` lists only `nodefaults`
      --> environment.yml:1:1
      1 | channels: [nodefaults]
        | ^^^^^^^^
      help: list one, such as `channels: [conda-forge]`
    -- exit 2
    ");
}

#[test]
fn priority_is_strict_whatever_versions_a_later_channel_has() {
    let yml = "channels: [conda-forge, defaults]\ndependencies: [python, needs-r]\n";
    assert_eq!(solved(yml), ["needs-r-1.0-0", "python-3.10.9-cf_0", "r-base-4.1-r_0"]);
}

#[test]
fn a_channel_that_only_a_spec_names_is_used_for_that_spec_only_and_recorded() {
    let yml =
        "channels: [defaults]\ndependencies:\n  - conda-forge::only-forge\n  - python\n  - both\n";
    let lab = Lab::solved(two_worlds(), yml);
    assert_eq!(
        lab.locked("linux-64"),
        ["both-2.0-r_0", "helper-1.0-cf_0", "only-forge-1.0-cf_0", "python-3.10.1-main_0"]
    );
    let lock: serde_yaml::Value = serde_yaml::from_str(&lab.lock()).unwrap();
    let channels = serde_yaml::to_string(&lock["envlock"]["requested"]["channels"]).unwrap();
    insta::assert_snapshot!(channels, @"
    - name: defaults
      urls:
      - https://repo.anaconda.com/pkgs/main/
      - https://repo.anaconda.com/pkgs/r/
      multi: true
    - name: conda-forge
      urls:
      - https://conda.anaconda.org/conda-forge/
      only-for-specs: true
    ");
    let channels = serde_yaml::to_string(&lock["environments"]["default"]["channels"]).unwrap();
    insta::assert_snapshot!(channels, @"
    - url: https://repo.anaconda.com/pkgs/main/
    - url: https://repo.anaconda.com/pkgs/r/
    - url: https://conda.anaconda.org/conda-forge/
    ");
    // What is asked for without a channel never comes from there.
    let lab = Lab::new(
        two_worlds(),
        "channels: [defaults]\ndependencies:\n  - conda-forge::only-forge\n  - helper\n",
    );
    let output = lab.solve(&["-q"]);
    assert_eq!(output.code, Some(6), "{}", output.stdout);
    insta::assert_snapshot!(lab.shown(&output), @r#"
    -- stderr
    error[dependency-conflict]: `conda-forge::only-forge` can't be installed: a
      dependency isn't available
      --> environment.yml:3:5
      3 |   - conda-forge::only-forge
        |     ^^^^^^^^^^^^^^^^^^^^^^^
      - only-forge 1.0 needs helper, but no channel has helper
      help: request another version, or add the channel that has the dependency

    error[not-in-channel]: no channel of `channels:` has a package named helper
      --> environment.yml:4:5
      4 |   - helper
        |     ^^^^^^
      help: conda-forge has it, but is searched only for packages that are requested
            from it: write `conda-forge::helper`, or add conda-forge to `channels:`

    warning[defaults-terms]: packages come from Anaconda's own channels, whose terms
      of service require larger organisations to pay
      - its servers sometimes block whole networks; the terms also apply to mirrors
      help: use `conda-forge`, or forbid them: `forbid-channels = ["defaults"]` in
            envlock.toml
    -- exit 6
    "#);
}

/// A channel in a folder.
fn folder(root: impl Into<std::path::PathBuf>) {
    let mut channel = Channel::new(root);
    channel.add(&Package::new("own", "1.0"), Format::Conda).unwrap();
    channel.write_index(IndexFormats::ALL).unwrap();
}

#[test]
fn channels_are_folders_urls_and_variables_too() {
    let lab = Lab::new(two_worlds(), "").env("CHANNEL", "conda-forge").env("PART", "频道");
    let own = lab.project.path("频道");
    folder(&own);
    let own_url = url_of(&own);
    for channel in [
        own_url.clone(),
        own.display().to_string(),
        "./频道".to_owned(),
        "../project/频道".to_owned(),
        "./$PART".to_owned(),
        "./${PART}".to_owned(),
    ] {
        lab.write_environment(&format!("channels:\n  - '{channel}'\ndependencies: [own]\n"));
        lab.solve(&["-q"]).success();
        // Files are locked by their path, as every tool on rattler_lock writes them.
        let archive = own.join("linux-64/own-1.0-0.conda").display().to_string();
        assert_eq!(urls(&lab.lock(), "linux-64"), [archive], "{channel}");
        lab.envlock(&["solve", "--check", "-q"]).success();
    }
    lab.write_environment("channels: ['$CHANNEL']\ndependencies: [python]\n");
    lab.solve(&["-q"]).success();
    assert_eq!(lab.locked("linux-64"), ["python-3.10.9-cf_0"]);
    assert!(!lab.lock().contains("$CHANNEL"));
    lab.write_environment(
        "channels: ['https://conda.anaconda.org/$UNSET']\ndependencies: [python]\n",
    );
    let output = lab.solve(&["-q"]);
    assert_eq!(output.code, Some(2));
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[channel-variable-unset]: `https://conda.anaconda.org/$UNSET` can't be used
      as a channel: the variable `UNSET` isn't set
      --> environment.yml:1:12
      1 | channels: ['https://conda.anaconda.org/$UNSET']
        |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: set it, as in `export UNSET=…`, or write the value
    -- exit 2
    ");
}

#[test]
fn a_relative_channel_is_relative_to_environment_yml() {
    let lab = Lab::new(TestMirror::new(), "");
    lab.project.write("sub/environment.yml", "channels: [./own]\ndependencies: [own]\n");
    folder(lab.project.path("sub/own"));
    lab.envlock(&["solve", "-q", "-f", "sub/environment.yml"]).success();
    assert!(lab.project.path("sub/envlock.lock").exists());
    lab.envlock(&["solve", "--check", "-f", "sub/environment.yml"]).success();
}

#[test]
fn a_url_in_a_spec_is_searched_for_that_spec() {
    let world = two_worlds();
    let url = world.channel_url("conda-forge");
    let lab = Lab::new(
        world,
        &format!("channels: [defaults]\ndependencies:\n  - '{url}::only-forge'\n  - python\n"),
    );
    // Not below the declared prefix: an origin of its own, so without --no-origin.
    let mirrors = lab.world.mirror_args();
    let mirrors = mirrors.iter().map(String::as_str).filter(|arg| *arg != "--no-origin");
    lab.project.envlock(["solve", "-q"].into_iter().chain(mirrors)).success();
    assert_eq!(
        lab.locked("linux-64"),
        ["helper-1.0-cf_0", "only-forge-1.0-cf_0", "python-3.10.1-main_0"]
    );
}

#[test]
fn a_query_in_a_url_is_an_error_and_is_not_shown() {
    let yml = "channels: ['https://conda.anaconda.org/synth?auth=geheim']\ndependencies: [app]\n";
    let lab = Lab::new(TestMirror::new(), yml);
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-q"])), @"
    -- stderr
    error[channel-invalid]: `https://conda.anaconda.org/synth?***` can't be used as
      a channel: the URL of a channel can't have `?` or `#`
      --> environment.yml:1:12
      1 | channels: ['https://conda.anaconda.org/synth?***']
        | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: write only the URL of the channel's folder
    -- exit 2
    ");
}

fn url_of(folder: &std::path::Path) -> String {
    let url = url::Url::from_file_path(folder).unwrap();
    url.as_str().trim_end_matches('/').to_owned()
}

#[test]
fn a_channel_that_no_source_has_is_an_error_at_its_line_before_the_warnings() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0");
    });
    let yml = "chanels: [x]\nchannels:\n  - conda-forge\n  - nope\n  - ./nowhere\n\
               dependencies:\n  - app\n  - bioconda::tool\n";
    let lab = Lab::new(world, yml);
    let output = lab.solve(&[]);
    assert_eq!(output.code, Some(3));
    let shown = lab.shown(&output);
    let said = |text: &str| shown.find(text).unwrap_or_else(|| panic!("{text}: {shown}"));
    let (error, warning) = ("error[channel-not-found]: the channel nope", "the key `chanels`");
    assert!(said(error) < said(warning), "{shown}");
    for (channel, place) in [("nope", "4:5"), ("nowhere", "5:5"), ("bioconda", "8:5")] {
        let at = said(&format!("{channel} has"));
        let next = shown[at..].lines().find(|line| line.contains("-->")).unwrap();
        assert_eq!(next.trim(), format!("--> environment.yml:{place}"));
    }
    assert!(!shown[said("look into")..].starts_with("look into file://"), "{shown}");
}
