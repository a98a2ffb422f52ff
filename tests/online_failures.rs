//! `check-secrets` against a real server where something is wrong: each with a code, words, the
//! next step and an exit code of its own, and never a login that stays.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;

use envlock_testkit::{JwtIssuer, ScriptedAnswer, ScriptedServer, TestServer, skip_test};
use serde_json::json;

use crate::support::vault::{Job, POLICY, Stage, Told, assert_told, check, project};

/// The job's policy without its rule for a path.
fn without(path: &str) -> String {
    let denied = POLICY.replace(&format!("path \"{path}\""), "path \"elsewhere\"");
    assert_ne!(denied, POLICY);
    denied
}

#[test]
fn what_the_server_denies_is_told_with_the_rule_that_is_missing() {
    let Some(stage) = Stage::dev("denied needs") else { return };
    let job = Job::approle(&stage.bao);
    stage.bao.policy("ml-ci", &without("secret/data/ml/db_creds"));
    stage.fails(
        &job,
        1,
        "error disagreement",
        &[
            "the policies in the repository allow read secret/data/ml/db_creds, and the server \
             denies it",
            "`vault policy read ml-ci` (or `bao policy read ml-ci`) with vault/policies/ml-ci.hcl",
        ],
    );
    stage.change("    attach: [ml-ci]\n", "");
    stage.fails(
        &job,
        1,
        "error denied",
        &[
            "read secret/data/ml/db_creds is denied by the server: the token has nothing there",
            "add to the policy ml-ci of the token",
            "path \"secret/data/ml/db_creds\" { capabilities = [\"read\"] }",
        ],
    );
}

#[test]
fn what_the_server_allows_and_the_repository_denies_is_a_disagreement_too() {
    let Some(stage) = Stage::dev("a disagreement") else { return };
    stage.attach(&without("database/creds/ml-readonly"));
    let words = [
        "the server allows read database/creds/ml-readonly, and the policies in the repository",
        "the server is http://127.0.0.1:",
    ];
    stage.fails(&Job::approle(&stage.bao), 1, "error disagreement", &words);

    stage.attach(POLICY);
    stage.bao.policy("other", POLICY);
    let job = Job::token(&stage.bao);
    let token = stage.bao.token(&["other"], json!({ "ttl": "1h" }));
    assert_eq!(stage.verdict(&job.with("VAULT_TOKEN", token)).exit, 0, "a name is no right");
}

#[test]
fn a_secret_that_is_not_there_is_told_apart_from_one_that_was_deleted() {
    let Some(stage) = Stage::dev("missing secrets") else { return };
    let job = Job::approle(&stage.bao);
    let fails = |finding, words: &[&str]| stage.fails(&job, 1, finding, words);
    stage.bao.secret("secret", "ml/db_creds", json!({ "host": 1, "username": 2, "passwort": 3 }));
    fails(
        "error missing-field",
        &["secret/ml/db_creds has no field password", "did you mean `passwort` for `password`?"],
    );
    stage.bao.delete("secret/data/ml/db_creds");
    fails(
        "error missing",
        &[
            "the current version of secret/ml/db_creds is deleted",
            "bring it back: `vault kv undelete -mount=secret",
        ],
    );
    stage.bao.put("secret/destroy/ml/db_creds", json!({ "versions": [2] }));
    fails("error missing", &["the current version of secret/ml/db_creds is destroyed"]);
    stage.bao.delete("secret/metadata/ml/db_creds");
    fails(
        "error missing",
        &["secret/ml/db_creds isn't there", "`vault kv put -mount=secret ml/db_creds @FILE.json`"],
    );
}

#[test]
fn a_role_that_is_not_there_or_ends_too_soon_is_told() {
    let Some(stage) = Stage::dev("database roles") else { return };
    let job = Job::approle(&stage.bao);
    let fails = |finding, words: &[&str]| stage.fails(&job, 1, finding, words);
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
    fails("error missing", &["the role ml-readonly of database isn't there", "`role:`"]);
}

