use std::path::Path;

use envlock_report::{AsFindings, Exit, Place};
use rattler_conda_types::Subdir;

use super::{Channel, ChannelConfig, ChannelError, ResolvedChannel, resolve};
use envlock_text::redact;
use envlock_text::redact::has_credentials;

fn variable(name: &str) -> Option<String> {
    let value = match name {
        "TOKEN" => "s3cret",
        "HOST" => "example.org",
        "CHANNEL" => "defaults",
        "HOME" => "/home/小明",
        "EMPTY" => "",
        _ => return None,
    };
    Some(value.to_owned())
}

fn all(written: &str, platform: Subdir) -> Result<Vec<ResolvedChannel>, ChannelError> {
    resolve(written, &ChannelConfig::default(), platform, Path::new("/project"), &variable)
}

fn one(written: &str) -> Channel {
    let resolved = all(written, Subdir::Linux64).unwrap_or_else(|e| panic!("{e}"));
    let [only] = resolved.as_slice() else { panic!("{written} is {} channels", resolved.len()) };
    only.channel.clone()
}

fn refused(written: &str) -> String {
    match all(written, Subdir::Linux64) {
        Ok(resolved) => panic!("{written} is {resolved:?}"),
        Err(error) => error.reason.to_string(),
    }
}

#[test]
fn names_urls_and_paths_have_the_same_meaning_as_in_conda() {
    let cases = [
        ("conda-forge", "conda-forge", "https://conda.anaconda.org/conda-forge/"),
        ("conda-forge/", "conda-forge", "https://conda.anaconda.org/conda-forge/"),
        (
            "conda-forge/label/dev",
            "conda-forge/label/dev",
            "https://conda.anaconda.org/conda-forge/label/dev/",
        ),
        ("conda-forge/linux-64", "conda-forge", "https://conda.anaconda.org/conda-forge/"),
        ("pkgs/main", "pkgs/main", "https://repo.anaconda.com/pkgs/main/"),
        ("pkgs/free", "pkgs/free", "https://repo.anaconda.com/pkgs/free/"),
        (
            "https://conda.anaconda.org/conda-forge",
            "conda-forge",
            "https://conda.anaconda.org/conda-forge/",
        ),
        ("https://repo.anaconda.com/pkgs/r/", "pkgs/r", "https://repo.anaconda.com/pkgs/r/"),
        ("HTTPS://Example.org/a//b/noarch/", "https://example.org/a/b", "https://example.org/a/b/"),
        (
            "https://example.org/a/linux-64/repodata.json.zst",
            "https://example.org/a",
            "https://example.org/a/",
        ),
        ("http://example.org:8080/a", "http://example.org:8080/a", "http://example.org:8080/a/"),
        (
            "https://$HOST/${HOST}",
            "https://example.org/example.org",
            "https://example.org/example.org/",
        ),
        ("file:///srv/a/osx-arm64", "file:///srv/a", "file:///srv/a/"),
        (
            "/srv/a b/频道",
            "file:///srv/a%20b/%E9%A2%91%E9%81%93",
            "file:///srv/a%20b/%E9%A2%91%E9%81%93/",
        ),
        ("./channel", "file:///project/channel", "file:///project/channel/"),
        ("../channel/", "file:///channel", "file:///channel/"),
        (".", "file:///project", "file:///project/"),
        ("~/a", "file:///home/%E5%B0%8F%E6%98%8E/a", "file:///home/%E5%B0%8F%E6%98%8E/a/"),
        (r"C:\channels\my own", "file:///C:/channels/my%20own", "file:///C:/channels/my%20own/"),
        ("d:/a/win-64", "file:///d:/a", "file:///d:/a/"),
        (r"\\server\share\a", "file://server/share/a", "file://server/share/a/"),
    ];
    for (written, name, url) in cases {
        let channel = one(written);
        assert_eq!((channel.name.as_str(), channel.url.as_str()), (name, url), "{written}");
        assert_eq!(channel.multichannel, None, "{written}");
    }
}

