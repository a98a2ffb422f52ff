//! `check-secrets` against a real server: every auth method, and the tokens after the run.

use std::collections::BTreeSet;

use envlock_testkit::{TestServer, VaultClient, skip_test};
use serde_json::json;

use crate::support::vault::{Job, POLICY, ServerProject, Verdict, output_line, populate, tokens};

/// The table with the answers of the policies and of the server.
const PASSED: &str = "\
NEED       REQUEST                                POLICIES  SERVER
db_creds   read secret/data/ml/db_creds           allowed   allowed
db_creds   exists, with host, password, username  -         yes
hf_token   read secret/data/ml/huggingface        allowed   allowed
hf_token   exists, with token                     -         no
warehouse  read database/creds/ml-readonly        allowed   allowed
warehouse  update sys/leases/renew                allowed   allowed
warehouse  exists                                 -         yes
";

impl ServerProject {
    /// Asserts that the job passes, and that the program revoked the token of its login.
    fn passes(&self, server: &VaultClient, job: &Job) {
        let (alive, audited) = (tokens(server), self.bao.audit().len());
        let output = self.check(job, &[]);
        let asked = self.requests_since(audited);
        assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
        assert!(output.stdout.contains(PASSED), "{}", output.stdout);
        assert!(output.stdout.ends_with("\n0 errors, 0 warnings, 1 note\n"), "{}", output.stdout);
        assert!(output.stderr.starts_with("note["), "{}", output.stderr);
        assert!(tokens(server).is_subset(&alive), "a token is left");
        let logins = asked.iter().filter(|path| path.contains("/login"));
        assert_eq!(logins.count(), 1, "{asked:?}");
        assert_eq!(asked.last().unwrap(), "auth/token/revoke-self", "{asked:?}");
    }
}

#[test]
fn the_articles_project_passes_with_every_auth_method_and_leaves_no_token() {
    let Some(stage) = ServerProject::dev("every way to log in") else { return };
    stage.lab.solve(&[]).success();
    for login in [Job::approle, Job::wrapped, Job::jwt, Job::kubernetes, Job::userpass] {
        stage.passes(&stage.bao, &login(&stage.bao));
    }
}

#[test]
fn a_supplied_token_is_valid_after_the_check() {
    let Some(stage) = ServerProject::dev("a check with a token") else { return };
    let job = Job::token(&stage.bao);
    let (alive, audited) = (tokens(&stage.bao), stage.bao.audit().len());
    let output = stage.check(&job, &[]);
    assert!(output.clone().success().contains(PASSED), "{}", output.stdout);
    let asked = stage.requests_since(audited);
    assert!(!asked.iter().any(|path| path.contains("revoke")), "{asked:?}");
    assert_eq!(tokens(&stage.bao), alive);
    let own = stage.bao.with_token(job.value("VAULT_TOKEN"));
    assert_eq!(own.request("GET", "auth/token/lookup-self", &[], None).0, 200);
}

#[test]
fn over_tls_a_job_logs_in_with_its_certificate_or_another_method() {
    let Some(stage) = ServerProject::tls("logins over TLS") else { return };
    stage.change("    allow_plaintext_loopback: true\n", "");
    stage.passes(&stage.bao, &Job::cert(&stage.bao));
    stage.passes(&stage.bao, &Job::approle(&stage.bao));
    stage.passes(&stage.bao, &Job::wrapped(&stage.bao));
}

#[test]
fn a_check_in_a_namespace_has_the_same_result_as_in_the_root_namespace() {
    let Some(stage) = ServerProject::dev("a check in a namespace") else { return };
    if !stage.bao.has_namespaces() {
        return skip_test("a check in a namespace");
    }
    let team = stage.bao.namespace("team").namespace("数据");
    populate(&team);
    // The secrets of the root namespace aren't visible here.
    stage.bao.delete("secret/metadata/ml/db_creds");
    for login in [Job::approle, Job::wrapped, Job::userpass] {
        stage.passes(&team, &login(&team).with("VAULT_NAMESPACE", "team/数据"));
    }
    stage.change("  jwt:\n", "  jwt:\n    namespace: {env: TEAM}\n");
    let job = Job::jwt(&team);
    stage.passes(&team, &job.with("TEAM", "team/数据").with("VAULT_NAMESPACE", "elsewhere"));
    let without = stage.verdict(&Job::approle(&stage.bao));
    assert_eq!((without.exit, without.found()[0].as_str()), (1, "error secret-missing"));
}

