//! `envlock policy`: generate, lint, explain, test.

use envlock_pipeline::policy::{self, Audience, PolicyQuestion};
use envlock_report::{Exit, exit_of, output};

use super::{
    App,
    secrets::{profile, told},
};
use crate::{args, ui::Answer};

/// Runs one of them.
pub(crate) fn policy(args: &args::Policy, app: &App<'_>) -> Exit {
    match args {
        args::Policy::Generate(args) => app.ui.finish("policy generate", generate(args, app)),
        args::Policy::Lint(args) => lint(args, app),
        args::Policy::Explain(args) => app.ui.finish("policy explain", explain(args, app)),
        args::Policy::Test(args) => app.ui.finish("policy test", test(args, app)),
    }
}

fn generate(args: &args::Generate, app: &App<'_>) -> Answer<output::PolicyGenerate> {
    let project = app.project(&args.subject.files, args.subject.manifest.as_deref());
    let audience = match args.audience {
        args::Audience::Job => Audience::Job,
        args::Audience::Verifier => Audience::Verifier,
    };
    match policy::generate(&project, profile(&args.subject, app), audience) {
        Ok(generated) => Answer {
            exit: Exit::Yes,
            diagnostics: Vec::new(),
            text: generated.hcl.clone(),
            result: Some(output::PolicyGenerate { profile: generated.profile, hcl: generated.hcl }),
        },
        Err(error) => Answer::failed(&error),
    }
}

fn lint(args: &args::Lint, app: &App<'_>) -> Exit {
    let (findings, exit) = match policy::lint(&args.files, app.settings.now) {
        Ok(findings) => {
            let exit = exit_of(&findings, args.deny.is_some());
            (findings, exit)
        }
        Err(error) => told(&error),
    };
    app.ui.findings("policy lint", &findings, exit)
}

fn explain(args: &args::PolicyExplain, app: &App<'_>) -> Answer<output::PolicyExplain> {
    let question = PolicyQuestion {
        files: args.policy.clone(),
        path: args.path.clone(),
        operation: args.operation.clone(),
        namespace: args.namespace.clone(),
        dialect: args.dialect.into(),
        now: app.settings.now,
    };
    let explained = match policy::explain(&question) {
        Ok(explained) => explained,
        Err(error) => return Answer::failed(&error),
    };
    let (allowed, answers) = (explained.allowed, explained.answers);
    let text = answers.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let answers = answers.iter().filter_map(|answer| serde_json::to_value(answer).ok()).collect();
    Answer {
        exit: if allowed { Exit::Yes } else { Exit::Findings },
        diagnostics: Vec::new(),
        result: Some(output::PolicyExplain { allowed, answers }),
        text,
    }
}

fn test(args: &args::PolicyTest, app: &App<'_>) -> Answer<output::PolicyTest> {
    let tests = match policy::test(&args.files, app.settings.now) {
        Ok(tests) => tests,
        Err(error) => return Answer::failed(&error),
    };
    let (passed, failed) = (tests.passed, tests.failed);
    let mut text: String = tests.failures.iter().map(|failure| format!("{failure}\n")).collect();
    text.push_str(&format!("{passed} passed, {failed} failed\n"));
    let failures = tests.failures.iter();
    let failures = failures.filter_map(|failure| serde_json::to_value(failure).ok()).collect();
    Answer {
        exit: if failed == 0 { Exit::Yes } else { Exit::Findings },
        diagnostics: Vec::new(),
        result: Some(output::PolicyTest { passed, failed, failures }),
        text: envlock_text::redact(&text).into_owned(),
    }
}
