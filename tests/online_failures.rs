//! `check-secrets` against a real server with each kind of failure: its code, message, help and
//! exit code; and no token of a login stays valid.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;

use envlock_testkit::{JwtIssuer, ScriptedAnswer, ScriptedServer, TestServer, skip_test};
use serde_json::json;

use crate::support::vault::{
    ExpectedFailure, Job, POLICY, ServerProject, assert_failure, check, project,
};

/// The job's policy without its rule for a path.
fn without(path: &str) -> String {
    let denied = POLICY.replace(&format!("path \"{path}\""), "path \"elsewhere\"");
    assert_ne!(denied, POLICY);
    denied
}

#[test]
fn a_denial_by_the_server_is_reported_with_the_missing_rule() {
    let Some(stage) = ServerProject::dev("denied needs") else { return };
    let job = Job::approle(&stage.bao);
    stage.bao.policy("ml-ci", &without("secret/data/ml/db_creds"));
    stage.fails(
        &job,
        1,
        "error server-disagrees",
        &[
            "the policies in the repository allow read secret/data/ml/db_creds, and the server \
             denies it",
            " policy read ml-ci` with vault/policies/ml-ci.hcl",
        ],
    );
    stage.change("    attach: [ml-ci]\n", "");
    stage.fails(
        &job,
        1,
        "error request-denied",
        &[
            "read secret/data/ml/db_creds is denied by the server: the token has nothing there",
            "add to the policy ml-ci of the token",
            "path \"secret/data/ml/db_creds\" { capabilities = [\"read\"] }",
        ],
    );
}

#[test]
fn a_request_that_the_server_allows_and_the_repository_denies_is_a_disagreement() {
    let Some(stage) = ServerProject::dev("a disagreement") else { return };
    stage.write_policy(&without("database/creds/ml-readonly"));
    let words = [
        "the server allows read database/creds/ml-readonly, and the policies in the repository",
        "the server is http://127.0.0.1:",
    ];
    stage.fails(&Job::approle(&stage.bao), 1, "error server-disagrees", &words);

    stage.write_policy(POLICY);
    stage.bao.policy("other", POLICY);
    let job = Job::token(&stage.bao);
    let token = stage.bao.token(&["other"], json!({ "ttl": "1h" }));
    assert_eq!(
        stage.verdict(&job.with("VAULT_TOKEN", token)).exit,
        0,
        "only the rights count, not the names of policies"
    );
}

#[test]
fn an_absent_a_deleted_and_a_destroyed_secret_are_distinguished() {
    let Some(stage) = ServerProject::dev("missing secrets") else { return };
    let job = Job::approle(&stage.bao);
    let fails = |finding, texts: &[&str]| stage.fails(&job, 1, finding, texts);
    stage.bao.secret("secret", "ml/db_creds", json!({ "host": 1, "username": 2, "passwort": 3 }));
    fails(
        "error missing-field",
        &["secret/ml/db_creds has no field password", "did you mean `passwort` for `password`?"],
    );
    stage.bao.delete("secret/data/ml/db_creds");
    fails(
        "error secret-missing",
        &["the current version of secret/ml/db_creds is deleted", " kv undelete -mount=secret"],
    );
    stage.bao.put("secret/destroy/ml/db_creds", json!({ "versions": [2] }));
    fails("error secret-missing", &["the current version of secret/ml/db_creds is destroyed"]);
    stage.bao.delete("secret/metadata/ml/db_creds");
    fails(
        "error secret-missing",
        &["secret/ml/db_creds doesn't exist", " kv put -mount=secret ml/db_creds @FILE.json`"],
    );
}

