//! The project of a run: the paths of its files, and their contents, which are read once.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use envlock_config::{Configuration, PROJECT_FILE};
use envlock_model::{
    lock::{self, Inconsistency, Lock, LockError},
    name,
    pip::{IncludedFiles, Source, SourceError},
    spec::{self, Environment},
};
use envlock_report::{AsFindings as _, Place};
use envlock_secrets::manifest::{Manifest, ManifestLocation};
use envlock_text::{
    limits,
    tree::{self, Tree},
};

use crate::{FileError, files, spawn_blocking};

/// The default environment file of a project.
pub const ENVIRONMENT_FILE: &str = "environment.yml";

/// The file of the secrets manifest, in the folder of the environment file.
pub(crate) const MANIFEST_FILE: &str = "secrets.yml";

/// The folder of a project's default prefixes, in the folder of the lock.
const PREFIX_FOLDER: &str = ".envlock";

/// The files that the command line names.
#[derive(Debug, Clone, Default)]
pub struct ProjectFiles {
    /// `--file`: the environment files; environment.yml if empty.
    pub environments: Vec<PathBuf>,
    /// `--lock`; the default is envlock.lock in the folder of the first environment file.
    pub lock: Option<PathBuf>,
    /// `--manifest`: a secrets manifest to use instead of the project's.
    pub manifest: Option<PathBuf>,
}

/// A project: environment files, lock, secrets manifest and configuration.
///
/// Each file is read and parsed when it is first needed, and at most once. Clones share the
/// contents.
#[derive(Clone)]
pub struct Project(Arc<Contents>);

struct Contents {
    environments: Vec<EnvironmentFile>,
    folder: PathBuf,
    lock: PathBuf,
    manifest_override: Option<PathBuf>,
    configuration: Configuration,
    environment: OnceLock<Environment>,
    manifest: OnceLock<Option<ManifestFile>>,
    lock_text: OnceLock<Option<String>>,
    parsed_lock: OnceLock<ParsedLock>,
}

struct EnvironmentFile {
    path: PathBuf,
    content: OnceLock<Option<EnvironmentText>>,
}

/// The text of an environment file, and its tree. The conda half and the manifest in the file are
/// read from the same tree.
struct EnvironmentText {
    text: String,
    tree: Tree,
}

/// A lock that could be parsed.
struct ParsedLock {
    lock: Lock,
    /// Its contradictions. A lock with any is only used to choose which packages to keep.
    problems: Vec<(Place, Inconsistency)>,
}

/// A secrets manifest and the text of its file.
struct ManifestFile {
    manifest: Manifest,
    text: String,
}

impl ManifestFile {
    fn new(manifest: Manifest, text: &str) -> Self {
        Self { manifest, text: text.to_owned() }
    }
}

impl ProjectFiles {
    /// Returns the first environment file, whose folder is the project's.
    fn first(&self) -> &Path {
        self.environments.first().map_or(Path::new(ENVIRONMENT_FILE), PathBuf::as_path)
    }

    /// Returns the project's configuration file, in the folder of the first environment file.
    pub fn configuration(&self) -> PathBuf {
        files::without_dot(&self.first().with_file_name(PROJECT_FILE)).to_owned()
    }
}

impl Project {
    /// Creates the project with these files. Reads nothing.
    pub fn new(files: ProjectFiles, configuration: Configuration) -> Self {
        let folder = files::absolute_parent(files.first());
        let lock = files.lock.clone();
        let lock = lock.unwrap_or_else(|| files.first().with_file_name(lock::FILE_NAME));
        let paths = if files.environments.is_empty() {
            vec![ENVIRONMENT_FILE.into()]
        } else {
            files.environments
        };
        let file = |path| EnvironmentFile { path, content: OnceLock::new() };
        Self(Arc::new(Contents {
            environments: paths.into_iter().map(file).collect(),
            folder,
            lock,
            manifest_override: files.manifest,
            configuration,
            environment: OnceLock::new(),
            manifest: OnceLock::new(),
            lock_text: OnceLock::new(),
            parsed_lock: OnceLock::new(),
        }))
    }

