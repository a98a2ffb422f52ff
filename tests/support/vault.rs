//! The article's project, and a real server that has its secrets.

use std::collections::BTreeSet;
use std::process::Command;

use envlock_testkit::{
    AuditKind, FakeKubernetes, Output, TestMirror, TestServer, VaultClient, skip_test,
};
use serde_json::{Value, json as object};

use super::{Lab, json};

/// The manifest of the article's project: a secret, a database account that is created on demand,
/// and an optional token; with a profile for each auth method.
pub(crate) const MANIFEST: &str = "\
version: 1
policies:
  ml-ci: {file: vault/policies/ml-ci.hcl}
needs:
  db_creds:
    engine: kv2
    mount: secret
    path: ml/db_creds
    fields: {host: {env: DB_HOST}, username: {env: DB_USER}, password: {env: DB_PASSWORD}}
  warehouse:
    engine: database
    mount: database
    role: ml-readonly
    fields: {username: {env: WH_USER}, password: {env: WH_PASSWORD}}
    ttl: {min: 1h, renew: until 12h}
  hf_token:
    engine: kv2
    mount: secret
    path: ml/huggingface
    fields: {token: {env: HF_TOKEN, as: file}}
    required: false
    why: gated model downloads
profiles:
  token:
    auth: {method: token, token: {env: VAULT_TOKEN}}
    attach: [ml-ci]
    allow_plaintext_loopback: true
  approle:
    extends: token
    auth: {method: approle, role_id: {env: VAULT_ROLE_ID}, secret_id: {env: VAULT_SECRET_ID}}
  wrapped:
    extends: token
    auth:
      method: approle
      role: ml-ci
      role_id: {env: BATCH_ROLE_ID}
      secret_id: {env: BATCH_SECRET_ID, wrapped: true}
  jwt:
    extends: token
    auth: {method: jwt, mount: jwt-ci, role: ml-ci, jwt: {env: CI_JWT}}
  kubernetes:
    extends: token
    auth: {method: kubernetes, role: ml-ci, jwt: {file: ~/serviceaccount/token}}
  userpass:
    extends: token
    auth: {method: userpass, username: {env: VAULT_USER}, password: {env: VAULT_PASSWORD}}
  cert:
    extends: token
    auth: {method: cert, role: ml-ci, certificate: {env: TLS_CERT}, key: {env: TLS_KEY}}
";

/// The policy of the job's token: the requests of the needs, and those that prove their presence.
pub(crate) const POLICY: &str = r#"
path "secret/data/ml/db_creds"         { capabilities = ["read"] }
path "secret/data/ml/huggingface"      { capabilities = ["read"] }
path "database/creds/ml-readonly"      { capabilities = ["read"] }
path "sys/leases/renew"                { capabilities = ["update"] }
path "secret/metadata/ml/db_creds"     { capabilities = ["read"] }
path "secret/subkeys/ml/db_creds"      { capabilities = ["read"] }
path "secret/metadata/ml/huggingface"  { capabilities = ["read"] }
path "secret/subkeys/ml/huggingface"   { capabilities = ["read"] }
path "database/roles/ml-readonly"      { capabilities = ["read"] }
"#;

const POLICY_FILE: &str = "vault/policies/ml-ci.hcl";

/// Creates the project's secrets and the policy on the server. Every value is a canary.
pub(crate) fn populate(server: &VaultClient) {
    server.policy("ml-ci", POLICY);
    server.kv2("secret");
    let fields = ["host", "username", "password"];
    let values = fields.map(|field| (field.to_owned(), TestServer::canary(field).into()));
    server.secret("secret", "ml/db_creds", Value::Object(values.into_iter().collect()));
    server.database("database");
    server.role("database", "ml-readonly", "1h", "24h");
}

/// A project, and a server that has its secrets.
pub(crate) struct ServerProject {
    pub(crate) bao: TestServer,
    pub(crate) lab: Lab,
}

impl ServerProject {
    /// With a development server; reports the skipped test if no server is available.
    pub(crate) fn dev(what: &str) -> Option<Self> {
        Self::on(TestServer::dev(), what)
    }

    /// With a server with TLS.
    pub(crate) fn tls(what: &str) -> Option<Self> {
        Self::on(TestServer::tls(), what)
    }

    fn on(bao: Option<TestServer>, what: &str) -> Option<Self> {
        let Some(bao) = bao else {
            skip_test(what);
            return None;
        };
        populate(&bao);
        Some(Self { bao, lab: project() })
    }

    /// Replaces a text of the manifest.
    pub(crate) fn change(&self, old: &str, new: &str) {
        self.change_all(&[(old, new)]);
    }

    /// Replaces several texts of the manifest.
    pub(crate) fn change_all(&self, changes: &[(&str, &str)]) {
        let mut text = MANIFEST.to_owned();
        for (old, new) in changes {
            assert!(text.contains(old), "{old}");
            text = text.replace(old, new);
        }
        self.lab.project.write("secrets.yml", text);
    }

