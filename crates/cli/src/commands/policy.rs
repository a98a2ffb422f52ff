//! `envlock policy`: generate, lint, explain, test.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use envlock_config::Configuration;
use envlock_pipeline::policy::{
    self, GeneratedPolicy, PolicyExplainOptions, PolicyGenerateOptions, PolicyHolder,
};
use envlock_pipeline::{Project, ProjectFiles};
use envlock_policy::{DeclaredParameters, suite::CaseFailure};
use envlock_report::{Code, Exit, Finding, output};

use super::{
    App,
    app::{manifest_overrides, profile, project},
};
use crate::{
    flags::{DialectArg, ManifestArgs},
    settings::vault,
    ui::CommandOutput,
};

/// The subcommands of `policy`.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Print the policy that gives a profile what it needs and nothing else, as HCL.
    Generate(GenerateArgs),
    /// Check policy files for errors and doubtful rules.
    Lint(LintArgs),
    /// Show which rule decides a request, and why.
    Explain(ExplainArgs),
    /// Run unit tests of policies.
    Test(TestArgs),
}

/// The arguments of `policy generate`.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    pub(crate) manifest: ManifestArgs,
    /// Write the policy for this login.
    #[arg(long = "for", value_enum, value_name = "LOGIN", default_value_t = PolicyHolderArg::Job)]
    holder: PolicyHolderArg,
    /// Write the policy for an upload to this namespace instead of the profile's; `root` is the
    /// root namespace.
    #[arg(long, value_name = "NAME")]
    policy_namespace: Option<String>,
}

/// Who gets a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PolicyHolderArg {
    /// The job, which reads the secrets.
    Job,
    /// A presence check, which can't read them.
    #[value(name = "verifier")]
    PresenceCheck,
}

/// The arguments of `policy lint`.
#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    /// Check these policy files, HCL or JSON.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Take the engines of the mounts from this manifest.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
}

/// The arguments of `policy explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Read this policy file of the token. May be given several times.
    #[arg(long, required = true, value_name = "FILE")]
    pub(crate) policy: Vec<PathBuf>,
    /// Request this path below /v1/, such as secret/data/app.
    #[arg(long, value_name = "PATH")]
    path: String,
    /// Request this operation: read, create, update, patch, delete, list, scan, …
    #[arg(long, value_name = "OPERATION")]
    operation: String,
    /// Send this parameter with this text as its value. May be given several times.
    ///
    /// With this flag or with --parameters the request has these parameters and no others. Without
    /// both the answer holds for every write, whatever its parameters.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    parameter: Vec<(String, String)>,
    /// Send these parameters with values that aren't known; an empty text sends none.
    #[arg(long, value_name = "NAMES")]
    parameters: Option<String>,
    /// Send the request to this namespace.
    #[arg(long, value_name = "NAME", default_value = "")]
    namespace: String,
    /// Read the policies as uploaded to this namespace instead of the request's; `root` is the
    /// root namespace.
    #[arg(long, value_name = "NAME")]
    policy_namespace: Option<String>,
    /// Evaluate the policies in this dialect.
    #[arg(long, value_enum, value_name = "DIALECT", default_value_t = DialectArg::Portable)]
    dialect: DialectArg,
}

impl ExplainArgs {
    /// The parameters of the request, if a flag names them.
    fn parameters(&self) -> Option<DeclaredParameters> {
        if self.parameter.is_empty() && self.parameters.is_none() {
            return None;
        }
        let names = self.parameters.iter().flat_map(|names| names.split(',')).map(str::trim);
        let names = names.filter(|name| !name.is_empty()).map(|name| (name.to_owned(), None));
        let mut all: DeclaredParameters = names.collect();
        let values = self.parameter.iter().cloned();
        all.extend(values.map(|(name, value)| (name, Some(value.into()))));
        Some(all)
    }
}

/// Reads `NAME=VALUE`.
fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it must be NAME=VALUE, such as ttl=72h".to_owned()),
    }
}

/// The arguments of `policy test`.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Run the cases in these files, YAML or JSON.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// Runs a subcommand.
pub(crate) fn policy(command: &PolicyCommand, app: &App<'_>) -> Exit {
    match command {
        PolicyCommand::Generate(args) => app.ui.finish(generate(args, app)),
        PolicyCommand::Lint(args) => app.ui.finish(lint(args, app)),
        PolicyCommand::Explain(args) => app.ui.finish(explain(args, app)),
        PolicyCommand::Test(args) => app.ui.finish(test(args, app)),
    }
}

