//! The command line as it is typed.

mod provide;
mod secrets;

use std::path::PathBuf;

use clap::{Args as ClapArgs, CommandFactory as _, Parser, Subcommand, ValueEnum};

pub(crate) use provide::{Bundle, Fetch};
pub(crate) use secrets::{
    Audience, CheckSecrets, Explain, Generate, Lint, Policy, PolicyExplain, PolicyTest, Secrets,
    Server, Subject,
};

/// environment.yml to one pinned lock to a prefix.
#[derive(Debug, Parser)]
#[command(name = "envlock", version, max_term_width = 80, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 yes, 1 findings, 2 usage or bad input, 3 could not find out,\n\
4 login refused, 5 stale lock, 6 no solution; `run` becomes its command."
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) talk: Talk,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Args {
    /// Reads the command line. A format for findings is refused where the command has none.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        let args = Self::try_parse()?;
        let finds =
            matches!(args.command, Command::CheckSecrets(_) | Command::Policy(Policy::Lint(_)));
        if !finds && !matches!(args.talk.format, Format::Human | Format::Json) {
            let message = "this command has no findings: use `--format human` or `json`";
            return Err(Self::command().error(clap::error::ErrorKind::ArgumentConflict, message));
        }
        Ok(args)
    }
}

/// How the program talks.
#[derive(Debug, ClapArgs)]
pub(crate) struct Talk {
    /// What standard output holds.
    #[arg(long, value_enum, default_value_t = Format::Human, global = true)]
    pub(crate) format: Format,
    /// When to colour; it only repeats what the words say.
    #[arg(long, value_enum, default_value_t = Colour::Auto, global = true)]
    pub(crate) color: Colour,
    /// No progress and no notes; warnings and errors stay.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for a person.
    Human,
    /// One JSON document, described by `schemas/`.
    Json,
    /// SARIF 2.1.0, for findings alone: check-secrets and policy lint.
    Sarif,
    /// Annotations of GitHub's workflows, for findings alone.
    Github,
    /// GitLab's code quality report, for findings alone.
    Gitlab,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Turn environment.yml into envlock.lock.
    Solve(Solve),
    /// Turn envlock.lock into a prefix.
    Install(Install),
    /// Fill the cache with what envlock.lock needs.
    Fetch(Fetch),
    /// Write what envlock.lock needs as a channel, with the lock in it.
    Bundle(Bundle),
    /// Compare every file of a prefix with its package's record.
    Verify(Verify),
    /// Run a command in an environment.
    Run(Run),
    /// Prove that a job gets the secrets that it needs, and nothing more.
    CheckSecrets(CheckSecrets),
    /// The secrets manifest.
    #[command(subcommand)]
    Secrets(Secrets),
    /// Policies of Vault and OpenBao.
    #[command(subcommand)]
    Policy(Policy),
    /// What a code means and what to do about it.
    Explain(Explain),
    /// Print the configuration in force, and who set each value of it.
    Config(Surroundings),
    /// Try what is configured: sources, cache, links, clock, proxies and trust.
    Doctor(Surroundings),
    /// The whole way on a small project of its own, made on the spot.
    Demo(Demo),
}

impl Command {
    /// Whether it has something to put in order before Ctrl-C ends it: a login to end.
    pub(crate) fn ends_itself(&self) -> bool {
        matches!(self, Self::CheckSecrets(args) if !args.offline)
    }
}

/// Where packages come from.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct Network {
    /// Ask this source first for what an origin has: PREFIX=URL, or a known mirror's
    /// name: `aliyun`, `bfsu`, `nju`, `pku`, `sjtug`, `tuna`, `ustc`, `zju`.
    ///
    /// May be given several times: sources are tried in this order, then the origin. The
    /// lock names the origin whatever served it.
    #[arg(long, value_name = "PREFIX=URL")]
    pub(crate) mirror: Vec<String>,
    /// Ask the mirrors alone, never the origin.
    #[arg(long)]
    pub(crate) no_origin: bool,
    /// Use what the cache has; ask nobody.
    #[arg(long)]
    pub(crate) offline: bool,
}

