use std::fs;

use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).expect("the test's own URL")
}

/// Returns the URL and the `Authorization` header of a request.
fn sent(credentials: &Credentials, to: &str) -> (String, Option<String>) {
    let http = reqwest::Client::builder().tls_certs_only([]).build().expect("no TLS is needed");
    let request = credentials.request(&http, Method::GET, &url(to)).0.build().expect("a request");
    let header = request.headers().get("authorization").map(|value| {
        assert!(value.is_sensitive());
        value.to_str().expect("ASCII").to_owned()
    });
    (request.url().to_string(), header)
}

#[test]
fn each_store_is_used_for_its_own_hosts_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    fs::write(path("netrc"), "machine net.example login me password pw\n").expect("room");
    let store = r#"{
        "token.example": {"CondaToken": "tk-1"}, "*.wild.example": {"BearerToken": "b-1"},
        "https://part.example/lab": {"BasicHTTP": {"username": "u", "password": "p"}},
        "s3.example": {"S3Credentials": {"access_key_id": "a", "secret_access_key": "b", "session_token": null}}
    }"#;
    fs::write(path("credentials.json"), store).expect("room");
    fs::write(path("https%3A%2F%2Fapi.anaconda.org.token"), "an-1\n").expect("room");
    let stores = CredentialStores {
        url_variables: vec![("ENVLOCK_AUTH_LAB".into(), "https://x:y@lab.example:8443/c".into())],
        netrc: Some(path("netrc")),
        rattler: vec![path("absent.json"), path("credentials.json")],
        anaconda: vec![path("absent"), folder.path().to_owned()],
        anaconda_token: None,
    };
    let (credentials, warnings) = Credentials::read(&stores);
    assert!(warnings.is_empty(), "{warnings:?}");
    let basic = |text: &str| Some(format!("Basic {text}"));
    for (to, at, header) in [
        ("https://lab.example:8443/c/a", "https://lab.example:8443/c/a", basic("eDp5")),
        ("https://lab.example/c/a", "https://lab.example/c/a", None),
        ("https://net.example/a", "https://net.example/a", basic("bWU6cHc=")),
        ("https://anet.example/a", "https://anet.example/a", None),
        ("https://token.example/c/a", "https://token.example/t/tk-1/c/a", None),
        ("https://a.wild.example/c", "https://a.wild.example/c", Some("Bearer b-1".into())),
        ("https://awild.example/c", "https://awild.example/c", None),
        ("https://part.example/lab/a", "https://part.example/lab/a", basic("dTpw")),
        ("https://part.example/labs/a", "https://part.example/labs/a", None),
        ("https://conda.anaconda.org/me/a", "https://conda.anaconda.org/t/an-1/me/a", None),
        ("http://conda.anaconda.org/me/a", "http://conda.anaconda.org/me/a", None),
        ("https://s3.example/a", "https://s3.example/a", None),
    ] {
        assert_eq!(sent(&credentials, to), (at.to_owned(), header), "{to}");
    }
    assert!(!format!("{credentials:?}").contains("tk-1"));
}

#[test]
fn a_credential_in_a_channels_url_has_precedence_over_stores_and_is_used_below_the_channel_only() {
    let stores = CredentialStores {
        url_variables: vec![("ENVLOCK_AUTH_H".into(), "https://other:one@h.example/".into())],
        anaconda_token: Some("an-2".into()),
        ..CredentialStores::default()
    };
    let (mut credentials, _) = Credentials::read(&stores);
    let mut channel = url("https://h.example/t/tk-9/lab/");
    let access = ChannelCredentials::extract_from(&mut channel).expect("a token");
    credentials.register(&channel, access);
    assert_eq!(sent(&credentials, "https://h.example/lab/a").0, "https://h.example/t/tk-9/lab/a");
    assert_eq!(sent(&credentials, "https://h.example/b").1, Some("Basic b3RoZXI6b25l".into()));
    let at_anaconda = sent(&credentials, "https://conda.anaconda.org/x/a").0;
    assert_eq!(at_anaconda, "https://conda.anaconda.org/t/an-2/x/a");
}

#[test]
fn an_unreadable_store_is_named_and_not_quoted() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("credentials.json");
    fs::write(&store, "{\"h\": {\"Secret\": \"canary\"}}").expect("room");
    let stores = CredentialStores {
        url_variables: vec![("ENVLOCK_AUTH_X".into(), "canary".into())],
        netrc: Some(folder.path().to_owned()),
        rattler: vec![store],
        ..CredentialStores::default()
    };
    let (_, warnings) = Credentials::read(&stores);
    assert_eq!(warnings.len(), 3);
    assert!(!format!("{warnings:?}").contains("canary"));
    assert!(warnings[0].message.starts_with("ENVLOCK_AUTH_X isn't a URL"));
}

#[test]
fn a_redirect_must_not_send_a_token_to_another_server() {
    let from = url("https://h.example/t/tk-1/c/a");
    assert!(redirect_leaks_token(&from, &url("https://other.example/t/tk-1/c/a")));
    assert!(redirect_leaks_token(&from, &url("https://other.example/?was=tk-1")));
    assert!(!redirect_leaks_token(&from, &url("https://h.example/t/tk-1/d/a")));
    assert!(!redirect_leaks_token(&from, &url("https://other.example/c/a")));
}

#[cfg(unix)]
#[test]
fn a_pipe_and_a_device_are_no_credential_store() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let tokens = folder.path().join("tokens");
    std::fs::create_dir(&tokens).unwrap();
    std::fs::rename(&pipe, tokens.join("https%3A%2F%2Fapi.anaconda.org.token")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let stores = CredentialStores {
        netrc: Some(pipe.clone()),
        rattler: vec![pipe, "/dev/zero".into()],
        anaconda: vec![tokens],
        ..CredentialStores::default()
    };
    let (_, warnings) = Credentials::read(&stores);
    assert_eq!(warnings.len(), 4, "{warnings:?}");
    for warning in warnings {
        assert!(warning.message.contains("isn't a regular file"), "{warning:?}");
    }
}
