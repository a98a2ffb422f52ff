//! The command line: the output flags and the commands, each with its own arguments.

use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, Subcommand, error::ErrorKind};
use envlock_pipeline::ENVIRONMENT_FILE;

use crate::{
    commands::{
        BundleArgs, CheckSecretsArgs, DemoArgs, ExplainArgs, FetchArgs, InstallArgs, PolicyCommand,
        RunArgs, SecretsCommand, SolveArgs, VerifyArgs,
    },
    flags::{FileArgs, OutputArgs, ProjectArgs},
};

/// Lock an environment.yml, install it, and check the secrets that it needs.
#[derive(Debug, Parser)]
#[command(name = "envlock", version, max_term_width = 80, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 success, 1 findings, 2 usage or bad input,\n\
3 undetermined (network, disk or server), 4 login refused, 5 stale lock,\n\
6 no solution; `run` exits as its command does.")]
pub(crate) struct CommandLine {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl CommandLine {
    /// Reads the command line.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        let command_line = Self::try_parse()?;
        // clap compares only flags on the same side of the command's name.
        if command_line.output.quiet && command_line.output.verbose {
            let message = "the argument '--quiet' cannot be used with '--verbose'";
            return Err(Self::command().error(ErrorKind::ArgumentConflict, message));
        }
        Ok(command_line)
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Solve environment.yml and write envlock.lock.
    Solve(SolveArgs),
    /// Install envlock.lock into a prefix.
    Install(InstallArgs),
    /// Download the packages of envlock.lock into the cache.
    Fetch(FetchArgs),
    /// Write the packages of envlock.lock as a channel, with the lock in it.
    Bundle(BundleArgs),
    /// Compare every file of a prefix with its package's record.
    Verify(VerifyArgs),
    /// Run a command in an environment.
    Run(RunArgs),
    /// Check that a job gets the secrets that it needs, and nothing more.
    CheckSecrets(CheckSecretsArgs),
    /// Write a new secrets manifest, and list the needs.
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// Generate, lint, explain and test policies of Vault and OpenBao.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Explain the code of a finding and what to do about it.
    Explain(ExplainArgs),
    /// Print the effective configuration and where each value was set.
    Config(ProjectArgs),
    /// Check sources, cache, links, clock, proxies and certificates.
    Doctor(ProjectArgs),
    /// Create a small project and run the main commands in it.
    Demo(DemoArgs),
}

impl Command {
    /// Whether the command handles Ctrl-C itself, to revoke a login.
    pub(crate) fn handles_interrupt(&self) -> bool {
        matches!(self, Self::CheckSecrets(args) if !args.offline)
    }

    /// Returns the name in JSON documents and of the schema.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Solve(args) if args.check => "check",
            Self::Solve(_) => "solve",
            Self::Install(_) => "install",
            Self::Fetch(_) => "fetch",
            Self::Bundle(_) => "bundle",
            Self::Verify(_) => "verify",
            Self::Run(_) => "run",
            Self::CheckSecrets(_) => "check-secrets",
            Self::Secrets(SecretsCommand::Init(_)) => "secrets init",
            Self::Secrets(SecretsCommand::List(_)) => "secrets list",
            Self::Policy(PolicyCommand::Generate(_)) => "policy generate",
            Self::Policy(PolicyCommand::Lint(_)) => "policy lint",
            Self::Policy(PolicyCommand::Explain(_)) => "policy explain",
            Self::Policy(PolicyCommand::Test(_)) => "policy test",
            Self::Explain(_) => "explain",
            Self::Config(_) => "config",
            Self::Doctor(_) => "doctor",
            Self::Demo(_) => "demo",
        }
    }

    /// Returns the files of the project: the usual ones if the command names none, and `None` if
    /// the command has no project.
    pub(crate) fn files(&self) -> Option<FileArgs> {
        Some(match self {
            Self::Explain(_) | Self::Demo(_) => return None,
            Self::Solve(args) => args.files.clone(),
            Self::Install(args) => args.files.clone(),
            Self::Fetch(args) => args.files.clone(),
            Self::Bundle(args) => args.packages.files.clone(),
            Self::Verify(args) => args.files.clone(),
            Self::Run(args) => args.files.clone(),
            Self::CheckSecrets(args) => args.manifest.files.clone(),
            Self::Secrets(SecretsCommand::Init(args)) => args.files.clone(),
            Self::Secrets(SecretsCommand::List(args)) => args.files.clone(),
            Self::Policy(PolicyCommand::Generate(args)) => args.manifest.files.clone(),
            Self::Policy(_) => FileArgs { file: Vec::new(), lock: None },
            Self::Config(args) | Self::Doctor(args) => args.files.clone(),
        })
    }

    /// Returns the file that the command is about. Services that need a place for every finding
    /// show findings without a place there.
    pub(crate) fn subject_file(&self) -> String {
        let first = |files: &[PathBuf]| files.first().cloned().unwrap_or_default();
        let path = match self {
            Self::Solve(args) => args.files.first(),
            Self::Config(args) | Self::Doctor(args) => args.files.first(),
            Self::Install(args) => args.files.lock_path(),
            Self::Fetch(args) => args.files.lock_path(),
            Self::Bundle(args) => args.packages.files.lock_path(),
            Self::Verify(args) => args.files.lock_path(),
            Self::Run(args) => args.files.lock_path(),
            Self::CheckSecrets(args) => args.manifest.path(),
            Self::Secrets(SecretsCommand::Init(args)) => args.manifest(),
            Self::Secrets(SecretsCommand::List(args)) => args.path(),
            Self::Policy(PolicyCommand::Generate(args)) => args.manifest.path(),
            Self::Policy(PolicyCommand::Lint(args)) => first(&args.files),
            Self::Policy(PolicyCommand::Explain(args)) => first(&args.policy),
            Self::Policy(PolicyCommand::Test(args)) => first(&args.files),
            Self::Explain(_) | Self::Demo(_) => ENVIRONMENT_FILE.into(),
        };
        path.display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the help of a command and of its subcommands.
    fn check(command: &clap::Command, path: &str) {
        let is_sentence = |help: &clap::builder::StyledStr| {
            let text = help.to_string();
            let first = text.split_whitespace().next().unwrap_or_default().to_owned();
            // `Whether`, `Which` and the like describe a thing instead of an action.
            !first.starts_with("Wh")
                && first.chars().next().is_some_and(char::is_uppercase)
                && !["The", "A", "An", "How", "Only", "Must"].contains(&first.as_str())
        };
        assert!(command.get_about().is_some_and(is_sentence), "{path}");
        for argument in command.get_arguments() {
            let help = argument.get_help();
            assert!(help.is_some_and(is_sentence), "{path} {}: {help:?}", argument.get_id());
        }
        for subcommand in command.get_subcommands() {
            check(subcommand, &format!("{path} {}", subcommand.get_name()));
        }
    }

    #[test]
    fn every_command_and_every_flag_has_an_imperative_help() {
        let command = CommandLine::command();
        command.clone().debug_assert();
        check(&command, "envlock");
    }
}
