use std::path::Path;

use envlock_report::AsFindings as _;

use crate::tests::{merged, no_variable, shown};

fn resolved(condarc: &str, channel: &str) -> Result<Vec<String>, String> {
    let settings = merged(&[("~/.condarc", condarc)]);
    let config = settings.channel_settings(Path::new("/project"), &no_variable).channel_config;
    let base = Path::new("/project");
    let linux = rattler_conda_types::Subdir::Linux64;
    match envlock_model::channel::resolve(channel, &config, linux, base, &no_variable) {
        Ok(channels) => Ok(channels.into_iter().map(|c| c.channel.url.to_string()).collect()),
        Err(error) => {
            let place = error.findings().remove(0).place.map(|place| place.to_string());
            Err(place.unwrap_or_default())
        }
    }
}

#[test]
fn an_entry_that_can_not_be_used_is_an_error_only_for_the_channels_that_use_it() {
    let condarc = "channel_alias: https://$A/x\ncustom_channels:\n  lab: https://u:$PW@lab.example/x\n  \
        s3: s3://bucket/x\n  ok: https://ok.example/x\ncustom_multichannels:\n  \
        both: [ok, lab]\n  two: [ok, 'https://h/y']\ndefault_channels: ['https://$B/main']\n\
        mirrored_channels:\n  ok/m: ['https://$C/m']\n";
    for (channel, place) in [
        ("lab", "~/.condarc:3:8"),
        ("lab/label/dev", "~/.condarc:3:8"),
        ("s3", "~/.condarc:4:7"),
        ("conda-forge", "~/.condarc:1:16"),
        ("both", "~/.condarc:3:8"),
        ("defaults", "~/.condarc:9:20"),
        ("pkgs/main", "~/.condarc:9:20"),
        ("ok/m", "~/.condarc:11:10"),
    ] {
        assert_eq!(resolved(condarc, channel), Err(place.to_owned()), "{channel}");
    }
    let url = |text: &str| Ok(vec![text.to_owned()]);
    assert_eq!(resolved(condarc, "ok"), url("https://ok.example/x/ok/"));
    assert_eq!(resolved(condarc, "https://h/z"), url("https://h/z/"));
    assert_eq!(resolved(condarc, "two").map(|urls| urls.len()), Ok(2));
}

#[test]
fn mirroring_channels_a_multichannel_called_defaults_sets_defaults() {
    let condarc = "custom_multichannels:\n  defaults: [https://mirror.example/pkgs/main]\n";
    let mirror = Ok(vec!["https://mirror.example/pkgs/main/".to_owned()]);
    assert_eq!(resolved(condarc, "defaults"), mirror);
    assert_eq!(resolved(condarc, "pkgs/main"), mirror);
    // `default_channels` has priority, with a warning if it has other members.
    let both = format!("{condarc}default_channels: [conda-forge]\n");
    let forge = Ok(vec!["https://conda.anaconda.org/conda-forge/".to_owned()]);
    assert_eq!(resolved(&both, "defaults"), forge);
    let warnings = |text: &str| {
        merged(&[("~/.condarc", text)])
            .channel_settings(Path::new("/project"), &no_variable)
            .warnings
    };
    assert_eq!(warnings(&both)[0].place.as_ref().unwrap().to_string(), "~/.condarc:2:14");
    let equal = format!("{condarc}default_channels: [https://mirror.example/pkgs/main]\n");
    assert_eq!(warnings(&equal), []);
}

#[test]
fn migrated_urls_are_those_of_the_present_alias_and_custom_channels() {
    let condarc = "channel_alias: https://new.example/conda\n\
        migrated_channel_aliases: [https://old.example/conda, 'https://u:geheim@older.example/']\n\
        custom_channels: {lab: https://lab.example/x}\n\
        migrated_custom_channels: {lab: https://old.example/labs, s3: s3://b/c}\n";
    let url = |text: &str| Ok(vec![text.to_owned()]);
    for (written, present) in [
        ("https://old.example/conda/a/b", "https://new.example/conda/a/b/"),
        ("http://old.example/conda/a/linux-64", "https://new.example/conda/a/"),
        ("https://older.example/a", "https://new.example/conda/a/"),
        ("https://old.example/labs/lab", "https://lab.example/x/lab/"),
        ("https://old.example/labs/lab/label/dev", "https://lab.example/x/lab/label/dev/"),
        ("https://old.example/condas/a", "https://old.example/condas/a/"),
        ("https://old.example/conda", "https://old.example/conda/"),
    ] {
        assert_eq!(resolved(condarc, written), url(present), "{written}");
    }
}

#[test]
fn no_password_is_shown_also_of_a_malformed_url() {
    for value in [
        "channel_alias: https://me:1/geheim@h/x",
        "custom_channels: {a: 'https://me:1#geheim@h/x'}",
        "channels: ['https://me:1?geheim@h/x']",
        "default_channels: ['htps//me:geheim@h/x', 'https://h/t/geheim']",
        "proxy_servers: {http: 'me:geheim@corp:3128', https: 'https://me:1/geheim@corp'}",
        "mirrored_channels: {a: ['https://me:1/geheim@h/x']}",
        "migrated_custom_channels: {a: 'https://me:1/geheim@h/x'}",
    ] {
        let configuration = merged(&[("~/.condarc", value)]);
        let settings = configuration.channel_settings(Path::new("/project"), &no_variable);
        let shown = format!("{:?} {configuration:?}", shown(&configuration));
        assert!(!shown.contains("geheim"), "{shown}");
        let invalid = settings.channel_config.invalid;
        let errors = [invalid.channel_alias, invalid.defaults];
        for error in errors.into_iter().flatten().chain(invalid.custom_channels.into_values()) {
            assert!(!format!("{error} {:?}", error.findings()).contains("geheim"));
        }
    }
}