/// What a command looks at that asks about the surroundings themselves.
#[derive(Debug, ClapArgs)]
pub(crate) struct Surroundings {
    #[command(flatten)]
    pub(crate) files: Files,
    #[command(flatten)]
    pub(crate) network: Network,
}

/// The two files of a project.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Files {
    /// The environment file; several together are one environment.
    #[arg(short, long, value_name = "FILE", default_value = envlock_pipeline::ENVIRONMENT_FILE)]
    pub(crate) file: Vec<PathBuf>,
    /// The lock; envlock.lock beside the first environment file if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) lock: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Solve {
    #[command(flatten)]
    pub(crate) files: Files,
    /// Solve for this platform, such as linux-64 or osx-arm64. May be given several times.
    #[arg(long, value_name = "PLATFORM")]
    pub(crate) platform: Vec<String>,
    /// What the machine is assumed to have: `__cuda=12.2`, `__cuda=` for none, `host` for
    /// what this one has, `default` for the fixed assumptions.
    #[arg(long, value_name = "NAME=VERSION")]
    pub(crate) virtual_package: Vec<String>,
    /// Move this package to the newest that fits, and of the others what it must. May be
    /// given several times.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["check", "upgrade"])]
    pub(crate) update: Vec<String>,
    /// Move every package to the newest that fits.
    #[arg(long, conflicts_with = "check")]
    pub(crate) upgrade: bool,
    /// What the order of the channels decides; kept in the lock.
    #[arg(long, value_enum, value_name = "HOW")]
    pub(crate) channel_priority: Option<Priority>,
    /// Leave out what was built after this date or time, such as 2026-06-30, and whatever
    /// doesn't say when it was built; kept in the lock until `never` is said.
    #[arg(long, value_name = "DATE")]
    pub(crate) exclude_newer: Option<String>,
    /// Say what would change and write nothing.
    #[arg(long, conflicts_with = "check")]
    pub(crate) dry_run: bool,
    /// Only ask whether the lock still answers environment.yml: no network, no solve.
    #[arg(long)]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) network: Network,
}

/// What the order of the channels decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Priority {
    /// The first channel that has a package is the only one for it.
    Strict,
    /// A later channel serves where no earlier one has a record that fits.
    Flexible,
    /// The newest wins, whichever channel has it.
    Disabled,
}

impl From<Priority> for envlock_model::question::Priority {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::Strict => Self::Strict,
            Priority::Flexible => Self::Flexible,
            Priority::Disabled => Self::Disabled,
        }
    }
}

/// Which environment.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Where {
    /// The prefix by its path.
    #[arg(short, long, value_name = "PREFIX", conflicts_with = "name")]
    pub(crate) prefix: Option<PathBuf>,
    /// The prefix by its name in conda's folder of environments.
    #[arg(short, long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Install {
    #[command(flatten)]
    pub(crate) files: Files,
    #[command(flatten)]
    pub(crate) at: Where,
    /// Take the lock as it is, even if environment.yml asks for something else by now.
    #[arg(long)]
    pub(crate) frozen: bool,
    /// Must be this machine's; for scripts that want to be sure.
    #[arg(long, value_name = "PLATFORM")]
    pub(crate) platform: Option<String>,
    /// Build anew over files that no package brought; the prefix that was there is kept as
    /// NAME~previous.
    #[arg(long)]
    pub(crate) replace: bool,
    /// Install the conda packages of a lock that leaves its pip section out.
    #[arg(long)]
    pub(crate) without_pip: bool,
    /// Run the packages' post-link scripts.
    #[arg(long)]
    pub(crate) link_scripts: bool,
    /// Say what would change and touch nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) network: Network,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) files: Files,
    #[command(flatten)]
    pub(crate) at: Where,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) files: Files,
    #[command(flatten)]
    pub(crate) at: Where,
    /// The command and its arguments.
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "CMD"
    )]
    pub(crate) command: Vec<std::ffi::OsString>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Demo {
    /// Where the project is written.
    #[arg(long, value_name = "FOLDER", default_value = "envlock-demo")]
    pub(crate) folder: PathBuf,
}
