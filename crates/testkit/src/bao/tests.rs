use serde_json::json;

use super::*;
use crate::files_containing;

/// Where a request may be refused or not.
fn may(operator: &VaultClient, method: &str, path: &str) -> u16 {
    operator.request(method, path, &[], None).0
}

fn login(operator: &VaultClient, path: &str, body: serde_json::Value) -> (u16, Vec<String>) {
    let (status, answer) = operator.request("POST", path, &[], body);
    let policies = answer["auth"]["policies"].as_array().into_iter().flatten();
    (status, policies.map(|name| name.as_str().unwrap().to_owned()).collect())
}

fn granted() -> (u16, Vec<String>) {
    (200, vec!["default".to_owned(), "reader".to_owned()])
}

#[test]
fn a_server_ends_when_dropped() {
    let Some(bao) = TestServer::dev() else { return skip_test("a development server") };
    let address = bao.url().strip_prefix("http://").unwrap().to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    drop(bao);
    assert!(std::net::TcpStream::connect(&address).is_err());
}

#[test]
fn access_to_kv_secrets_follows_policies_and_is_logged_without_values() {
    let Some(bao) = TestServer::dev() else { return skip_test("kv secrets of a real server") };
    bao.kv2("secret");
    bao.kv1("老");
    bao.secret("secret", "demo/数据库", json!({ "password": TestServer::canary("kv2") }));
    bao.secret("老", "demo/db", json!({ "password": TestServer::canary("kv1") }));
    bao.policy("reader", r#"path "secret/data/demo/+" { capabilities = ["read"] }"#);
    let job = bao.with_token(bao.token(&["reader"], json!({ "ttl": "5m", "display_name": "job" })));
    assert_eq!(may(&job, "GET", "secret/data/demo/数据库"), 200);
    assert_eq!(may(&job, "GET", "老/demo/db"), 403);
    let value = bao.get("老/demo/db")["data"]["password"].as_str().unwrap().to_owned();
    assert!(value.starts_with(TestServer::CANARY));

    let read: Vec<_> =
        bao.audit().into_iter().filter(|line| line.display_name == "token-job").collect();
    let lines: Vec<_> = read.iter().map(|line| (line.kind, line.path.as_str())).collect();
    let kv2 = "secret/data/demo/数据库";
    assert_eq!(lines[..2], [(AuditKind::Request, kv2), (AuditKind::Response, kv2)]);
    let first = &read[0];
    assert_eq!((first.operation.as_str(), first.mount_type.as_str()), ("read", "kv"));
    assert_eq!(first.remote_address, "127.0.0.1");
    assert_eq!(first.policies, ["default", "reader"]);
    assert!(read.iter().any(|line| line.error.as_ref().is_some_and(|e| e.contains("denied"))));
    let log = bao.audit_file();
    assert_eq!(
        files_containing(log.parent().unwrap(), TestServer::CANARY),
        [] as [std::path::PathBuf; 0]
    );
}

#[test]
fn a_role_of_a_database_that_is_not_there_tells_its_times_and_issues_nothing() {
    let Some(bao) = TestServer::dev() else { return skip_test("a database role of a real server") };
    bao.database("database");
    bao.role("database", "ro", "1h", "24h");
    let role = bao.get("database/roles/ro");
    assert_eq!(role["data"]["default_ttl"], 3600);
    assert_eq!(role["data"]["max_ttl"], 86400);
    assert_eq!(may(&bao, "GET", "database/creds/ro"), 500);
}

#[test]
fn an_approle_logs_in_and_a_wrapped_secret_id_can_be_unwrapped_once() {
    let Some(bao) = TestServer::dev() else { return skip_test("an AppRole of a real server") };
    let (role_id, secret_id) = bao.approle("ci", &["reader"], json!({ "secret_id_num_uses": 1 }));
    let body = json!({ "role_id": role_id, "secret_id": secret_id });
    assert_eq!(login(&bao, "auth/approle/login", body.clone()), granted());
    assert_eq!(login(&bao, "auth/approle/login", body).0, 400);

    let wrapping = bao.wrapped_secret_id("ci", "120s");
    let wrapped = bao.post("sys/wrapping/lookup", json!({ "token": wrapping }));
    assert_eq!(wrapped["data"]["creation_path"], "auth/approle/role/ci/secret-id");
    let unwrap =
        || bao.with_token(&wrapping).request("POST", "sys/wrapping/unwrap", &[], json!({}));
    let (_, unwrapped) = unwrap();
    let body = json!({ "role_id": role_id, "secret_id": unwrapped["data"]["secret_id"] });
    assert_eq!(login(&bao, "auth/approle/login", body), granted());
    assert_eq!(unwrap().0, 400);
}

#[test]
fn a_user_logs_in_with_the_right_password_alone() {
    let Some(bao) = TestServer::dev() else { return skip_test("a user of a real server") };
    bao.userpass("dev", "right", &["reader"]);
    let path = "auth/userpass/login/dev";
    assert_eq!(login(&bao, path, json!({ "password": "right" })), granted());
    assert_eq!(login(&bao, path, json!({ "password": "wrong" })).0, 400);
}

#[test]
fn a_jwt_is_taken_from_its_issuer_for_its_audience_while_it_lasts() {
    let Some(bao) = TestServer::dev() else { return skip_test("a JWT login at a real server") };
    let issuer = bao.jwt("jwt-ci", "demo-ci", &["reader"]);
    let with =
        |jwt: String| login(&bao, "auth/jwt-ci/login", json!({ "role": "demo-ci", "jwt": jwt }));
    assert_eq!(with(issuer.token(json!({}))), granted());
    assert_eq!(with(issuer.token(json!({ "aud": "another" }))).0, 400);
    assert_eq!(with(issuer.token(json!({ "iat": 1, "nbf": 1, "exp": 1000 }))).0, 400);
    assert_eq!(with(JwtIssuer::new().token(json!({}))).0, 400);
}

#[test]
fn a_service_account_is_taken_whose_token_the_cluster_vouches_for() {
    let Some(bao) = TestServer::dev() else {
        return skip_test("a Kubernetes login at a real server");
    };
    let cluster = bao.kubernetes("demo", &["reader"]);
    let with =
        |jwt: &str| login(&bao, "auth/kubernetes/login", json!({ "role": "demo", "jwt": jwt }));
    assert_eq!(with(cluster.jwt()), granted());
    assert_eq!(with(&cluster.unknown_jwt()).0, 403);
    assert_eq!(cluster.reviews(), 2);
}

#[test]
fn a_namespace_has_engines_and_tokens_of_its_own() {
    let Some(bao) = TestServer::dev() else { return skip_test("namespaces of a real server") };
    if !bao.has_namespaces() {
        return skip_test("namespaces of a real server");
    }
    let team = bao.namespace("team").namespace("数据");
    team.kv2("secret");
    team.secret("secret", "db", json!({ "user": TestServer::canary("team") }));
    team.policy("reader", r#"path "secret/data/db" { capabilities = ["read"] }"#);
    let token = team.token(&["reader"], json!({}));
    assert_eq!(may(&team.with_token(&token), "GET", "secret/data/db"), 200);
    assert_eq!(may(&bao.with_token(&token), "GET", "secret/data/db"), 403);
    assert!(bao.audit().iter().any(|line| line.namespace == "team/数据/"));
}

#[test]
fn a_server_with_tls_is_known_by_its_authority_alone_and_takes_client_certificates() {
    let Some(bao) = TestServer::tls() else { return skip_test("a real server with TLS") };
    assert_eq!(may(&bao, "GET", "auth/token/lookup-self"), 200);
    let other = fs_err::read_to_string(bao.other_ca_file()).unwrap();
    let stranger = VaultClient::new(bao.url().to_owned(), Some(&other), None);
    assert!(stranger.try_request("GET", "sys/health", &[], None).is_err());

    let pair = bao.client_cert("ci-runner");
    bao.cert("ci", &bao.ca_file(), &["reader"]);
    let path = "auth/cert/login";
    assert_eq!(login(&bao.with_client_cert(&pair), path, json!({ "name": "ci" })), granted());
    assert_eq!(login(&bao, path, json!({ "name": "ci" })).0, 400);
}

#[test]
fn a_server_is_uninitialised_or_sealed_or_neither() {
    let Some(new) = TestServer::uninitialised() else {
        return skip_test("states of a real server");
    };
    assert_eq!(may(&new, "GET", "sys/health"), 501);
    let bao = TestServer::tls().unwrap();
    bao.seal();
    assert_eq!(may(&bao, "GET", "sys/health"), 503);
    bao.unseal();
    assert_eq!(may(&bao, "GET", "sys/health"), 200);
}
