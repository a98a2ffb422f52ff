//! The files of `fixtures/ci`: their shell, run as CI runs it, except where a server is asked.

use std::collections::BTreeMap;

use serde_yaml::Value;

use crate::support::ci::{Event, Job, REV, Runner, TokenService, Workflow, file, has, yaml};
use crate::support::json;
use envlock_testkit::Output;

const VAULT: &str = "https://vault.example.com:8200";

/// Stands in for the program where it is only the question what reaches it.
const RECORDER: &str = "\
#!/usr/bin/env bash
printf '%s\\n' \"$*\" > \"$HOME/arguments\"
printf '%s\\n' \"$CI_JWT\" > \"$HOME/token\"
exit 4
";

/// As `demo-ci.hcl`, without what the need needs.
const DENYING: &str = "path \"secret/data/demo/db_creds\" { capabilities = [\"list\"] }\n";

/// A fork's pull request: no variable of the repository, no token and no service for one.
#[test]
fn a_forks_pull_request_is_checked_against_the_policy_files_and_installed() {
    for path in
        fs_err::read_dir(format!("{}/../../fixtures/ci", env!("CARGO_MANIFEST_DIR"))).unwrap()
    {
        let name = path.unwrap().file_name().into_string().unwrap();
        let runner = Runner::new();
        let denied = Runner::new();
        denied.project.write("vault/policies/demo-ci.hcl", DENYING);
        match name.as_str() {
            "github.yml" => {
                for event in Event::FOREIGN {
                    let said = Workflow::new("").run(&runner, event);
                    for (step, output) in &said {
                        let Output { stdout, stderr, .. } = output;
                        assert_eq!(output.code, Some(0), "{event:?}, {step}: {stdout}{stderr}");
                    }
                    assert_eq!(said.len(), 4, "built, fresh, judged, installed: {said:?}");
                    let refused = Workflow::new("").run(&denied, event);
                    assert_eq!(refused.last().unwrap().1.code, Some(1), "{event:?}: {refused:?}");
                }
            }
            "gitlab.yml" => {
                for source in ["someone/demo", ""] {
                    Job::new("").of_fork(source).run(&runner, |_| true).success();
                    let refused = Job::new("").of_fork(source).run(&denied, |_| true);
                    assert_eq!(refused.code, Some(1), "{source}: {refused:?}");
                }
            }
            // The hook is the offline check for everybody: `the_hook_is_the_offline_check`.
            "pre-commit-config.yaml" => continue,
            other => panic!("{other} isn't run as a fork's pull request runs it"),
        }
        assert!(runner.project.path(".envlock/demo/conda-meta").is_dir(), "{name}");
    }
}

#[test]
fn a_job_of_the_project_itself_is_never_checked_offline() {
    let runner = Runner::new();
    let output = Job::new("").run(&runner, |line| !line.contains("install"));
    assert_eq!(output.code, Some(2), "no address: {output:?}");
    for event in Event::TRUSTED {
        let said = Workflow::new("").run(&runner, event);
        let (step, output) = said.last().unwrap();
        assert_eq!((step.as_str(), output.code), ("Check the secrets", Some(2)), "{event:?}");
    }
}

#[test]
fn the_gitlab_jobs_lines_build_check_and_install() {
    let runner = Runner::new();
    let output = Job::new(VAULT).run(&runner, |line| !line.contains("check-secrets"));
    let said = output.clone().success();
    assert!(said.contains("installed 1 package"), "{output:?}");
    assert!(runner.project.path(".envlock/demo/conda-meta").is_dir());
}

#[test]
fn both_build_the_commit_that_is_named_of_this_repository() {
    let github = Runner::new();
    Workflow::new(VAULT).run(&github, Event::ForksPullRequest);
    let gitlab = Runner::new();
    Job::new(VAULT).run(&gitlab, |_| false).success();
    let repository = env!("CARGO_PKG_REPOSITORY");
    let words = ["install", "--locked", "--root", ".cache/program", "--git", repository];
    let wanted = [&words[..], &["--rev", REV, env!("CARGO_PKG_NAME")]].concat();
    for runner in [github, gitlab] {
        let asked = runner.recorded("cargo").unwrap();
        assert_eq!(asked.lines().collect::<Vec<_>>(), wanted);
    }
}

