//! Credentials are sent to their own server, and are never stored, printed or sent elsewhere.

use std::path::PathBuf;

use envlock_channel::{Client, CredentialStores, Credentials, Sources};
use envlock_model::channel::{ChannelConfig, resolve};
use envlock_testkit::{Fault, Subdir, TestMirror, files_containing};
use rattler_conda_types::RepoDataRecord;

use crate::support::{NO_OTHER_ARCHIVES, TestClients, error_text, records, request, small_mirror};

const CANARY: &str = "canary-4711";

/// A mirror whose files are also below `/t/<token>/`, as a server with tokens has them.
fn with_tokens() -> TestMirror {
    let mirror = small_mirror();
    std::fs::create_dir(mirror.root().join("t")).unwrap();
    std::os::unix::fs::symlink(mirror.root(), mirror.root().join("t").join(CANARY)).unwrap();
    mirror
}

/// Returns a client for the channel on this mirror, whose URL has `user` before the host and
/// `token` before the path.
fn private_channel(mirror: &TestMirror, user: &str, token: &str) -> (TestClients, Client, String) {
    let mut clients = TestClients::for_urls(&[]);
    clients.settings.sources = Sources::new(Vec::new(), true);
    let client = clients.client();
    let host = mirror.url().replace("http://", "");
    let written = format!("http://{user}{host}{token}/anaconda/cloud/conda-forge");
    let variable = |_: &str| None;
    let root = PathBuf::from("/");
    let resolved =
        resolve(&written, &ChannelConfig::default(), Subdir::Linux64, &root, &variable).unwrap();
    let channel = &resolved[0].channel;
    if let Some(credentials) = resolved[0].credentials.clone() {
        client.register_credential(&channel.url, credentials);
    }
    assert!(!channel.url.as_str().contains(CANARY));
    (clients, client, channel.url.to_string())
}

async fn fetch(
    clients: &TestClients,
    client: &Client,
    url: &str,
) -> Result<Vec<RepoDataRecord>, String> {
    let wanted = [request(url, url)];
    let indexes =
        client.indexes(&wanted, &clients.events).await.map_err(|error| error_text(&error).0)?;
    let found = records(&indexes, &["numpy", "idna"]);
    client
        .packages(&found, &NO_OTHER_ARCHIVES, &clients.events)
        .await
        .map_err(|error| error_text(&error).0)?;
    Ok(found)
}

/// Asserts that every request had the credential, and that no file and no notice has it.
fn assert_sent_and_not_stored(
    mirror: &TestMirror,
    clients: &TestClients,
    found: &[RepoDataRecord],
) {
    let has_credential = |logged: &envlock_testkit::LoggedRequest| {
        let header = logged.request.header("authorization");
        header.is_some_and(|value| value.starts_with('B')) || logged.request.path.contains(CANARY)
    };
    assert!(mirror.requests("*").iter().all(has_credential), "{:?}", mirror.requests("*"));
    assert!(mirror.requests("*").len() >= 5);
    assert_eq!(files_containing(&clients.cache(), CANARY), Vec::<PathBuf>::new());
    // `user:canary-4711` in base64.
    assert_eq!(files_containing(&clients.cache(), "dXNlcjpjYW5hcnktNDcxM"), Vec::<PathBuf>::new());
    assert!(!format!("{found:?} {:?}", clients.events.notices()).contains(CANARY));
}

#[tokio::test]
async fn the_credential_in_a_channels_url_is_sent_and_never_stored() {
    for (user, token) in
        [(format!("user:{CANARY}@"), String::new()), (String::new(), format!("/t/{CANARY}"))]
    {
        let mirror = with_tokens();
        let (clients, client, url) = private_channel(&mirror, &user, &token);
        let found = fetch(&clients, &client, &url).await.unwrap();
        assert_sent_and_not_stored(&mirror, &clients, &found);
        assert!(!format!("{client:?}").contains(CANARY));
    }
}