    /// Returns the paths of the environment files as given, at least one.
    pub fn environment_paths(&self) -> impl Iterator<Item = &Path> {
        self.0.environments.iter().map(|file| file.path.as_path())
    }

    /// Returns the folder of the first environment file, as an absolute path.
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// Returns the path of the lock as given.
    pub fn lock_path(&self) -> &Path {
        &self.0.lock
    }

    /// Returns the folder of the project's default prefixes, as an absolute path.
    pub fn prefix_folder(&self) -> PathBuf {
        let folder = files::absolute_parent(&self.0.lock);
        std::fs::canonicalize(&folder).unwrap_or(folder).join(PREFIX_FOLDER)
    }

    /// Returns the default prefix: `.envlock/NAME` in the folder of the lock, with the name in the
    /// lock. Reads the lock. A `.envlock` that leads out of the project is an error: a repository
    /// could contain such a link.
    pub fn default_prefix(&self) -> Result<PathBuf, FileError> {
        let name = &self.lock()?.name;
        name::check(name).map_err(|invalid| {
            let file = files::display_path(self.lock_path());
            FileError::Name { invalid, file }
        })?;
        let folder = self.prefix_folder();
        if leads_out(&folder) {
            return Err(FileError::PrefixFolderElsewhere(folder));
        }
        Ok(folder.join(name))
    }

    /// Returns the configuration of the project; it is empty for a command that reads none.
    pub fn configuration(&self) -> &Configuration {
        &self.0.configuration
    }

    /// Returns the merged environment files. All of them must exist.
    pub(crate) fn environment(&self) -> Result<&Environment, FileError> {
        get_or_init(&self.0.environment, || {
            let mut parsed = Vec::new();
            for file in &self.0.environments {
                let content =
                    file.parsed_text()?.ok_or_else(|| files::missing_environment(&file.path))?;
                let EnvironmentText { text, tree } = content;
                let folder = files::relative(&files::absolute_parent(&file.path), self.folder());
                let read = |path: &Path| self.requirements(path);
                let included = IncludedFiles { folder: &folder, read: &read };
                let shown = files::display_path(&file.path);
                parsed.push(spec::parse_tree(&shown, text, tree, included)?);
            }
            let first = parsed.remove(0);
            Ok(spec::merge(first, parsed)?)
        })
    }

    /// Reads a requirements file that a `pip:` section includes. The path is relative to the
    /// project's folder.
    fn requirements(&self, path: &Path) -> Result<Source, SourceError> {
        let first = self.0.environments.first().map_or(Path::new(""), |first| &first.path);
        let path = first.with_file_name("").join(path);
        let file = files::display_path(&path);
        match files::requirements_text(&path) {
            Ok(Some(text)) => Ok(Source { file, text }),
            Ok(None) => Err(SourceError::Missing { file }),
            Err(error) => Err(SourceError::Unreadable(error.findings())),
        }
    }

    /// Returns the merged environment files; `None` if the first doesn't exist, since a lock may be
    /// distributed without them.
    pub(crate) fn optional_environment(&self) -> Result<Option<&Environment>, FileError> {
        match self.0.environments.first() {
            Some(first) if first.parsed_text()?.is_some() => self.environment().map(Some),
            _ => Ok(None),
        }
    }

    /// Returns the secrets manifest, if the project has one.
    pub fn manifest(&self) -> Result<Option<&Manifest>, FileError> {
        Ok(self.manifest_file()?.map(|file| &file.manifest))
    }

    /// Returns the secrets manifest with the text of its file.
    pub(crate) fn manifest_with_text(&self) -> Result<Option<(&Manifest, &str)>, FileError> {
        Ok(self.manifest_file()?.map(|file| (&file.manifest, file.text.as_str())))
    }

    fn manifest_file(&self) -> Result<Option<&ManifestFile>, FileError> {
        let found = get_or_init(&self.0.manifest, || match &self.0.manifest_override {
            Some(path) => named_manifest(path),
            None => self.own_manifest(),
        });
        Ok(found?.as_ref())
    }