#[test]
fn a_missing_role_and_a_short_ttl_are_reported() {
    let Some(stage) = ServerProject::dev("database roles") else { return };
    let job = Job::approle(&stage.bao);
    let fails = |finding, texts: &[&str]| stage.fails(&job, 1, finding, texts);
    stage.bao.role("database", "ml-readonly", "30m", "24h");
    fails(
        "error ttl-too-short",
        &[
            "the role ml-readonly of database gives leases of 30m, and 1h are needed",
            "raise the role's `default_ttl`",
        ],
    );
    stage.bao.role("database", "ml-readonly", "1h", "2h");
    fails(
        "error ttl-too-short",
        &["can be renewed until 2h, and 12h are needed", "raise the role's `max_ttl`"],
    );
    stage.bao.delete("database/roles/ml-readonly");
    fails("error secret-missing", &["the role ml-readonly of database doesn't exist", "`role:`"]);
}

#[test]
fn another_engine_than_the_manifests_is_reported_and_no_secret_is_requested() {
    let Some(stage) = ServerProject::dev("a mix-up of kv1 and kv2") else { return };
    let job = Job::approle(&stage.bao);
    stage.change(
        "engine: kv2\n    mount: secret\n    path: ml/db",
        "engine: kv1\n    mount: secret\n    path: ml/db",
    );
    let audited = stage.bao.audit().len();
    let words = ["has `engine: kv1`, and kv version 2 is mounted at secret", "write `engine: kv2`"];
    stage.fails(&job, 1, "error wrong-engine", &words);

    stage.bao.kv1("old");
    let value = json!({ "password": TestServer::canary("kv1") });
    for path in ["ml/db_creds", "metadata/ml/db_creds", "subkeys/ml/db_creds", "data/ml/db_creds"] {
        stage.bao.secret("old", path, value.clone());
    }
    let policy = POLICY.to_owned() + "path \"old/*\" { capabilities = [\"read\", \"list\"] }";
    stage.bao.policy("ml-ci", &policy);
    stage.write_policy(&policy);
    stage.change("mount: secret\n    path: ml/db_creds", "mount: old\n    path: ml/db_creds");
    let written = stage.bao.audit().len();
    let words = ["has `engine: kv2`, and kv version 1 is mounted at old", "write `engine: kv1`"];
    stage.fails(&job, 1, "error wrong-engine", &words);
    let asked = stage.requests_since(audited);
    assert!(!asked.iter().any(|path| path == "secret/ml/db_creds"), "{asked:?}");
    let asked = stage.requests_since(written);
    assert!(!asked.iter().any(|path| path.starts_with("old/")), "{asked:?}");
}

#[test]
fn a_root_token_and_a_short_token_are_reported() {
    let Some(stage) = ServerProject::dev("rules for tokens") else { return };
    let short = stage.bao.token(&["ml-ci"], json!({ "ttl": "10m", "renewable": false }));
    let short = Job::new("token").with("VAULT_TOKEN", short);
    let root = Job::new("token").with("VAULT_TOKEN", stage.bao.current_token());
    let warned = stage.verdict(&root);
    assert_eq!(warned.exit, 0, "the initial token of a development server: {:#}", warned.document);
    assert!(warned.found().contains(&"warning root-token".to_owned()));

    let attach = "    attach: [ml-ci]\n";
    stage.change(attach, &format!("{attach}    token: {{ttl_min: 15m, forbid: [root]}}\n"));
    let words = ["15m are needed", "it can't be renewed", "token_ttl"];
    stage.fails(&short, 1, "error ttl-too-short", &words);
    let words = ["has the policy root, which allows everything", "`envlock policy generate`"];
    stage.fails(&root, 1, "error root-token", &words);
}