#[test]
fn another_engine_than_the_manifests_is_told_and_its_secrets_are_not_asked_for() {
    let Some(stage) = Stage::dev("a mix-up of kv1 and kv2") else { return };
    let job = Job::approle(&stage.bao);
    stage.change(
        "engine: kv2\n    mount: secret\n    path: ml/db",
        "engine: kv1\n    mount: secret\n    path: ml/db",
    );
    let audited = stage.bao.audit().len();
    let words =
        ["says `engine: kv1`, and kv version 2 is mounted at secret", "write `engine: kv2`"];
    stage.fails(&job, 1, "error wrong-engine", &words);

    stage.bao.kv1("old");
    let value = json!({ "password": TestServer::canary("kv1") });
    for path in ["ml/db_creds", "metadata/ml/db_creds", "subkeys/ml/db_creds", "data/ml/db_creds"] {
        stage.bao.secret("old", path, value.clone());
    }
    let policy = POLICY.to_owned() + "path \"old/*\" { capabilities = [\"read\", \"list\"] }";
    stage.bao.policy("ml-ci", &policy);
    stage.attach(&policy);
    stage.change("mount: secret\n    path: ml/db_creds", "mount: old\n    path: ml/db_creds");
    let written = stage.bao.audit().len();
    let words = ["says `engine: kv2`, and kv version 1 is mounted at old", "write `engine: kv1`"];
    stage.fails(&job, 1, "error wrong-engine", &words);
    let asked = stage.asked_since(audited);
    assert!(!asked.iter().any(|path| path == "secret/ml/db_creds"), "{asked:?}");
    let asked = stage.asked_since(written);
    assert!(!asked.iter().any(|path| path.starts_with("old/")), "{asked:?}");
}

#[test]
fn a_token_that_can_too_much_or_ends_too_soon_is_told() {
    let Some(stage) = Stage::dev("rules for tokens") else { return };
    let short = stage.bao.token(&["ml-ci"], json!({ "ttl": "10m", "renewable": false }));
    let short = Job::of("token").with("VAULT_TOKEN", short);
    let root = Job::of("token").with("VAULT_TOKEN", stage.bao.current_token());
    let warned = stage.verdict(&root);
    assert_eq!(warned.exit, 0, "a development server's own: {:#}", warned.document);
    assert!(warned.found().contains(&"warning root-token".to_owned()));

    let attach = "    attach: [ml-ci]\n";
    stage.change(attach, &format!("{attach}    token: {{ttl_min: 15m, forbid: [root]}}\n"));
    let words = ["15m are needed", "it can't be renewed", "token_ttl"];
    stage.fails(&short, 1, "error ttl-too-short", &words);
    let words = ["has the policy root, which allows everything", "`envlock policy generate`"];
    stage.fails(&root, 1, "error root-token", &words);
}

#[test]
fn a_token_that_never_ends_is_warned_of() {
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
    let job = Job::of("token").with("VAULT_TOKEN", "s.x").with("VAULT_ADDR", server.url());
    let run = |args: &[&str]| check(&lab, &job, args).output().unwrap().into();
    let words = ["the token of profile token never ends", "`vault token create -ttl=1h`"];
    lab.project.write("secrets.yml", manifest(""));
    let told = Told { exit: 0, finding: "warning non-expiring-token", words: &words };
    assert_told(&told, run);
    lab.project.write("secrets.yml", manifest(", token: {forbid: [non_expiring]}"));
    assert_told(&Told { exit: 1, finding: "error non-expiring-token", ..told }, run);
}

#[test]
fn what_the_token_may_not_ask_is_no_yes_and_the_lines_that_it_lacks_are_given() {
    let Some(stage) = Stage::dev("a token that can't verify") else { return };
    let policy = "path \"secret/data/ml/*\" { capabilities = [\"read\"] }
        path \"database/creds/ml-readonly\" { capabilities = [\"read\"] }
        path \"sys/leases/renew\" { capabilities = [\"update\"] }";
    stage.bao.policy("ml-ci", policy);
    stage.attach(policy);
    stage.fails(
        &Job::approle(&stage.bao),
        3,
        "error unverifiable",
        &[
            "whether secret/ml/db_creds is there: the token may not ask (403)",
            "add these lines to a policy of the token: they show no value",
            "path \"secret/metadata/ml/db_creds\" { capabilities = [\"read\"] }",
            "path \"secret/subkeys/ml/db_creds\" { capabilities = [\"read\"] }",
            "path \"database/roles/ml-readonly\" { capabilities = [\"read\"] }",
        ],
    );
}

