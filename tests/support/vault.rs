//! The article's project, and a real server that has what it needs.

use std::collections::BTreeSet;
use std::process::Command;

use envlock_testkit::{
    AuditKind, FakeKubernetes, Output, TestMirror, TestServer, VaultClient, skip_test,
};
use serde_json::{Value, json as object};

use super::{Lab, json};

/// What the article's project needs: a secret, a database account made on demand, and a token
/// that it can do without. A profile for each way to log in.
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

/// What the job's token gets: all that the needs take, and to see that they are there.
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

/// Puts on the server what the project needs, and the policy. Every value is a canary.
pub(crate) fn furnish(server: &VaultClient) {
    server.policy("ml-ci", POLICY);
    server.kv2("secret");
    let fields = ["host", "username", "password"];
    let values = fields.map(|field| (field.to_owned(), TestServer::canary(field).into()));
    server.secret("secret", "ml/db_creds", Value::Object(values.into_iter().collect()));
    server.database("database");
    server.role("database", "ml-readonly", "1h", "24h");
}

/// A server with what the project needs, and the project.
pub(crate) struct Stage {
    pub(crate) bao: TestServer,
    pub(crate) lab: Lab,
}

impl Stage {
    /// On a server in development; tells what is left out where none can be had.
    pub(crate) fn dev(what: &str) -> Option<Self> {
        Self::on(TestServer::dev(), what)
    }

    /// On a server with TLS.
    pub(crate) fn tls(what: &str) -> Option<Self> {
        Self::on(TestServer::tls(), what)
    }

    fn on(bao: Option<TestServer>, what: &str) -> Option<Self> {
        let Some(bao) = bao else {
            skip_test(what);
            return None;
        };
        furnish(&bao);
        Some(Self { bao, lab: project() })
    }

    /// The manifest with this instead of that, judged by itself from here on.
    pub(crate) fn change(&self, old: &str, new: &str) {
        self.change_all(&[(old, new)]);
    }

    /// The same for several places.
    pub(crate) fn change_all(&self, changes: &[(&str, &str)]) {
        let mut text = MANIFEST.to_owned();
        for (old, new) in changes {
            assert!(text.contains(old), "{old}");
            text = text.replace(old, new);
        }
        self.lab.project.write("secrets.yml", text);
    }

    /// Another text of the policy in the repository.
    pub(crate) fn attach(&self, hcl: &str) {
        self.lab.project.write(POLICY_FILE, hcl);
    }

    /// `envlock check-secrets` as this job, ready to be run.
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

    /// `envlock check-secrets` as this job.
    pub(crate) fn check(&self, job: &Job, args: &[&str]) -> Output {
        self.command(job, args).output().unwrap().into()
    }

    /// What it finds.
    pub(crate) fn verdict(&self, job: &Job) -> Verdict {
        Verdict::of(&self.check(job, &["--format", "json"]))
    }

    /// The paths of the requests that the server saw since so many lines of its log.
    pub(crate) fn asked_since(&self, audited: usize) -> Vec<String> {
        let entries = self.bao.audit().split_off(audited).into_iter();
        let requests = entries.filter(|entry| entry.kind == AuditKind::Request);
        requests.map(|entry| entry.path).collect()
    }
}

/// The accessors of all tokens of a namespace that are alive. Where there are none, it is 404.
pub(crate) fn tokens(server: &VaultClient) -> BTreeSet<String> {
    let (status, listed) = server.request("LIST", "auth/token/accessors", &[], None);
    assert!(matches!(status, 200 | 404), "{listed}");
    let keys = listed["data"]["keys"].as_array().into_iter().flatten();
    keys.map(|key| key.as_str().unwrap().to_owned()).collect()
}

/// The article's project without a lock, and nothing that it could be solved from but zlib.
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

/// `envlock check-secrets` as this job. Without a lock the manifest is judged by itself.
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

/// Who asks: a profile, and what its credentials are in.
pub(crate) struct Job {
    profile: Option<&'static str>,
    variables: Vec<(&'static str, String)>,
    cluster: Option<FakeKubernetes>,
    /// Instead of the one that the cluster vouches for.
    jwt: Option<String>,
}

impl Job {
    /// One without any credential.
    pub(crate) fn of(profile: impl Into<Option<&'static str>>) -> Self {
        Self { profile: profile.into(), variables: Vec::new(), cluster: None, jwt: None }
    }

    /// With one more variable, or another value of it.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.into()));
        self
    }

    fn has(&self, name: &str) -> bool {
        self.variables.iter().any(|(known, _)| *known == name)
    }

    /// The value of one of its variables.
    pub(crate) fn value(&self, name: &str) -> &str {
        &self.variables.iter().find(|(known, _)| *known == name).unwrap().1
    }