#[test]
fn a_cached_program_is_not_built_again() {
    let runner = Runner::new();
    let workflow = Workflow::new(VAULT);
    workflow.run(&runner, Event::ForksPullRequest);
    runner.tool("cargo", "#!/bin/sh\nexit 1\n");
    assert!(
        workflow
            .run(&runner, Event::ForksPullRequest)
            .iter()
            .all(|(_, output)| output.code == Some(0))
    );
    Job::new(VAULT).run(&runner, |line| line.contains("solve")).success();
}

#[test]
fn the_caches_keep_what_the_steps_write() {
    let runner = Runner::new();
    let workflow = Workflow::new(VAULT);
    workflow.run(&runner, Event::ForksPullRequest);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let steps = workflow.job["steps"].as_sequence().unwrap().iter();
    let keeping = steps.filter(|step| step["uses"] == "actions/cache@v4");
    let github: Vec<_> = keeping.map(|step| text(&step["with"]["path"])).collect();
    let caches = Job::new(VAULT).job["cache"].as_sequence().unwrap().clone();
    let gitlab: Vec<_> = caches.iter().map(|cache| text(&cache["paths"][0])).collect();
    assert_eq!(github, gitlab);
    assert_eq!(github.len(), 2);
    for folder in github {
        assert!(fs_err::read_dir(runner.project.path(folder)).unwrap().next().is_some());
    }
    assert!(!runner.project.cache().exists(), "nothing goes elsewhere");
}

#[test]
fn a_stale_lock_ends_both_with_5_before_anything_is_installed() {
    let runner = Runner::new();
    let yml = "name: demo\nchannels: [conda-forge]\ndependencies: [zlib >=2]\n";
    runner.project.write("environment.yml", yml);
    let said = Workflow::new(VAULT).run(&runner, Event::ForksPullRequest);
    let (_, last) = said.last().unwrap();
    assert_eq!(last.code, Some(5), "{last:?}");
    assert!(last.stderr.contains("zlib"), "{last:?}");
    let job = Job::new(VAULT);
    assert_eq!(job.run(&runner, |_| true).code, Some(5));
    assert_eq!(job.after(&runner).success(), "", "there is no report to be shown");
    assert!(!runner.project.path(".envlock").exists());
}

#[test]
fn a_denied_need_is_an_annotation_on_its_line() {
    let runner = Runner::new();
    runner.project.write("vault/policies/demo-ci.hcl", DENYING);
    let said = Workflow::new(VAULT).run(&runner, Event::ForksPullRequest);
    let (_, last) = said.last().unwrap();
    assert_eq!(last.code, Some(1), "{last:?}");
    assert!(last.stdout.starts_with("::error file=secrets.yml,line=6,"), "{last:?}");
    assert!(!runner.project.path(".envlock").exists());
}

#[test]
fn the_jobs_token_is_a_variable_of_one_process_and_on_no_command_line() {
    if !has(&["curl", "jq"]) {
        return;
    }
    let mut runner = Runner::new();
    runner.tool("envlock", RECORDER);
    let service = TokenService::start(|audience| format!("token-for-{audience}"));
    service.permit(&mut runner);
    let workflow = Workflow::new(VAULT);
    let output = workflow.step(&runner, workflow.server_step());

    let token = format!("token-for-{VAULT}");
    assert_eq!(runner.recorded("token").as_deref().map(str::trim_end), Some(&*token), "{output:?}");
    let arguments = runner.recorded("arguments").unwrap();
    assert_eq!(arguments.trim_end(), "check-secrets --profile ci --format github");
    assert_eq!(output.code, Some(4), "the program's exit code is the step's");
    // The runner takes this line out of the log, and the token out of all others.
    assert_eq!(output.stdout, format!("::add-mask::{token}\n"));
    assert_eq!(output.stderr, "");
    assert_eq!((service.request_count(), service.seen()), (1, Vec::new()));
}

#[test]
fn a_job_that_gets_no_token_asks_no_server() {
    if !has(&["curl", "jq"]) {
        return;
    }
    let workflow = Workflow::new(VAULT);
    let mut runner = Runner::new();
    runner.tool("envlock", RECORDER);
    let output = workflow.step(&runner, workflow.server_step());
    assert!(output.stderr.contains("id-token: write"), "{output:?}");

    let service = TokenService::start(|_| String::new());
    service.permit(&mut runner);
    runner.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of another job");
    let refused = workflow.step(&runner, workflow.server_step());
    assert!(refused.stderr.contains("401"), "{refused:?}");
    for output in [output, refused] {
        assert!(output.code.is_some_and(|code| code != 0), "{output:?}");
    }
    assert_eq!(runner.recorded("arguments"), None);
}

