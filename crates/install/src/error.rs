//! The errors of an install. None of them changes the existing environment.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

pub(crate) use envlock_report::count;
use envlock_report::{AsFindings, Code, Exit, Finding};
use thiserror::Error;

use crate::trusted::Distrust;
use crate::untracked::Untracked;

/// Why a path can't be a prefix.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadPrefix {
    /// The path is relative, or has `.` or `..`.
    #[error("it isn't an absolute path without `.` and `..`")]
    NotPlain,
    /// The path is the root of a file system.
    #[error("it is the root of the file system")]
    Root,
    /// The path isn't Unicode.
    #[error("its name isn't Unicode")]
    NotUnicode,
    /// The path has a character that shebangs, shell scripts or `PATH` can't contain.
    #[error("it contains {0:?}, which isn't possible in shebangs, scripts or PATH")]
    Character(char),
    /// The path is a symbolic link.
    #[error("it is a symbolic link to `{}`", .0.display())]
    Symlink(PathBuf),
    /// The path is a file.
    #[error("it is a file")]
    File,
    /// The name is one that envlock uses for paths next to a prefix.
    #[error("names that contain `{0}` are reserved by envlock")]
    ReservedName(&'static str),
    /// The name is too long to add `~previous` and other suffixes to it.
    #[error("its name has {0} bytes, and file systems allow 255 with what envlock adds")]
    NameTooLong(usize),
    /// The path is longer than the space that a package's binaries have for it.
    #[error(
        "it is {length} bytes long, and `{path}` of {package} has room for {room}",
        path = .path.display()
    )]
    TooLongForBinary {
        /// The package as `name-version-build`.
        package: String,
        /// Its binary file.
        path: PathBuf,
        /// The prefix, in bytes.
        length: usize,
        /// The maximum number of bytes that fit.
        room: usize,
    },
}

/// What is wrong with one path or entry point of a package.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PathFault {
    /// An absolute path.
    #[error("is an absolute path")]
    Absolute,
    /// A path with `..` in it.
    #[error("leads out of its directory with `..`")]
    ParentDir,
    /// A path that no prefix can have.
    #[error("isn't a path of a file")]
    InvalidPath,
    /// Into `conda-meta/`, where only installers write.
    #[error("is in `conda-meta/`, where only installers write")]
    CondaMeta,
    /// Read through a link that leads out of the package.
    #[error("is read through a link that leads out of the package")]
    SourceOutsidePackage,
    /// Neither a file nor a directory nor a symbolic link.
    #[error("is neither a file nor a directory nor a symbolic link")]
    SpecialFile,
    /// A symbolic link whose target is outside of the prefix.
    #[error("is a symbolic link that leads out of the prefix, to `{}`", .0.display())]
    LinkOutsidePrefix(PathBuf),
    /// A path below another package's file or symbolic link.
    #[error("would be written through `{}`, which is a file or link of {owner}", .through.display())]
    BelowFile {
        /// The file or link in between.
        through: PathBuf,
        /// The package that contains it.
        owner: String,
    },
    /// A path that is a directory here and a file there.
    #[error("is a directory here and a file of {0}")]
    FileAndDirectory(String),
    /// A command that isn't a plain name, or a function that isn't `module:function`.
    #[error("isn't an entry point `command = module:function` with a plain command name")]
    EntryPoint,
}

