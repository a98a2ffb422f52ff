//! `envlock config`: what is in force, and who set it.

use envlock_testkit::TestMirror;
use unicode_width::UnicodeWidthStr as _;

use crate::support::{Lab, one_line};

const CONDARC: &str = "channels:\n  - defaults\nshow_channel_urls: true\ndefault_channels:\n  \
    - https://mirrors.tuna.tsinghua.edu.cn/anaconda/pkgs/main\ncustom_channels:\n  \
    conda-forge: https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud\n\
    proxy_servers:\n  https: http://me:geheim@proxy.example:8080\nchangeps1: false\n";

fn lab(condarc: &str) -> Lab {
    let lab =
        Lab::new(TestMirror::new(), "dependencies: []\n").env("CONDA_REMOTE_MAX_RETRIES", "5");
    fs_err::write(lab.project.home().join(".condarc"), condarc).unwrap();
    lab.project.write("envlock.toml", "forbid-channels = [\"bioconda\"]\n");
    lab
}

#[test]
fn every_value_is_listed_with_the_file_variable_or_flag_that_set_it() {
    let lab = lab(CONDARC);
    let mut output = lab.envlock(&["config", "--offline", "--mirror", "ustc"]);
    // The only path that differs between runs.
    let cache = output.stdout.find("cache-dir").unwrap();
    assert!(output.stdout.split_off(cache).trim_end().ends_with("ENVLOCK_CACHE_DIR"));
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stdout
    channels: defaults                                     ~/.condarc:2
    channel_priority: strict                               default
    channel_alias: https://conda.anaconda.org              default
    default_channels: https://mirrors.tuna.tsinghua.edu.cn/anaconda/pkgs/main
                                                           ~/.condarc:5
    custom_channels.conda-forge: https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud
                                                           ~/.condarc:7
    mirrors: ustc                                          --mirror
    forbid-channels: bioconda                              envlock.toml:1
    offline: true                                          --offline
    proxy_servers.https: http://me:***@proxy.example:8080  ~/.condarc:9
    ssl_verify: true                                       default
    remote_connect_timeout_secs: 10                        default
    remote_read_timeout_secs: 30                           default
    remote_max_retries: 5                                  CONDA_REMOTE_MAX_RETRIES
    remote_backoff_factor: 0.5                             default
    -- stderr
    note[condarc-unused]: envlock doesn't use these keys of .condarc: changeps1
      --> ~/home/.condarc:10:1
      10 | changeps1: false
         | ^^^^^^^^^
    -- exit 0
    ");
}

#[test]
fn no_line_is_wider_than_80_columns_and_no_password_is_shown() {
    let lab = lab(CONDARC);
    let output = lab.envlock(&["config"]);
    for line in output.stdout.lines().filter(|line| !line.contains("cache-dir")) {
        assert!(line.width() <= 80, "{line}");
    }
    assert!(!format!("{}{}", output.stdout, output.stderr).contains("geheim"));
}

#[test]
fn json_has_the_place_of_each_value() {
    let lab = lab(CONDARC);
    let text = lab.envlock(&["config", "--format", "json", "--no-origin"]).success();
    assert!(!text.contains("geheim"));
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let values = report["result"]["values"].as_array().unwrap();
    let of = |key: &str| values.iter().find(|value| value["key"] == key).unwrap();
    let condarc = lab.project.home().join(".condarc").display().to_string();
    assert_eq!(of("channels")["place"]["file"].as_str(), Some(condarc.as_str()));
    assert_eq!(of("channels")["place"]["line"], 2);
    assert_eq!(of("remote_max_retries")["set_by"], "variable");
    assert_eq!(of("remote_max_retries")["name"], "CONDA_REMOTE_MAX_RETRIES");
    assert_eq!(of("no-origin")["name"], "--no-origin");
    assert_eq!(of("remote_read_timeout_secs")["set_by"], "default");
    assert_eq!(of("forbid-channels")["place"]["file"], "envlock.toml");
}

#[test]
fn an_unusable_value_is_printed_and_reported() {
    let lab = lab("ssl_verify: /nowhere/at/all.pem\n");
    let output = lab.envlock(&["config"]);
    assert_eq!(output.code, Some(2));
    assert!(output.stdout.contains("ssl_verify: /nowhere/at/all.pem"), "{}", output.stdout);
    assert!(
        one_line(&output.stderr).contains("/nowhere/at/all.pem can't be read"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_missing_condarc_that_a_variable_names_is_a_warning() {
    let lab = lab("").env("CONDARC", "nowhere.yml");
    let output = lab.envlock(&["config"]);
    assert_eq!(output.code, Some(0));
    assert!(output.stderr.contains("CONDARC names nowhere.yml"), "{}", output.stderr);
}

#[test]
fn folders_of_further_files_are_read_by_name_and_only_with_a_yaml_ending() {
    let lab = lab("channels: [home]\n");
    let folder = lab.project.home().join(".conda/condarc.d");
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::write(folder.join("20.yml"), "channels: [b]\n").unwrap();
    fs_err::write(folder.join("10.yaml"), "channels: [a]\n").unwrap();
    fs_err::write(folder.join("30.bak"), "channels: [c]\n").unwrap();
    let text = lab.envlock(&["config"]).success();
    let channels = text.lines().filter_map(|line| line.strip_prefix("channels: "));
    let names: Vec<_> = channels.map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(names, ["home", "b", "a"]);
}
