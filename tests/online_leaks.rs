//! `check-secrets` leaks no secret of a real server: the tests search for every value, password
//! and token in its output, files and command lines, and in the audit log for requests of values.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use envlock_testkit::{
    AuditEntry, AuditKind, Output, ScriptedAnswer, ScriptedServer, TestServer, files_containing,
};
use serde_json::json;

use crate::support::vault::{Job, POLICY, ServerProject, check, project};

const FORMS: [&str; 5] = ["human", "json", "sarif", "github", "gitlab"];

/// The allowed requests to secrets engines.
const ABOUT_SECRETS: [(&str, &str); 4] = [
    ("read", "secret/metadata/"),
    ("read", "secret/subkeys/"),
    ("list", "old/"),
    ("read", "database/roles/"),
];

/// The other allowed requests.
const ABOUT_ONESELF: [(&str, &str); 6] = [
    ("read", "auth/token/lookup-self"),
    ("update", "auth/token/revoke-self"),
    ("update", "sys/capabilities-self"),
    ("read", "sys/internal/ui/mounts/"),
    ("update", "sys/wrapping/lookup"),
    ("update", "sys/wrapping/unwrap"),
];

/// The secrets that a run must not show.
struct Hidden(Vec<String>);

impl Hidden {
    /// The prefix of all values on the server, and the credentials of the job.
    fn of(stage: &ServerProject, job: &Job) -> Self {
        let given = job.credentials().into_iter().map(str::to_owned);
        let root = stage.bao.current_token().to_owned();
        Self(given.chain([TestServer::CANARY.to_owned(), root]).collect())
    }

    fn assert_not_in(&self, place: &str, text: &str) {
        for hidden in &self.0 {
            assert!(!text.contains(hidden.as_str()), "{place} shows {hidden}: {text}");
        }
    }
}

/// Finds a token of the server, such as that of a login, which only the program knows.
fn token_in(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').find(is_token)
}

/// Whether a text has the format of the server's tokens.
fn is_token(word: &&str) -> bool {
    let rest = ["hvs.", "hvb.", "s.", "b."].into_iter().find_map(|kind| word.strip_prefix(kind));
    rest.is_some_and(|rest| rest.len() >= 24)
}

/// Runs the command, and searches every command line of this machine until it ends. The server's is
/// skipped, because this test started it with its token.
fn watched(mut command: Command, server: u32, hidden: &Hidden) -> Output {
    let ended = AtomicBool::new(false);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Without /proc no command line is searched.
    if let Some(own) = own_command_line(&mut child, Path::new(command.get_program())) {
        assert!(own.contains("check-secrets"), "{own}");
        hidden.assert_not_in("its command line", &own);
    }
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut lines = BTreeSet::new();
            while !ended.load(Ordering::Relaxed) {
                lines.extend(command_lines(server));
            }
            lines
        });
        let stdout = child.stdout.take().unwrap();
        let printed = scope.spawn(move || std::io::read_to_string(stdout).unwrap());
        let stderr = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
        let (stdout, code) = (printed.join().unwrap(), child.wait().unwrap().code());
        ended.store(true, Ordering::Relaxed);
        for line in watch.join().unwrap() {
            hidden.assert_not_in("a command line", &line);
        }
        Output { stdout, stderr, code }
    })
}

/// The command line of a running process; `None` if it ended, or without /proc.
///
/// A new process has the command line of this test until it executes `program`, and then an empty
/// one until its arguments are copied: both are skipped.
fn own_command_line(child: &mut Child, program: &Path) -> Option<String> {
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let program = program.canonicalize().unwrap();
    if !process.exists() {
        return None;
    }
    loop {
        let executed = std::fs::read_link(process.join("exe")).is_ok_and(|exe| exe == program);
        let line = std::fs::read(process.join("cmdline")).unwrap_or_default();
        if executed && !line.is_empty() {
            return Some(String::from_utf8_lossy(&line).replace('\0', " "));
        }
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        std::thread::yield_now();
    }
}