    /// All that it was given and nobody else may see: an address and a user's name may be.
    pub(crate) fn credentials(&self) -> Vec<&str> {
        let open = ["VAULT_ADDR", "VAULT_CACERT", "VAULT_NAMESPACE", "VAULT_USER", "TLS_CERT"];
        let variables = self.variables.iter().filter(|(name, _)| !open.contains(name));
        let variables = variables.map(|(_, value)| value.as_str());
        let jwt = self.cluster.as_ref().map(FakeKubernetes::jwt);
        variables.chain(jwt).chain(self.jwt.as_deref()).collect()
    }

    /// The same without a profile's name.
    pub(crate) fn unnamed(self) -> Self {
        Self { profile: None, ..self }
    }

    /// A token that ends in an hour.
    pub(crate) fn token(server: &VaultClient) -> Self {
        Self::of("token").with("VAULT_TOKEN", server.token(&["ml-ci"], object!({ "ttl": "1h" })))
    }

    pub(crate) fn approle(server: &VaultClient) -> Self {
        let (role_id, secret_id) = approle(server);
        Self::of("approle").with("VAULT_ROLE_ID", role_id).with("VAULT_SECRET_ID", secret_id)
    }

    pub(crate) fn wrapped(server: &VaultClient) -> Self {
        let (role_id, _) = approle(server);
        let wrapping = server.wrapped_secret_id("ml-ci", "120s");
        Self::of("wrapped").with("BATCH_ROLE_ID", role_id).with("BATCH_SECRET_ID", wrapping)
    }

    pub(crate) fn jwt(server: &VaultClient) -> Self {
        let issuer = server.jwt("jwt-ci", "ml-ci", &["ml-ci"]);
        Self::of("jwt").with("CI_JWT", issuer.token(object!({})))
    }

    pub(crate) fn kubernetes(server: &VaultClient) -> Self {
        Self { cluster: Some(server.kubernetes("ml-ci", &["ml-ci"])), ..Self::of("kubernetes") }
    }

    /// That of a pod which the cluster no longer knows.
    pub(crate) fn deleted_pod(server: &VaultClient) -> Self {
        let mut job = Self::kubernetes(server);
        job.jwt = job.cluster.as_ref().map(FakeKubernetes::unknown_jwt);
        job
    }

    /// A user whose password is a canary.
    pub(crate) fn userpass(server: &VaultClient) -> Self {
        let password = TestServer::canary("userpass");
        server.userpass("ada", &password, &["ml-ci"]);
        Self::of("userpass").with("VAULT_USER", "ada").with("VAULT_PASSWORD", password)
    }

    /// A client certificate by the server's own authority.
    pub(crate) fn cert(bao: &TestServer) -> Self {
        bao.cert("ml-ci", &bao.ca_file(), &["ml-ci"]);
        let (cert, key) = bao.client_cert("ml-runner");
        let read = |path| fs_err::read_to_string::<std::path::PathBuf>(path).unwrap();
        Self::of("cert").with("TLS_CERT", read(cert)).with("TLS_KEY", read(key))
    }
}

fn approle(server: &VaultClient) -> (String, String) {
    server.approle("ml-ci", &["ml-ci"], object!({ "token_ttl": "1h" }))
}

/// What the program finds, by `--format json`.
pub(crate) struct Verdict {
    pub(crate) exit: i32,
    pub(crate) document: Value,
}

impl Verdict {
    pub(crate) fn of(output: &Output) -> Self {
        let exit = output.code.unwrap_or_else(|| panic!("{}", output.stderr));
        let document = json(&output.stdout);
        assert_eq!(document["exit_code"], exit, "{document:#}");
        Self { exit, document }
    }

    /// `error denied`, once for each finding, sorted.
    pub(crate) fn found(&self) -> Vec<String> {
        let findings = self.document["findings"].as_array().unwrap();
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let mut found: Vec<_> = findings
            .iter()
            .map(|finding| format!("{} {}", word(&finding["level"]), word(&finding["code"])))
            .collect();
        found.sort();
        found
    }

    /// What the server says to each question about a need; `-` where it wasn't asked.
    pub(crate) fn server(&self, need: &str) -> Vec<&str> {
        let answers = self.document["result"]["answers"].as_array().unwrap().iter();
        let about = answers.filter(|answer| answer["need"] == need);
        about.map(|answer| answer["server"].as_str().unwrap_or("-")).collect()
    }
}

/// What it told people, as one line.
pub(crate) fn words(output: &Output) -> String {
    let all = format!("{} {}", output.stdout, output.stderr);
    all.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the program says of a failure.
pub(crate) struct Told<'a> {
    pub(crate) exit: i32,
    /// As `error missing`; one of its findings.
    pub(crate) finding: &'a str,
    /// All of them are in what people read.
    pub(crate) words: &'a [&'a str],
}

/// Tells it so in JSON and to people.
pub(crate) fn assert_told(told: &Told<'_>, run: impl Fn(&[&str]) -> Output) {
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
    pub(crate) fn fails(&self, job: &Job, exit: i32, finding: &str, words: &[&str]) {
        let alive = tokens(&self.bao);
        let told = Told { exit, finding, words };
        assert_told(&told, |args| self.check(job, args));
        assert!(tokens(&self.bao).is_subset(&alive), "{finding}: a token is left");
    }
}