#[test]
fn a_kv1_secret_is_found_by_listing_its_directory() {
    let Some(stage) = ServerProject::dev("a secret of kv1") else { return };
    stage.bao.kv1("old");
    stage.bao.secret("old", "ml/db_creds", json!({ "password": TestServer::canary("kv1") }));
    let engine = "engine: kv2\n    mount: secret\n    path: ml/db_creds";
    stage.change(engine, "engine: kv1\n    mount: old\n    path: ml/db_creds");
    let policy = POLICY.replace("secret/data/ml/db_creds", "old/ml/db_creds");
    let policy = policy + "path \"old/ml/\" { capabilities = [\"list\"] }";
    stage.write_policy(&policy);
    stage.bao.policy("ml-ci", &policy);
    let audited = stage.bao.audit().len();
    let verdict = stage.verdict(&Job::approle(&stage.bao));
    assert_eq!(verdict.exit, 0, "{:#}", verdict.document);
    assert!(verdict.found().contains(&"note unverifiable".to_owned()), "its fields are hidden");
    assert_eq!(verdict.server("db_creds"), ["allowed", "yes"]);
    let log = stage.bao.audit().split_off(audited).into_iter();
    let about: BTreeSet<_> = log
        .filter(|entry| entry.path.starts_with("old/"))
        .map(|entry| (entry.operation, entry.path))
        .collect();
    assert_eq!(about, [("list".to_owned(), "old/ml/".to_owned())].into());
}

#[test]
fn a_presence_check_that_may_read_nothing_proves_presence_and_the_policies_prove_rights() {
    let Some(stage) = ServerProject::dev("a check as a presence check") else { return };
    let generate = ["policy", "generate", "--manifest", "secrets.yml", "--profile", "approle"];
    let presence = [&generate[..], &["--for", "verifier"]].concat();
    let presence = stage.lab.envlock(&presence).success();
    assert!(!presence.contains("/data/") && !presence.contains("/creds/"), "{presence}");
    stage.bao.policy("presence", &presence);
    let options = json!({ "ttl": "10m", "no_default_policy": true });
    let token = stage.bao.token(&["presence"], options);

    // The token replaces the profile's credential, or a separate profile has it.
    let own = Job::new("token").with("VAULT_TOKEN", &token);
    let another = Job::new("approle").with("VAULT_TOKEN", &token);
    for (job, word) in [(own, "--as-verifier"), (another, "--as-verifier=token")] {
        let verdict = Verdict::new(&stage.check(&job, &[word, "--format", "json"]));
        assert_eq!(verdict.exit, 0, "{:#}", verdict.document);
        assert_eq!(verdict.found(), ["note secret-missing"]);
        assert_eq!(verdict.server("db_creds"), ["-", "yes"]);
        let rights = &verdict.document["result"]["answers"][0];
        assert_eq!(
            (&rights["operation"], &rights["policies"]),
            (&"read".into(), &"allowed".into())
        );
    }

    // Without policies for the job nothing proves its rights.
    stage.write_policy("path \"secret/data/ml/db_creds\" { capabilities = [\"deny\"] }");
    let job = Job::new("token").with("VAULT_TOKEN", &token);
    let denied = Verdict::new(&stage.check(&job, &["--as-verifier", "--format", "json"]));
    assert_eq!(denied.exit, 1);
    assert!(denied.found().contains(&"error request-denied".to_owned()), "{:#}", denied.document);
    stage.change("    attach: [ml-ci]\n", "");
    let unknown = Verdict::new(&stage.check(&job, &["--as-verifier", "--format", "json"]));
    assert_eq!(unknown.exit, 3, "{:#}", unknown.document);
}

#[test]
fn the_profile_whose_credentials_are_available_is_chosen() {
    let Some(stage) = ServerProject::dev("the choice of a profile") else { return };
    let job = Job::userpass(&stage.bao).without_profile();
    let verdict = stage.verdict(&job);
    assert_eq!(verdict.exit, 0, "{:#}", verdict.document);
    assert_eq!(verdict.document["result"]["answers"][0]["profiles"], json!(["userpass"]));

    let audited = stage.bao.audit().len();
    let two = stage.check(&job.with("CI_JWT", "eyJ"), &[]);
    assert_eq!(two.code, Some(2), "{two:?}");
    let said = output_line(&two);
    assert!(said.contains("several have credentials: jwt, userpass"), "{said}");
    assert!(said.contains("name one with `--profile`: jwt, userpass,"), "{said}");
    let none = stage.check(&Job::new(None), &[]);
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(output_line(&none).contains("no profile has credentials"), "{none:?}");
    assert_eq!(stage.requests_since(audited), [""; 0]);

    let chosen = Job::token(&stage.bao).without_profile().with("ENVLOCK_PROFILE", "token");
    assert_eq!(stage.verdict(&chosen.with("CI_JWT", "eyJ")).exit, 0);
}

