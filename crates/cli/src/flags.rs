//! Groups of flags that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use envlock_pipeline::ENVIRONMENT_FILE;
use envlock_report::outcome::DenyTarget;
use envlock_secrets::manifest::TargetServers;

/// How results are printed.
#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// Print in this format.
    #[arg(long, value_enum, default_value_t = Format::Human, global = true)]
    pub(crate) format: Format,
    /// Colour the output; colour never carries information alone.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Colour::Auto, global = true)]
    pub(crate) color: Colour,
    /// Print no progress, no notes and no next commands, only results, warnings and errors.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Print long lists to their ends, such as the records of an index that are left out.
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Count `warnings`, or findings with this code, as errors. May be given several times.
    #[arg(long, value_name = "CODE", global = true)]
    pub(crate) deny: Vec<DenyTarget>,
}

/// The format of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for a person.
    Human,
    /// One JSON document, described by `schemas/`.
    Json,
    /// The findings as SARIF 2.1.0.
    Sarif,
    /// The findings as annotations of a GitHub workflow.
    Github,
    /// The findings as a GitLab code quality report.
    Gitlab,
}

/// When the output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    Auto,
    Always,
    Never,
}

/// The environment files and the lock of a project.
#[derive(Debug, Clone, Args)]
pub(crate) struct FileArgs {
    /// Read this environment file. Several files together are one environment.
    #[arg(short, long, value_name = "FILE", default_value = ENVIRONMENT_FILE)]
    pub(crate) file: Vec<PathBuf>,
    /// Use this lock instead of envlock.lock next to the first environment file.
    #[arg(long, value_name = "FILE")]
    pub(crate) lock: Option<PathBuf>,
}

impl FileArgs {
    /// Returns the first environment file, whose folder is the project's.
    pub(crate) fn first(&self) -> PathBuf {
        self.file.first().cloned().unwrap_or_else(|| ENVIRONMENT_FILE.into())
    }

    /// Returns the lock: the given one, else the one in the folder of the first environment file.
    pub(crate) fn lock_path(&self) -> PathBuf {
        let own = || self.first().with_file_name(envlock_model::lock::FILE_NAME);
        self.lock.clone().unwrap_or_else(own)
    }
}

/// The sources of packages.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct NetworkArgs {
    /// Request files below PREFIX from the mirror at URL first, or use a known mirror by its name:
    /// `aliyun`, `bfsu`, `nju`, `pku`, `sjtug`, `tuna`, `ustc`, `zju`.
    ///
    /// May be given several times: the mirrors are tried in this order, then the origin, which is
    /// the channel's own server. The lock names the origin, whichever source served a file.
    #[arg(long, value_name = "PREFIX=URL")]
    pub(crate) mirror: Vec<String>,
    /// Use only the mirrors, never the channel's own server.
    #[arg(long)]
    pub(crate) no_origin: bool,
    /// Use only the cache; make no network request.
    #[arg(long)]
    pub(crate) offline: bool,
}

/// A project and its network settings.
#[derive(Debug, Args)]
pub(crate) struct ProjectArgs {
    #[command(flatten)]
    pub(crate) files: FileArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

/// The prefix, by path or by name.
#[derive(Debug, Clone, Args)]
pub(crate) struct PrefixArgs {
    /// Use the prefix at this path.
    #[arg(short, long, value_name = "PREFIX", conflicts_with = "name")]
    pub(crate) prefix: Option<PathBuf>,
    /// Use the prefix with this name in conda's folder of environments.
    #[arg(short, long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

/// The secrets manifest and the profile.
#[derive(Debug, Clone, Args)]
pub(crate) struct ManifestArgs {
    #[command(flatten)]
    pub(crate) files: FileArgs,
    /// Use this manifest instead of the project's.
    ///
    /// `check-secrets` then doesn't compare it with the lock.
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,
    /// Use this profile instead of ENVLOCK_PROFILE or the manifest's default.
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

impl ManifestArgs {
    /// Returns the manifest: the given one, else secrets.yml in the folder of the first
    /// environment file.
    pub(crate) fn path(&self) -> PathBuf {
        let own = || self.files.first().with_file_name("secrets.yml");
        self.manifest.clone().unwrap_or_else(own)
    }
}

/// The dialect in which a server reads policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DialectArg {
    /// OpenBao 2.6 and later.
    Openbao,
    /// OpenBao 2.0 to 2.5.
    OpenbaoLegacy,
    /// Vault 2.0.3 and later.
    Vault,
    /// Vault 1.21 to 2.0.2.
    #[value(name = "vault-1.21")]
    Vault121,
    /// Vault 1.15 to 1.20.
    VaultLegacy,
    /// All of these dialects must agree.
    Portable,
}

impl From<DialectArg> for TargetServers {
    fn from(dialect: DialectArg) -> Self {
        match dialect {
            DialectArg::Openbao => Self::OpenBao,
            DialectArg::OpenbaoLegacy => Self::OpenBaoLegacy,
            DialectArg::Vault => Self::Vault,
            DialectArg::Vault121 => Self::Vault121,
            DialectArg::VaultLegacy => Self::VaultLegacy,
            DialectArg::Portable => Self::Portable,
        }
    }
}