#[test]
fn a_token_that_never_expires_is_a_warning() {
    let server =
        ScriptedServer::new("imitates a server that made a token without an end for a policy")
            .with_healthy_answers()
            .answer_on(
                "GET",
                "auth/token/lookup-self",
                ScriptedAnswer::data(
                    json!({ "ttl": 0, "expire_time": null, "policies": ["ml-ci"] }),
                ),
            );
    let lab = project();
    let manifest = |rules: &str| {
        format!(
            "version: 1\nneeds: {{}}\nprofiles:\n  token: {{auth: {{method: token, token: {{env: \
             VAULT_TOKEN}}}}, allow_plaintext_loopback: true{rules}}}\n"
        )
    };
    let job = Job::new("token").with("VAULT_TOKEN", "s.x").with("VAULT_ADDR", server.url());
    let run = |args: &[&str]| check(&lab, &job, args).output().unwrap().into();
    let words = ["the token of profile token never expires", "`bao token create -ttl=1h`"];
    lab.project.write("secrets.yml", manifest(""));
    let expected =
        ExpectedFailure { exit: 0, finding: "warning non-expiring-token", texts: &words };
    assert_failure(&expected, run);
    lab.project.write("secrets.yml", manifest(", token: {forbid: [non_expiring]}"));
    assert_failure(
        &ExpectedFailure { exit: 1, finding: "error non-expiring-token", ..expected },
        run,
    );
}

#[test]
fn a_fact_that_the_token_may_not_read_is_undetermined_and_the_missing_rules_are_shown() {
    let Some(stage) = ServerProject::dev("a token that can't verify") else { return };
    let policy = "path \"secret/data/ml/*\" { capabilities = [\"read\"] }
        path \"database/creds/ml-readonly\" { capabilities = [\"read\"] }
        path \"sys/leases/renew\" { capabilities = [\"update\"] }";
    stage.bao.policy("ml-ci", policy);
    stage.write_policy(policy);
    stage.fails(
        &Job::approle(&stage.bao),
        3,
        "error unverifiable",
        &[
            "whether secret/ml/db_creds exists: the server denies the request to the token (403)",
            "add these lines to a policy of the token; they give access to no value",
            "path \"secret/metadata/ml/db_creds\" { capabilities = [\"read\"] }",
            "path \"secret/subkeys/ml/db_creds\" { capabilities = [\"read\"] }",
            "path \"database/roles/ml-readonly\" { capabilities = [\"read\"] }",
        ],
    );
}

#[test]
fn a_refused_login_is_reported_with_the_servers_message_without_the_credential() {
    let Some(stage) = ServerProject::dev("refused logins") else { return };
    let bao = &stage.bao;
    let canary = TestServer::canary("login");
    let issuer = bao.jwt("jwt-ci", "ml-ci", &["ml-ci"]);
    let wrong_audience = issuer.token(json!({ "aud": canary }));
    let stranger = JwtIssuer::new().token(json!({}));
    let refused = |job: Job, texts: &[&str]| {
        let words = [texts, &["the server refused the login"]].concat();
        stage.fails(&job, 4, "error login-refused", &words);
        let output = stage.check(&job, &[]);
        for secret in [&canary, &wrong_audience, &stranger] {
            assert!(!format!("{output:?}").contains(secret.as_str()), "{output:?}");
        }
    };
    refused(
        Job::approle(bao).with("VAULT_SECRET_ID", &canary),
        &[
            "approle at auth/approle/login (400)",
            "the server's message: invalid role or",
            "expired or is used up",
        ],
    );
    refused(
        Job::userpass(bao).with("VAULT_PASSWORD", &canary),
        &[
            "userpass at auth/userpass/login/ada (4",
            "the server's message: invalid username or",
            "password is wrong",
        ],
    );
    refused(
        Job::new("jwt").with("CI_JWT", &wrong_audience),
        &[
            "jwt at auth/jwt-ci/login (400)",
            "audience isn't one that the role binds",
            "the role was ml-ci",
        ],
    );
    refused(
        Job::new("jwt").with("CI_JWT", &stranger),
        &["the server's message: error validating", "signed by another issuer"],
    );
    refused(
        Job::deleted_pod(bao),
        &["kubernetes at auth/kubernetes/login (403)", "permission denied", "service account"],
    );
}

