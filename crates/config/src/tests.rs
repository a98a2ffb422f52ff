//! Tests of conda's rules, named after the section of its documentation, and of envlock's own rules.

use std::collections::BTreeMap;
use std::path::Path;

use envlock_model::lock_inputs::Priority;
use envlock_report::{AsFindings, Exit};

use crate::{Configuration, Layer, Scalar, ValueSource, key};

fn layer(file: &str, text: &str) -> Layer {
    crate::parse_condarc(file, text).unwrap_or_else(|error| panic!("{error}"))
}

/// Merges files. They are in rising priority.
pub(crate) fn merged(files: &[(&str, &str)]) -> Configuration {
    Configuration::from_layers(
        &files.iter().map(|(file, text)| layer(file, text)).collect::<Vec<_>>(),
    )
}

/// Returns `key = value (source)` for every value.
pub(crate) fn shown(configuration: &Configuration) -> Vec<String> {
    let rows = configuration.shown_values();
    rows.iter().map(|row| format!("{} = {} ({})", row.key, row.value, row.set_by)).collect()
}

fn channels(configuration: &Configuration) -> Vec<&str> {
    configuration.list(&key::CHANNELS).iter().map(|set| set.value.as_str()).collect()
}

fn refused(text: &str) -> String {
    let error = crate::parse_condarc("~/.condarc", text).expect_err("a wrong value");
    assert_eq!(error.exit(), Exit::Usage);
    let lines = error.findings.iter().map(|finding| {
        let place = finding.place.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{place} {}", finding.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}

pub(crate) fn no_variable(_: &str) -> Option<String> {
    None
}

#[test]
fn conflict_merging_strategy_lists_are_joined_the_higher_priority_first() {
    let configuration = merged(&[
        ("/etc/conda/.condarc", "channels: [site, conda-forge]\n"),
        ("~/.condarc", "channels:\n  - mine\n  - conda-forge\n"),
    ]);
    assert_eq!(
        shown(&configuration),
        [
            "channels = mine (~/.condarc:2)",
            "channels = conda-forge (~/.condarc:3)",
            "channels = site (/etc/conda/.condarc:1)",
        ]
    );
}

#[test]
fn conflict_merging_strategy_mappings_are_updated() {
    let configuration = merged(&[
        ("/etc/conda/.condarc", "custom_channels:\n  a: https://site/\n  b: https://site/\n"),
        ("~/.condarc", "custom_channels:\n  b: https://home/\n"),
    ]);
    assert_eq!(
        shown(&configuration),
        [
            "custom_channels.a = https://site/ (/etc/conda/.condarc:2)",
            "custom_channels.b = https://home/ (~/.condarc:2)",
        ]
    );
}

#[test]
fn conflict_merging_strategy_single_values_are_replaced() {
    let configuration = merged(&[
        ("/etc/conda/.condarc", "offline: true\nremote_max_retries: 5\n"),
        ("~/.condarc", "offline: no\n"),
    ]);
    assert_eq!(
        shown(&configuration),
        ["offline = false (~/.condarc:1)", "remote_max_retries = 5 (/etc/conda/.condarc:2)"]
    );
}

#[test]
fn power_users_a_final_value_can_not_be_replaced() {
    let site = "channel_alias: https://site/  #!final\nchannels:  #!final\n  - site\n";
    let configuration = merged(&[
        ("/etc/conda/.condarc", site),
        ("~/.condarc", "channel_alias: https://home/\nchannels: [mine]\n"),
    ]);
    assert_eq!(
        shown(&configuration),
        [
            "channels = site (/etc/conda/.condarc:3)",
            "channel_alias = https://site/ (/etc/conda/.condarc:1)",
        ]
    );
}

#[test]
fn power_users_lists_of_lower_priority_are_joined_to_a_final_list() {
    let configuration = merged(&[
        ("/etc/conda/.condarc", "channels: [site]\n"),
        ("/opt/conda/.condarc", "channels: [base]  #!final\n"),
        ("~/.condarc", "channels: [mine]\n"),
    ]);
    assert_eq!(channels(&configuration), ["base", "site"]);
}

#[test]
fn power_users_a_final_entry_of_a_mapping_is_kept_and_the_others_are_replaced() {
    let site = "proxy_servers:\n  http: http://site:1  #!final\n  https: http://site:2\n";
    let configuration = merged(&[
        ("/etc/conda/.condarc", site),
        ("~/.condarc", "proxy_servers:\n  http: http://home:1\n  https: http://home:2\n"),
    ]);
    assert_eq!(
        shown(&configuration),
        [
            "proxy_servers.http = http://site:1 (/etc/conda/.condarc:2)",
            "proxy_servers.https = http://home:2 (~/.condarc:3)",
        ]
    );
}

#[test]
fn power_users_top_items_are_first_and_bottom_items_last_in_the_merged_list() {
    let configuration = merged(&[
        ("/etc/conda/.condarc", "channels:\n  - first  #!top\n  - site\n  - last  #!bottom\n"),
        ("~/.condarc", "channels:\n  - last\n  - mine\n  - first\n"),
    ]);
    assert_eq!(channels(&configuration), ["first", "mine", "site", "last"]);
}

#[test]
fn power_users_marked_items_of_the_lower_file_have_the_outer_position() {
    let text = |name: &str| {
        format!("channels:\n  - top-{name}  #!top\n  - {name}\n  - bottom-{name} #!bottom\n")
    };
    let configuration =
        merged(&[("/etc/conda/.condarc", &text("site")), ("~/.condarc", &text("home"))]);
    let expected = ["top-site", "top-home", "home", "site", "bottom-home", "bottom-site"];
    assert_eq!(channels(&configuration), expected);
}

#[test]
fn power_users_an_item_marked_both_ways_is_at_the_bottom() {
    let configuration = merged(&[
        ("/etc/conda/.condarc", "channels:\n  - both  #!bottom\n  - site\n"),
        ("~/.condarc", "channels:\n  - both  #!top\n  - mine\n"),
    ]);
    assert_eq!(channels(&configuration), ["mine", "site", "both"]);
}

#[test]
fn a_comment_that_resembles_a_flag_is_a_comment() {
    let configuration = merged(&[
        ("/etc/conda/.condarc", "channels: [site]  # final, says the boss\n"),
        ("~/.condarc", "channels: ['a#!top', b]\n"),
    ]);
    assert_eq!(channels(&configuration), ["a#!top", "b", "site"]);
}

#[test]
fn precedence_variables_win_over_files_and_are_lists_by_commas() {
    let variables: BTreeMap<String, String> = [
        ("CONDA_CHANNELS", "lab, conda-forge"),
        ("CONDA_SSL_VERIFY", "False"),
        ("CONDA_CHANNEL_PRIORITY", "strict"),
        ("CONDA_ENVS_PATH", "/a:/b"),
        ("CONDA_PREFIX", "/opt/conda"),
        ("CONDA_OFFLINE", ""),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let files = layer("~/.condarc", "channels: [mine]\nchannel_priority: flexible\n");
    let variables = crate::parse_conda_variables(&variables).unwrap();
    let configuration = Configuration::from_layers(&[files, variables]);
    assert_eq!(
        shown(&configuration),
        [
            "channels = lab (CONDA_CHANNELS)",
            "channels = conda-forge (CONDA_CHANNELS)",
            "channels = mine (~/.condarc:1)",
            "channel_priority = strict (CONDA_CHANNEL_PRIORITY)",
            "ssl_verify = False (CONDA_SSL_VERIFY)",
            "envs_dirs = /a (CONDA_ENVS_PATH)",
            "envs_dirs = /b (CONDA_ENVS_PATH)",
        ]
    );
}

#[test]
fn a_variable_with_an_invalid_value_is_an_error_with_its_name() {
    for (name, value) in [("CONDA_OFFLINE", "perhaps"), ("CONDA_CUSTOM_CHANNELS", "a=b")] {
        let variables = [(name.to_owned(), value.to_owned())].into();
        let error = crate::parse_conda_variables(&variables).expect_err("a wrong value");
        assert_eq!(error.findings[0].notes, [format!("set by {name}")]);
    }
}

#[test]
fn proxy_variables_have_a_lower_priority_than_every_file() {
    let variables: BTreeMap<String, String> =
        [("HTTPS_PROXY", "http://env:1"), ("http_proxy", "http://env:2")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    let files = layer("~/.condarc", "proxy_servers: {https: 'http://me:geheim@corp:3'}\n");
    let configuration =
        Configuration::from_layers(&[crate::parse_network_variables(&variables), files]);
    assert_eq!(
        shown(&configuration),
        [
            "proxy_servers.http = http://env:2 (http_proxy)",
            "proxy_servers.https = http://me:***@corp:3 (~/.condarc:1)",
        ]
    );
    assert!(!format!("{configuration:?}").contains("geheim"));
}

#[test]
fn older_names_of_keys_are_read_and_two_names_of_one_key_are_an_error() {
    let configuration = merged(&[("~/.condarc", "verify_ssl: false\nclient_cert: /a.pem\n")]);
    assert_eq!(
        shown(&configuration),
        ["ssl_verify = false (~/.condarc:1)", "client_ssl_cert = /a.pem (~/.condarc:2)"]
    );
    assert_eq!(
        refused("ssl_verify: true\nverify_ssl: false\n"),
        "~/.condarc:2:1 `verify_ssl` and `ssl_verify` are names of the same key"
    );
}

#[test]
fn every_mistake_has_its_line_and_column() {
    let text = "channels: conda-forge\noffline: perhaps\ncustom_channels: [a]\n\
                channel_priority: high\ndefault_channels:\n  - {a: b}\nremote_max_retries: -1\n";
    assert_eq!(
        refused(text).lines().collect::<Vec<_>>(),
        [
            "~/.condarc:1:11 channels must be a list, and this is `conda-forge`",
            "~/.condarc:2:10 offline must be `true` or `false`, and this is `perhaps`",
            "~/.condarc:3:18 custom_channels must be a mapping, and this is a list",
            "~/.condarc:4:19 channel_priority must be `strict`, `flexible` or `disabled`, and this \
             is `high`",
            "~/.condarc:6:5 an item of default_channels must be text, and this is a mapping",
            "~/.condarc:7:21 remote_max_retries must be a number that isn't negative, and this is \
             `-1`",
        ]
    );
    assert!(refused("channels:\n\t- a\n").starts_with("~/.condarc:2:"));
    assert!(refused("- a\n").contains("a .condarc must be a mapping"));
    assert!(!refused("channels: 'https://me:geheim@lab/'\n").contains("geheim"));
}

#[test]
fn empty_files_and_keys_without_a_value_set_nothing() {
    for text in ["", "# nothing\n", "channels:\n", "\u{feff}", "{}\n"] {
        assert_eq!(shown(&merged(&[("~/.condarc", text)])), Vec::<String>::new(), "{text:?}");
    }
}

#[test]
fn unused_keys_are_named_once_with_the_nearest_known_key() {
    let configuration = merged(&[
        ("/etc/conda/.condarc", "changeps1: false\nshow_channel_urls: true\n"),
        ("~/.condarc", "changeps1: true\nchanels: [a]\n"),
    ]);
    let note = configuration.unused_keys_finding().unwrap();
    assert_eq!(note.message, "envlock doesn't use these keys of .condarc: chanels, changeps1");
    assert_eq!(note.place.unwrap().to_string(), "/etc/conda/.condarc:1:1");
    assert_eq!(note.help.as_deref(), Some("is `chanels` meant to be `channels`?"));
    assert!(merged(&[("~/.condarc", "show_channel_urls: true\n")]).unused_keys_finding().is_none());
}

#[test]
fn channel_priority_accepts_words_and_the_older_booleans() {
    for (text, priority) in [
        ("strict", Priority::Strict),
        ("flexible", Priority::Flexible),
        ("disabled", Priority::Disabled),
        ("true", Priority::Flexible),
        ("False", Priority::Disabled),
    ] {
        let configuration = merged(&[("~/.condarc", &format!("channel_priority: {text}\n"))]);
        let set = configuration.scalar(&key::CHANNEL_PRIORITY).unwrap();
        assert_eq!(set.value, Scalar::Priority(priority));
    }
}

#[test]
fn the_instructions_of_tsinghua_set_defaults_and_custom_channels() {
    let text = "channels:\n  - defaults\nshow_channel_urls: true\ndefault_channels:\n  \
        - https://mirrors.tuna.tsinghua.edu.cn/anaconda/pkgs/main\n  \
        - https://mirrors.tuna.tsinghua.edu.cn/anaconda/pkgs/r\n  \
        - https://mirrors.tuna.tsinghua.edu.cn/anaconda/pkgs/msys2\ncustom_channels:\n  \
        conda-forge: https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud\n  \
        pytorch: https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud\n";
    let configuration = merged(&[("~/.condarc", text)]);
    let addresses = configuration.channel_settings(Path::new("/project"), &no_variable);
    let defaults: Vec<_> = addresses.channel_config.defaults.iter().map(url::Url::as_str).collect();
    let base = "https://mirrors.tuna.tsinghua.edu.cn/anaconda";
    assert_eq!(defaults, ["main", "r", "msys2"].map(|part| format!("{base}/pkgs/{part}/")));
    let custom: Vec<_> = addresses.channel_config.custom_channels.iter().collect();
    let cloud = url::Url::parse(&format!("{base}/cloud/")).unwrap();
    assert_eq!(custom, [(&"conda-forge".to_owned(), &cloud), (&"pytorch".to_owned(), &cloud)]);
    assert!(configuration.unused_keys_finding().is_none());
}

#[test]
fn environment_variables_are_expanded_where_a_url_is_used() {
    let variable = |name: &str| (name == "HOST").then(|| "lab.example".to_owned());
    let text = "channel_alias: https://${HOST}/conda\ndefault_channels: [$HOST]\n";
    let configuration = merged(&[("~/.condarc", text)]);
    assert_eq!(shown(&configuration)[0], "channel_alias = https://${HOST}/conda (~/.condarc:1)");
    let addresses = configuration.channel_settings(Path::new("/project"), &variable);
    assert_eq!(addresses.channel_config.channel_alias.as_str(), "https://lab.example/conda/");
    assert_eq!(
        addresses.channel_config.defaults[0].as_str(),
        "https://lab.example/conda/lab.example/"
    );
    let invalid = configuration.channel_settings(Path::new("/project"), &no_variable);
    let invalid = invalid.channel_config.invalid;
    for error in [invalid.channel_alias, invalid.defaults] {
        assert!(error.unwrap().to_string().contains("`HOST` isn't set"));
    }
}

#[test]
fn multichannels_hold_names_and_urls_and_a_reserved_name_is_a_warning() {
    let text = "custom_channels: {lab: https://lab.example/conda}\n\
        custom_multichannels:\n  ours: [lab, conda-forge, 'file:///srv/ch']\n";
    let configuration = merged(&[("~/.condarc", text)]);
    let addresses = configuration.channel_settings(Path::new("/project"), &no_variable);
    let ours: Vec<_> = addresses.channel_config.custom_multichannels["ours"]
        .iter()
        .map(url::Url::as_str)
        .collect();
    assert_eq!(
        ours,
        [
            "https://lab.example/conda/lab/",
            "https://conda.anaconda.org/conda-forge/",
            "file:///srv/ch/"
        ]
    );
    let reserved = merged(&[("~/.condarc", "custom_multichannels: {local: [conda-forge]}\n")]);
    let settings = reserved.channel_settings(Path::new("/project"), &no_variable);
    assert_eq!(settings.warnings[0].code, "reserved-channel");
    assert!(settings.channel_config.custom_multichannels.is_empty());
}

#[test]
fn mirrored_channels_map_an_origin_to_its_only_sources() {
    let text = "custom_channels: {lab: https://lab.example/conda}\nmirrored_channels:\n  \
        lab: [https://a.example/lab, https://lab.example/conda/lab]\n  \
        conda-forge: ['oci://ghcr.io/channel-mirrors/conda-forge', https://b.example/cf]\n";
    let configuration = merged(&[("~/.mambarc", text)]);
    let addresses = configuration.channel_settings(Path::new("/project"), &no_variable);
    let shown: Vec<String> = addresses
        .mirrored
        .iter()
        .map(|(origin, urls)| {
            format!("{origin} {}", urls.iter().map(url::Url::as_str).collect::<Vec<_>>().join(" "))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "https://conda.anaconda.org/conda-forge/ https://b.example/cf/",
            "https://lab.example/conda/lab/ https://a.example/lab/ https://lab.example/conda/lab/",
        ]
    );
    assert_eq!(addresses.warnings.len(), 1);
}

#[test]
fn an_invalid_url_is_an_error_with_its_file_and_line() {
    let text = "channel_alias: conda.example.org\ncustom_channels:\n  a: ftp://x/\n";
    let settings = merged(&[("~/.condarc", text)]);
    let invalid =
        settings.channel_settings(Path::new("/project"), &no_variable).channel_config.invalid;
    let alias = invalid.channel_alias.unwrap().findings().remove(0);
    assert_eq!(alias.place.unwrap().to_string(), "~/.condarc:1:16");
    assert_eq!(alias.notes, ["it is the value of `channel_alias`"]);
    let custom = invalid.custom_channels["a"].findings().remove(0);
    assert_eq!(custom.place.unwrap().to_string(), "~/.condarc:3:6");
}

#[test]
fn envlock_toml_accepts_its_keys_and_no_others() {
    let text = "forbid-channels = [\"defaults\"]\nchannel-priority = \"flexible\"\nmirrors = [\n  \
        \"tuna\", # 清华\n  \"ustc\"]\n";
    let layer = crate::parse_project_config("envlock.toml", text).unwrap();
    assert_eq!(
        shown(&Configuration::from_layers(&[layer])),
        [
            "channel_priority = flexible (envlock.toml:2)",
            "mirrors = tuna (envlock.toml:4)",
            "mirrors = ustc (envlock.toml:5)",
            "forbid-channels = defaults (envlock.toml:1)",
        ]
    );
    let reported = |text: &str| {
        let error = crate::parse_project_config("envlock.toml", text).expect_err("a wrong value");
        let finding = &error.findings[0];
        let place = finding.place.as_ref().unwrap().to_string();
        (place, finding.message.clone(), finding.help.clone())
    };
    let (place, message, help) = reported("\nforbid-chanels = []\n");
    assert_eq!(
        (place.as_str(), message.as_str()),
        ("envlock.toml:2:1", "envlock.toml has no key `forbid-chanels`")
    );
    assert_eq!(help.as_deref(), Some("did you mean `forbid-channels`?"));
    assert_eq!(reported("mirrors = \"tuna\"\n").0, "envlock.toml:1:11");
    assert_eq!(reported("环境 = 1\n").0, "envlock.toml:1:1");
    assert_eq!(reported("mirrors = [\"a\", 1]\n").0, "envlock.toml:1:17");
}

#[test]
fn a_value_of_a_flag_names_the_flag() {
    let mut flags = Layer::default();
    flags.set_scalar(&key::OFFLINE, Scalar::Boolean(true), ValueSource::Flag("--offline"));
    let files = layer("~/.condarc", "offline: false\n");
    assert_eq!(shown(&Configuration::from_layers(&[files, flags])), ["offline = true (--offline)"]);
}

proptest::proptest! {
    #[test]
    fn parsing_never_panics(text in "\\PC{0,80}|(channels|offline|custom_channels|: |\\n|  - |a|\\[|\\]|#!top|\"){0,30}") {
        let _ = crate::parse_condarc("~/.condarc", &text);
        let _ = crate::parse_project_config("envlock.toml", &text);
    }
}
