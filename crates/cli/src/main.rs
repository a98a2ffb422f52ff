//! The program `envlock`: reads the command line and the surroundings, runs one use case,
//! says what came of it.

mod args;
mod commands;
mod settings;
mod ui;

use std::process::ExitCode;

use envlock_report::Exit;

use crate::{args::Args, commands::App, settings::Settings, ui::Ui};

fn main() -> ExitCode {
    let args = match Args::read() {
        Ok(args) => args,
        Err(error) => return ui::usage(&error, settings::command_line()),
    };
    let settings = Settings::read();
    let ui = Ui::new(&args.talk, &settings);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return ui.no_runtime(&error),
    };
    let ends_itself = args.command.ends_itself();
    let exit = runtime.block_on(async {
        let app = App { settings: &settings, ui: &ui };
        tokio::select! {
            // A command that never waits is ended by the signal itself: the handler is only
            // set up once the command has waited for something.
            biased;
            exit = commands::run(args.command, &app) => exit,
            _ = tokio::signal::ctrl_c(), if !ends_itself => None,
        }
    });
    // What still runs in the background works on files that nobody will look at again.
    runtime.shutdown_background();
    exit.map_or_else(|| ui.interrupted(), |exit: Exit| ExitCode::from(exit.code()))
}
