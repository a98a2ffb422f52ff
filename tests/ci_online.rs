//! Runs the files of `fixtures/ci` completely: the job logs in to a real server with the token of
//! its CI service.

use std::net::TcpListener;
use std::sync::Arc;

use envlock_testkit::{AuditKind, JwtIssuer, Output, TestServer, skip_test};
use serde_json::{Value, json as object};

use crate::support::ci::{Event, Job, Runner, TokenService, Workflow, file, has};
use crate::support::json;

/// A server that is configured as in docs/ci.md, and a project's job.
struct Stage {
    bao: TestServer,
    issuer: Arc<JwtIssuer>,
    runner: Runner,
}

impl Stage {
    /// `fields` are those of the only secret; `None` for no secret.
    fn new(fields: Option<&[&str]>) -> Option<Self> {
        let Some(bao) = TestServer::tls() else {
            skip_test("a CI job that asks a server");
            return None;
        };
        let mut runner = Runner::new();
        runner.set("VAULT_CACERT", bao.ca_file().display().to_string());
        let generate = "{ $ENVLOCK policy generate --profile ci
            $ENVLOCK policy generate --profile ci --for verifier; } > vault/policies/demo-ci.hcl";
        runner.shell(&[].into(), generate).success();
        bao.policy("demo-ci", &runner.project.read("vault/policies/demo-ci.hcl"));
        bao.kv2("secret");
        if let Some(fields) = fields {
            let values =
                fields.iter().map(|field| ((*field).to_owned(), TestServer::canary(field).into()));
            bao.secret("secret", "demo/db_creds", Value::Object(values.collect()));
        }
        let issuer = Arc::new(bao.jwt("jwt-ci", "demo-ci", &["demo-ci"]));
        let stage = Self { bao, issuer, runner };
        stage.bind("you/demo");
        Some(stage)
    }

    /// The role is for the jobs of this repository, and for tokens with this server as audience.
    fn bind(&self, repository: &str) {
        let role = object!({
            "role_type": "jwt",
            "user_claim": "sub",
            "bound_audiences": [self.bao.url()],
            "bound_claims": {"repository": repository},
            "token_policies": ["demo-ci"],
            "token_ttl": "15m",
        });
        self.bao.post("auth/jwt-ci/role/demo-ci", role);
    }

    /// The workflow for a pull request from the same repository.
    fn github(&mut self, vault: &str) -> Vec<(String, Output)> {
        let issuer = Arc::clone(&self.issuer);
        let service = TokenService::start(move |audience| {
            issuer.token(object!({"aud": audience, "repository": "you/demo"}))
        });
        service.permit(&mut self.runner);
        let said = Workflow::new(vault).run(&self.runner, Event::OwnPullRequest);
        assert_eq!(service.seen(), [""; 0], "the bearer was on a command line");
        said
    }

    /// The job of GitLab, with its last output.
    fn gitlab(&mut self) -> (Output, Output) {
        let claims = object!({"aud": self.bao.url(), "repository": "you/demo"});
        self.runner.set("CI_JWT", self.issuer.token(claims));
        let job = Job::new(self.bao.url());
        (job.run(&self.runner, |_| true), job.after(&self.runner))
    }
}

const FIELDS: &[&str] = &["host", "username", "password"];

/// The exit code and the output of the last step.
fn last(said: &[(String, Output)]) -> (Option<i32>, &str) {
    let (_, output) = said.last().unwrap();
    (output.code, &output.stdout)
}

