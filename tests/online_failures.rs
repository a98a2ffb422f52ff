//! `check-secrets` against a real server where something is wrong: each with a code, words, the
//! next step and an exit code of its own, and never a login that stays.

use envlock_testkit::{Answer, Bao, JwtIssuer, Output, Script, left_out};
use serde_json::json;

use crate::support::vault::{Job, POLICY, Stage, Verdict, check, project, tokens, words};

/// What the program says of a failure.
struct Told<'a> {
    exit: i32,
    /// As `error missing`; one of its findings.
    finding: &'a str,
    /// All of them are in what people read.
    words: &'a [&'a str],
}

fn assert_told(told: &Told<'_>, run: impl Fn(&[&str]) -> Output) {
    let verdict = Verdict::of(&run(&["--format", "json"]));
    assert_eq!(verdict.exit, told.exit, "{:#}", verdict.document);
    let found = verdict.found();
    assert!(found.contains(&told.finding.to_owned()), "{:#}", verdict.document);
    let output = run(&[]);
    assert_eq!(output.code, Some(told.exit), "{output:?}");
    let said = words(&output);
    for wanted in told.words {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
}

impl Stage {
    /// The job fails like this, and leaves no token.
    fn fails(&self, job: &Job, exit: i32, finding: &str, words: &[&str]) {
        let alive = tokens(&self.bao);
        let told = Told { exit, finding, words };
        assert_told(&told, |args| self.check(job, args));
        assert!(tokens(&self.bao).is_subset(&alive), "{finding}: a token is left");
    }

    fn deny(&self, path: &str) -> String {
        let denied = POLICY.replace(&format!("path \"{path}\""), "path \"elsewhere\"");
        assert_ne!(denied, POLICY);
        denied
    }
}

#[test]
fn what_the_server_denies_is_told_with_the_rule_that_is_missing() {
    let Some(stage) = Stage::dev("denied needs") else { return };
    let job = Job::approle(&stage.bao);
    stage.bao.policy("ml-ci", &stage.deny("secret/data/ml/db_creds"));
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
    stage.attach(&stage.deny("database/creds/ml-readonly"));
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
    let value = json!({ "password": Bao::canary("kv1") });
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
    let root = Job::of("token").with("VAULT_TOKEN", stage.bao.own_token());
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
    let server = Script::new("imitates a server that made a token without an end for a policy")
        .healthy()
        .on(
            "GET",
            "auth/token/lookup-self",
            Answer::data(json!({ "ttl": 0, "expire_time": null, "policies": ["ml-ci"] })),
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
    let canary = Bao::canary("login");
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
    stage.fails(&job, 4, "error wrapped-used", &used);
    // Somebody else was quicker.
    let job = Job::wrapped(bao);
    bao.as_token(job.value("BATCH_SECRET_ID")).post("sys/wrapping/unwrap", json!({}));
    stage.fails(&job, 4, "error wrapped-used", &used);

    // What another role, or another path, gave: it isn't unwrapped, and is still good after.
    bao.approle("other", &["ml-ci"], json!({}));
    let other = bao.wrapped_secret_id("other", "120s");
    let secret = bao.wrapped("GET", "secret/data/ml/db_creds", json!({}), "120s");
    for (token, path) in
        [(other, "auth/approle/role/other/secret-id"), (secret, "secret/data/ml/db_creds")]
    {
        let job = Job::wrapped(bao).with("BATCH_SECRET_ID", &token);
        let wraps = format!("wraps what {path} gave, not auth/approle/role/ml-ci/secret-id");
        stage.fails(&job, 4, "error wrapped-elsewhere", &[&wraps, "it was not unwrapped"]);
        bao.as_token(&token).post("sys/wrapping/unwrap", json!({}));
    }
}

#[test]
fn a_token_that_is_no_longer_good_is_refused() {
    let Some(stage) = Stage::dev("revoked tokens") else { return };
    let job = Job::token(&stage.bao);
    stage.bao.as_token(job.value("VAULT_TOKEN")).post("auth/token/revoke-self", json!({}));
    let words = ["it is wrong, has expired or was revoked", "get a new one: `bao login`"];
    stage.fails(&job, 4, "error token-refused", &words);
    stage.fails(&job.with("VAULT_TOKEN", "s.nonsense"), 4, "error token-refused", &words);
}

#[test]
fn a_namespace_that_is_not_there_is_named() {
    let Some(stage) = Stage::dev("an unknown namespace") else { return };
    if !stage.bao.has_namespaces() {
        return left_out("an unknown namespace");
    }
    for job in [Job::approle, Job::wrapped, Job::token] {
        let job = job(&stage.bao).with("VAULT_NAMESPACE", "team/nowhere");
        let words = ["the server knows no namespace team/nowhere", "VAULT_NAMESPACE"];
        stage.fails(&job, 3, "error namespace-unknown", &words);
    }
}
