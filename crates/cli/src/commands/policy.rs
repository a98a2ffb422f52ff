//! `envlock policy`: generate, lint, explain, test.

use std::{collections::BTreeMap, path::PathBuf};

use envlock_pipeline::{
    FileError,
    secrets::{SecretsError, texts},
};
use envlock_policy::{Acl, Context, Operation, Policy, Request, explain, lint};
use envlock_report::{Code, Exit, Explain as _, Finding, exit_of, nearest, output};
use envlock_secrets::{checks::CheckError, generate, manifest::ServerDialect, suite::Suite};

use super::{
    App,
    secrets::{manifest_request, profile, told},
};
use crate::{args, ui::Answer};

/// Runs one of them.
pub(crate) fn policy(args: &args::Policy, app: &App<'_>) -> Exit {
    match args {
        args::Policy::Generate(args) => app.ui.finish("policy generate", generated(args, app)),
        args::Policy::Lint(args) => linted(args, app),
        args::Policy::Explain(args) => app.ui.finish("policy explain", explained(args)),
        args::Policy::Test(args) => app.ui.finish("policy test", tested(args)),
    }
}

fn generated(args: &args::Generate, app: &App<'_>) -> Answer<output::PolicyGenerate> {
    let manifest = match envlock_pipeline::secrets::manifest(&manifest_request(&args.subject)) {
        Ok(Some(manifest)) => manifest,
        Ok(None) => return Answer::failed(&SecretsError::NoManifest),
        Err(error) => return Answer::failed(&error),
    };
    let only = || manifest.profiles.keys().next().filter(|_| manifest.profiles.len() == 1);
    let name = profile(&args.subject, app).or_else(|| manifest.default.clone());
    let name = name.or_else(|| only().cloned());
    let resolved = match &name {
        Some(name) => manifest.profile(name),
        None if manifest.profiles.is_empty() => Some(manifest.bare_profile()),
        None => None,
    };
    let Some(resolved) = resolved else {
        let known = manifest.profiles.keys().cloned().collect();
        return Answer::failed(&CheckError::NoProfile { name: name.unwrap_or_default(), known });
    };
    let hcl = match args.audience {
        args::Audience::Job => generate::for_job(&resolved),
        args::Audience::Verifier => generate::for_verifier(&resolved),
    };
    Answer {
        exit: Exit::Yes,
        diagnostics: Vec::new(),
        result: Some(output::PolicyGenerate { profile: resolved.name, hcl: hcl.clone() }),
        text: hcl,
    }
}

fn linted(args: &args::Lint, app: &App<'_>) -> Exit {
    let policies = match read(&args.files) {
        Ok(policies) => policies,
        Err(error) => {
            let (findings, exit) = told(&error);
            return app.ui.findings("policy lint", &findings, exit);
        }
    };
    let now = jiff::Timestamp::now();
    let mut findings = Vec::new();
    for (file, text) in &policies {
        findings.extend(lint::lint(&policy_name(file), file, text, now));
    }
    let findings: Vec<Finding> = envlock_report::arrange(findings);
    let exit = exit_of(&findings, args.deny.is_some());
    app.ui.findings("policy lint", &findings, exit)
}

/// Texts by file; all of them have to be there.
fn read(files: &[PathBuf]) -> Result<BTreeMap<String, String>, FileError> {
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let found = texts(names.iter().cloned())?;
    match names.iter().find(|name| !found.contains_key(*name)) {
        None => Ok(found),
        Some(name) => Err(FileError::Absent {
            path: name.into(),
            help: "name files that are there".to_owned(),
        }),
    }
}

/// `ci-db` for `vault/policies/ci-db.hcl`: what it is probably uploaded as.
fn policy_name(file: &str) -> String {
    let path = std::path::Path::new(file);
    path.file_stem().map_or_else(|| file.to_owned(), |stem| stem.to_string_lossy().into_owned())
}

fn explained(args: &args::PolicyExplain) -> Answer<output::PolicyExplain> {
    let known = Operation::NAMED.iter().map(|(name, _)| *name);
    if Operation::named(&args.operation) == Operation::Other {
        let near = nearest(&args.operation, known.clone());
        let help = near.map_or_else(
            || format!("one of {}", known.collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("`{}` is no operation", args.operation);
        return refused(Finding::new(Code::UnknownOperation, message).with_help(help));
    }
    let texts = match read(&args.policy) {
        Ok(texts) => texts,
        Err(error) => return Answer::failed(&error),
    };
    let mut policies = Vec::new();
    for (file, text) in &texts {
        match Policy::parse(&policy_name(file), file, text) {
            Ok(policy) => policies.push(policy),
            Err(error) => return refused(error.diagnostic()),
        }
    }
    let given: Vec<&Policy> = policies.iter().collect();
    let mut answers = Vec::new();
    for dialect in ServerDialect::from(args.dialect).dialects() {
        let context = Context {
            dialect: *dialect,
            now: jiff::Timestamp::now(),
            identity: None,
            token_namespace: "",
        };
        let request = Request {
            namespace: &args.namespace,
            ..Request::new(Operation::named(&args.operation), &args.path)
        };
        match Acl::new(&given, &context) {
            Ok(acl) => answers.push(explain::explain(&acl, &request)),
            Err(error) => return refused(error.diagnostic()),
        }
    }
    let allowed = answers.iter().all(|answer| answer.allowed);
    let text = answers.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let answers = answers.iter().filter_map(|answer| serde_json::to_value(answer).ok()).collect();
    Answer {
        exit: if allowed { Exit::Yes } else { Exit::Findings },
        diagnostics: Vec::new(),
        result: Some(output::PolicyExplain { allowed, answers }),
        text,
    }
}

fn refused<T>(diagnostic: Finding) -> Answer<T> {
    Answer { exit: Exit::Usage, diagnostics: vec![diagnostic], result: None, text: String::new() }
}

fn tested(args: &args::PolicyTest) -> Answer<output::PolicyTest> {
    let suites = match read(&args.files) {
        Ok(suites) => suites,
        Err(error) => return Answer::failed(&error),
    };
    let mut result = output::PolicyTest { passed: 0, failed: 0, failures: Vec::new() };
    let mut text = String::new();
    for (file, content) in &suites {
        let suite = match Suite::parse(file, content) {
            Ok(suite) => suite,
            Err(error) => return Answer::failed(&error),
        };
        // Policy files are beside the suite that names them.
        let folder = std::path::Path::new(file).parent().map(PathBuf::from).unwrap_or_default();
        let beside: BTreeMap<String, String> = suite
            .files()
            .iter()
            .map(|name| (folder.join(name).display().to_string(), (*name).to_owned()))
            .collect();
        let policies = match texts(beside.keys().cloned()) {
            Ok(found) => {
                found.into_iter().map(|(path, text)| (beside[&path].clone(), text)).collect()
            }
            Err(error) => return Answer::failed(&error),
        };
        match suite.run(&policies, jiff::Timestamp::now()) {
            Ok(outcome) => {
                for failure in &outcome.failures {
                    text.push_str(&format!("{failure}\n"));
                    result.failures.extend(serde_json::to_value(failure).ok());
                }
                result.passed += outcome.passed;
                result.failed += outcome.failed;
            }
            Err(error) => return Answer { exit: error.exit(), ..Answer::failed(&error) },
        }
    }
    text.push_str(&format!("{} passed, {} failed\n", result.passed, result.failed));
    Answer {
        exit: if result.failed == 0 { Exit::Yes } else { Exit::Findings },
        diagnostics: Vec::new(),
        result: Some(result),
        text: envlock_text::redact(&text).into_owned(),
    }
}
