use std::path::Path;

use envlock_report::{AsFindings, Exit, Place};
use rattler_conda_types::Subdir;

use super::{Channel, ChannelConfig, ChannelError, ResolvedChannel, resolve};
use envlock_text::redact;
use envlock_text::redact::url_needs_redaction;

fn variable(name: &str) -> Option<String> {
    let value = match name {
        "TOKEN" => "s3cret",
        "HOST" => "example.org",
        "CHANNEL" => "defaults",
        "HOME" => "/home/小明",
        "EMPTY" => "",
        "PASSWORD" => "1/2?#@: %\"p",
        "ENCODED" => "a%2Fb",
        "LOGIN" => "me:1/2@x",
        "SERVER" => "me:1/2@example.org:8443",
        "BASE" => "https://me:1/2@example.org",
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
fn names_urls_and_paths_resolve_to_the_same_folder_as_in_conda() {
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
fn defaults_has_one_more_member_on_windows() {
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
fn an_at_sign_in_the_path_of_a_channel_is_part_of_its_url() {
    for (written, url) in [
        ("https://example.org/a@b/c", "https://example.org/a@b/c/"),
        ("https://$HOST/@scope/c", "https://example.org/@scope/c/"),
        ("https://me:hunter2@example.org/a@b", "https://example.org/a@b/"),
    ] {
        assert_eq!(one(written).url.as_str(), url, "{written}");
    }
}

#[test]
fn each_text_that_is_no_channel_has_its_reason() {
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
        ("https://me:1/2@example.org/a", "an `@` after its host"),
        ("https://tok/en@example.org/a", "an `@` after its host"),
        ("$BASE/a", "an `@` after its host"),
        ("$PASSWORD", "the value of a variable"),
        ("https://$PASSWORD/a", "an `@` after its host"),
        ("https://example.org/$PASSWORD", "can't have `?` or `#`"),
    ];
    for (written, why) in cases {
        let reason = refused(written);
        assert!(reason.contains(why), "{written}: {reason}");
    }
}

#[test]
fn an_error_has_the_place_from_the_caller_and_no_password() {
    let place = Place::new("environment.yml", 3, 5);
    let error =
        all("https://me:hunter2@example.org/$NOPE", Subdir::Linux64).unwrap_err().at(place.clone());
    let finding = error.findings().remove(0);
    assert_eq!(finding.code, "channel-variable-unset");
    assert_eq!(finding.place, Some(place));
    assert!(finding.help.unwrap().contains("NOPE"));
    assert!(!format!("{error:?} {error}").contains("hunter2"));
    assert_eq!(error.exit(), Exit::Usage);
}

#[test]
fn a_relative_path_needs_an_absolute_base_folder() {
    let resolved =
        resolve("./a", &ChannelConfig::default(), Subdir::Linux64, Path::new("b"), &variable);
    assert!(resolved.unwrap_err().reason.to_string().contains("relative"));
}

#[test]
fn passwords_tokens_and_queries_are_hidden_in_any_text() {
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
        assert!(url_needs_redaction(text));
    }
    for text in [
        "https://h/x",
        "git+https://h/x@v2#egg=y?",
        "https://h/?",
        "me@example.org",
        "https://h/t/",
        "://",
    ] {
        assert!(!url_needs_redaction(text), "{text}");
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
fn a_custom_channel_and_the_channels_below_it_have_its_base_url() {
    let mut channel_config = ChannelConfig::default();
    channel_config.custom_channels.insert("lab".into(), url("https://lab.example/conda/"));
    channel_config.custom_channels.insert("lab/label".into(), url("https://labels.example/"));
    assert_eq!(named("lab", &channel_config), "https://lab.example/conda/lab/");
    assert_eq!(named("lab/dev", &channel_config), "https://lab.example/conda/lab/dev/");
    assert_eq!(named("lab/label/dev", &channel_config), "https://labels.example/lab/label/dev/");
    assert_eq!(named("labs", &channel_config), "https://conda.anaconda.org/labs/");
}

#[test]
fn another_alias_is_the_base_url_of_names_and_the_shown_name_is_the_url() {
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
fn the_path_of_a_member_of_defaults_is_a_name() {
    let channel_config = ChannelConfig {
        defaults: vec![url("https://corp.example/pkgs/main/")],
        ..ChannelConfig::default()
    };
    assert_eq!(named("defaults", &channel_config), "https://corp.example/pkgs/main/");
    assert_eq!(named("pkgs/main", &channel_config), "https://corp.example/pkgs/main/");
}

#[test]
fn a_multichannel_keeps_the_order_of_its_members_and_separates_credentials() {
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

/// Returns the user, the password, the host and the path of the requests to a channel.
fn requested(written: &str) -> (String, String, String, String) {
    let resolved = all(written, Subdir::Linux64).unwrap_or_else(|e| panic!("{written}: {e}"));
    let resolved = &resolved[0];
    let url = match &resolved.credentials {
        Some(credentials) => credentials.add_to(&resolved.channel.url),
        None => resolved.channel.url.clone(),
    };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    (
        url.username().to_owned(),
        url.password().unwrap_or_default().to_owned(),
        format!("{}{port}", url.host_str().unwrap_or_default()),
        url.path().to_owned(),
    )
}

#[test]
fn the_value_of_a_variable_stays_in_the_part_of_the_url_in_which_it_is_written() {
    let password = "1%2F2%3F%23%40%3A%20%25%22p";
    for (written, user, secret, host, path) in [
        ("https://me:$PASSWORD@$HOST/a", "me", password, "example.org", "/a/"),
        ("https://$PASSWORD:$PASSWORD@$HOST/a", password, password, "example.org", "/a/"),
        (
            "https://me:x${PASSWORD}@$HOST:8443/a",
            "me",
            &format!("x{password}"),
            "example.org:8443",
            "/a/",
        ),
        ("https://me:$ENCODED@$HOST/a", "me", "a%2Fb", "example.org", "/a/"),
        ("https://$LOGIN@$HOST/a", "me", "1%2F2%40x", "example.org", "/a/"),
        ("https://$SERVER/a", "me", "1%2F2", "example.org:8443", "/a/"),
        ("https://$HOST/t/$PASSWORD/a", "", "", "example.org", &format!("/t/{password}/a/")),
        ("https://me:$TOKEN@$HOST/t/$TOKEN/a", "me", "s3cret", "example.org", "/t/s3cret/a/"),
        ("http://$HOST/$CHANNEL/$HOST", "", "", "example.org", "/defaults/example.org/"),
    ] {
        let (user, secret) = (user.to_owned(), secret.to_owned());
        let expected = (user, secret, host.to_owned(), path.to_owned());
        assert_eq!(requested(written), expected, "{written}");
        let channel = one(written);
        assert!(!channel.url.as_str().contains("%2F") && !channel.url.as_str().contains('@'));
    }
}

proptest::proptest! {
    #[test]
    fn no_value_of_a_password_changes_the_host_or_is_shown(value in "[ -~]{1,12}|\\PC{1,6}") {
        let variable = |name: &str| Some(if name == "PW" { format!("Q{value}Z") } else { "user".into() });
        let folder = Path::new("/project");
        let config = ChannelConfig::default();
        for written in ["https://$U:$PW@h.example:81/x", "https://$PW@h.example:81/x", "https://h.example:81/t/$PW/x"] {
            match resolve(written, &config, Subdir::Linux64, folder, &variable) {
                Ok(found) => {
                    proptest::prop_assert_eq!(found[0].channel.url.as_str(), "https://h.example:81/x/");
                    proptest::prop_assert!(found[0].credentials.is_some());
                }
                Err(error) => proptest::prop_assert!(!error.to_string().contains('Q'), "{}", error),
            }
        }
    }
}

#[test]
fn the_url_of_a_configured_channel_has_its_configured_credentials() {
    let mut config = ChannelConfig {
        channel_alias: url("https://me:a@alias.example/t/tk/repo/"),
        defaults: vec![url("https://me:d@corp.example/pkgs/main/")],
        ..ChannelConfig::default()
    };
    config.custom_channels.insert("chuck".into(), url("http://u1:p1@127.0.0.1:8000/p/"));
    config.custom_multichannels.insert("m".into(), vec![url("https://me:m@multi.example/x/")]);
    let sent = |written: &str| {
        let found = resolve(written, &config, Subdir::Linux64, Path::new("/project"), &variable);
        let found = found.unwrap().remove(0);
        found.credentials.map_or(String::new(), |c| c.add_to(&found.channel.url).to_string())
    };
    for (written, request) in [
        ("http://127.0.0.1:8000/p/chuck", "http://u1:p1@127.0.0.1:8000/p/chuck/"),
        ("http://127.0.0.1:8000/p/chuck/label/x", "http://u1:p1@127.0.0.1:8000/p/chuck/label/x/"),
        ("http://own:one@127.0.0.1:8000/p/chuck", "http://own:one@127.0.0.1:8000/p/chuck/"),
        ("http://127.0.0.1:8000/p/chucks", ""),
        ("https://127.0.0.1:8000/p/chuck", ""),
        ("http://127.0.0.1:8001/p/chuck", ""),
        ("https://alias.example/repo/x", "https://me:a@alias.example/t/tk/repo/x/"),
        ("http://alias.example/repo/x", ""),
        ("https://alias.example/other/x", ""),
        ("https://corp.example/pkgs/main", "https://me:d@corp.example/pkgs/main/"),
        ("https://corp.example/pkgs/r", ""),
        ("https://multi.example/x", "https://me:m@multi.example/x/"),
    ] {
        assert_eq!(sent(written), request, "{written}");
    }
}