#[test]
fn a_login_that_is_refused_is_told_in_the_servers_words_without_the_credential() {
    let Some(stage) = Stage::dev("refused logins") else { return };
    let bao = &stage.bao;
    let canary = TestServer::canary("login");
    let issuer = bao.jwt("jwt-ci", "ml-ci", &["ml-ci"]);
    let wrong_audience = issuer.token(json!({ "aud": canary }));
    let stranger = JwtIssuer::new().token(json!({}));
    let refused = |job: Job, words: &[&str]| {
        let words = [words, &["is refused (4", "check `auth:` of the profile"]].concat();
        stage.fails(&job, 4, "error login-refused", &words);
        let output = stage.check(&job, &[]);
        for secret in [&canary, &wrong_audience, &stranger] {
            assert!(!format!("{output:?}").contains(secret.as_str()), "{output:?}");
        }
    };
    refused(
        Job::approle(bao).with("VAULT_SECRET_ID", &canary),
        &["approle at auth/approle/login is refused (400)", "the server says: invalid role or"],
    );
    refused(
        Job::userpass(bao).with("VAULT_PASSWORD", &canary),
        &["userpass at auth/userpass/login/ada is refused", "the server says: invalid username or"],
    );
    refused(
        Job::of("jwt").with("CI_JWT", &wrong_audience),
        &["jwt at auth/jwt-ci/login is refused (400)", "audience", "the role was ml-ci"],
    );
    refused(Job::of("jwt").with("CI_JWT", &stranger), &["the server says: error validating"]);
    refused(
        Job::deleted_pod(bao),
        &["kubernetes at auth/kubernetes/login is refused (403)", "permission denied"],
    );
}

#[test]
fn a_wrapping_token_is_good_once_and_for_what_it_was_made_for() {
    let Some(stage) = Stage::dev("wrapped SecretIDs") else { return };
    let bao = &stage.bao;
    let job = Job::wrapped(bao);
    assert_eq!(stage.verdict(&job).exit, 0);
    let used = [
        "the wrapping token of `secret_id` has expired or was already used",
        "somebody may have taken it on its way",
        "revoke it if it wasn't you, and have a new one delivered",
    ];
    stage.fails(&job, 4, "error wrapping-token-used", &used);
    // Somebody else was quicker.
    let job = Job::wrapped(bao);
    bao.with_token(job.value("BATCH_SECRET_ID")).post("sys/wrapping/unwrap", json!({}));
    stage.fails(&job, 4, "error wrapping-token-used", &used);

    // What another role, or another path, gave: it isn't unwrapped, and is still good after.
    bao.approle("other", &["ml-ci"], json!({}));
    let other = bao.wrapped_secret_id("other", "120s");
    let secret = bao.wrapped("GET", "secret/data/ml/db_creds", json!({}), "120s");
    for (token, path) in
        [(other, "auth/approle/role/other/secret-id"), (secret, "secret/data/ml/db_creds")]
    {
        let job = Job::wrapped(bao).with("BATCH_SECRET_ID", &token);
        let wraps = format!("wraps what {path} gave, not auth/approle/role/ml-ci/secret-id");
        stage.fails(&job, 4, "error wrapping-token-mismatch", &[&wraps, "it was not unwrapped"]);
        bao.with_token(&token).post("sys/wrapping/unwrap", json!({}));
    }
}

#[test]
fn a_token_that_is_no_longer_good_is_refused() {
    let Some(stage) = Stage::dev("revoked tokens") else { return };
    let job = Job::token(&stage.bao);
    stage.bao.with_token(job.value("VAULT_TOKEN")).post("auth/token/revoke-self", json!({}));
    let words = ["it is wrong, has expired or was revoked", "get a new one: `bao login`"];
    stage.fails(&job, 4, "error token-refused", &words);
    stage.fails(&job.with("VAULT_TOKEN", "s.nonsense"), 4, "error token-refused", &words);
}

#[test]
fn a_namespace_that_is_not_there_is_named() {
    let Some(stage) = Stage::dev("an unknown namespace") else { return };
    if !stage.bao.has_namespaces() {
        return skip_test("an unknown namespace");
    }
    for job in [Job::approle, Job::wrapped, Job::token] {
        let job = job(&stage.bao).with("VAULT_NAMESPACE", "team/nowhere");
        let words = ["the server knows no namespace team/nowhere", "VAULT_NAMESPACE"];
        stage.fails(&job, 3, "error namespace-unknown", &words);
    }
}

#[test]
fn a_sealed_server_and_a_new_one_answer_nobody() {
    let Some(stage) = Stage::tls("a sealed server") else { return };
    let job = Job::approle(&stage.bao);
    stage.bao.seal();
    let told = Told {
        exit: 3,
        finding: "error sealed",
        words: &["the server is sealed", "ask its operator to unseal it, then run this again"],
    };
    assert_told(&told, |args| stage.check(&job, args));
    stage.bao.unseal();
    assert_eq!(stage.verdict(&job).exit, 0);

    let Some(new) = TestServer::uninitialised() else { return skip_test("a server that is new") };
    let ca_file = new.ca_file().display().to_string();
    let job = job.with("VAULT_ADDR", new.url()).with("VAULT_CACERT", ca_file);
    let told = Told {
        exit: 3,
        finding: "error not-initialised",
        words: &["isn't initialised yet", "(`bao operator init`)"],
    };
    assert_told(&told, |args| stage.check(&job, args));
}

