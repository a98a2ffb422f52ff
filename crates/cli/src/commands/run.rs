//! `envlock run`: replaces this process by a command in an environment.

use std::{ffi::OsString, path::PathBuf};

use clap::Args;
use envlock_pipeline::{RunError, activate};
use envlock_report::{Exit, output};
use rattler_conda_types::Subdir;

use super::{
    App,
    app::{SetupError, project},
};
use crate::{
    flags::{FileArgs, PrefixArgs},
    settings::inherited_variables,
    ui::Answer,
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
    let answer = match app.prefix(&args.prefix, &args.files) {
        Ok(prefix) => match Subdir::current() {
            Some(platform) => execute(args, app, prefix, platform),
            None => Answer::failed(&SetupError::UnknownHost),
        },
        Err(error) => Answer::failed(&error),
    };
    app.ui.finish(answer)
}

fn execute(
    args: &RunArgs,
    app: &App<'_>,
    prefix: Option<PathBuf>,
    platform: Subdir,
) -> Answer<output::Run> {
    let project = project(&args.files, None);
    let environment = match activate(&project, prefix, platform, inherited_variables()) {
        Ok(environment) => environment,
        Err(error) => return Answer::failed(&error),
    };
    app.ui.script_output(environment.script_output());
    let error: RunError = environment.execute(&args.command);
    let prefix = environment.prefix().display().to_string();
    Answer { result: Some(output::Run { prefix }), ..Answer::failed(&error) }
}