#[test]
fn defaults_is_several_channels_and_one_more_on_windows() {
    let names = |written, platform| {
        let resolved = all(written, platform).unwrap();
        assert!(resolved.iter().all(|r| r.channel.multichannel.as_deref() == Some("defaults")));
        resolved.into_iter().map(|r| r.channel.name).collect::<Vec<_>>()
    };
    assert_eq!(names("defaults", Subdir::Linux64), ["pkgs/main", "pkgs/r"]);
    assert_eq!(names("$CHANNEL", Subdir::WinArm64), ["pkgs/main", "pkgs/r", "pkgs/msys2"]);
}

#[test]
fn credentials_are_removed_from_the_url_and_added_only_for_their_server() {
    let cases = [
        (
            "https://me:hunter2@example.org/a",
            "https://example.org/a/",
            "https://me:hunter2@example.org/a/x",
        ),
        ("https://token@example.org/a", "https://example.org/a/", "https://token@example.org/a/x"),
        (
            "https://example.org/t/$TOKEN/a",
            "https://example.org/a/",
            "https://example.org/t/s3cret/a/x",
        ),
        (
            "https://example.org/conda/t/s3cret/a",
            "https://example.org/conda/a/",
            "https://example.org/conda/t/s3cret/a/x",
        ),
    ];
    for (written, url, request) in cases {
        let resolved = all(written, Subdir::Linux64).unwrap().remove(0);
        assert_eq!(resolved.channel.url.as_str(), url, "{written}");
        let credentials = resolved.credentials.as_ref().unwrap();
        assert_eq!(credentials.add_to(&resolved.channel.url.join("x").unwrap()).as_str(), request);
        for elsewhere in
            ["https://other.org/a/x", "http://example.org/a/x", "https://example.org:8443/a/x"]
        {
            assert_eq!(credentials.add_to(&elsewhere.parse().unwrap()).as_str(), elsewhere);
        }
        let shown = format!("{resolved:?}");
        assert!(!["hunter2", "s3cret", "token"].iter().any(|s| shown.contains(s)), "{shown}");
    }
    assert!(all("https://example.org/a", Subdir::Linux64).unwrap()[0].credentials.is_none());
}

#[test]
fn a_text_that_is_no_channel_is_an_error_with_the_reason() {
    let cases = [
        ("", "it is empty"),
        ("$EMPTY", "it is empty"),
        ("local", "conda-build made"),
        ("https://example.org/$NOPE", "the variable `NOPE` isn't set"),
        ("a$", "a `$` isn't followed"),
        ("${HOST", "a `$` isn't followed"),
        ("https://example.org/a?x=1", "can't have `?` or `#`"),
        ("https://example.org/a#b", "can't have `?` or `#`"),
        ("ftp://example.org/a", "`ftp:` isn't supported"),
        ("conda forge", "the character ` `"),
        ("conda-forge::x", "the character `:`"),
        ("https://example.org/a b", "the character ` `"),
        ("a//b", "a part between"),
        ("a/../b", "a part between"),
        ("https://", "isn't a valid URL"),
        ("https://conda.anaconda.org/", "it is empty"),
        ("a\u{7}b", r"the character `\u{7}`"),
    ];
    for (written, why) in cases {
        let reason = refused(written);
        assert!(reason.contains(why), "{written}: {reason}");
    }
}

#[test]
fn an_error_has_the_callers_place_and_no_password() {
    let place = Place::new("environment.yml", 3, 5);
    let error =
        all("https://me:hunter2@example.org/$NOPE", Subdir::Linux64).unwrap_err().at(place.clone());
    let finding = error.findings().remove(0);
    assert_eq!(finding.code, "channel-variable");
    assert_eq!(finding.place, Some(place));
    assert!(finding.help.unwrap().contains("NOPE"));
    assert!(!format!("{error:?} {error}").contains("hunter2"));
    assert_eq!(error.exit(), Exit::Usage);
}

#[test]
fn a_relative_path_needs_an_absolute_folder() {
    let resolved =
        resolve("./a", &ChannelConfig::default(), Subdir::Linux64, Path::new("b"), &variable);
    assert!(resolved.unwrap_err().reason.to_string().contains("relative"));
}

