//! The program `envlock`: reads the command line and the settings, runs one command and prints
//! its answer.

mod command_line;
mod commands;
mod flags;
mod settings;
mod ui;

use std::process::ExitCode;

use envlock_pipeline::ProjectFiles;
use envlock_report::Exit;

use crate::{
    command_line::{Command, CommandLine},
    commands::{App, run_command},
    settings::ProcessEnvironment,
    ui::{CommandOutput, Ui},
};

fn main() -> ExitCode {
    let command_line = match CommandLine::read() {
        Ok(command_line) => command_line,
        Err(error) => return ui::usage(&error, settings::command_line()),
    };
    let settings = ProcessEnvironment::read();
    let mut ui = Ui::new(&command_line, &settings);
    ExitCode::from(run(command_line.command, &settings, &mut ui).code())
}

fn run(command: Command, settings: &ProcessEnvironment, ui: &mut Ui) -> Exit {
    if let Some(files) = command.files() {
        let file = ProjectFiles::from(&files).configuration();
        match settings::project_overrides(&file) {
            Ok(overrides) => ui.add_overrides(overrides),
            Err(error) => return ui.finish(CommandOutput::<()>::failed(&error)),
        }
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return ui.finish_without_threads(&error),
    };
    let ui = &*ui;
    let is_interruptible = !command.handles_interrupt()
        && !settings::is_ignored(settings::TerminationSignal::Interrupt);
    let exit = runtime.block_on(async {
        let app = App { settings, ui };
        tokio::select! {
            // The signal itself ends a command that never waits: the handler is installed
            // only when the command waits for the first time.
            biased;
            exit = run_command(command, &app) => Some(exit),
            _ = tokio::signal::ctrl_c(), if is_interruptible => None,
        }
    });
    // Work that still runs in the background writes only files that no command reads.
    runtime.shutdown_background();
    exit.unwrap_or_else(|| ui.finish_interrupted())
}
