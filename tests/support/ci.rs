//! Runs the shell steps of CI files, with a folder, variables and `PATH` as in a CI runner.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use envlock_depot::{Fault, Request, Server};
use envlock_testkit::{Output, Project, TestMirror};
use serde_yaml::Value;

use super::{BINARY, locked};

/// The commit that the CI files name, until their users write another.
pub(crate) const REV: &str = "0123456789abcdef0123456789abcdef01234567";

/// A replacement of cargo, because a build takes minutes: links the program to the place where
/// `cargo install` puts it, and records the arguments.
const CARGO: &str = "\
#!/usr/bin/env bash
set -eu
printf '%s\\n' \"$@\" > \"$HOME/cargo\"
while [ \"$1\" != --root ]; do shift; done
mkdir -p \"$2/bin\"
ln -s \"$ENVLOCK\" \"$2/bin/envlock\"
";

/// Reads a file of this repository.
pub(crate) fn file(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs_err::read_to_string(root.join(path)).unwrap()
}

pub(crate) fn yaml(path: &str) -> Value {
    serde_yaml::from_str(&file(path)).unwrap()
}

/// Whether the machine has the programs that a step calls. Prints those that are missing.
#[allow(clippy::print_stderr)]
pub(crate) fn has(tools: &[&str]) -> bool {
    let answers = |tool: &&str| Command::new(tool).arg("--version").output().is_ok();
    let missing: Vec<_> = tools.iter().filter(|tool| !answers(tool)).collect();
    if !missing.is_empty() {
        eprintln!("skipped: a step that calls {missing:?}, which this machine doesn't have");
    }
    missing.is_empty()
}

/// A checked-out project with a lock, on a machine that has no envlock yet.
pub(crate) struct Runner {
    pub(crate) project: Project,
    variables: BTreeMap<String, String>,
    _world: TestMirror,
}

impl Runner {
    /// Creates a runner with the project of the demo: one need, one policy, the profile `ci`.
    pub(crate) fn new() -> Self {
        let world = TestMirror::new().channel("conda-forge", |c| {
            c.add("zlib 1.3 h0_0");
        });
        let yml = "name: demo\nchannels: [conda-forge]\ndependencies: [zlib]\n";
        let project = Project::new("bash", yml);
        let mirrors = world.mirror_args();
        let mirrors: Vec<_> = mirrors.iter().filter(|word| word.contains('=')).collect();
        project.write("envlock.toml", format!("no-origin = true\nmirrors = {mirrors:?}\n"));
        for (path, of_demo) in
            [("secrets.yml", "secrets.yml"), ("vault/policies/demo-ci.hcl", "demo-ci.hcl")]
        {
            project.write(path, file(&format!("crates/pipeline/src/demo/{of_demo}")));
        }
        let mut runner = Self { project, variables: BTreeMap::new(), _world: world };
        runner.tool("cargo", CARGO);
        runner.set("ENVLOCK", BINARY);
        runner.shell(&BTreeMap::new(), "$ENVLOCK solve").success();
        fs_err::remove_dir_all(runner.project.cache()).unwrap();
        assert_eq!(locked(&runner.project.read("envlock.lock"), "linux-64"), ["zlib-1.3-h0_0"]);
        runner
    }

    /// Sets a variable for every step.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    /// Adds a program at the start of `PATH`.
    pub(crate) fn tool(&self, name: &str, script: &str) {
        use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};
        fs_err::create_dir_all(self.tools()).unwrap();
        let path = self.tools().join(name);
        fs_err::write(&path, script).unwrap();
        fs_err::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }

    fn tools(&self) -> PathBuf {
        self.project.home().join("tools")
    }

    /// Reads a file that a replaced program wrote into the home folder.
    pub(crate) fn recorded(&self, name: &str) -> Option<String> {
        fs_err::read_to_string(self.project.home().join(name)).ok()
    }

    /// Runs a script from a file, as runners do, so that its text isn't on a command line.
    pub(crate) fn shell(&self, env: &BTreeMap<String, String>, script: &str) -> Output {
        let (step, added) = (self.project.home().join("step"), self.project.home().join("added"));
        fs_err::write(&step, script).unwrap();
        // The folders in the file of GITHUB_PATH come first.
        let on_path = std::env::var_os("PATH").unwrap_or_default();
        let before = fs_err::read_to_string(&added).unwrap_or_default();
        let folders = before.lines().map(Into::into).chain([self.tools()]);
        let path = std::env::join_paths(folders.chain(std::env::split_paths(&on_path))).unwrap();
        let options = ["--noprofile", "--norc", "-euo", "pipefail"].map(Into::into);
        let mut command = self.project.command(options.into_iter().chain([step]));
        command.env("PATH", path).env("GITHUB_PATH", added).envs(&self.variables).envs(env);
        command.output().unwrap().into()
    }
}

