//! `secrets init`: writes the initial secrets.yml of a project, and least-privilege policies for it.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use envlock_report::{AsFindings, Code, Exit, Finding};
use envlock_secrets::init::{self, NeedShorthand, ProfileShorthand};
use envlock_secrets::manifest::ManifestError;

use crate::{FileError, Project, files};

/// The inputs of `secrets init`.
#[derive(Debug, Clone)]
pub struct SecretsInitOptions {
    /// The secrets.yml to write. The policies are written below its folder.
    pub manifest: PathBuf,
    /// The needs.
    pub needs: Vec<NeedShorthand>,
    /// The profiles.
    pub profiles: Vec<ProfileShorthand>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum SecretsInitError {
    /// A file of the project can't be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The needs or profiles don't fit together.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// No need is named, and nobody can be asked.
    #[error("no need is named")]
    NoNeeds,
    /// The file exists.
    #[error("{} exists, and nothing was written", .0.display())]
    Exists(PathBuf),
    /// environment.yml has a manifest already.
    #[error("{0} has a `secrets:` key already, and nothing was written")]
    HasManifest(String),
    /// A line of the terminal can't be read.
    #[error("the answer can't be read: {0}")]
    Answer(String),
}

impl AsFindings for SecretsInitError {
    fn findings(&self) -> Vec<Finding> {
        let finding = |code, help: &str| vec![Finding::new(code, self.to_string()).with_help(help)];
        match self {
            Self::File(error) => error.findings(),
            Self::Manifest(error) => error.findings(),
            Self::NoNeeds => finding(
                Code::Usage,
                "name them: `--need kv2:secret/db_creds:host,username,password --profile ci:jwt`",
            ),
            Self::Exists(_) => finding(
                Code::FileExists,
                "move the file away, or add to it by hand; `envlock policy generate` prints the \
                 policy of an existing manifest",
            ),
            Self::HasManifest(_) => finding(Code::FileExists, "add the need there"),
            Self::Answer(_) => finding(
                Code::Usage,
                "answer with the shown form, or use the flags `--need` and `--profile`",
            ),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            _ => Exit::Usage,
        }
    }
}

/// Writes the files, and returns their paths, the manifest first. An existing file is never
/// changed; if one exists, none is written.
///
/// # Errors
/// A file exists or can't be written, or the needs don't fit to their engines.
pub fn init(
    project: &Project,
    request: &SecretsInitOptions,
) -> Result<Vec<PathBuf>, SecretsInitError> {
    let SecretsInitOptions { manifest, needs, profiles } = request;
    if needs.is_empty() {
        return Err(SecretsInitError::NoNeeds);
    }
    if manifest.symlink_metadata().is_ok() {
        return Err(SecretsInitError::Exists(manifest.clone()));
    }
    if let Some(existing) = project.manifest()? {
        return Err(SecretsInitError::HasManifest(existing.file.clone()));
    }
    let written = init::initial_files(&files::display_path(manifest), needs, profiles)?;
    let folder = manifest.parent().unwrap_or(Path::new(""));
    let policies = written.policies.iter().map(|(file, text)| (folder.join(file), text));
    let all: Vec<_> =
        std::iter::once((manifest.clone(), &written.manifest)).chain(policies).collect();
    for (path, _) in &all {
        if path.symlink_metadata().is_ok() {
            return Err(SecretsInitError::Exists(path.clone()));
        }
    }
    // The manifest names the policies, so it is written last.
    for (path, text) in all.iter().rev() {
        write_new(path, text)?;
    }
    Ok(all.into_iter().map(|(path, _)| path).collect())
}

fn write_new(path: &Path, text: &str) -> Result<(), SecretsInitError> {
    let written = || {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::File::create_new(path)?.write_all(text.as_bytes())
    };
    written().map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => SecretsInitError::Exists(path.to_owned()),
        _ => FileError::Unwritable { path: path.to_owned(), error }.into(),
    })
}