fn generate(args: &GenerateArgs, app: &App<'_>) -> CommandOutput<output::PolicyGenerate> {
    let project = project(&args.manifest.files, args.manifest.manifest.as_deref());
    let holder = match args.holder {
        PolicyHolderArg::Job => PolicyHolder::Job,
        PolicyHolderArg::PresenceCheck => PolicyHolder::PresenceCheck,
    };
    let request = PolicyGenerateOptions {
        profile: profile(&args.manifest, app),
        holder,
        policy_namespace: args.policy_namespace.clone(),
        namespace: vault::namespace(app.settings).unwrap_or_default(),
        variables: &app.settings.variables,
    };
    match policy::generate(&project, request) {
        Ok(generated) => {
            let GeneratedPolicy { profile, hcl, findings } = generated;
            let result = output::PolicyGenerate { profile, hcl: hcl.clone() };
            let answer = CommandOutput::done(result, hcl).with_findings(findings);
            answer.with_overrides(manifest_overrides(&project, app.settings.now))
        }
        Err(error) => CommandOutput::failed(&error),
    }
}

fn lint(args: &LintArgs, app: &App<'_>) -> CommandOutput<()> {
    let files = ProjectFiles { manifest: args.manifest.clone(), ..ProjectFiles::default() };
    let project = args.manifest.is_some().then(|| Project::new(files, Configuration::default()));
    match policy::lint(&args.files, project.as_ref(), app.settings.now) {
        Ok(findings) => CommandOutput { result: None, ..CommandOutput::done((), "") }
            .with_findings(findings)
            .of_check(),
        Err(error) => CommandOutput::failed(&error),
    }
}

fn explain(args: &ExplainArgs, app: &App<'_>) -> CommandOutput<output::PolicyExplain> {
    let request = PolicyExplainOptions {
        files: args.policy.clone(),
        path: args.path.clone(),
        operation: args.operation.clone(),
        parameters: args.parameters(),
        namespace: args.namespace.clone(),
        policy_namespace: args.policy_namespace.clone(),
        dialect: args.dialect.into(),
        now: app.settings.now,
    };
    let explained = match policy::explain(&request) {
        Ok(explained) => explained,
        Err(error) => return CommandOutput::failed(&error),
    };
    let (allowed, answers) = (explained.allowed, explained.answers);
    let text = answers.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let findings = answers.iter().filter(|answer| !answer.allowed).map(|answer| {
        let (operation, path, dialect) = (&args.operation, &args.path, answer.dialect);
        if answer.depends_on.is_empty() {
            let message = format!("{operation} {path} is denied by {dialect}");
            return Finding::new(Code::RequestDenied, message);
        }
        let message =
            format!("whether {dialect} allows {operation} {path} depends on its parameters");
        Finding::new(Code::DependsOnParameters, message).with_help(
            "name those that are sent: `--parameter NAME=VALUE`, or `--parameters NAME,NAME` \
             without their values",
        )
    });
    let findings: Vec<_> = findings.collect();
    let answers = answers.iter().filter_map(|answer| serde_json::to_value(answer).ok()).collect();
    CommandOutput::done(output::PolicyExplain { allowed, answers }, text).with_findings(findings)
}

fn test(args: &TestArgs, app: &App<'_>) -> CommandOutput<output::PolicyTest> {
    let tests = match policy::test(&args.files, app.settings.now) {
        Ok(tests) => tests,
        Err(error) => return CommandOutput::failed(&error),
    };
    let (passed, failed) = (tests.passed, tests.failed);
    let findings: Vec<_> = tests.failures.iter().map(failed_case).collect();
    let failures = tests.failures.iter();
    let failures = failures.filter_map(|failure| serde_json::to_value(failure).ok()).collect();
    let text = format!("{passed} passed, {failed} failed\n");
    CommandOutput::done(output::PolicyTest { passed, failed, failures }, text)
        .with_findings(findings)
}

/// Returns the finding of a failed case, with the rule that decides it.
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
