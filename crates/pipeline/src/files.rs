//! Reads and writes the files of a project: reads within size limits, writes atomically.

use std::{
    io::{self, Read as _, Write as _},
    path::{Component, Path, PathBuf},
};

use envlock_model::{
    lock::{self, LockError},
    name::InvalidName,
    spec,
};
use envlock_report::{AsFindings, Code, Exit, Finding, Place, format_size};
use envlock_secrets::manifest::ManifestError;
use envlock_text::limits::{ENVIRONMENT, LOCK, Limits, REQUIREMENTS};

use crate::{ENVIRONMENT_FILE, project::MANIFEST_FILE};

/// Why a file of a project can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is no such file.
    #[error("{} doesn't exist", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// What to do.
        help: String,
    },
    /// It can't be read.
    #[error("{} can't be read: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// The path is a folder.
    #[error("{} is a folder, not a file", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// A file in it that was probably meant.
        meant: Option<PathBuf>,
    },
    /// The path is a device or a pipe, which may never end.
    #[error("{} is not a file", .0.display())]
    NotAFile(PathBuf),
    /// The file is larger than the limit of its kind.
    #[error("{} has more than {}", path.display(), format_size(*max_bytes))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        max_bytes: u64,
    },
    /// It can't be written.
    #[error("{} can't be written: {error}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// The environment's name in the lock can't be the name of a directory.
    #[error("{invalid}: change it in {file}")]
    Name {
        /// What is wrong with the name.
        invalid: InvalidName,
        /// The lock.
        file: String,
    },
    /// The folder of the default prefixes is a symbolic link to a folder outside of the project.
    #[error("{} is a symbolic link that leads out of the project", .0.display())]
    PrefixFolderElsewhere(PathBuf),
    /// Two manifests for one environment.
    #[error("both {own} and {environment} have a secrets manifest")]
    TwoManifests {
        /// The manifest's own file.
        own: String,
        /// The environment file with `secrets:`.
        environment: String,
    },
    /// The manifest is wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The text can't be decoded.
    #[error(transparent)]
    Text(#[from] envlock_text::ReadError),
    /// environment.yml is wrong.
    #[error(transparent)]
    Environment(#[from] spec::InvalidEnvironment),
    /// The lock is wrong.
    #[error(transparent)]
    Lock(#[from] LockError),
}

impl AsFindings for FileError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Missing { help, .. } => {
                vec![Finding::new(Code::NoSuchFile, self.to_string()).with_help(help)]
            }
            Self::Unreadable { .. } => {
                vec![Finding::new(Code::InputUnreadable, self.to_string())]
            }
            Self::Folder { meant, .. } => {
                let help = meant.as_ref().map_or_else(
                    || "name a file instead".to_owned(),
                    |file| format!("name the file in it: {}", file.display()),
                );
                vec![Finding::new(Code::NotAFile, self.to_string()).with_help(help)]
            }
            Self::NotAFile(_) => vec![
                Finding::new(Code::NotAFile, self.to_string())
                    .with_help("write its content into a file, and name that file"),
            ],
            Self::TooLarge { .. } => vec![
                Finding::new(Code::FileTooLarge, self.to_string())
                    .with_help("check that it is the right file; nothing of it was read"),
            ],
            Self::Unwritable { .. } => vec![
                Finding::new(Code::OutputUnwritable, self.to_string())
                    .with_note("nothing was written; an existing file is unchanged"),
            ],
            Self::Name { .. } => vec![
                Finding::new(Code::EnvironmentNameInvalid, self.to_string())
                    .with_help("change `name:` and solve again, or name a prefix with `-p PREFIX`"),
            ],
            Self::PrefixFolderElsewhere(_) => vec![
                Finding::new(Code::BadPrefix, self.to_string())
                    .with_help("remove it, or name a prefix with `-p PREFIX`"),
            ],
            Self::TwoManifests { own, .. } => vec![
                Finding::new(Code::TwoManifests, self.to_string())
                    .at(Place::new(own.as_str(), 1, 1))
                    .with_help("keep one: move the needs of one into the other"),
            ],
            Self::Manifest(error) => error.findings(),
            Self::Text(error) => error.findings(),
            Self::Environment(error) => error.findings(),
            Self::Lock(error) => error.findings(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Missing { .. }
            | Self::Folder { .. }
            | Self::NotAFile(_)
            | Self::TooLarge { .. }
            | Self::Name { .. }
            | Self::PrefixFolderElsewhere(_)
            | Self::TwoManifests { .. } => Exit::Usage,
            Self::Unreadable { .. } | Self::Unwritable { .. } => Exit::Undetermined,
            Self::Manifest(error) => error.exit(),
            Self::Text(error) => error.exit(),
            Self::Environment(error) => error.exit(),
            Self::Lock(error) => error.exit(),
        }
    }
}

/// Returns the error of a missing environment file. Its help suggests another file.
pub(crate) fn missing_environment(path: &Path) -> FileError {
    FileError::Missing {
        path: path.to_owned(),
        help: other_environment(path).map_or_else(
            || "run envlock where environment.yml is, or name the file with `-f FILE`".to_owned(),
            |other| format!("there is {other}: use it with `-f {other}`"),
        ),
    }
}