    /// Returns the manifest in secrets.yml, else the one in an environment file. Both is an error.
    fn own_manifest(&self) -> Result<Option<ManifestFile>, FileError> {
        let Some(first) = self.0.environments.first() else { return Ok(None) };
        let own = first.path.with_file_name(MANIFEST_FILE);
        let own_text = files::read_text(&own)?;
        let mut inside = None;
        for file in &self.0.environments {
            if let Some(EnvironmentText { text, tree }) = file.parsed_text()? {
                let shown = files::display_path(&file.path);
                let found = Manifest::parse_tree(&shown, tree, ManifestLocation::EnvironmentFile)?;
                inside = inside.or(found.map(|manifest| ManifestFile::new(manifest, text)));
            }
        }
        match (own_text, inside) {
            (Some(_), Some(inside)) => Err(FileError::TwoManifests {
                own: files::display_path(&own),
                environment: inside.manifest.file,
            }),
            (Some(text), None) => parse(&own, &text, ManifestLocation::OwnFile),
            (None, inside) => Ok(inside),
        }
    }

    /// Returns the text of the lock; `None` if there is no file.
    pub(crate) fn lock_text(&self) -> Result<Option<&str>, FileError> {
        let text = get_or_init(&self.0.lock_text, || files::lock_text(&self.0.lock));
        Ok(text?.as_deref())
    }

    /// Returns the lock, which must exist and be consistent.
    pub(crate) fn lock(&self) -> Result<&Lock, FileError> {
        let parsed = self.parsed_lock()?.ok_or_else(|| files::missing_lock(&self.0.lock))?;
        if parsed.problems.is_empty() {
            return Ok(&parsed.lock);
        }
        let (problems, lock) = (parsed.problems.clone(), Box::new(parsed.lock.clone()));
        Err(LockError::Inconsistent { problems, lock }.into())
    }

    /// Returns the lock that a new one replaces, if it exists. An inconsistent lock is used. An
    /// unreadable lock is an error, so that it is never overwritten.
    pub(crate) fn existing_lock(&self) -> Result<Option<&Lock>, FileError> {
        Ok(self.parsed_lock()?.map(|parsed| &parsed.lock))
    }

    fn parsed_lock(&self) -> Result<Option<&ParsedLock>, FileError> {
        let Some(text) = self.lock_text()? else { return Ok(None) };
        let parsed = get_or_init(&self.0.parsed_lock, || {
            match lock::read(&files::display_path(&self.0.lock), text) {
                Ok(lock) => Ok(ParsedLock { lock, problems: Vec::new() }),
                Err(LockError::Inconsistent { lock, problems }) => {
                    Ok(ParsedLock { lock: *lock, problems })
                }
                Err(error) => Err(error.into()),
            }
        });
        parsed.map(Some)
    }

    /// Runs `read` on a thread for blocking work, since files may be large and disks slow.
    pub(crate) async fn read_blocking<T, E>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let project = self.clone();
        spawn_blocking(move || read(&project)).await
    }
}

impl EnvironmentFile {
    /// Returns the text and its tree; `None` if there is no file.
    fn parsed_text(&self) -> Result<Option<&EnvironmentText>, FileError> {
        let content = get_or_init(&self.content, || {
            let text = files::read_text(&self.path)?;
            Ok(text.map(|text| {
                let file = files::display_path(&self.path);
                let tree = tree::read(&file, &text, &limits::ENVIRONMENT);
                EnvironmentText { text, tree }
            }))
        });
        Ok(content?.as_ref())
    }
}

/// Reads a manifest by its path: a secrets.yml, or an environment.yml that contains one.
fn named_manifest(path: &Path) -> Result<Option<ManifestFile>, FileError> {
    let text = files::read_text(path)?.ok_or_else(|| FileError::Missing {
        path: path.to_owned(),
        help: "name the manifest's file with `--manifest FILE`".to_owned(),
    })?;
    match parse(path, &text, ManifestLocation::EnvironmentFile)? {
        Some(inside) => Ok(Some(inside)),
        None => parse(path, &text, ManifestLocation::OwnFile),
    }
}