#[test]
fn a_user_who_is_locked_out_is_told_so() {
    let Some(stage) = ServerProject::dev("a lockout") else { return };
    let wrong = Job::userpass(&stage.bao).with("VAULT_PASSWORD", "not it");
    for _ in 0..6 {
        stage.check(&wrong, &[]);
    }
    let words = ["locks the login out", "sys/locked-users/ACCESSOR/unlock/NAME"];
    stage.fails(&Job::userpass(&stage.bao), 4, "error login-refused", &words);
}

#[test]
fn a_wrapping_token_is_accepted_once_and_only_for_its_role() {
    let Some(stage) = ServerProject::dev("wrapped SecretIDs") else { return };
    let bao = &stage.bao;
    let job = Job::wrapped(bao);
    assert_eq!(stage.verdict(&job).exit, 0);
    let used = [
        "the wrapping token of `secret_id` has expired or was already used",
        "it may have been intercepted",
        "if you didn't use it, revoke the SecretID; then get a new wrapping token",
    ];
    stage.fails(&job, 4, "error wrapping-token-used", &used);
    // Another client unwrapped it first.
    let job = Job::wrapped(bao);
    bao.with_token(job.value("BATCH_SECRET_ID")).post("sys/wrapping/unwrap", json!({}));
    stage.fails(&job, 4, "error wrapping-token-used", &used);

    // The answer of another role or path isn't unwrapped, and its token stays usable.
    bao.approle("other", &["ml-ci"], json!({}));
    let other = bao.wrapped_secret_id("other", "120s");
    let secret = bao.wrapped("GET", "secret/data/ml/db_creds", json!({}), "120s");
    for (token, path) in
        [(other, "auth/approle/role/other/secret-id"), (secret, "secret/data/ml/db_creds")]
    {
        let job = Job::wrapped(bao).with("BATCH_SECRET_ID", &token);
        let wraps = format!("wraps an answer of {path}, not of auth/approle/role/ml-ci/secret-id");
        stage.fails(&job, 4, "error wrapping-token-mismatch", &[&wraps, "it wasn't unwrapped"]);
        bao.with_token(&token).post("sys/wrapping/unwrap", json!({}));
    }
}

#[test]
fn a_revoked_token_is_refused() {
    let Some(stage) = ServerProject::dev("revoked tokens") else { return };
    let job = Job::token(&stage.bao);
    stage.bao.with_token(job.value("VAULT_TOKEN")).post("auth/token/revoke-self", json!({}));
    let words = ["it is invalid, has expired or was revoked", " login`"];
    stage.fails(&job, 4, "error token-refused", &words);
    stage.fails(&job.with("VAULT_TOKEN", "s.nonsense"), 4, "error token-refused", &words);
}

#[test]
fn an_unknown_namespace_is_named() {
    let Some(stage) = ServerProject::dev("an unknown namespace") else { return };
    if !stage.bao.has_namespaces() {
        return skip_test("an unknown namespace");
    }
    for job in [Job::approle, Job::wrapped, Job::token] {
        let job = job(&stage.bao).with("VAULT_NAMESPACE", "team/nowhere");
        let words = ["the server has no namespace team/nowhere", "VAULT_NAMESPACE"];
        stage.fails(&job, 3, "error namespace-unknown", &words);
    }
}

#[test]
fn a_sealed_and_an_uninitialised_server_are_reported() {
    let Some(stage) = ServerProject::tls("a sealed server") else { return };
    let job = Job::approle(&stage.bao);
    stage.bao.seal();
    let expected = ExpectedFailure {
        exit: 3,
        finding: "error sealed",
        texts: &["the server is sealed", "ask its operator to unseal it, then try again"],
    };
    assert_failure(&expected, |args| stage.check(&job, args));
    stage.bao.unseal();
    assert_eq!(stage.verdict(&job).exit, 0);

    let Some(new) = TestServer::uninitialised() else { return skip_test("a server that is new") };
    let ca_file = new.ca_file().display().to_string();
    let job = job.with("VAULT_ADDR", new.url()).with("VAULT_CACERT", ca_file);
    let expected = ExpectedFailure {
        exit: 3,
        finding: "error not-initialised",
        texts: &["isn't initialised", "(`bao operator init`)"],
    };
    assert_failure(&expected, |args| stage.check(&job, args));
}