/// Why an install failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The path can't be a prefix.
    #[error("`{}` can't be used for an environment: {why}", .prefix.display())]
    BadPrefix {
        /// The path.
        prefix: PathBuf,
        /// Why not.
        why: BadPrefix,
    },
    /// The prefix is a directory with files and no environment. It is never replaced.
    #[error("`{}` has files and isn't an environment", .0.display())]
    NotAnEnvironment(PathBuf),
    /// `NAME~previous` is a directory with files and no environment.
    #[error(
        "the environment that is there now would be kept as `{}`, which has files and isn't an environment",
        .0.display()
    )]
    PreviousTaken(PathBuf),
    /// envlock would use a path next to the prefix that it hasn't made.
    #[error("`{}` isn't used: {why}", .path.display())]
    Untrusted {
        /// The path.
        path: PathBuf,
        /// Why not.
        why: Distrust,
    },
    /// The environment was made by conda, mamba or another tool.
    #[error("`{}` is an environment that another tool made", .0.display())]
    MadeByOtherTool(PathBuf),
    /// The prefix has files and packages that the last install didn't create.
    #[error("`{}` has {} that the lock doesn't have", .prefix.display(), .untracked.summary())]
    UntrackedContents {
        /// The prefix.
        prefix: PathBuf,
        /// These files and packages.
        untracked: Untracked,
    },
    /// A record in `conda-meta` can't be read.
    #[error("`{}` can't be read as a package's record: {source}", .path.display())]
    UnreadableRecord {
        /// The record's file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A package would write where it must not.
    #[error("{package} is refused: `{path}` {fault}")]
    UnsafePackage {
        /// The package as `name-version-build`.
        package: String,
        /// The path or entry point, as the package has it.
        path: String,
        /// What is wrong with it.
        fault: PathFault,
    },
    /// An unpacked package isn't what it should be.
    #[error("{package} in the package cache is damaged: {source}")]
    DamagedPackage {
        /// The package as `name-version-build`.
        package: String,
        /// Its directory.
        dir: PathBuf,
        /// The cause, with the path.
        source: io::Error,
    },
    /// A package directory contains another package.
    #[error("`{}` in the package cache contains {found}, not {expected}", .dir.display())]
    OtherPackage {
        /// The directory.
        dir: PathBuf,
        /// The expected package.
        expected: String,
        /// The package in the directory.
        found: String,
    },
    /// A package needs Python's version, and the set has no Python.
    #[error("{0} is a Python package for any version, and the environment has no python")]
    NoPython(String),
    /// A package couldn't be linked.
    #[error("{package} can't be linked: {}", file_and_cause(.source))]
    Link {
        /// The package as `name-version-build`.
        package: String,
        /// The cause.
        source: rattler::install::InstallError,
    },
    /// A post-link script failed; the old environment is back in place.
    #[error("the post-link script of {package} failed ({status})")]
    PostLinkScript {
        /// The package's name.
        package: String,
        /// How it ended.
        status: String,
        /// The end of its output.
        output: String,
    },
    /// An input or output error.
    #[error("can't {action}: {}", path_and_cause(.source))]
    Io {
        /// What was tried.
        action: &'static str,
        /// The cause, with the path.
        source: io::Error,
    },
    /// The caller cancelled the install.
    #[error("the install was cancelled")]
    Cancelled,
}

/// Adds to an IO error what was attempted.
pub(crate) trait IoContext<T> {
    fn while_doing(self, action: &'static str) -> Result<T, InstallError>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn while_doing(self, action: &'static str) -> Result<T, InstallError> {
        self.map_err(|source| InstallError::Io { action, source })
    }
}

/// Returns the package's file, if it is known, and the operating system's message.
fn file_and_cause(error: &rattler::install::InstallError) -> String {
    let mut last: &dyn Error = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    match error {
        rattler::install::InstallError::FailedToLink(path, _) => {
            format!("`{}`: {last}", path.display())
        }
        _ => last.to_string(),
    }
}

/// Returns the paths and the operating system's message, without the name of the failed function.
fn path_and_cause(error: &io::Error) -> String {
    let text = error.to_string();
    let Some((paths, cause)) = text.rsplit_once("`: ") else { return text };
    let paths: Vec<_> = paths.split('`').skip(1).step_by(2).map(|p| format!("`{p}`")).collect();
    format!("{}: {cause}", paths.join(" to "))
}

/// Returns the operating system's error at the end of a chain.
fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    let mut next = Some(error);
    let mut kind = None;
    while let Some(cause) = next {
        kind = cause.downcast_ref::<io::Error>().map(io::Error::kind).or(kind);
        next = cause.source();
    }
    kind
}

impl InstallError {
    fn code(&self) -> Code {
        match self {
            Self::BadPrefix { .. } => Code::BadPrefix,
            Self::NotAnEnvironment(_) => Code::NotAnEnvironment,
            Self::PreviousTaken(_) => Code::PreviousNotAnEnvironment,
            Self::Untrusted { .. } => Code::UntrustedPath,
            Self::MadeByOtherTool(_) => Code::OtherToolsEnvironment,
            Self::UntrackedContents { .. } => Code::UntrackedFiles,
            Self::UnreadableRecord { .. } => Code::PrefixRecordDamaged,
            Self::UnsafePackage { .. } => Code::HostilePackage,
            Self::DamagedPackage { .. } => Code::DamagedPackage,
            Self::OtherPackage { .. } => Code::WrongPackage,
            Self::NoPython(_) => Code::NoPython,
            Self::Link { source, .. } if io_kind(source).is_some_and(is_full) => Code::DiskFull,
            Self::Link { .. } => Code::LinkFailed,
            Self::PostLinkScript { .. } => Code::PostLinkFailed,
            Self::Io { source, .. } if is_full(source.kind()) => Code::DiskFull,
            Self::Io { .. } => Code::PrefixIoError,
            Self::Cancelled => Code::Interrupted,
        }
    }