#[test]
fn a_server_is_believed_by_its_own_authority_alone_and_under_its_own_name() {
    let Some(stage) = Stage::tls("a server's certificate") else { return };
    let bao = &stage.bao;
    let path = |path: PathBuf| path.display().to_string();
    let audited = bao.audit().len();
    let fails = |job: &Job, help: &str| {
        let words = ["isn't trusted", help];
        let told = Told { exit: 3, finding: "error tls-untrusted", words: &words };
        assert_told(&told, |args| stage.check(job, args));
    };
    let job = Job::of("token").with("VAULT_TOKEN", bao.current_token());
    let authority = "name the authority that signed it: VAULT_CACERT=FILE";
    fails(&job.with("VAULT_CACERT", path(bao.other_ca_file())), authority);
    let job = Job::of("token").with("VAULT_TOKEN", bao.current_token());
    // Only the authorities of the machine.
    fails(&job.with("VAULT_CACERT", ""), authority);
    let job = Job::of("token").with("VAULT_TOKEN", bao.current_token());
    let name = "name the one in the certificate: VAULT_TLS_SERVER_NAME=NAME";
    fails(&job.with("VAULT_TLS_SERVER_NAME", "another.envlock.test"), name);
    assert_eq!(stage.asked_since(audited), [""; 0], "the token was shown");

    let named = Job::approle(bao).with("VAULT_TLS_SERVER_NAME", TestServer::SERVER_NAME);
    assert_eq!(stage.verdict(&named).exit, 0);
    let folder = stage.lab.project.path("authorities");
    fs_err::create_dir_all(&folder).unwrap();
    fs_err::copy(bao.ca_file(), folder.join("own.pem")).unwrap();
    let in_folder = Job::approle(bao).with("VAULT_CACERT", "").with("VAULT_CAPATH", path(folder));
    assert_eq!(stage.verdict(&in_folder).exit, 0);
}

#[test]
fn a_login_by_certificate_takes_the_right_one() {
    let Some(stage) = Stage::tls("client certificates") else { return };
    let bao = &stage.bao;
    assert_eq!(stage.verdict(&Job::cert(bao)).exit, 0);
    let Some(stranger) = TestServer::uninitialised() else { return skip_test("another authority") };
    let (cert, key) = stranger.client_cert("ml-runner");
    let read = |path| fs_err::read_to_string::<PathBuf>(path).unwrap();
    let job = Job::of("cert").with("TLS_CERT", read(cert.clone())).with("TLS_KEY", read(key));
    let words =
        ["cert at auth/cert/login is refused (400)", "invalid certificate", "role was ml-ci"];
    stage.fails(&job, 4, "error login-refused", &words);

    let halves = Job::cert(bao).with("TLS_CERT", read(cert));
    stage.fails(&halves, 2, "error tls-client", &["can't be used together"]);
}

#[test]
fn a_server_that_demands_a_certificate_says_so_and_the_variables_are_named() {
    // Imitates the one thing that such a server says to whoever shows none: the TLS alert
    // `certificate_required`, fatal.
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
    let job = Job::of("token").with("VAULT_TOKEN", "s.x").with("VAULT_ADDR", url);
    let told = Told {
        exit: 3,
        finding: "error tls-client",
        words: &["or wants one", "VAULT_CLIENT_CERT=FILE VAULT_CLIENT_KEY=FILE"],
    };
    assert_told(&told, |args| check(&lab, &job, args).output().unwrap().into());
}

#[test]
fn what_is_not_a_server_is_told_from_one_that_cannot_be_reached() {
    let lab = project();
    let job = |url: &str| Job::of("token").with("VAULT_TOKEN", "s.x").with("VAULT_ADDR", url);
    let fails = |url: &str, finding: &str, words: &[&str]| {
        let job = job(url);
        let run = |args: &[&str]| check(&lab, &job, args).output().unwrap().into();
        assert_told(&Told { exit: 3, finding, words }, run);
    };
    // Nobody listens on a port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    fails(
        &format!("http://{free}"),
        "error unreachable",
        &["can't be reached: ", "check VAULT_ADDR, and the network between here and there"],
    );
    let proxy = ScriptedServer::new("imitates a proxy's page").answer_on(
        "GET",
        "sys/health",
        ScriptedAnswer::html(404),
    );
    fails(&proxy.url(), "error not-a-vault", &["is no Vault or OpenBao", "the path of a proxy"]);

    let other = ScriptedServer::new("imitates another server").with_healthy_answers();
    let elsewhere = format!("{}/v1/auth/token/lookup-self", other.url());
    let standby = ScriptedServer::new("imitates a standby behind another address")
        .with_healthy_answers()
        .answer_on("GET", "auth/token/lookup-self", ScriptedAnswer::redirect(307, &elsewhere));
    let words = [
        "auth/token/lookup-self by sending on to http://127.0.0.1:",
        "a token shown to another server is that server's from then on",
        "if that server is meant, put it into VAULT_ADDR",
    ];
    fails(&standby.url(), "error redirected", &words);
    assert_eq!(other.requests(), []);
}