fn parse(
    path: &Path,
    text: &str,
    notation: ManifestLocation,
) -> Result<Option<ManifestFile>, FileError> {
    let manifest = Manifest::parse(&files::display_path(path), text, notation)?;
    Ok(manifest.map(|manifest| ManifestFile::new(manifest, text)))
}

/// Returns the value of `cell`, and initialises it on the first call. An error isn't stored.
fn get_or_init<T>(
    cell: &OnceLock<T>,
    make: impl FnOnce() -> Result<T, FileError>,
) -> Result<&T, FileError> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = make()?;
    Ok(cell.get_or_init(|| value))
}

/// Whether a folder is a symbolic link to something outside of its parent.
fn leads_out(folder: &Path) -> bool {
    let is_link = folder.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
    is_link
        && match (std::fs::canonicalize(folder), folder.parent()) {
            (Ok(target), Some(parent)) => !target.starts_with(parent),
            _ => true,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENVIRONMENT: &str = "name: demo\nchannels: [conda-forge]\ndependencies: [python]\n";
    const MANIFEST: &str = "version: 1\nneeds: {}\n";

    fn project(folder: &Path) -> Project {
        let environments = vec![folder.join("environment.yml")];
        let files = ProjectFiles { environments, ..ProjectFiles::default() };
        Project::new(files, Configuration::default())
    }

    #[test]
    fn a_file_is_read_once_and_clones_share_its_contents() {
        let folder = tempfile::tempdir().unwrap();
        let environment = folder.path().join("environment.yml");
        std::fs::write(&environment, ENVIRONMENT).unwrap();
        std::fs::write(folder.path().join("secrets.yml"), MANIFEST).unwrap();
        let project = project(folder.path());
        assert!(project.clone().environment().is_ok());
        assert!(project.manifest().unwrap().is_some());
        assert_eq!(project.lock_text().unwrap(), None);
        std::fs::write(&environment, "no: [environment").unwrap();
        std::fs::remove_file(folder.path().join("secrets.yml")).unwrap();
        std::fs::write(project.lock_path(), "no lock").unwrap();
        let name = project.environment().unwrap().name.as_ref().map(|name| name.value.clone());
        assert_eq!(name.as_deref(), Some("demo"));
        assert!(project.manifest().unwrap().is_some());
        assert_eq!(project.lock_text().unwrap(), None);
    }

    #[test]
    fn a_missing_file_is_an_error_each_time_it_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let project = project(folder.path());
        assert!(matches!(project.environment(), Err(FileError::Missing { .. })));
        assert!(matches!(project.environment(), Err(FileError::Missing { .. })));
        assert!(matches!(project.lock(), Err(FileError::Missing { .. })));
    }

    #[test]
    fn without_flags_every_file_is_in_the_working_folder() {
        let files = ProjectFiles::default();
        assert_eq!(files.configuration(), Path::new("envlock.toml"));
        let project = Project::new(files, Configuration::default());
        assert!(project.environment_paths().eq([Path::new(ENVIRONMENT_FILE)]));
        assert_eq!(project.lock_path(), Path::new("envlock.lock"));
        assert_eq!(project.folder(), std::env::current_dir().unwrap());
        assert!(project.prefix_folder().ends_with(".envlock"));
    }

    #[test]
    fn files_that_are_not_named_are_in_the_folder_of_the_first_environment_file() {
        let files = ProjectFiles {
            environments: vec!["./a/x.yml".into(), "b/y.yml".into()],
            ..ProjectFiles::default()
        };
        assert_eq!(files.configuration(), Path::new("a/envlock.toml"));
        let project = Project::new(files, Configuration::default());
        assert_eq!(project.lock_path(), Path::new("./a/envlock.lock"));
        assert!(project.folder().ends_with("a"));
    }
}