/// `fixtures/ci/github.yml`, run for a pull request.
pub(crate) struct Workflow {
    pub(crate) job: Value,
    vars: BTreeMap<String, String>,
}

impl Workflow {
    /// Reads the workflow and sets the repository's variables.
    pub(crate) fn new(vault: &str) -> Self {
        let vars = [("vars.VAULT_ADDR".to_owned(), vault.to_owned())].into();
        Self { job: yaml("fixtures/ci/github.yml")["jobs"]["environment"].clone(), vars }
    }

    /// Returns the steps that run a shell script.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Value> {
        let steps = self.job["steps"].as_sequence().unwrap().iter();
        steps.filter(|step| step.get("run").is_some())
    }

    /// Runs the steps for `event` until one fails. Returns the name and the output of each.
    pub(crate) fn run(&self, runner: &Runner, event: Event) -> Vec<(String, Output)> {
        let mut outputs = Vec::new();
        for step in self.steps().filter(|step| applies(step, event)) {
            let output = self.step(runner, step);
            let has_failed = output.code != Some(0);
            outputs.push((step["name"].as_str().unwrap().to_owned(), output));
            if has_failed {
                break;
            }
        }
        outputs
    }

    /// Runs one step.
    pub(crate) fn step(&self, runner: &Runner, step: &Value) -> Output {
        let mut env = self.env(&self.job["env"]);
        env.extend(self.env(&step["env"]));
        runner.shell(&env, step["run"].as_str().unwrap())
    }

    /// Returns the step that queries the secrets server.
    pub(crate) fn server_step(&self) -> &Value {
        self.steps().find(|step| step["run"].as_str().unwrap().contains("CI_JWT")).unwrap()
    }

    fn env(&self, variables: &Value) -> BTreeMap<String, String> {
        let value = |text: &str| match text.strip_prefix("${{ ") {
            Some(name) => self.vars[name.strip_suffix(" }}").unwrap()].clone(),
            None => text.to_owned(),
        };
        let variables = variables.as_mapping().into_iter().flatten();
        let pair =
            |(k, v): (&Value, &Value)| (k.as_str().unwrap().into(), value(v.as_str().unwrap()));
        variables.map(pair).collect()
    }
}

/// What a workflow runs for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// A push to a branch of the repository.
    Push,
    /// A pull request from a branch of the repository.
    OwnPullRequest,
    /// A pull request from a fork.
    ForksPullRequest,
    /// A pull request from a fork that was deleted: its `head.repo` is null.
    DeletedForksPullRequest,
}

impl Event {
    /// Every event for which a repository has its variables and tokens, and every one without them.
    pub(crate) const TRUSTED: [Self; 2] = [Self::Push, Self::OwnPullRequest];
    pub(crate) const FOREIGN: [Self; 2] = [Self::ForksPullRequest, Self::DeletedForksPullRequest];

    /// The value of an expression in a condition; null is the empty text, as GitHub compares it.
    fn value(self, expression: &str) -> String {
        const REPOSITORY: &str = "you/demo";
        match (expression, self) {
            ("github.event_name", Self::Push) => "push".to_owned(),
            ("github.event_name", _) => "pull_request".to_owned(),
            ("github.repository", _) => REPOSITORY.to_owned(),
            ("github.event.pull_request.head.repo.full_name", Self::OwnPullRequest) => {
                REPOSITORY.to_owned()
            }
            ("github.event.pull_request.head.repo.full_name", Self::ForksPullRequest) => {
                "someone/demo".to_owned()
            }
            ("github.event.pull_request.head.repo.full_name", _) => String::new(),
            (text, _) if text.starts_with('\'') => text.trim_matches('\'').to_owned(),
            (other, _) => panic!("the tests don't support the expression `{other}`"),
        }
    }
}

