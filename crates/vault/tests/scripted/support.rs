//! A job that queries a server, with checks that apply to every run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use envlock_report::{AsFindings as _, Finding};
use envlock_secrets::facts::ServerFacts;
use envlock_secrets::manifest::{Manifest, ManifestLocation};
use envlock_testkit::{RecordedRequest, ScriptedAnswer, ScriptedServer};
use envlock_vault::{
    Address, CredentialSources, ProbeError, ProbeReport, ProbeRequest, RetryPolicy, Settings,
};
use serde_json::{Value, json};

/// A part of every secret in the tests.
pub(crate) const CANARY: &str = "canary";

pub(crate) const JWT: &str = "{method: jwt, role: ml, jwt: {env: CI_JWT}}";
pub(crate) const APPROLE: &str =
    "{method: approle, role: ml, role_id: {env: ROLE_ID}, secret_id: {env: SECRET_ID}}";
pub(crate) const WRAPPED: &str = "{method: approle, role: ml, role_id: {env: ROLE_ID}, \
                                  secret_id: {env: WRAPPING, wrapped: true}}";
pub(crate) const TOKEN: &str = "{method: token, token: {env: TOKEN}}";
/// The default need of a job.
pub(crate) const DB: &str =
    "{engine: kv2, mount: secret, path: ml/db, fields: {host: DB_HOST, password: DB_PASSWORD}}";

/// Makes a future that is ready at an interruption.
pub(crate) type Interrupt<'a> = &'a (dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Sync);

/// A job and its server.
pub(crate) struct TestJob {
    pub(crate) url: String,
    pub(crate) auth: String,
    pub(crate) profile: String,
    pub(crate) plaintext: bool,
    pub(crate) needs: Vec<(String, String)>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) namespace: Option<String>,
    pub(crate) retry_policy: RetryPolicy,
    pub(crate) timeout: Duration,
    pub(crate) presence_only: bool,
    pub(crate) now: jiff::Timestamp,
}

impl TestJob {
    /// A job that logs in by JWT.
    pub(crate) fn on(script: &ScriptedServer) -> Self {
        Self::at_url(&script.url())
    }

