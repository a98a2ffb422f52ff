//! `envlock run`: becomes the command.

use envlock_pipeline::{RunError, activate};
use envlock_report::{Exit, output};
use rattler_conda_types::Subdir;

use super::{
    App,
    app::{SetupError, project},
};
use crate::{args, settings::inherited_variables, ui::Answer};

/// Activates and becomes the command; returns only where that can't be done.
pub(crate) fn run(args: &args::Run, app: &App<'_>) -> Exit {
    let answer = match app.prefix(&args.at, &args.files) {
        Ok(prefix) => match Subdir::current() {
            Some(platform) => execute(args, app, prefix, platform),
            None => Answer::failed(&SetupError::UnknownHost),
        },
        Err(error) => Answer::failed(&error),
    };
    app.ui.finish(answer)
}

fn execute(
    args: &args::Run,
    app: &App<'_>,
    prefix: Option<std::path::PathBuf>,
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