    /// Replaces the text of the policy in the repository.
    pub(crate) fn write_policy(&self, hcl: &str) {
        self.lab.project.write(POLICY_FILE, hcl);
    }

    /// The command `envlock check-secrets` of a job.
    pub(crate) fn command(&self, job: &Job, args: &[&str]) -> Command {
        let mut command = check(&self.lab, job, args);
        if !job.has("VAULT_ADDR") {
            command.env("VAULT_ADDR", self.bao.url());
        }
        if self.bao.url().starts_with("https:") && !job.has("VAULT_CACERT") {
            command.env("VAULT_CACERT", self.bao.ca_file());
        }
        command
    }

    /// Runs `envlock check-secrets` of a job.
    pub(crate) fn check(&self, job: &Job, args: &[&str]) -> Output {
        self.command(job, args).output().unwrap().into()
    }

    /// Runs `envlock check-secrets` of a job, and returns its JSON document.
    pub(crate) fn verdict(&self, job: &Job) -> Verdict {
        Verdict::new(&self.check(job, &["--format", "json"]))
    }

    /// The paths of the requests after the first `audited` entries of the server's audit log.
    pub(crate) fn requests_since(&self, audited: usize) -> Vec<String> {
        let entries = self.bao.audit().split_off(audited).into_iter();
        let requests = entries.filter(|entry| entry.kind == AuditKind::Request);
        requests.map(|entry| entry.path).collect()
    }
}

/// The accessors of all valid tokens of a namespace. Without tokens the server answers 404.
pub(crate) fn tokens(server: &VaultClient) -> BTreeSet<String> {
    let (status, listed) = server.request("LIST", "auth/token/accessors", &[], None);
    assert!(matches!(status, 200 | 404), "{listed}");
    let keys = listed["data"]["keys"].as_array().into_iter().flatten();
    keys.map(|key| key.as_str().unwrap().to_owned()).collect()
}

/// The article's project without a lock, and a mirror that has only zlib.
pub(crate) fn project() -> Lab {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.add("zlib 1.3 h0_0");
    });
    let yml = "name: ml\nchannels: [conda-forge]\ndependencies: [zlib]\n";
    let lab = Lab::new(world, yml);
    lab.project.write("secrets.yml", MANIFEST);
    lab.project.write(POLICY_FILE, POLICY);
    lab
}

/// Runs `envlock check-secrets` of a job. Without a lock the manifest is judged by itself.
pub(crate) fn check(lab: &Lab, job: &Job, args: &[&str]) -> Command {
    let mut words = vec!["check-secrets"];
    if !lab.project.path("envlock.lock").exists() {
        words.extend(["--manifest", "secrets.yml"]);
    }
    if let Some(profile) = job.profile {
        words.extend(["--profile", profile]);
    }
    words.extend(args);
    if let Some(cluster) = &job.cluster {
        let folder = lab.project.home().join("serviceaccount");
        fs_err::create_dir_all(&folder).unwrap();
        let jwt = job.jwt.as_deref().unwrap_or_else(|| cluster.jwt());
        fs_err::write(folder.join("token"), format!("{jwt}\n")).unwrap();
    }
    let mut command = lab.project.command(words);
    command.envs(job.variables.iter().map(|(name, value)| (name, value)));
    command
}

/// A job: a profile, and the variables of its credentials.
pub(crate) struct Job {
    profile: Option<&'static str>,
    variables: Vec<(&'static str, String)>,
    cluster: Option<FakeKubernetes>,
    /// A token that replaces the cluster's.
    jwt: Option<String>,
}

impl Job {
    /// A job without credentials.
    pub(crate) fn new(profile: impl Into<Option<&'static str>>) -> Self {
        Self { profile: profile.into(), variables: Vec::new(), cluster: None, jwt: None }
    }

    /// Sets a variable.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.into()));
        self
    }

    fn has(&self, name: &str) -> bool {
        self.variables.iter().any(|(known, _)| *known == name)
    }

    /// The value of a variable.
    pub(crate) fn value(&self, name: &str) -> &str {
        &self.variables.iter().find(|(known, _)| *known == name).unwrap().1
    }

    /// The credentials, without public values such as an address and the name of a user.
    pub(crate) fn credentials(&self) -> Vec<&str> {
        let public = ["VAULT_ADDR", "VAULT_CACERT", "VAULT_NAMESPACE", "VAULT_USER", "TLS_CERT"];
        let variables = self.variables.iter().filter(|(name, _)| !public.contains(name));
        let variables = variables.map(|(_, value)| value.as_str());
        let jwt = self.cluster.as_ref().map(FakeKubernetes::jwt);
        variables.chain(jwt).chain(self.jwt.as_deref()).collect()
    }

    /// Removes the name of the profile.
    pub(crate) fn without_profile(self) -> Self {
        Self { profile: None, ..self }
    }

    /// A job with a token that expires in an hour.
    pub(crate) fn token(server: &VaultClient) -> Self {
        Self::new("token").with("VAULT_TOKEN", server.token(&["ml-ci"], object!({ "ttl": "1h" })))
    }