    pub(crate) fn at_url(url: &str) -> Self {
        let variables = [
            ("CI_JWT", "eyJcanary.eyJjYW5hcnk.jwt"),
            ("ROLE_ID", "canary-role-id"),
            ("SECRET_ID", "canary-secret-id"),
            ("WRAPPING", "canary-wrapping-token"),
            ("TOKEN", "canary-given-token"),
            ("PASSWORD", "canary-password"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            url: url.to_owned(),
            auth: JWT.to_owned(),
            profile: String::new(),
            plaintext: true,
            needs: vec![("db".to_owned(), DB.to_owned())],
            variables: variables.into(),
            namespace: None,
            // The number of tries is that of the program; the pauses are short.
            retry_policy: RetryPolicy {
                pause: Duration::from_millis(1),
                total: Duration::from_millis(500),
                ..RetryPolicy::default()
            },
            timeout: Duration::from_secs(20),
            presence_only: false,
            now: jiff::Timestamp::now(),
        }
    }

    pub(crate) fn with_auth(self, auth: &str) -> Self {
        Self { auth: auth.to_owned(), ..self }
    }

    /// Adds a key to the profile.
    pub(crate) fn with_profile_key(self, key: &str) -> Self {
        Self { profile: format!(", {key}"), ..self }
    }

    pub(crate) fn with_variable(mut self, variable: &str, value: &str) -> Self {
        self.variables.insert(variable.to_owned(), value.to_owned());
        self
    }

    /// Replaces the needs.
    pub(crate) fn with_needs(self, needs: &[(&str, &str)]) -> Self {
        let needs = needs.iter().map(|(name, need)| ((*name).to_owned(), (*need).to_owned()));
        Self { needs: needs.collect(), ..self }
    }

    /// Runs the job. Asserts that the report contains no credential, token or value.
    pub(crate) fn run(&self) -> ProbeReport {
        self.run_until(&|| Box::pin(std::future::pending()))
    }

    pub(crate) fn run_until(&self, interrupted: Interrupt<'_>) -> ProbeReport {
        let mut text = "version: 1\nneeds:\n".to_owned();
        for (name, need) in &self.needs {
            writeln!(text, "  {name}: {need}").unwrap();
        }
        let Self { auth, profile, plaintext, .. } = self;
        let plain = format!("allow_plaintext_loopback: {plaintext}");
        writeln!(text, "profiles:\n  ci: {{auth: {auth}, {plain}{profile}}}").unwrap();
        let manifest =
            Manifest::parse("secrets.yml", &text, ManifestLocation::OwnFile).unwrap().unwrap();
        let profile = manifest.profile("ci").unwrap();
        let variable = |name: &str| self.variables.get(name).cloned();
        let request = ProbeRequest {
            profile: &profile,
            auth: profile.auth.as_ref(),
            presence_only: self.presence_only,
            sources: CredentialSources { variable: &variable, home: None },
            interrupted,
        };
        let mut settings = Settings {
            address: Address::parse("VAULT_ADDR", &self.url).unwrap(),
            namespace: self.namespace.clone(),
            authorities: None,
            server_name: None,
            client_certificate: None,
            proxy: None,
            user_agent: "envlock/test".to_owned(),
            timeout: self.timeout,
            retry_policy: self.retry_policy,
            now: self.now,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let report = runtime.block_on(envlock_vault::probe(&mut settings, &request));
        assert_without_secrets(&report);
        report
    }

    /// Runs the job, and returns its facts. Asserts that there are no findings.
    pub(crate) fn facts(&self) -> ServerFacts {
        let ProbeReport { facts, findings } = self.run();
        assert_eq!(findings, []);
        facts.unwrap()
    }

    /// Runs the job, and returns its error. Asserts that there are no findings.
    pub(crate) fn failure(&self) -> ProbeError {
        let ProbeReport { facts, findings } = self.run();
        assert_eq!(findings, []);
        facts.unwrap_err()
    }
}

fn assert_without_secrets(report: &ProbeReport) {
    let ProbeReport { facts, findings } = report;
    let mut shown = format!("{facts:?} {findings:?}");
    if let Err(failure) = facts {
        write!(shown, "{failure} {:?}", failure.findings()).unwrap();
    }
    for secret in [CANARY, "s.scripted"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

/// The only finding of an error. Asserts that it has a help text, unless it is an interruption.
pub(crate) fn finding_of(failure: &ProbeError) -> Finding {
    let mut all = failure.findings();
    assert_eq!(all.len(), 1, "{all:?}");
    let finding = all.remove(0);
    assert_eq!(finding.message, failure.to_string());
    assert_eq!(finding.help.is_none(), *failure == ProbeError::Interrupted, "{finding:?}");
    finding
}

/// A healthy server that has the secret of the default need.
pub(crate) fn server(imitates: &'static str) -> ScriptedServer {
    ScriptedServer::new(imitates)
        .with_healthy_answers()
        .answer_on(
            "GET",
            "sys/internal/ui/mounts/*",
            mount("secret", "kv", &json!({ "version": "2" })),
        )
        .answer_on("GET", "secret/metadata/*", metadata())
        .answer_on("GET", "secret/subkeys/*", fields(&["host", "password"]))
}

pub(crate) fn mount(path: &str, kind: &str, options: &Value) -> ScriptedAnswer {
    ScriptedAnswer::data(json!({
        "type": kind,
        "path": format!("{path}/"),
        "options": options,
        "config": { "default_lease_ttl": 0, "max_lease_ttl": 0, "listing_visibility": "" },
        "accessor": "kv_0",
    }))
}

pub(crate) fn metadata() -> ScriptedAnswer {
    let version = json!({ "created_time": "2026-01-01T00:00:00Z", "deletion_time": "",
        "destroyed": false });
    let custom = json!({ "note": "canary-of-an-operator" });
    let versions = json!({ "3": version });
    ScriptedAnswer::data(
        json!({ "current_version": 3, "versions": versions, "custom_metadata": custom }),
    )
}

pub(crate) fn fields(names: &[&str]) -> ScriptedAnswer {
    let names: BTreeMap<_, _> = names.iter().map(|name| (*name, Value::Null)).collect();
    ScriptedAnswer::data(json!({ "subkeys": names, "metadata": { "version": 3 } }))
}

/// The answer of a login, with `changed` keys.
pub(crate) fn login(changed: &Value) -> ScriptedAnswer {
    let mut auth = json!({
        "client_token": "s.scripted",
        "accessor": "scripted-accessor",
        "policies": ["default", "ml"],
        "token_policies": ["default", "ml"],
        "lease_duration": 900,
        "renewable": true,
        "token_type": "service",
        "mfa_requirement": null,
        "num_uses": 0,
    });
    merge(&mut auth, changed);
    ScriptedAnswer::auth(auth)
}

/// The answer of `lookup-self`, with `changed` keys.
pub(crate) fn token(changed: &Value) -> ScriptedAnswer {
    let mut data = json!({
        "id": "s.scripted",
        "policies": ["default", "ml"],
        "ttl": 600,
        "expire_time": "2099-01-01T00:00:00Z",
        "renewable": true,
        "num_uses": 0,
        "type": "service",
    });
    merge(&mut data, changed);
    ScriptedAnswer::data(data)
}

fn merge(whole: &mut Value, changed: &Value) {
    for (key, value) in changed.as_object().unwrap() {
        whole[key] = value.clone();
    }
}

/// The requests, one line each.
pub(crate) fn requests_of(script: &ScriptedServer) -> Vec<String> {
    script.requests().iter().map(RecordedRequest::to_string).collect()
}

/// The number of requests that are equal to `request`.
pub(crate) fn count(script: &ScriptedServer, request: &str) -> usize {
    requests_of(script).iter().filter(|found| *found == request).count()
}

pub(crate) const HEALTH: &str = "GET sys/health";
pub(crate) const JWT_LOGIN: &str = "POST auth/jwt/login";
pub(crate) const APPROLE_LOGIN: &str = "POST auth/approle/login";
pub(crate) const LOOKUP: &str = "GET auth/token/lookup-self";
pub(crate) const CAPABILITIES: &str = "POST sys/capabilities-self";
pub(crate) const MOUNT: &str = "GET sys/internal/ui/mounts/secret";
pub(crate) const METADATA: &str = "GET secret/metadata/ml/db";
pub(crate) const FIELDS: &str = "GET secret/subkeys/ml/db?depth=1";
pub(crate) const REVOKE: &str = "POST auth/token/revoke-self";