/// Returns the error of a missing lock.
pub(crate) fn missing_lock(path: &Path) -> FileError {
    FileError::Missing { path: path.to_owned(), help: "make it with `envlock solve`".to_owned() }
}

/// Reads a lock's text; `None` if there is no file.
pub(crate) fn lock_text(path: &Path) -> Result<Option<String>, FileError> {
    read(path, LOCK, envlock_text::decode, &[lock::FILE_NAME])
}

/// Reads the text of an environment, a manifest or policy tests; `None` if there is no file.
pub(crate) fn read_text(path: &Path) -> Result<Option<String>, FileError> {
    read(path, ENVIRONMENT, envlock_text::decode, &[ENVIRONMENT_FILE, MANIFEST_FILE])
}

/// Reads the text of a requirements file of pip; `None` if there is no file.
pub(crate) fn requirements_text(path: &Path) -> Result<Option<String>, FileError> {
    read(path, REQUIREMENTS, envlock_text::decode, &["requirements.txt"])
}

/// Reads the text of a policy, as it is uploaded to a server; `None` if there is no file.
pub(crate) fn policy_text(path: &Path) -> Result<Option<String>, FileError> {
    read(path, ENVIRONMENT, envlock_text::decode_raw, &[])
}

fn read(
    path: &Path,
    limits: Limits,
    decode: fn(&str, Vec<u8>) -> Result<String, envlock_text::ReadError>,
    usual_names: &[&str],
) -> Result<Option<String>, FileError> {
    if path.is_dir() {
        let meant = usual_names.iter().map(|name| path.join(name)).find(|file| file.is_file());
        return Err(FileError::Folder { path: path.to_owned(), meant });
    }
    let Some(bytes) = read_bounded(limits.bytes as u64, path)? else { return Ok(None) };
    Ok(Some(decode(&display_path(path), bytes)?))
}

/// Reads a file up to a size limit. A device or a pipe isn't opened.
fn read_bounded(max_bytes: u64, path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    let unreadable = |error| FileError::Unreadable { path: path.to_owned(), error };
    let too_large = || FileError::TooLarge { path: path.to_owned(), max_bytes };
    let size = match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err(FileError::NotAFile(path.to_owned())),
        Ok(found) => found.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    if size > max_bytes {
        return Err(too_large());
    }
    // The file may grow meanwhile, and some system files report a size of 0.
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let read = file.take(max_bytes + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if read as u64 > max_bytes { Err(too_large()) } else { Ok(Some(bytes)) }
}

/// Writes a file atomically, through a temporary file and a rename.
pub(crate) fn write_atomically(path: &Path, text: &str) -> Result<(), FileError> {
    let unwritable = |error: io::Error| FileError::Unwritable {
        path: path.to_owned(),
        error: without_path(&error),
    };
    // If the path is a symlink, its target is replaced.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".envlock-")
        .permissions(permissions(&target))
        .tempfile_in(folder)
        .map_err(unwritable)?;
    file.write_all(text.as_bytes()).map_err(unwritable)?;
    file.as_file().sync_all().map_err(unwritable)?;
    file.persist(&target).map_err(|error| unwritable(error.error))?;
    Ok(())
}

/// Returns the system's error without the name of the temporary file.
fn without_path(error: &io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(error.kind(), "its folder doesn't exist"),
        kind => kind.into(),
    }
}

/// Returns the permissions of the replaced file; else `rw-rw-rw-`, to which the umask applies.
fn permissions(path: &Path) -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path)
        .map_or_else(|_| std::fs::Permissions::from_mode(0o666), |metadata| metadata.permissions())
}

/// Creates the folder of the default prefixes with a `.gitignore`, so that `git add` doesn't add
/// the prefixes. An existing `.gitignore` is kept. A failure is no error: the install that follows
/// reports a folder that can't be written.
pub(crate) fn ignore_in_git(folder: &Path) {
    let created = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::File::create_new(folder.join(".gitignore")));
    if let Ok(mut file) = created {
        let _ = file.write_all(b"# Made by envlock: prefixes don't belong in a repository.\n*\n");
    }
}

/// Formats a path for messages.
pub(crate) fn display_path(path: &Path) -> String {
    without_dot(path).display().to_string()
}

/// Returns the path without a leading `./`.
pub(crate) fn without_dot(path: &Path) -> &Path {
    path.strip_prefix("./").unwrap_or(path)
}

/// Returns the path of a folder relative to another one; both are absolute.
pub(crate) fn relative(folder: &Path, base: &Path) -> PathBuf {
    let common = folder.components().zip(base.components()).take_while(|(a, b)| a == b).count();
    let up = base.components().skip(common).map(|_| Component::ParentDir);
    up.chain(folder.components().skip(common)).collect()
}

/// Returns the folder of a file, as an absolute path.
pub(crate) fn absolute_parent(file: &Path) -> PathBuf {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    file.parent().map_or_else(|| PathBuf::from("/"), Path::to_owned)
}

/// Finds an environment file with another usual name in the same folder.
fn other_environment(path: &Path) -> Option<String> {
    ["environment.yaml", "environment.yml", "env.yml", "env.yaml"]
        .iter()
        .map(|name| path.with_file_name(name))
        .find(|other| other != path && other.is_file())
        .map(|other| display_path(&other))
}
