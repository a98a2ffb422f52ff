//! The command line as it is typed.

mod provide;
mod secrets;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use envlock_pipeline::ENVIRONMENT_FILE;
use envlock_report::sink::DenyTarget;

pub(crate) use provide::{Bundle, Fetch};
pub(crate) use secrets::{
    Audience, CheckSecrets, Explain, Generate, Lint, Policy, PolicyExplain, PolicyTest, Secrets,
    Server, Subject,
};

/// Lock an environment.yml, install it, and check the credentials that it needs.
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
    /// Reads the command line.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        Self::try_parse()
    }
}

/// How the program talks.
#[derive(Debug, ClapArgs)]
pub(crate) struct Talk {
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Human, global = true)]
    pub(crate) format: Format,
    /// When to use colour. Colour never carries information alone.
    #[arg(long, value_enum, default_value_t = Colour::Auto, global = true)]
    pub(crate) color: Colour,
    /// Print no progress, no notes and no next commands; warnings and errors stay.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Count `warnings`, or findings with this code, as errors. May be given several times.
    #[arg(long, value_name = "WHAT", global = true)]
    pub(crate) deny: Vec<DenyTarget>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for a person.
    Human,
    /// One JSON document, described by `schemas/`.
    Json,
    /// The findings as SARIF 2.1.0.
    Sarif,
    /// The findings as annotations of GitHub's workflows.
    Github,
    /// The findings as GitLab's code quality report.
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
    /// Solve environment.yml and write envlock.lock.
    Solve(Solve),
    /// Install envlock.lock into a prefix.
    Install(Install),
    /// Download the packages of envlock.lock into the cache.
    Fetch(Fetch),
    /// Write the packages of envlock.lock as a channel, with the lock in it.
    Bundle(Bundle),
    /// Compare every file of a prefix with its package's record.
    Verify(Verify),
    /// Run a command in an environment.
    Run(Run),
    /// Check that a job gets the secrets that it needs, and nothing more.
    CheckSecrets(CheckSecrets),
    /// Show the secrets manifest.
    #[command(subcommand)]
    Secrets(Secrets),
    /// Generate, lint, explain and test policies of Vault and OpenBao.
    #[command(subcommand)]
    Policy(Policy),
    /// Explain the code of a finding and what to do about it.
    Explain(Explain),
    /// Print the configuration in force and the origin of each value.
    Config(CredentialSources),
    /// Test the configuration: sources, cache, links, clock, proxies and certificates.
    Doctor(CredentialSources),
    /// Create a small project and run the main commands in it.
    Demo(Demo),
}

impl Command {
    /// Whether it has something to put in order before Ctrl-C ends it: a login to end.
    pub(crate) fn ends_itself(&self) -> bool {
        matches!(self, Self::CheckSecrets(args) if !args.offline)
    }

    /// The name in JSON documents and of the schema.
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
            Self::Secrets(Secrets::List(_)) => "secrets list",
            Self::Policy(Policy::Generate(_)) => "policy generate",
            Self::Policy(Policy::Lint(_)) => "policy lint",
            Self::Policy(Policy::Explain(_)) => "policy explain",
            Self::Policy(Policy::Test(_)) => "policy test",
            Self::Explain(_) => "explain",
            Self::Config(_) => "config",
            Self::Doctor(_) => "doctor",
            Self::Demo(_) => "demo",
        }
    }

    /// The files of the project; the usual ones where the command names others, and none where
    /// it is about no project.
    pub(crate) fn files(&self) -> Option<Files> {
        Some(match self {
            Self::Explain(_) | Self::Demo(_) => return None,
            Self::Solve(args) => args.files.clone(),
            Self::Install(args) => args.files.clone(),
            Self::Fetch(args) => args.files.clone(),
            Self::Bundle(args) => args.wanted.files.clone(),
            Self::Verify(args) => args.files.clone(),
            Self::Run(args) => args.files.clone(),
            Self::CheckSecrets(args) => args.subject.files.clone(),
            Self::Secrets(Secrets::List(subject)) => subject.files.clone(),
            Self::Policy(Policy::Generate(args)) => args.subject.files.clone(),
            Self::Policy(_) => Files { file: Vec::new(), lock: None },
            Self::Config(args) | Self::Doctor(args) => args.files.clone(),
        })
    }

    /// The file that the command is about: services that need a place for every finding show
    /// it there.
    pub(crate) fn subject(&self) -> String {
        let first = |files: &[PathBuf]| files.first().cloned().unwrap_or_default();
        let lock = |files: &Files| files.lock_path();
        let manifest = |subject: &Subject| {
            let own = || subject.files.first().with_file_name("secrets.yml");
            subject.manifest.clone().unwrap_or_else(own)
        };
        let path = match self {
            Self::Solve(args) => args.files.first(),
            Self::Config(args) | Self::Doctor(args) => args.files.first(),
            Self::Install(args) => lock(&args.files),
            Self::Fetch(args) => lock(&args.files),
            Self::Bundle(args) => lock(&args.wanted.files),
            Self::Verify(args) => lock(&args.files),
            Self::Run(args) => lock(&args.files),
            Self::CheckSecrets(args) => manifest(&args.subject),
            Self::Secrets(Secrets::List(subject)) => manifest(subject),
            Self::Policy(Policy::Generate(args)) => manifest(&args.subject),
            Self::Policy(Policy::Lint(args)) => first(&args.files),
            Self::Policy(Policy::Explain(args)) => first(&args.policy),
            Self::Policy(Policy::Test(args)) => first(&args.files),
            Self::Explain(_) | Self::Demo(_) => ENVIRONMENT_FILE.into(),
        };
        path.display().to_string()
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
    /// Use only the mirrors, never the origin.
    #[arg(long)]
    pub(crate) no_origin: bool,
    /// Use only the cache; make no network request.
    #[arg(long)]
    pub(crate) offline: bool,
}

/// What a command looks at that asks about the surroundings themselves.
#[derive(Debug, ClapArgs)]
pub(crate) struct CredentialSources {
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

impl Files {
    /// The first environment file: the project's files are in its folder.
    fn first(&self) -> PathBuf {
        self.file.first().cloned().unwrap_or_else(|| ENVIRONMENT_FILE.into())
    }

    /// The lock: the given one, else the one in the folder of the first environment file.
    fn lock_path(&self) -> PathBuf {
        let own = || self.first().with_file_name(envlock_model::lock::FILE_NAME);
        self.lock.clone().unwrap_or_else(own)
    }
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
    /// Update this package to the newest version that fits, and others only where it requires
    /// that. May be given several times.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["check", "upgrade"])]
    pub(crate) update: Vec<String>,
    /// Update every package to the newest version that fits.
    #[arg(long, conflicts_with = "check")]
    pub(crate) upgrade: bool,
    /// What the order of the channels decides; kept in the lock.
    #[arg(long, value_enum, value_name = "HOW")]
    pub(crate) channel_priority: Option<Priority>,
    /// Leave out what was built after this date or time, such as 2026-06-30, and whatever
    /// doesn't say when it was built; kept in the lock until `never` is said.
    #[arg(long, value_name = "DATE")]
    pub(crate) exclude_newer: Option<String>,
    /// Show what would change; write nothing.
    #[arg(long, conflicts_with = "check")]
    pub(crate) dry_run: bool,
    /// Check whether the lock still matches environment.yml, without network or solve.
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

impl From<Priority> for envlock_model::lock_inputs::Priority {
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
    /// Show what would change; change nothing.
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