#[test]
fn what_the_user_has_to_mend_is_told_before_anything_is_asked() {
    let lab = project();
    let server =
        ScriptedServer::new("imitates a server that nobody may ask").with_healthy_answers();
    let job = || Job::of("token").with("VAULT_TOKEN", "s.x").with("VAULT_ADDR", server.url());
    let fails = |job: &Job, finding: &str, words: &[&str]| {
        let run = |args: &[&str]| check(&lab, job, args).output().unwrap().into();
        assert_told(&Told { exit: 2, finding, words }, run);
    };
    let token = Job::of("token").with("VAULT_TOKEN", "s.x");
    fails(&token, "error no-address", &["set VAULT_ADDR (or BAO_ADDR)", "`--offline`"]);
    let two = job().with("BAO_ADDR", "https://bao.example.com");
    fails(&two, "error two-addresses", &["VAULT_ADDR and BAO_ADDR name two servers", "unset"]);
    for (address, words) in [
        ("http://vault.example.com:8200", "use https; an own authority goes into VAULT_CACERT"),
        ("http://192.0.2.1", "whoever is on the way could read the login and the token"),
    ] {
        fails(&job().with("VAULT_ADDR", address), "error plaintext", &[address, words]);
    }
    for address in ["vault.example.com:8200", "https://u:canary@vault.example.com", "ftp://a"] {
        let wrong = job().with("VAULT_ADDR", address);
        fails(&wrong, "error wrong-address", &["VAULT_ADDR holds no address of a server"]);
        let said = check(&lab, &wrong, &[]).output().unwrap();
        assert!(!format!("{said:?}").contains("canary"));
    }
    for insecure in ["true", "1", "yes"] {
        let insecure = job().with("VAULT_SKIP_VERIFY", insecure);
        fails(&insecure, "error insecure-tls", &["which is never done", "VAULT_CACERT=FILE"]);
    }
    let unset = Job::of("approle").with("VAULT_ADDR", server.url()).with("VAULT_ROLE_ID", "r");
    let words = ["`secret_id` comes from the variable VAULT_SECRET_ID, which isn't set"];
    fails(&unset, "error missing-credential", &words);
    let no_file = Job::of("kubernetes").with("VAULT_ADDR", server.url());
    let words = ["from the file ~/serviceaccount/token, which can't be read: there is none"];
    fails(&no_file, "error missing-credential", &words);
    let token = job().with("VAULT_TOKEN", "s.canary\nX-Other: header");
    fails(&token, "error credential-malformed", &["of the variable VAULT_TOKEN can't be one"]);
    let said = check(&lab, &token, &[]).output().unwrap();
    assert!(!format!("{said:?}").contains("canary"));
    let namespace = job().with("VAULT_NAMESPACE", "team\nX-Other: header");
    fails(
        &namespace,
        "error credential-malformed",
        &["the namespace in VAULT_NAMESPACE has line breaks"],
    );
    let half = job().with("VAULT_CLIENT_CERT", "secrets.yml");
    fails(&half, "error tls-client", &["VAULT_CLIENT_CERT and VAULT_CLIENT_KEY"]);
    let ca = job().with("VAULT_CACERT", "nowhere.pem");
    fails(&ca, "error tls-untrusted", &["VAULT_CACERT names nowhere.pem, which can't be read"]);
    let ca = job().with("VAULT_CACERT", "secrets.yml");
    fails(&ca, "error tls-untrusted", &["holds no certificate"]);
    let timeout = job().with("VAULT_CLIENT_TIMEOUT", "soon");
    fails(&timeout, "error wrong-address", &["VAULT_CLIENT_TIMEOUT is no time to wait"]);

    let manifest = lab.project.read("secrets.yml");
    lab.project.write("secrets.yml", manifest.replace("    allow_plaintext_loopback: true\n", ""));
    fails(&job(), "error plaintext", &["`allow_plaintext_loopback: true` for a development"]);
    assert_eq!(server.requests(), []);
}