    fn help(&self) -> Option<String> {
        let kept = "keeps the environment that is there as";
        Some(match self {
            Self::BadPrefix { why: BadPrefix::Symlink(target), .. } => {
                format!("name the directory itself: `-p {}`", target.display())
            }
            Self::BadPrefix { why: BadPrefix::TooLongForBinary { .. }, .. } => {
                "choose a shorter path with `-p`".into()
            }
            Self::BadPrefix { .. } | Self::NotAnEnvironment(_) => {
                "choose another path with `-p`".into()
            }
            Self::PreviousTaken(path) => format!("move `{}` away", path.display()),
            Self::Untrusted { path, .. } => {
                format!("look where `{}` is from, and remove it", path.display())
            }
            Self::MadeByOtherTool(prefix) | Self::UntrackedContents { prefix, .. } => {
                format!("`--replace` builds anew and {kept} `{}~previous`", prefix.display())
            }
            Self::UnreadableRecord { path, .. } => {
                format!("remove `{}`, or build anew with `--replace`", path.display())
            }
            Self::UnsafePackage { .. } => {
                "don't install this package; report it to the channel that serves it".into()
            }
            Self::DamagedPackage { dir, .. } | Self::OtherPackage { dir, .. } => {
                format!("remove `{}` and install again", dir.display())
            }
            Self::NoPython(_) => "add `python` to environment.yml and solve again".into(),
            Self::PostLinkScript { .. } => {
                "install without `--link-scripts`, or without that package".into()
            }
            Self::Link { source, .. } => return disk_help(io_kind(source)?),
            Self::Io { source, .. } => return disk_help(io_kind(source)?),
            Self::Cancelled => return None,
        })
    }

    fn with_notes(&self, finding: Finding) -> Finding {
        match self {
            Self::UntrackedContents { untracked, .. } => untracked.name_in(finding),
            Self::PostLinkScript { output, .. } if !output.is_empty() => finding
                .with_note(format!("its output:\n{output}"))
                .with_note("the environment that was there before is back in place"),
            Self::NotAnEnvironment(_) => {
                finding.with_note("such a directory is never replaced, not even with `--replace`")
            }
            _ => finding,
        }
    }
}

/// Whether an error means that the disk or the quota is full.
fn is_full(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Returns the help for an IO error.
fn disk_help(kind: io::ErrorKind) -> Option<String> {
    match kind {
        kind if is_full(kind) => {
            Some("free some space and install again; the environment is as it was".into())
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Some("choose a path that you may write to with `-p`".into())
        }
        io::ErrorKind::CrossesDevices | io::ErrorKind::ResourceBusy => Some(
            "the environment is a mount point or is in a lower layer of a container image: \
             choose another directory with `-p`, or remove it first"
                .into(),
        ),
        _ => None,
    }
}

impl AsFindings for InstallError {
    fn findings(&self) -> Vec<Finding> {
        let mut finding = self.with_notes(Finding::new(self.code(), self.to_string()));
        finding.help = self.help();
        vec![finding]
    }

    fn exit(&self) -> Exit {
        match self {
            Self::BadPrefix { .. }
            | Self::NotAnEnvironment(_)
            | Self::PreviousTaken(_)
            | Self::Untrusted { .. } => Exit::Usage,
            Self::MadeByOtherTool(_)
            | Self::UntrackedContents { .. }
            | Self::UnsafePackage { .. }
            | Self::NoPython(_)
            | Self::PostLinkScript { .. } => Exit::Findings,
            Self::UnreadableRecord { .. }
            | Self::DamagedPackage { .. }
            | Self::OtherPackage { .. }
            | Self::Link { .. }
            | Self::Io { .. }
            | Self::Cancelled => Exit::Undetermined,
        }
    }
}

/// Creates the error for an unsafe path of a package.
pub(crate) fn unsafe_package(package: &str, path: &Path, fault: PathFault) -> InstallError {
    InstallError::UnsafePackage {
        package: package.to_owned(),
        path: path.display().to_string(),
        fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_has_the_code_that_it_has_for_the_cache() {
        for (kind, code) in [
            (io::ErrorKind::StorageFull, "disk-full"),
            (io::ErrorKind::QuotaExceeded, "disk-full"),
            (io::ErrorKind::PermissionDenied, "prefix-io-error"),
        ] {
            let error = InstallError::Io { action: "write", source: kind.into() };
            assert_eq!(error.findings()[0].code, code);
            assert_eq!(error.exit(), Exit::Undetermined);
            let rattlers = rattler::install::InstallError::FailedToCreateDirectory;
            let source = rattlers("bin".into(), kind.into());
            let error = InstallError::Link { package: "a-1-0".into(), source };
            let code = if code == "disk-full" { code } else { "link-failed" };
            assert_eq!(error.findings()[0].code, code);
        }
    }

    #[test]
    fn a_disk_error_has_its_path_and_no_function_name() {
        let source = fs_err::symlink_metadata("/no/such/环境").unwrap_err();
        let error = InstallError::Io { action: "look at the prefix", source };
        assert_eq!(
            error.to_string(),
            "can't look at the prefix: `/no/such/环境`: No such file or directory (os error 2)"
        );
        let source = fs_err::rename("/no/a", "/no/b").unwrap_err();
        let text = InstallError::Io { action: "x", source }.to_string();
        assert!(text.starts_with("can't x: `/no/a` to `/no/b`: No such"), "{text}");
        let source = io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(
            InstallError::Io { action: "x", source }.to_string(),
            "can't x: no storage space"
        );
    }
}