#[test]
fn mounts_and_paths_with_characters_of_any_script_are_found() {
    let Some(stage) = ServerProject::dev("paths of any script") else { return };
    let (mount, path) = ("团队/机密", "数据库/50%?a=b#c/密码");
    let encoded = "%E6%95%B0%E6%8D%AE%E5%BA%93/50%25%3Fa=b%23c/%E5%AF%86%E7%A0%81";
    stage.bao.kv2(mount);
    let value = json!({ "host": 1, "username": 2, "password": TestServer::canary("cjk") });
    stage.bao.secret(mount, encoded, value);
    let need = format!("mount: {mount}\n    path: \"{path}\"");
    stage.change("mount: secret\n    path: ml/db_creds", &need);
    let policy =
        ["data", "metadata", "subkeys"].into_iter().fold(POLICY.to_owned(), |all, kind| {
            all.replace(&format!("secret/{kind}/ml/db_creds"), &format!("{mount}/{kind}/{path}"))
        });
    stage.write_policy(&policy);
    stage.bao.policy("ml-ci", &policy);
    let verdict = stage.verdict(&Job::approle(&stage.bao));
    assert_eq!(verdict.exit, 0, "{:#}", verdict.document);
    assert_eq!(verdict.server("db_creds"), ["allowed", "yes"]);
}

#[test]
fn a_token_that_cannot_be_revoked_is_reported_with_its_accessor() {
    let Some(stage) = ServerProject::dev("a token without the policy default") else { return };
    let options = json!({ "token_ttl": "1h", "token_no_default_policy": true });
    let (role_id, secret_id) = stage.bao.approle("ml-ci", &["ml-ci"], options);
    let job = Job::new("approle").with("VAULT_ROLE_ID", role_id).with("VAULT_SECRET_ID", secret_id);
    let output = stage.check(&job, &[]);
    let said = output_line(&output);
    assert_eq!(output.code, Some(3), "{said}");
    assert!(
        said.contains("warning[logout-failed]: the token of the login wasn't revoked"),
        "{said}"
    );
    let (_, accessor) = said.split_once(" token revoke -accessor ").unwrap();
    let accessor = accessor.split('`').next().unwrap();
    assert!(tokens(&stage.bao).contains(accessor), "{said}");
    assert!(
        said.contains("path \"sys/capabilities-self\" { capabilities = [\"update\"] }"),
        "{said}"
    );
}

#[test]
fn a_batch_token_passes_and_its_expiration_is_a_note() {
    let Some(stage) = ServerProject::dev("a batch token") else { return };
    let options = json!({ "token_ttl": "24h", "token_type": "batch" });
    let (role_id, secret_id) = stage.bao.approle("ml-ci", &["ml-ci"], options);
    let job = Job::new("approle").with("VAULT_ROLE_ID", role_id).with("VAULT_SECRET_ID", secret_id);
    let audited = stage.bao.audit().len();
    let verdict = stage.verdict(&job);
    assert_eq!(verdict.exit, 0, "{:#}", verdict.document);
    assert_eq!(verdict.found(), ["note logout-failed", "note secret-missing"]);
    let asked = stage.requests_since(audited);
    assert!(!asked.iter().any(|path| path.contains("revoke")), "{asked:?}");
}

#[test]
fn a_token_with_too_few_remaining_uses_is_not_consumed() {
    let Some(stage) = ServerProject::dev("a token with few uses") else { return };
    let of = |uses: u32| {
        let token = stage.bao.token(&["ml-ci"], json!({ "ttl": "1h", "num_uses": uses }));
        Job::new("token").with("VAULT_TOKEN", token)
    };
    let words = ["the token has 3 uses left", "without a limit of uses"];
    let few = of(5);
    stage.fails(&few, 3, "error too-few-token-uses", &words);
    assert_eq!(stage.verdict(&of(100)).exit, 0);
}
