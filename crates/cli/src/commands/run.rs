//! `envlock run`: replaces this process by a command in an environment.

use std::{ffi::OsString, path::Path};

use clap::Args;
use envlock_pipeline::{
    ActiveEnvironment, FreshnessContext, Project, activate, freshness_warnings, prefix_to_run,
};
use envlock_report::{AsFindings, Exit, Finding, outcome::Failure, output};
use rattler_conda_types::Subdir;

use super::{
    App,
    app::{SetupError, project},
};
use crate::{
    flags::{FileArgs, NetworkArgs, PrefixArgs},
    settings::{channel_setup, inherited_variables},
    ui::CommandOutput,
};

/// The arguments of `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) files: FileArgs,
    #[command(flatten)]
    prefix: PrefixArgs,
    /// Run this command with these arguments.
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "COMMAND"
    )]
    command: Vec<OsString>,
}

/// Activates the environment and replaces this process by the command. Returns only on failure.
pub(crate) fn run(args: &RunArgs, app: &App<'_>) -> Exit {
    let mut warnings = Vec::new();
    let answer = match activated(args, app, &mut warnings) {
        Ok(environment) => {
            app.ui.print_script_output(environment.script_output());
            let error = environment.execute(&args.command);
            let prefix = environment.prefix().display().to_string();
            CommandOutput { result: Some(output::Run { prefix }), ..CommandOutput::failed(&error) }
        }
        Err(failure) => CommandOutput::from_failure(failure),
    };
    app.ui.finish(answer.with_findings(warnings))
}

/// Activates the environment. Adds the warnings that aren't printed yet to `warnings`.
fn activated(
    args: &RunArgs,
    app: &App<'_>,
    warnings: &mut Vec<Finding>,
) -> Result<ActiveEnvironment, Failure> {
    let failed = |error: &dyn AsFindings| Failure::from_error(error);
    let named = app.prefix(&args.prefix, &args.files).map_err(|error| failed(&error))?;
    let host = Subdir::current().ok_or_else(|| failed(&SetupError::UnknownHost))?;
    let is_default = named.is_none();
    let project = project(&args.files, None);
    let prefix = prefix_to_run(&project, named).map_err(|error| failed(&error))?;
    if is_default {
        let found = freshness(args, app, &prefix, host);
        app.ui.print_before_exec(&found)?;
        if !app.ui.is_human() {
            *warnings = found;
        }
    }
    activate(prefix, host, inherited_variables()).map_err(|error| failed(&error))
}

/// Returns warnings about a stale lock or prefix. A configuration that can't be used is no reason
/// not to run a command: it gives no warning.
fn freshness(args: &RunArgs, app: &App<'_>, prefix: &Path, host: Subdir) -> Vec<Finding> {
    let Ok(configuration) = app.configuration(&args.files, &NetworkArgs::default()) else {
        return Vec::new();
    };
    let Ok(channels) = channel_setup(app.settings, &configuration) else { return Vec::new() };
    let context = FreshnessContext {
        channel_config: &channels.channel_config,
        sources: &channels.settings.sources,
        variables: &app.settings.variables,
        host,
    };
    let project = Project::new((&args.files).into(), configuration);
    freshness_warnings(&project, prefix, context)
}
