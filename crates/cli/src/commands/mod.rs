//! The commands, one a file: from the arguments to the answer.

mod app;
mod config;
mod demo;
mod doctor;
mod explain;
mod fetch;
mod install;
mod next_command;
mod policy;
mod run;
mod secrets;
mod solve;
mod verify;

use envlock_report::Exit;

use crate::args::{self, Command};

pub(crate) use app::App;

/// Runs one command to its end.
pub(crate) async fn run(command: Command, app: &App<'_>) -> Exit {
    match command {
        Command::Solve(args) if args.check => solve::check(&args, app),
        Command::Solve(args) => solve::solve(&args, app).await,
        Command::Install(args) => install::install(&args, app).await,
        Command::Fetch(args) => fetch::fetch(&args, app).await,
        Command::Bundle(args) => fetch::bundle(&args, app).await,
        Command::Verify(args) => verify::verify(&args, app),
        Command::Run(args) => run::run(&args, app),
        Command::CheckSecrets(args) => secrets::check(&args, app).await,
        Command::Secrets(args::Secrets::List(args)) => secrets::list(&args, app),
        Command::Policy(args) => policy::policy(&args, app),
        Command::Explain(args) => explain::explain(&args, app),
        Command::Config(args) => config::config(&args, app),
        Command::Doctor(args) => doctor::doctor(&args, app).await,
        Command::Demo(args) => demo::demo(&args, app),
    }
}
