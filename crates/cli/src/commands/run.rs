//! `envlock run`: becomes the command.

use std::collections::BTreeMap;

use envlock_install::activate;
use envlock_report::{Code, Exit, Finding, output};
use rattler_conda_types::Subdir;

use super::{App, app::GroundError};
use crate::{args, ui::Answer};

/// Activates and becomes the command; returns only where that can't be done.
pub(crate) fn run(args: &args::Run, app: &App<'_>) -> Exit {
    let answer = |error: &dyn envlock_report::Explain| Answer::<output::Run>::failed(error);
    let prefix = match app.existing_prefix(&args.at, &args.files) {
        Ok(prefix) => prefix,
        Err(error) => return app.ui.finish("run", answer(&error)),
    };
    let Some(platform) = Subdir::current() else {
        return app.ui.finish("run", answer(&GroundError::UnknownHost));
    };
    let inherited: BTreeMap<_, _> = std::env::vars_os().collect();
    let activated = match activate::environment(&prefix, platform, inherited) {
        Ok(activated) => activated,
        Err(error) => return app.ui.finish("run", answer(&error)),
    };
    app.ui.script_output(&activated.said);
    let error = match activate::exec(&args.command, &activated) {
        Ok(code) => std::process::exit(code),
        Err(error) => error,
    };
    let command = args.command.first().map(|word| word.to_string_lossy()).unwrap_or_default();
    let help = format!("what the environment has is in {}", prefix.join("bin").display());
    let failed = Answer {
        exit: Exit::Usage,
        diagnostics: vec![
            Finding::new(Code::NoSuchCommand, format!("{command} can't be run: {error}"))
                .with_help(help),
        ],
        result: Some(output::Run { prefix: prefix.display().to_string() }),
        text: String::new(),
    };
    app.ui.finish("run", failed)
}
