//! A canary in every place that a credential may come from: it opens its server, and is
//! found nowhere else.

use std::path::PathBuf;

use envlock_channel::{Client, CredentialStores, Credentials, Sources};
use envlock_model::channel::{ChannelConfig, resolve};
use envlock_testkit::{Fault, Subdir, TestMirror, files_containing};
use rattler_conda_types::RepoDataRecord;

use crate::support::{TestClients, error_text, records, request, small_mirror};

const CANARY: &str = "canary-4711";

/// A world whose files are also below `/t/<token>/`, as a server with tokens has them.
fn with_tokens() -> TestMirror {
    let world = small_mirror();
    std::fs::create_dir(world.root().join("t")).unwrap();
    std::os::unix::fs::symlink(world.root(), world.root().join("t").join(CANARY)).unwrap();
    world
}

/// A clients that asks this channel itself, written with what is put before its host or path.
fn private(world: &TestMirror, user: &str, token: &str) -> (TestClients, Client, String) {
    let mut clients = TestClients::for_urls(&[]);
    clients.settings.sources = Sources::new(Vec::new(), true);
    let client = clients.client();
    let host = world.url().replace("http://", "");
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

async fn installed(
    clients: &TestClients,
    client: &Client,
    url: &str,
) -> Result<Vec<RepoDataRecord>, String> {
    let wanted = [request(url, url)];
    let indexes =
        client.indexes(&wanted, &clients.events).await.map_err(|error| error_text(&error).0)?;
    let found = records(&indexes, &["numpy", "idna"]);
    client.packages(&found, &clients.events).await.map_err(|error| error_text(&error).0)?;
    Ok(found)
}

/// Every request brought it, and nothing that was kept or said has it.
fn used_and_not_kept(world: &TestMirror, clients: &TestClients, found: &[RepoDataRecord]) {
    let brought = |logged: &envlock_testkit::LoggedRequest| {
        let header = logged.request.header("authorization");
        header.is_some_and(|value| value.starts_with('B')) || logged.request.path.contains(CANARY)
    };
    assert!(world.requests("*").iter().all(brought), "{:?}", world.requests("*"));
    assert!(world.requests("*").len() >= 5);
    assert_eq!(files_containing(&clients.cache(), CANARY), Vec::<PathBuf>::new());
    // `user:canary-4711` in base64.
    assert_eq!(files_containing(&clients.cache(), "dXNlcjpjYW5hcnktNDcxM"), Vec::<PathBuf>::new());
    assert!(!format!("{found:?} {:?}", clients.events.notices()).contains(CANARY));
}

#[tokio::test]
async fn what_is_written_in_a_channels_address_is_used_and_never_kept() {
    for (user, token) in
        [(format!("user:{CANARY}@"), String::new()), (String::new(), format!("/t/{CANARY}"))]
    {
        let world = with_tokens();
        let (clients, client, url) = private(&world, &user, &token);
        let found = installed(&clients, &client, &url).await.unwrap();
        used_and_not_kept(&world, &clients, &found);
        assert!(!format!("{client:?}").contains(CANARY));
    }
}

#[tokio::test]
async fn every_store_is_used_and_never_kept() {
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
    let world = with_tokens();
    let quoted = world.url().replace(':', "%3A").replace('/', "%2F");
    std::fs::create_dir(path("tokens")).unwrap();
    std::fs::write(path("tokens").join(format!("{quoted}.token")), CANARY).unwrap();
    let address = world.url().replace("http://", &format!("http://user:{CANARY}@"));

    let rattler =
        |name: &str| CredentialStores { rattler: vec![path(name)], ..CredentialStores::default() };
    for stores in [
        CredentialStores { netrc: Some(path("netrc")), ..CredentialStores::default() },
        rattler("basic"),
        rattler("bearer"),
        rattler("token"),
        CredentialStores { anaconda: vec![path("tokens")], ..CredentialStores::default() },
        CredentialStores {
            addresses: vec![("ENVLOCK_AUTH_X".into(), address)],
            ..CredentialStores::default()
        },
    ] {
        world.clear_requests();
        let (credentials, warnings) = Credentials::read(&stores);
        assert!(warnings.is_empty(), "{warnings:?}");
        let (mut clients, _, url) = private(&world, "", "");
        clients.settings.credentials = credentials;
        let client = clients.client();
        let found = installed(&clients, &client, &url).await.unwrap();
        used_and_not_kept(&world, &clients, &found);
    }
}

#[tokio::test]
async fn another_server_never_sees_it_not_even_after_a_redirect() {
    let other = small_mirror();
    for (user, token) in
        [(format!("user:{CANARY}@"), String::new()), (String::new(), format!("/t/{CANARY}"))]
    {
        let world = with_tokens();
        let path = "/anaconda/cloud/conda-forge/linux-64/libblas-3.9.0-0.conda";
        let location = format!("{}{path}", other.url());
        world.add_fault("*/libblas-*", Fault::Status(302, vec![("location", location)]));
        other.clear_requests();
        let (clients, client, url) = private(&world, &user, &token);
        installed(&clients, &client, &url).await.unwrap();
        let asked = other.requests("*");
        assert_eq!(asked.len(), 1);
        assert!(asked[0].request.header("authorization").is_none());
        assert!(!format!("{asked:?}").contains(CANARY));
    }
}

#[tokio::test]
async fn a_server_that_sends_our_token_elsewhere_is_not_followed() {
    let (world, other) = (with_tokens(), small_mirror());
    let location = format!("{}/t/{CANARY}/anaconda/cloud/x", other.url());
    world.add_fault("*/libblas-*", Fault::Status(302, vec![("location", location)]));
    let (clients, client, url) = private(&world, "", &format!("/t/{CANARY}"));
    let text = installed(&clients, &client, &url).await.unwrap_err();
    assert!(text.contains("it would send a token to another server"), "{text}");
    assert!(!text.contains(CANARY) && other.requests("*").is_empty());
}

#[tokio::test]
async fn a_refusal_says_whether_a_credential_was_sent_and_whose_it_was() {
    let world = with_tokens();
    world.add_fault("*", Fault::status(401));
    let (clients, client, url) = private(&world, "", "");
    let text = installed(&clients, &client, &url).await.unwrap_err();
    assert!(
        text.contains("401 unauthorized: it wants a credential, and none is known for it"),
        "{text}"
    );
    world.add_fault("*", Fault::status(403));
    let (clients, client, url) = private(&world, &format!("user:{CANARY}@"), "");
    let text = installed(&clients, &client, &url).await.unwrap_err();
    let words = "403 forbidden: it refuses the credential of the channel's URL";
    assert!(text.contains(words) && !text.contains(CANARY), "{text}");
}

#[tokio::test]
async fn a_mirror_never_sees_the_credential_of_its_origin() {
    let (origin, mirror) = (with_tokens(), small_mirror());
    let (mut clients, _, url) = private(&origin, "", "");
    let declared = format!("{url}={}/anaconda/cloud/conda-forge/", mirror.url());
    let mirrors = envlock_channel::parse_mirror(&declared).unwrap();
    clients.settings.sources = Sources::new(mirrors, true);
    let address = origin.url().replace("http://", &format!("http://user:{CANARY}@"));
    let stores =
        CredentialStores { addresses: vec![("X".into(), address)], ..CredentialStores::default() };
    clients.settings.credentials = Credentials::read(&stores).0;
    mirror.add_fault("*.conda", Fault::status(404));
    let client = clients.client();
    installed(&clients, &client, &url).await.unwrap();
    let seen = mirror.requests("*");
    assert!(!seen.is_empty());
    assert!(seen.iter().all(|logged| logged.request.header("authorization").is_none()));
    assert!(origin.requests("*").iter().all(|l| l.request.header("authorization").is_some()));
}