#[test]
fn passwords_tokens_and_queries_are_redacted_in_any_text() {
    let cases = [
        ("see https://u:p@h/x and http://v:q@h", "see https://u:***@h/x and http://v:***@h"),
        ("https://p@h/x", "https://***@h/x"),
        ("https://h/t/abc/x", "https://h/t/***/x"),
        ("https://h/t/abc", "https://h/t/***"),
        ("`https://u:a@b@h/x`", "`https://u:***@h/x`"),
        ("--index-url=https://u:p@h", "--index-url=https://u:***@h"),
        ("https://a/=http://u:p=q@b/c/t/tk/", "https://a/=http://u:***@b/c/t/***"),
        ("https://a/=http://b/c?key=s", "https://a/=http://b/c?***"),
        ("`https://h/x.whl?sig=s#egg=y`", "`https://h/x.whl?***#egg=y`"),
        ("https://h/?to=https://k/s&t=s", "https://h/?***"),
        ("https://u:p?w#x@h/y", "https://u:***@h/y"),
    ];
    for (text, shown) in cases {
        assert_eq!(redact(text), shown);
        assert!(has_credentials(text));
    }
    for text in [
        "https://h/x",
        "git+https://h/x@v2#egg=y?",
        "https://h/?",
        "me@example.org",
        "https://h/t/",
        "://",
    ] {
        assert!(!has_credentials(text), "{text}");
    }
}

fn named(written: &str, channel_config: &ChannelConfig) -> String {
    let resolved =
        resolve(written, channel_config, Subdir::Linux64, Path::new("/project"), &variable);
    let resolved = resolved.unwrap_or_else(|e| panic!("{e}"));
    resolved.iter().map(|r| r.channel.url.as_str()).collect::<Vec<_>>().join(" ")
}

fn url(text: &str) -> url::Url {
    url::Url::parse(text).unwrap()
}

#[test]
fn the_base_url_of_a_custom_channel_also_applies_to_names_below_it() {
    let mut channel_config = ChannelConfig::default();
    channel_config.custom_channels.insert("lab".into(), url("https://lab.example/conda/"));
    channel_config.custom_channels.insert("lab/label".into(), url("https://labels.example/"));
    assert_eq!(named("lab", &channel_config), "https://lab.example/conda/lab/");
    assert_eq!(named("lab/dev", &channel_config), "https://lab.example/conda/lab/dev/");
    assert_eq!(named("lab/label/dev", &channel_config), "https://labels.example/lab/label/dev/");
    assert_eq!(named("labs", &channel_config), "https://conda.anaconda.org/labs/");
}

#[test]
fn a_name_below_another_alias_is_shown_as_its_url() {
    let channel_config = ChannelConfig {
        channel_alias: url("https://corp.example/repo/"),
        ..ChannelConfig::default()
    };
    assert_eq!(named("conda-forge", &channel_config), "https://corp.example/repo/conda-forge/");
    let resolved =
        resolve("conda-forge", &channel_config, Subdir::Linux64, Path::new("/project"), &variable)
            .unwrap();
    assert_eq!(resolved[0].channel.name, "https://corp.example/repo/conda-forge");
    assert_eq!(named("pkgs/main", &channel_config), "https://repo.anaconda.com/pkgs/main/");
}

#[test]
fn the_path_of_a_channel_in_defaults_is_also_its_name() {
    let channel_config = ChannelConfig {
        defaults: vec![url("https://corp.example/pkgs/main/")],
        ..ChannelConfig::default()
    };
    assert_eq!(named("defaults", &channel_config), "https://corp.example/pkgs/main/");
    assert_eq!(named("pkgs/main", &channel_config), "https://corp.example/pkgs/main/");
}

#[test]
fn a_multichannel_keeps_the_order_of_its_channels_and_has_separate_credentials() {
    let mut channel_config = ChannelConfig::default();
    let members = vec![url("https://me:geheim@lab.example/a/"), url("https://lab.example/b/")];
    channel_config.custom_multichannels.insert("ours".into(), members);
    let resolved =
        resolve("ours", &channel_config, Subdir::Linux64, Path::new("/project"), &variable);
    let resolved = resolved.unwrap();
    assert_eq!(named("ours", &channel_config), "https://lab.example/a/ https://lab.example/b/");
    assert!(resolved[0].credentials.is_some() && resolved[1].credentials.is_none());
    assert!(resolved.iter().all(|r| r.channel.multichannel.as_deref() == Some("ours")));
    assert!(!format!("{channel_config:?}").contains("geheim"));
}