    pub(crate) fn approle(server: &VaultClient) -> Self {
        let (role_id, secret_id) = approle(server);
        Self::new("approle").with("VAULT_ROLE_ID", role_id).with("VAULT_SECRET_ID", secret_id)
    }

    pub(crate) fn wrapped(server: &VaultClient) -> Self {
        let (role_id, _) = approle(server);
        let wrapping = server.wrapped_secret_id("ml-ci", "120s");
        Self::new("wrapped").with("BATCH_ROLE_ID", role_id).with("BATCH_SECRET_ID", wrapping)
    }

    pub(crate) fn jwt(server: &VaultClient) -> Self {
        let issuer = server.jwt("jwt-ci", "ml-ci", &["ml-ci"]);
        Self::new("jwt").with("CI_JWT", issuer.token(object!({})))
    }

    pub(crate) fn kubernetes(server: &VaultClient) -> Self {
        Self { cluster: Some(server.kubernetes("ml-ci", &["ml-ci"])), ..Self::new("kubernetes") }
    }

    /// A job with the token of a deleted pod.
    pub(crate) fn deleted_pod(server: &VaultClient) -> Self {
        let mut job = Self::kubernetes(server);
        job.jwt = job.cluster.as_ref().map(FakeKubernetes::unknown_jwt);
        job
    }

    /// A job with a user whose password is a canary.
    pub(crate) fn userpass(server: &VaultClient) -> Self {
        let password = TestServer::canary("userpass");
        server.userpass("ada", &password, &["ml-ci"]);
        Self::new("userpass").with("VAULT_USER", "ada").with("VAULT_PASSWORD", password)
    }

    /// A job with a client certificate of the server's authority.
    pub(crate) fn cert(bao: &TestServer) -> Self {
        bao.cert("ml-ci", &bao.ca_file(), &["ml-ci"]);
        let (cert, key) = bao.client_cert("ml-runner");
        let read = |path| fs_err::read_to_string::<std::path::PathBuf>(path).unwrap();
        Self::new("cert").with("TLS_CERT", read(cert)).with("TLS_KEY", read(key))
    }
}

fn approle(server: &VaultClient) -> (String, String) {
    server.approle("ml-ci", &["ml-ci"], object!({ "token_ttl": "1h" }))
}

/// The document of `--format json`.
pub(crate) struct Verdict {
    pub(crate) exit: i32,
    pub(crate) document: Value,
}

impl Verdict {
    pub(crate) fn new(output: &Output) -> Self {
        let exit = output.code.unwrap_or_else(|| panic!("{}", output.stderr));
        let document = json(&output.stdout);
        assert_eq!(document["exit_code"], exit, "{document:#}");
        Self { exit, document }
    }

    /// Returns level and code of each finding, such as `error denied`, sorted.
    pub(crate) fn found(&self) -> Vec<String> {
        let findings = self.document["findings"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut found: Vec<_> = findings
            .iter()
            .map(|finding| format!("{} {}", text(&finding["level"]), text(&finding["code"])))
            .collect();
        found.sort();
        found
    }

    /// The server's answer of each row about a need; `-` if it wasn't queried.
    pub(crate) fn server(&self, need: &str) -> Vec<&str> {
        let answers = self.document["result"]["answers"].as_array().unwrap().iter();
        let about = answers.filter(|answer| answer["need"] == need);
        about.map(|answer| answer["server"].as_str().unwrap_or("-")).collect()
    }
}

/// The human output, as one line.
pub(crate) fn output_line(output: &Output) -> String {
    let all = format!("{} {}", output.stdout, output.stderr);
    all.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The expected output of a failure.
pub(crate) struct ExpectedFailure<'a> {
    pub(crate) exit: i32,
    /// One of its findings, such as `error missing`.
    pub(crate) finding: &'a str,
    /// Texts of the human output.
    pub(crate) texts: &'a [&'a str],
}

/// Asserts a failure in the JSON and in the human output.
pub(crate) fn assert_failure(expected: &ExpectedFailure<'_>, run: impl Fn(&[&str]) -> Output) {
    let verdict = Verdict::new(&run(&["--format", "json"]));
    assert_eq!(verdict.exit, expected.exit, "{:#}", verdict.document);
    let found = verdict.found();
    assert!(found.contains(&expected.finding.to_owned()), "{:#}", verdict.document);
    let output = run(&[]);
    assert_eq!(output.code, Some(expected.exit), "{output:?}");
    let flat = output_line(&output);
    for wanted in expected.texts {
        assert!(flat.contains(wanted), "{wanted}: {flat}");
    }
}

impl ServerProject {
    /// Asserts that the job fails, and leaves no token.
    pub(crate) fn fails(&self, job: &Job, exit: i32, finding: &str, texts: &[&str]) {
        let before = tokens(&self.bao);
        let expected = ExpectedFailure { exit, finding, texts };
        assert_failure(&expected, |args| self.check(job, args));
        assert!(tokens(&self.bao).is_subset(&before), "{finding}: a token is left");
    }
}