/// Whether a step is run. Its condition is a comparison, or two with one operator between them.
fn applies(step: &Value, event: Event) -> bool {
    let Some(condition) = step.get("if").map(|condition| condition.as_str().unwrap()) else {
        return true;
    };
    let holds = |comparison: &str| {
        let words: Vec<_> = comparison.split_whitespace().collect();
        let [left, operator @ ("==" | "!="), right] = words[..] else {
            panic!("the tests don't support the comparison `{comparison}`")
        };
        (event.value(left) == event.value(right)) == (operator == "==")
    };
    match (condition.split_once("||"), condition.split_once("&&")) {
        (Some((one, other)), None) => holds(one) || holds(other),
        (None, Some((one, other))) => holds(one) && holds(other),
        _ => holds(condition),
    }
}

/// `fixtures/ci/gitlab.yml`. All lines of a script run in one shell.
pub(crate) struct Job {
    pub(crate) job: Value,
    variables: BTreeMap<String, String>,
}

impl Job {
    /// Reads the job and sets the project's variables.
    pub(crate) fn new(vault: &str) -> Self {
        let job = yaml("fixtures/ci/gitlab.yml")["environment"].clone();
        let own = [("VAULT_ADDR", vault)];
        let of_job = job["variables"].as_mapping().unwrap().iter();
        let of_job = of_job.map(|(name, value)| (name.as_str().unwrap(), value.as_str().unwrap()));
        let all = own.into_iter().chain(of_job);
        let variables = all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { job, variables }
    }

    /// Sets the variables of a merge request from the project `source`, which has none of its own. It
    /// is empty if the fork was deleted.
    pub(crate) fn of_fork(mut self, source: &str) -> Self {
        for (name, project) in [("SOURCE_PROJECT", source), ("PROJECT", "you/demo")] {
            self.variables.insert(format!("CI_MERGE_REQUEST_{name}_PATH"), project.to_owned());
        }
        self
    }

    /// Runs `before_script` and the selected lines of `script`.
    pub(crate) fn run(&self, runner: &Runner, is_selected: impl Fn(&str) -> bool) -> Output {
        let mut text = self.lines("before_script");
        text.extend(self.lines("script").into_iter().filter(|line| is_selected(line)));
        runner.shell(&self.variables, &text.join("\n"))
    }

    /// Runs `after_script`, which has a separate shell and runs also if the job failed.
    pub(crate) fn after(&self, runner: &Runner) -> Output {
        runner.shell(&self.variables, &self.lines("after_script").join("\n"))
    }

    fn lines(&self, key: &str) -> Vec<&str> {
        self.job[key].as_sequence().unwrap().iter().map(|line| line.as_str().unwrap()).collect()
    }
}

/// Imitates GitHub's service for the tokens of a job: a `GET` with the job's bearer token and an
/// audience is answered with `{"value": …}`, any other request with 401. During a request it
/// searches for the bearer token on every command line of the machine.
pub(crate) struct TokenService {
    server: Server,
    seen: Arc<Mutex<Vec<String>>>,
}

impl TokenService {
    const BEARER: &str = "bearer-of-this-job-4f1c";

    /// Starts the service. `token` creates the token for an audience.
    pub(crate) fn start(token: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let notes = Arc::clone(&seen);
        let answer = move |request: &Request| {
            notes.lock().unwrap().extend(command_lines_with(Self::BEARER));
            let is_job =
                request.header("authorization") == Some(&format!("Bearer {}", Self::BEARER));
            let query = url::form_urlencoded::parse(request.query.as_bytes());
            let audience = query.into_owned().find(|(name, _)| name == "audience");
            Some(match audience.filter(|_| is_job && request.method == "GET") {
                Some((_, audience)) => {
                    let token = serde_json::json!({"count": 1, "value": token(&audience)});
                    Fault::Bytes(token.to_string().into())
                }
                None => Fault::status(401),
            })
        };
        // It has no files: the function answers every request.
        let server = Server::start_with("", answer).unwrap();
        Self { server, seen }
    }

    /// Grants a runner's steps the permission `id-token: write`.
    pub(crate) fn permit(&self, runner: &mut Runner) {
        runner.set(
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            format!("{}/token?api-version=2.0", self.server.url()),
        );
        runner.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", Self::BEARER);
    }

    /// Returns the command lines that had the bearer token.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// Returns the number of requests.
    pub(crate) fn request_count(&self) -> usize {
        self.server.log().len()
    }
}

/// Returns the command lines on this machine that contain a text.
pub(crate) fn command_lines_with(needle: &str) -> Vec<String> {
    let Ok(processes) = fs_err::read_dir("/proc") else { return Vec::new() };
    let lines = processes.flatten().filter_map(|p| fs_err::read(p.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(needle)).collect()
}