fn command_lines(except: u32) -> BTreeSet<String> {
    let Ok(processes) = fs_err::read_dir("/proc") else { return BTreeSet::new() };
    let others = processes.flatten().filter(|p| *p.file_name() != *except.to_string());
    let lines = others.filter_map(|process| fs_err::read(process.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).collect()
}

/// The files in a directory, without those of the pod.
fn disk(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let all = files_containing(root, "").into_iter();
    let own = all.filter(|path| !path.starts_with("home/serviceaccount"));
    own.filter(|path| root.join(path).is_file())
        .map(|path| (path.clone(), fs_err::read(root.join(path)).unwrap()))
        .collect()
}

fn is_allowed(entry: &AuditEntry) -> bool {
    let known = ABOUT_SECRETS.iter().chain(&ABOUT_ONESELF);
    let mut known = known.copied();
    known.any(|(operation, path)| entry.operation == operation && entry.path.starts_with(path))
        || (entry.path.starts_with("auth/") && entry.path.contains("/login"))
}

impl ServerProject {
    /// Runs the job in one format, and searches its output, files, command lines and requests.
    fn leaks_nothing(&self, job: &Job, args: &[&str], form: &str) -> Option<i32> {
        let hidden = Hidden::of(self, job);
        let around = self.lab.project.root().parent().unwrap().to_owned();
        let (before, audited) = (disk(&around), self.bao.audit().len());
        let mut command = self.command(job, &[args, &["--format", form]].concat());
        // A trace of the job doesn't show more.
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        command.env("TMPDIR", self.lab.project.home());
        let output = watched(command, self.bao.process_id(), &hidden);
        hidden.assert_not_in("standard output", &output.stdout);
        hidden.assert_not_in("standard error", &output.stderr);
        assert_eq!(token_in(&output.stdout).or(token_in(&output.stderr)), None, "{form}");
        assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
        assert!(disk(&around) == before, "a file was written");
        for entry in self.bao.audit().split_off(audited) {
            assert!(is_allowed(&entry), "{entry:?}");
        }
        output.code
    }

    fn leaks_nothing_in_any_format(
        &self,
        job: impl Fn(&TestServer) -> Job,
        args: &[&str],
        exit: i32,
    ) {
        for form in FORMS {
            let code = self.leaks_nothing(&job(&self.bao), args, form);
            assert_eq!(code, Some(exit), "{form}");
        }
    }
}

/// A stage with a lock; every value is a canary, that of the token which isn't required too.
fn stage(bao: Option<ServerProject>) -> Option<ServerProject> {
    let stage = bao?;
    let token = json!({ "token": TestServer::canary("token") });
    stage.bao.secret("secret", "ml/huggingface", token);
    stage.lab.solve(&[]).success();
    let around = stage.lab.project.root().parent().unwrap().to_owned();
    assert_eq!(files_containing(&around, TestServer::CANARY), [] as [PathBuf; 0]);
    let value = stage.bao.get("secret/data/ml/huggingface")["data"]["data"]["token"].clone();
    assert!(value.as_str().unwrap().starts_with(TestServer::CANARY), "a canary is found");
    Some(stage)
}

#[test]
fn a_check_that_passes_shows_no_secret_with_any_auth_method() {
    let Some(stage) = stage(ServerProject::dev("what a check that passes shows")) else { return };
    let passes = |job: fn(&TestServer) -> Job| stage.leaks_nothing_in_any_format(job, &[], 0);
    passes(|bao| Job::token(bao));
    passes(|bao| Job::approle(bao));
    passes(|bao| Job::wrapped(bao));
    passes(|bao| Job::jwt(bao));
    passes(|bao| Job::kubernetes(bao));
    passes(|bao| Job::userpass(bao));
    passes(|bao| Job::new("token").with("VAULT_TOKEN", bao.current_token()));
}

#[test]
fn a_login_by_certificate_shows_no_key() {
    let Some(stage) = stage(ServerProject::tls("what a login by certificate shows")) else {
        return;
    };
    stage.leaks_nothing_in_any_format(Job::cert, &[], 0);
}

#[test]
fn a_login_that_is_refused_shows_no_credential() {
    let Some(stage) = stage(ServerProject::dev("what a refused login shows")) else { return };
    let refused = |job: &dyn Fn(&TestServer) -> Job| stage.leaks_nothing_in_any_format(job, &[], 4);
    refused(&|bao| Job::userpass(bao).with("VAULT_PASSWORD", TestServer::canary("password")));
    refused(&|bao| Job::approle(bao).with("VAULT_SECRET_ID", TestServer::canary("secret_id")));
    refused(&|bao| Job::jwt(bao).with("CI_JWT", TestServer::canary("jwt")));
    refused(&|bao| {
        let claims =
            json!({ "aud": TestServer::canary("audience"), "sub": TestServer::canary("subject") });
        Job::new("jwt").with("CI_JWT", bao.jwt("jwt-ci", "ml-ci", &[]).token(claims))
    });
    refused(&|bao| Job::deleted_pod(bao));
    refused(&|_| Job::new("token").with("VAULT_TOKEN", TestServer::canary("token")));
    refused(&|bao| Job::wrapped(bao).with("BATCH_SECRET_ID", TestServer::canary("wrapping")));
    refused(&|bao| {
        let secret = bao.wrapped("GET", "secret/data/ml/db_creds", json!({}), "120s");
        Job::wrapped(bao).with("BATCH_SECRET_ID", secret)
    });
}

#[test]
fn a_finding_shows_no_secret() {
    let Some(stage) = stage(ServerProject::dev("what findings show")) else { return };
    let finds = |args: &[&str], exit| {
        stage.leaks_nothing_in_any_format(|bao| Job::approle(bao), args, exit);
    };
    let fields = json!({ "host": 1, "username": TestServer::canary("user"), "passwort": "x" });
    stage.bao.secret("secret", "ml/db_creds", fields);
    finds(&[], 1);
    stage.bao.delete("secret/data/ml/db_creds");
    finds(&[], 1);
    let about = json!({ "custom_metadata": { "note": TestServer::canary("note") } });
    stage.bao.post("secret/metadata/ml/db_creds", about);
    finds(&[], 1);
    finds(&["--as-verifier"], 1);
    stage.bao.policy("ml-ci", "path \"secret/data/ml/db_creds\" { capabilities = [\"read\"] }");
    finds(&[], 1);
}

#[test]
fn a_wrong_engine_in_the_manifest_causes_no_request_for_a_value() {
    let Some(stage) = ServerProject::dev("what a mix-up of engines asks") else { return };
    stage.bao.kv1("old");
    // On kv1 all these paths are secrets.
    for path in ["ml/db_creds", "metadata/ml/db_creds", "subkeys/ml/db_creds", "data/ml/db_creds"] {
        let value =
            json!({ "subkeys": { "host": TestServer::canary("kv1") }, "current_version": 1 });
        stage.bao.secret(
            "old",
            path,
            json!({ "data": value, "password": TestServer::canary("kv1") }),
        );
    }
    let policy = POLICY.to_owned() + "path \"old/*\" { capabilities = [\"read\", \"list\"] }";
    stage.bao.policy("ml-ci", &policy);
    stage.write_policy(&policy);
    for engine in ["kv2", "kv1", "database", "cubbyhole"] {
        let locator = if engine == "database" { "role: ml-readonly" } else { "path: ml/db_creds" };
        let need = format!("engine: {engine}\n    mount: old\n    {locator}");
        stage.change("engine: kv2\n    mount: secret\n    path: ml/db_creds", &need);
        for form in FORMS {
            let code = stage.leaks_nothing(&Job::approle(&stage.bao), &[], form);
            assert!(matches!(code, Some(0..=3)), "{engine}: {code:?}");
        }
    }
}

/// A run that is interrupted at each of these requests, which get no answer.
struct Interrupted {
    server: ScriptedServer,
    output: Output,
}

impl Interrupted {
    fn run(signal: &str, profile: &'static str, stuck: &[(&str, &str)]) -> Self {
        let server = ScriptedServer::new("imitates a server that gets stuck after the login")
            .with_healthy_answers();
        let hangs = |server: ScriptedServer, (method, path): &(&str, &str)| {
            server.answer_on(method, path, ScriptedAnswer::hang())
        };
        let server = stuck.iter().fold(server, hangs);
        let job = Job::new(profile)
            .with("VAULT_ADDR", server.url())
            .with("VAULT_TOKEN", "s.scripted")
            .with("VAULT_ROLE_ID", "role")
            .with("VAULT_SECRET_ID", TestServer::canary("secret_id"));
        let lab = project();
        let mut command = check(&lab, &job, &[]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        for (method, path) in stuck {
            let request = format!("{method} {path}");
            while !asked(&server).contains(&request) {
                std::thread::yield_now();
            }
            let id = child.id().to_string();
            assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        }
        let output = Output::from(child.wait_with_output().unwrap());
        assert_eq!(output.code, Some(130), "{signal}: {output:?}");
        assert_eq!(output.stdout, "", "{signal}");
        assert!(!format!("{output:?}").contains(TestServer::CANARY));
        assert!(!output.stderr.contains("s.scripted"), "{}", output.stderr);
        Self { server, output }
    }

    fn last(&self) -> String {
        asked(&self.server).pop().unwrap()
    }
}

fn asked(server: &ScriptedServer) -> Vec<String> {
    server.requests().iter().map(ToString::to_string).collect()
}

const RIGHTS: (&str, &str) = ("POST", "sys/capabilities-self");
const END: (&str, &str) = ("POST", "auth/token/revoke-self");

#[test]
fn an_interrupted_run_revokes_its_token_and_has_the_exit_code_of_an_interruption() {
    for signal in ["-INT", "-TERM"] {
        let run = Interrupted::run(signal, "approle", &[RIGHTS]);
        assert_eq!(run.last(), "POST auth/token/revoke-self", "{signal}");
        assert!(run.output.stderr.starts_with("error[interrupted]"), "{}", run.output.stderr);
    }
    let run = Interrupted::run("-INT", "token", &[RIGHTS]);
    assert_eq!(run.last(), "POST sys/capabilities-self", "a supplied token isn't revoked");
}

#[test]
fn a_token_that_cannot_be_revoked_is_named_by_its_accessor() {
    for stuck in [&[RIGHTS, END][..], &[END]] {
        let stderr = Interrupted::run("-INT", "approle", stuck).output.stderr;
        assert!(stderr.contains("the token of the login wasn't revoked"), "{stderr}");
        assert!(stderr.contains("`bao token revoke -accessor scripted-accessor`"), "{stderr}");
    }
}

#[test]
fn a_leak_would_be_found() {
    let Some(stage) = ServerProject::dev("what a leak would look like") else { return };
    let audited = stage.bao.audit().len();
    let token = stage.bao.token(&["ml-ci"], json!({}));
    assert_eq!(token_in(&format!("in `{token}`, shown")), Some(token.as_str()));
    let own = stage.bao.with_token(&token);
    own.get("secret/data/ml/db_creds");
    own.request("GET", "database/creds/ml-readonly", &[], None);
    let written = stage.bao.audit().split_off(audited).into_iter();
    let refused: Vec<_> = written
        .filter(|entry| entry.kind == AuditKind::Request && !is_allowed(entry))
        .map(|entry| entry.path)
        .collect();
    let value = ["auth/token/create", "secret/data/ml/db_creds", "database/creds/ml-readonly"];
    assert_eq!(refused, value);
}
