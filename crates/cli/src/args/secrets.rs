//! The command line of the commands about secrets, as it is typed.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::Files;

/// Which manifest, for whom.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Subject {
    #[command(flatten)]
    pub(crate) files: Files,
    /// Judge this manifest by itself, whatever the lock says.
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,
    /// The profile; ENVLOCK_PROFILE, the manifest's default, or all if not given.
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CheckSecrets {
    #[command(flatten)]
    pub(crate) subject: Subject,
    /// Judge by the policy files in the repository; no server is asked.
    #[arg(long)]
    pub(crate) offline: bool,
    /// Whoever logs in may only look: rights are judged by the policies alone. With a name, that
    /// profile's login is used.
    #[arg(
        long,
        value_name = "PROFILE",
        num_args = 0..=1,
        require_equals = true,
        conflicts_with = "offline"
    )]
    #[expect(clippy::option_option, reason = "not given, given, given with a name")]
    pub(crate) as_verifier: Option<Option<String>>,
    /// The server that the policies are for; the manifest's if not given.
    #[arg(long, value_enum, value_name = "SERVER")]
    pub(crate) dialect: Option<Server>,
    /// Judge as of this date or time instead of now.
    #[arg(long, value_name = "DATE")]
    pub(crate) at: Option<String>,
    /// Warn of rules that end within so many days.
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub(crate) horizon: u32,
}

/// A server's way to read policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Server {
    /// OpenBao 2.6 and later.
    Openbao,
    /// Vault since mid-2026.
    Vault,
    /// Vault 1.15 to 1.20.
    VaultLegacy,
    /// All of them must agree.
    Portable,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Secrets {
    /// The needs as a table.
    List(Subject),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// The policy that gives a profile what it needs and nothing else, as HCL.
    Generate(Generate),
    /// What is wrong or doubtful with policy files.
    Lint(Lint),
    /// Which rule decides a request, and why.
    Explain(PolicyExplain),
    /// Run unit tests of policies.
    Test(PolicyTest),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Generate {
    #[command(flatten)]
    pub(crate) subject: Subject,
    /// Whom it is for.
    #[arg(long = "for", value_enum, default_value_t = Audience::Job)]
    pub(crate) audience: Audience,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Audience {
    /// The job, which reads the secrets.
    Job,
    /// A verifier, which sees that they are there and never a value.
    Verifier,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Lint {
    /// Policy files, HCL or JSON.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct PolicyExplain {
    /// A policy file that the token has. May be given several times.
    #[arg(long, required = true, value_name = "FILE")]
    pub(crate) policy: Vec<PathBuf>,
    /// The path below /v1/, such as secret/data/app.
    #[arg(long, value_name = "PATH")]
    pub(crate) path: String,
    /// What is done: read, create, update, patch, delete, list, scan, …
    #[arg(long, value_name = "WHAT")]
    pub(crate) operation: String,
    /// The namespace header.
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(crate) namespace: String,
    /// The server that reads the policies.
    #[arg(long, value_enum, value_name = "SERVER", default_value_t = Server::Portable)]
    pub(crate) dialect: Server,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct PolicyTest {
    /// Files of cases, YAML or JSON.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Explain {
    /// The code, as a finding shows it; the list of all if not given.
    pub(crate) code: Option<String>,
}
