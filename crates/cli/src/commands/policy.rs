//! `envlock policy`: generate, lint, explain, test.

use envlock_pipeline::policy::{self, Audience, PolicyExplainRequest};
use envlock_policy::suite::CaseFailure;
use envlock_report::{Code, Exit, Finding, output};

use super::{
    App,
    app::{manifest_rules, project},
    secrets::profile,
};
use crate::{args, ui::Answer};

/// Runs one of them.
pub(crate) fn policy(args: &args::Policy, app: &App<'_>) -> Exit {
    match args {
        args::Policy::Generate(args) => app.ui.finish(generate(args, app)),
        args::Policy::Lint(args) => app.ui.finish(lint(args, app)),
        args::Policy::Explain(args) => app.ui.finish(explain(args, app)),
        args::Policy::Test(args) => app.ui.finish(test(args, app)),
    }
}

fn generate(args: &args::Generate, app: &App<'_>) -> Answer<output::PolicyGenerate> {
    let project = project(&args.subject.files, args.subject.manifest.as_deref());
    let audience = match args.audience {
        args::Audience::Job => Audience::Job,
        args::Audience::Verifier => Audience::Verifier,
    };
    match policy::generate(&project, profile(&args.subject, app), audience) {
        Ok(generated) => {
            let (profile, hcl) = (generated.profile, generated.hcl);
            let result = output::PolicyGenerate { profile, hcl: hcl.clone() };
            Answer::done(result, hcl).under(manifest_rules(&project, app.settings.now))
        }
        Err(error) => Answer::failed(&error),
    }
}

fn lint(args: &args::Lint, app: &App<'_>) -> Answer<()> {
    match policy::lint(&args.files, app.settings.now) {
        Ok(findings) => Answer { result: None, ..Answer::done((), "") }.with(findings).counted(),
        Err(error) => Answer::failed(&error),
    }
}

fn explain(args: &args::PolicyExplain, app: &App<'_>) -> Answer<output::PolicyExplain> {
    let inputs = PolicyExplainRequest {
        files: args.policy.clone(),
        path: args.path.clone(),
        operation: args.operation.clone(),
        namespace: args.namespace.clone(),
        dialect: args.dialect.into(),
        now: app.settings.now,
    };
    let explained = match policy::explain(&inputs) {
        Ok(explained) => explained,
        Err(error) => return Answer::failed(&error),
    };
    let (allowed, answers) = (explained.allowed, explained.answers);
    let text = answers.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let findings = answers.iter().filter(|answer| !answer.allowed).map(|answer| {
        let message = format!("{} {} is denied by {}", args.operation, args.path, answer.dialect);
        Finding::new(Code::Denied, message)
    });
    let findings: Vec<_> = findings.collect();
    let answers = answers.iter().filter_map(|answer| serde_json::to_value(answer).ok()).collect();
    Answer::done(output::PolicyExplain { allowed, answers }, text).with(findings)
}

fn test(args: &args::PolicyTest, app: &App<'_>) -> Answer<output::PolicyTest> {
    let tests = match policy::test(&args.files, app.settings.now) {
        Ok(tests) => tests,
        Err(error) => return Answer::failed(&error),
    };
    let (passed, failed) = (tests.passed, tests.failed);
    let findings: Vec<_> = tests.failures.iter().map(failed_case).collect();
    let failures = tests.failures.iter();
    let failures = failures.filter_map(|failure| serde_json::to_value(failure).ok()).collect();
    let text = format!("{passed} passed, {failed} failed\n");
    Answer::done(output::PolicyTest { passed, failed, failures }, text).with(findings)
}

/// A case that came out otherwise than it says, with the rule that decided.
fn failed_case(failure: &CaseFailure) -> Finding {
    let CaseFailure { case, place, dialect, key, expected, actual, rule, why } = failure;
    let message =
        format!("case {case}: `{key}` is {actual} on {dialect}, and {expected} is expected");
    let finding = Finding::new(Code::PolicyTestFailed, message).at(place.clone()).with_note(why);
    rule.iter().fold(finding, |finding, origin| {
        let message = format!("path \"{}\" of {} decides", origin.pattern, origin.policy);
        finding.with_related(origin.place.clone(), message)
    })
}