#[tokio::test]
async fn the_credentials_of_every_store_are_sent_and_never_written_to_the_cache() {
    let stores = tempfile::tempdir().unwrap();
    let path = |name: &str| stores.path().join(name);
    std::fs::write(path("netrc"), format!("machine 127.0.0.1 login user password {CANARY}"))
        .unwrap();
    for (name, how) in [
        ("basic", format!(r#"{{"BasicHTTP": {{"username": "user", "password": "{CANARY}"}}}}"#)),
        ("bearer", format!(r#"{{"BearerToken": "{CANARY}"}}"#)),
        ("token", format!(r#"{{"CondaToken": "{CANARY}"}}"#)),
    ] {
        std::fs::write(path(name), format!(r#"{{"127.0.0.1": {how}}}"#)).unwrap();
    }
    let mirror = with_tokens();
    let quoted = mirror.url().replace(':', "%3A").replace('/', "%2F");
    std::fs::create_dir(path("tokens")).unwrap();
    std::fs::write(path("tokens").join(format!("{quoted}.token")), CANARY).unwrap();
    let address = mirror.url().replace("http://", &format!("http://user:{CANARY}@"));

    let rattler =
        |name: &str| CredentialStores { rattler: vec![path(name)], ..CredentialStores::default() };
    for stores in [
        CredentialStores { netrc: Some(path("netrc")), ..CredentialStores::default() },
        rattler("basic"),
        rattler("bearer"),
        rattler("token"),
        CredentialStores { anaconda: vec![path("tokens")], ..CredentialStores::default() },
        CredentialStores {
            url_variables: vec![("ENVLOCK_AUTH_X".into(), address)],
            ..CredentialStores::default()
        },
    ] {
        mirror.clear_requests();
        let (credentials, warnings) = Credentials::read(&stores);
        assert!(warnings.is_empty(), "{warnings:?}");
        let (mut clients, _, url) = private_channel(&mirror, "", "");
        clients.settings.credentials = credentials;
        let client = clients.client();
        let found = fetch(&clients, &client, &url).await.unwrap();
        assert_sent_and_not_stored(&mirror, &clients, &found);
    }
}

#[tokio::test]
async fn another_server_never_receives_the_credential_even_after_a_redirect() {
    let other = small_mirror();
    for (user, token) in
        [(format!("user:{CANARY}@"), String::new()), (String::new(), format!("/t/{CANARY}"))]
    {
        let mirror = with_tokens();
        let path = "/anaconda/cloud/conda-forge/linux-64/libblas-3.9.0-0.conda";
        let location = format!("{}{path}", other.url());
        mirror.add_fault("*/libblas-*", Fault::Status(302, vec![("location", location)]));
        other.clear_requests();
        let (clients, client, url) = private_channel(&mirror, &user, &token);
        fetch(&clients, &client, &url).await.unwrap();
        let asked = other.requests("*");
        assert_eq!(asked.len(), 1);
        assert!(asked[0].request.header("authorization").is_none());
        assert!(!format!("{asked:?}").contains(CANARY));
    }
}

#[tokio::test]
async fn a_redirect_that_would_send_the_token_to_another_server_is_not_followed() {
    let (mirror, other) = (with_tokens(), small_mirror());
    let location = format!("{}/t/{CANARY}/anaconda/cloud/x", other.url());
    mirror.add_fault("*/libblas-*", Fault::Status(302, vec![("location", location)]));
    let (clients, client, url) = private_channel(&mirror, "", &format!("/t/{CANARY}"));
    let text = fetch(&clients, &client, &url).await.unwrap_err();
    assert!(text.contains("it would send a token to another server"), "{text}");
    assert!(!text.contains(CANARY) && other.requests("*").is_empty());
}

#[tokio::test]
async fn the_error_of_a_refusal_names_the_source_of_the_credential_that_was_sent() {
    let mirror = with_tokens();
    mirror.add_fault("*", Fault::status(401));
    let (clients, client, url) = private_channel(&mirror, "", "");
    let text = fetch(&clients, &client, &url).await.unwrap_err();
    assert!(
        text.contains("401 unauthorized: it requires a credential, and none is known for it"),
        "{text}"
    );
    mirror.add_fault("*", Fault::status(403));
    let (clients, client, url) = private_channel(&mirror, &format!("user:{CANARY}@"), "");
    let text = fetch(&clients, &client, &url).await.unwrap_err();
    let words = "403 forbidden: it rejects the credential of the channel's URL";
    assert!(text.contains(words) && !text.contains(CANARY), "{text}");
}

#[tokio::test]
async fn a_mirror_never_receives_the_credential_of_its_origin() {
    let (origin, mirror) = (with_tokens(), small_mirror());
    let (mut clients, _, url) = private_channel(&origin, "", "");
    let declared = format!("{url}={}/anaconda/cloud/conda-forge/", mirror.url());
    let mirrors = envlock_channel::parse_mirror(&declared).unwrap();
    clients.settings.sources = Sources::new(mirrors, true);
    let address = origin.url().replace("http://", &format!("http://user:{CANARY}@"));
    let stores = CredentialStores {
        url_variables: vec![("X".into(), address)],
        ..CredentialStores::default()
    };
    clients.settings.credentials = Credentials::read(&stores).0;
    mirror.add_fault("*.conda", Fault::status(404));
    let client = clients.client();
    fetch(&clients, &client, &url).await.unwrap();
    let seen = mirror.requests("*");
    assert!(!seen.is_empty());
    assert!(seen.iter().all(|logged| logged.request.header("authorization").is_none()));
    assert!(origin.requests("*").iter().all(|l| l.request.header("authorization").is_some()));
}