#[test]
fn a_server_is_trusted_only_by_its_authority_and_under_its_name() {
    let Some(stage) = ServerProject::tls("a server's certificate") else { return };
    let bao = &stage.bao;
    let path = |path: PathBuf| path.display().to_string();
    let audited = bao.audit().len();
    let fails = |job: &Job, help: &str| {
        let words = ["isn't trusted", help];
        let expected = ExpectedFailure { exit: 3, finding: "error tls-untrusted", texts: &words };
        assert_failure(&expected, |args| stage.check(job, args));
    };
    let job = Job::new("token").with("VAULT_TOKEN", bao.current_token());
    let authority = "name the authority that signed it: VAULT_CACERT=FILE";
    fails(&job.with("VAULT_CACERT", path(bao.other_ca_file())), authority);
    let job = Job::new("token").with("VAULT_TOKEN", bao.current_token());
    // Only the authorities of the machine are trusted.
    fails(&job.with("VAULT_CACERT", ""), authority);
    let job = Job::new("token").with("VAULT_TOKEN", bao.current_token());
    let name = "name the host in the certificate: VAULT_TLS_SERVER_NAME=NAME";
    fails(&job.with("VAULT_TLS_SERVER_NAME", "another.envlock.test"), name);
    assert_eq!(stage.requests_since(audited), [""; 0], "the token was sent");

    let named = Job::approle(bao).with("VAULT_TLS_SERVER_NAME", TestServer::SERVER_NAME);
    assert_eq!(stage.verdict(&named).exit, 0);
    let folder = stage.lab.project.path("authorities");
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::copy(bao.ca_file(), folder.join("own.pem")).unwrap();
    let in_folder = Job::approle(bao).with("VAULT_CACERT", "").with("VAULT_CAPATH", path(folder));
    assert_eq!(stage.verdict(&in_folder).exit, 0);
}

#[test]
fn a_login_by_certificate_requires_the_right_certificate() {
    let Some(stage) = ServerProject::tls("client certificates") else { return };
    let bao = &stage.bao;
    assert_eq!(stage.verdict(&Job::cert(bao)).exit, 0);
    let Some(stranger) = TestServer::uninitialised() else { return skip_test("another authority") };
    let (cert, key) = stranger.client_cert("ml-runner");
    let read = |path| fs_err::read_to_string::<PathBuf>(path).unwrap();
    let job = Job::new("cert").with("TLS_CERT", read(cert.clone())).with("TLS_KEY", read(key));
    let words = ["cert at auth/cert/login (400)", "invalid certificate", "role was ml-ci"];
    stage.fails(&job, 4, "error login-refused", &words);

    let halves = Job::cert(bao).with("TLS_CERT", read(cert));
    stage.fails(&halves, 2, "error client-certificate-unusable", &["can't be used together"]);
}

#[test]
fn a_server_that_requires_a_client_certificate_is_reported_with_the_variables() {
    // The answer of such a server to a client without a certificate: the fatal TLS alert
    // `certificate_required`.
    const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 116];
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 5];
            stream.read_exact(&mut head).unwrap();
            let length = usize::from(u16::from_be_bytes([head[3], head[4]]));
            stream.read_exact(&mut vec![0; length]).unwrap();
            stream.write_all(&ALERT).unwrap();
        }
    });
    let lab = project();
    let job = Job::new("token").with("VAULT_TOKEN", "s.x").with("VAULT_ADDR", url);
    let expected = ExpectedFailure {
        exit: 3,
        finding: "error client-certificate-unusable",
        texts: &["requires a client certificate", "VAULT_CLIENT_CERT=FILE VAULT_CLIENT_KEY=FILE"],
    };
    assert_failure(&expected, |args| check(&lab, &job, args).output().unwrap().into());
}