#[test]
fn nothing_of_a_pull_request_is_pasted_into_a_shell() {
    for step in Workflow::new(VAULT).steps() {
        assert!(!step["run"].as_str().unwrap().contains("${{"), "{step:?}");
    }
}

#[test]
fn the_hook_is_the_offline_check() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    let hook = &hooks[0];
    let used = yaml("fixtures/ci/pre-commit-config.yaml")["repos"][0].clone();
    assert_eq!(used["hooks"][0]["id"], hook["id"]);
    assert_eq!(used["repo"], env!("CARGO_PKG_REPOSITORY"));

    let runner = Runner::new();
    Job::new(VAULT).run(&runner, |_| false).success();
    let entry = hook["entry"].as_str().unwrap();
    let entry = format!("PATH=$PWD/.cache/program/bin:$PATH\n{entry}\n");
    let hook = || runner.shell(&BTreeMap::new(), &entry);
    assert!(hook().success().contains("0 errors"));
    runner.project.write("vault/policies/demo-ci.hcl", DENYING);
    assert_eq!(hook().code, Some(1));
}

#[test]
fn the_hook_runs_for_every_file_that_it_checks() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    let pattern = hooks[0]["files"].as_str().unwrap().to_owned();
    let runner = Runner::new();
    let starts = |path: &str| {
        let env = [("PATTERN".to_owned(), pattern.clone()), ("FILE".to_owned(), path.to_owned())];
        runner.shell(&env.into(), "[[ $FILE =~ $PATTERN ]]").code == Some(0)
    };
    for path in [
        "environment.yml",
        "项目/environment.yaml",
        "secrets.yml",
        "envlock.lock",
        "vault/policies/demo-ci.hcl",
        "vault/policies/common.json",
    ] {
        assert!(starts(path), "{path}");
    }
    for path in ["README.md", "src/my-secrets.yml", "package.json", "envlock.lock.bak"] {
        assert!(!starts(path), "{path}");
    }
}

#[test]
fn the_page_has_every_exit_code_and_every_schema() {
    let page = file("docs/ci.md");
    assert!(rows().into_keys().eq(0..=6), "{page}");
    let schemas = format!("{}/../../schemas", env!("CARGO_MANIFEST_DIR"));
    for schema in fs_err::read_dir(schemas).unwrap() {
        let name = schema.unwrap().file_name().into_string().unwrap();
        assert!(page.contains(&format!("(../schemas/{name})")), "{name}");
    }
    for name in ["github.yml", "gitlab.yml", "pre-commit-config.yaml"] {
        assert!(page.contains(&format!("(../fixtures/ci/{name})")), "{name}");
    }
}

/// The page's rows: a code, and the word for it in JSON.
fn rows() -> BTreeMap<i64, String> {
    let row = |line: &str| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        Some((cells.next()?.parse().ok()?, cells.next()?.trim_matches('`').to_owned()))
    };
    file("docs/ci.md").lines().filter_map(row).collect()
}

#[test]
fn the_page_shows_the_messages_of_every_code_that_needs_no_server() {
    let rows = rows();
    let runner = Runner::new();
    let ends = |code: i64, command: &str| {
        let output = runner.shell(&BTreeMap::new(), &format!("$ENVLOCK {command} --format json"));
        let document = json(&output.stdout);
        assert_eq!(output.code.map(i64::from), Some(code), "{command}: {document}");
        assert_eq!(document["exit_code"], code, "{command}");
        assert_eq!(document["exit"], *rows[&code], "{command}");
    };
    ends(0, "solve --check");
    ends(0, "check-secrets --offline");
    ends(3, "install --offline");
    ends(0, "install");
    runner.project.write("vault/policies/demo-ci.hcl", DENYING);
    ends(1, "check-secrets --offline");
    ends(2, "check-secrets --offline --profile cd");
    ends(2, "install --lock other.lock");
    runner.project.write("environment.yml", "channels: [conda-forge]\ndependencies: [zlib >=2]\n");
    ends(5, "solve --check");
    ends(5, "install");
    ends(6, "solve");
    runner.project.write("secrets.yml", "version: 1\nneeds: {}\n");
    ends(5, "check-secrets --offline");
}