#[test]
fn a_workflow_of_github_logs_in_requests_no_value_logs_out_and_installs() {
    let Some(mut stage) = Stage::new(Some(FIELDS)).filter(|_| has(&["curl", "jq"])) else {
        return;
    };
    let url = stage.bao.url().to_owned();
    let before = stage.bao.audit().len();
    let said = stage.github(&url);
    for (step, output) in &said {
        assert_eq!(output.code, Some(0), "{step}: {}{}", output.stdout, output.stderr);
        let spoken = format!("{}{}", output.stdout, output.stderr);
        assert!(!spoken.contains(TestServer::CANARY), "{step}: {spoken}");
        // A JWT starts with `{"` in base64; only the runner's mask line may contain it.
        let shown = spoken.lines().filter(|line| !line.starts_with("::add-mask::"));
        assert!(!shown.into_iter().any(|line| line.contains("eyJ")), "{step}: {spoken}");
    }
    assert_eq!(said.len(), 4, "built, fresh, asked, installed: {said:?}");
    assert!(stage.runner.project.path(".envlock/demo/conda-meta").is_dir());

    let audit = stage.bao.audit().split_off(before);
    let asked = audit.iter().filter(|entry| entry.kind == AuditKind::Request);
    let asked: Vec<_> = asked.map(|entry| entry.path.as_str()).collect();
    assert!(asked.contains(&"auth/jwt-ci/login"), "{asked:?}");
    assert!(asked.contains(&"auth/token/revoke-self"), "{asked:?}");
    assert!(!asked.iter().any(|path| path.starts_with("secret/data/")), "{asked:?}");
}

#[test]
fn a_job_of_gitlab_logs_in_and_leaves_a_report() {
    let Some(mut stage) = Stage::new(Some(FIELDS)) else { return };
    let (output, after) = stage.gitlab();
    output.success();
    assert!(json(&after.success()).is_array(), "a code quality report");
    assert!(stage.runner.project.path(".envlock/demo/conda-meta").is_dir());
}

#[test]
fn a_missing_secret_is_an_annotation_and_fails_the_workflow() {
    let Some(mut stage) = Stage::new(None).filter(|_| has(&["curl", "jq"])) else { return };
    let url = stage.bao.url().to_owned();
    let said = stage.github(&url);
    let (code, printed) = last(&said);
    assert_eq!(code, Some(1), "{said:?}");
    let annotation = "::error file=secrets.yml,line=6,";
    let found =
        printed.lines().any(|l| l.starts_with(annotation) && l.contains("title=secret-missing::"));
    assert!(found, "{printed}");
    assert!(!stage.runner.project.path(".envlock").exists());
}

#[test]
fn a_missing_field_is_in_the_report_and_fails_the_job() {
    let Some(mut stage) = Stage::new(Some(&["host", "username"])) else { return };
    let (output, after) = stage.gitlab();
    assert_eq!(output.code, Some(1), "{output:?}");
    let report = json(&after.success());
    let names = report.as_array().unwrap().iter().map(|entry| &entry["check_name"]);
    assert!(names.into_iter().any(|name| name == "missing-field"), "{report}");
}

#[test]
fn a_refused_login_ends_the_job_with_4() {
    let Some(mut stage) = Stage::new(Some(FIELDS)) else { return };
    stage.bind("someone/else");
    let (output, after) = stage.gitlab();
    assert_eq!(output.code, Some(4), "{output:?}{after:?}");
    assert!(!after.stdout.contains("eyJ"), "{after:?}");
}

#[test]
fn an_unreachable_server_ends_the_workflow_with_3_and_a_missing_address_with_2() {
    let Some(mut stage) = Stage::new(Some(FIELDS)).filter(|_| has(&["curl", "jq"])) else {
        return;
    };
    // The port was free a moment ago, so no server listens on it.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let unreachable = stage.github(&format!("https://{free}"));
    assert_eq!(last(&unreachable).0, Some(3), "{unreachable:?}");
    let unset = stage.github("");
    assert_eq!(last(&unset).0, Some(2), "{unset:?}");
}

#[test]
fn the_page_on_secrets_shows_what_the_program_prints() {
    let Some(mut stage) = Stage::new(Some(FIELDS)) else { return };
    let claims = object!({"aud": stage.bao.url(), "repository": "you/demo"});
    stage.runner.set("CI_JWT", stage.issuer.token(claims));
    stage.runner.set("VAULT_ADDR", stage.bao.url());
    let said = stage.runner.shell(&[].into(), "$ENVLOCK check-secrets").success();
    let version = stage.bao.get("sys/health")["version"].as_str().unwrap().to_owned();
    let shown = said
        .replace(stage.bao.url(), "https://vault.example.com")
        .replace(&format!("({version})"), "(2.4.0)");
    let page = file("docs/secrets.md");
    assert!(page.contains(&format!("$ envlock check-secrets\n{shown}```")), "{shown}");
}
