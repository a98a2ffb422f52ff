//! `fetch` and `bundle`: what a lock needs, for where there is no network.

use std::path::{Path, PathBuf};

use envlock_channel::FetchError;
use envlock_model::lock::{self, Lock, LockedPlatform};
use envlock_report::{Code, Exit, Explain, Finding};
use rattler_conda_types::{RepoDataRecord, Subdir};
use url::Url;

use crate::{Context, FileError, Project, files, lock_credentials};

/// What `fetch` and `bundle` are asked to take.
#[derive(Debug, Clone)]
pub struct FetchRequest {
    /// `--platform`; empty for all of the lock's.
    pub platforms: Vec<Subdir>,
}

/// What one platform's packages are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedPlatform {
    /// The platform.
    pub platform: Subdir,
    /// How many packages it has.
    pub packages: usize,
    /// The sum of their archives' sizes in bytes, as far as the lock tells them.
    pub bytes: u64,
}

/// What `bundle` made.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The channel's address, `file://…/`.
    pub channel: Url,
    /// The lock in it.
    pub lock: PathBuf,
    /// What was asked for by platform.
    pub platforms: Vec<FetchedPlatform>,
    /// The channels that it stands in for.
    pub origins: Vec<Url>,
}

/// Why the packages couldn't be fetched or bundled.
#[derive(Debug, thiserror::Error)]
pub enum FetchCommandError {
    /// A file of the project can't be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The lock doesn't answer for a platform.
    #[error("the lock has no packages for {asked}, only for {}", .locked.join(", "))]
    NotLocked {
        /// What was asked.
        asked: Subdir,
        /// The lock's.
        locked: Vec<String>,
    },
    /// The folder has something else in it.
    #[error("{} is neither empty nor a bundle", .0.display())]
    FolderNotEmpty(PathBuf),
    /// The folder can't be named in an address.
    #[error("{} can't be the folder of a channel", .0.display())]
    Folder(PathBuf),
    /// An archive can't be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

impl Explain for FetchCommandError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::File(error) => error.findings(),
            Self::Fetch(error) => error.findings(),
            Self::NotLocked { asked, .. } => {
                vec![Finding::new(Code::NotLocked, self.to_string()).with_help(format!(
                    "add it: `envlock solve --platform {asked}`, with the others"
                ))]
            }
            Self::FolderNotEmpty(_) | Self::Folder(_) => vec![
                Finding::new(Code::BundleFolder, self.to_string())
                    .with_note("nothing was written")
                    .with_help("name a new folder: `envlock bundle -o FOLDER`"),
            ],
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::Fetch(error) => error.exit(),
            Self::NotLocked { .. } | Self::FolderNotEmpty(_) | Self::Folder(_) => Exit::Usage,
        }
    }
}

/// Fills the cache with what the lock has, so that `install --offline` needs nothing more.
pub async fn fetch(
    project: &Project,
    request: &FetchRequest,
    context: &Context<'_>,
) -> Result<Vec<FetchedPlatform>, FetchCommandError> {
    let (lock, platforms) = read(project, request, context).await?;
    let records = records(lock, &platforms);
    context.client.packages(&records, context.observer).await?;
    Ok(platforms)
}

/// Writes what the lock has into `directory`, as one channel with the lock in it.
pub async fn bundle(
    project: &Project,
    request: &FetchRequest,
    directory: &Path,
    context: &Context<'_>,
) -> Result<Bundle, FetchCommandError> {
    let (lock, platforms) = read(project, request, context).await?;
    let within = directory.join(lock::FILE_NAME);
    if !is_empty_or_bundle(directory) {
        return Err(FetchCommandError::FolderNotEmpty(directory.to_owned()));
    }
    let folder = std::path::absolute(directory).ok();
    let channel = folder.and_then(|folder| Url::from_directory_path(folder).ok());
    let channel = channel.ok_or_else(|| FetchCommandError::Folder(directory.to_owned()))?;
    let records = records(lock, &platforms);
    context.client.write_channel(&records, directory, context.observer).await?;
    if let Some(text) = project.lock_text()? {
        files::write_atomically(&within, text)?;
    }
    let origins = records.iter().filter_map(|record| Url::parse(record.channel.as_ref()?).ok());
    let mut origins: Vec<_> = origins.filter(|url| url.scheme() != "file").collect();
    origins.sort();
    origins.dedup();
    Ok(Bundle { channel, lock: within, platforms, origins })
}

/// Whether nothing is there but what a bundle has, be it a part of one.
fn is_empty_or_bundle(directory: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(directory) else { return !directory.exists() };
    entries.flatten().all(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name == lock::FILE_NAME || name.parse::<Subdir>().is_ok()
    })
}

/// The lock, and what is wanted of it.
async fn read<'a>(
    project: &'a Project,
    request: &FetchRequest,
    context: &Context<'_>,
) -> Result<(&'a Lock, Vec<FetchedPlatform>), FetchCommandError> {
    project.read(|project| project.lock().map(drop)).await?;
    let lock = project.lock()?;
    lock_credentials::addresses_in_environment(project, lock, context).register(context.client);
    let mut wanted = request.platforms.clone();
    if wanted.is_empty() {
        wanted.extend(lock.platforms.keys());
    }
    wanted.sort();
    wanted.dedup();
    let platforms = wanted.into_iter().map(|platform| {
        let locked = lock.platforms.get(&platform).ok_or_else(|| FetchCommandError::NotLocked {
            asked: platform,
            locked: lock.platforms.keys().map(ToString::to_string).collect(),
        })?;
        Ok(sum(platform, locked))
    });
    let platforms = platforms.collect::<Result<_, FetchCommandError>>()?;
    Ok((lock, platforms))
}

fn sum(platform: Subdir, locked: &LockedPlatform) -> FetchedPlatform {
    let bytes = locked.records.iter().filter_map(|record| record.package_record.size).sum();
    FetchedPlatform { platform, packages: locked.records.len(), bytes }
}

/// The records of these platforms; those that several have may come several times.
fn records(lock: &Lock, platforms: &[FetchedPlatform]) -> Vec<RepoDataRecord> {
    let locked = platforms.iter().filter_map(|wanted| lock.platforms.get(&wanted.platform));
    locked.flat_map(|locked| locked.records.iter().cloned()).collect()
}
