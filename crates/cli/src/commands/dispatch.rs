//! Runs the command that the command line names.

use envlock_report::Exit;

use super::{
    App, SecretsCommand, check_secrets, config, demo, doctor, explain, fetch, install, policy, run,
    secrets, solve, verify,
};
use crate::command_line::Command;

/// Runs one command to its end.
pub(crate) async fn run_command(command: Command, app: &App<'_>) -> Exit {
    match command {
        Command::Solve(args) if args.check => solve::check(&args, app),
        Command::Solve(args) => solve::solve(&args, app).await,
        Command::Install(args) => install::install(&args, app).await,
        Command::Fetch(args) => fetch::fetch(&args, app).await,
        Command::Bundle(args) => fetch::bundle(&args, app).await,
        Command::Verify(args) => verify::verify(&args, app),
        Command::Run(args) => run::run(&args, app),
        Command::CheckSecrets(args) => check_secrets::check(&args, app).await,
        Command::Secrets(SecretsCommand::Init(args)) => secrets::write(&args, app),
        Command::Secrets(SecretsCommand::List(args)) => secrets::list(&args, app),
        Command::Policy(command) => policy::policy(&command, app),
        Command::Explain(args) => explain::explain(&args, app),
        Command::Config(args) => config::config(&args, app),
        Command::Doctor(args) => doctor::doctor(&args, app).await,
        Command::Demo(args) => demo::demo(&args, app),
    }
}
