//! `fetch` and `bundle`: download a lock's packages for use without a network.

use std::path::{Path, PathBuf};

use envlock_channel::{FetchError, Substitution, UnpackedPackage, WHEELS_FOLDER};
use envlock_model::lock::{self, Lock, LockedPlatform};
use envlock_report::{AsFindings, Code, Exit, Finding};
use rattler_conda_types::{RepoDataRecord, Subdir};
use url::Url;

use crate::{
    Context, FileError, InputsError, InstallFlags, Project, files,
    inputs::{ResolutionInputs, check_channels},
    install::add_platform_help,
    lock_credentials, package_restrictions,
};

/// The inputs of `fetch` and `bundle`.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// `--platform`; empty for all platforms of the lock.
    pub platforms: Vec<Subdir>,
}

/// The packages of one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedPlatform {
    /// The platform.
    pub platform: Subdir,
    /// The number of packages.
    pub packages: usize,
    /// The sum of the archive sizes that the lock has, in bytes.
    pub bytes: u64,
    /// The flags with which `install` accepts these packages on a machine of the platform.
    pub flags: InstallFlags,
    /// Whether `install` accepts them on this machine.
    pub installs_here: bool,
}

/// The bundle that was written.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The channel's URL, `file://…/`.
    pub channel: Url,
    /// The lock in the bundle.
    pub lock: PathBuf,
    /// The packages by platform.
    pub platforms: Vec<FetchedPlatform>,
    /// The channels that the bundle replaces.
    pub origins: Vec<Url>,
}

/// Why the packages can't be fetched or bundled.
#[derive(Debug, thiserror::Error)]
pub enum FetchCommandError {
    /// A file of the project can't be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// A channel or a package of the lock may not be used.
    #[error(transparent)]
    LockInputs(#[from] InputsError),
    /// The lock doesn't have a requested platform.
    #[error("the lock has no packages for {requested_platform}, only for {}", .locked.join(", "))]
    NotLocked {
        /// The requested platform.
        requested_platform: Subdir,
        /// The lock's platforms.
        locked: Vec<String>,
    },
    /// The folder has other files in it.
    #[error("{} is neither empty nor a bundle", .0.display())]
    FolderNotEmpty(PathBuf),
    /// The folder has no URL.
    #[error("{} can't be the folder of a channel", .0.display())]
    Folder(PathBuf),
    /// An archive is unavailable.
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

impl AsFindings for FetchCommandError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::File(error) => error.findings(),
            Self::LockInputs(error) => error.findings(),
            Self::Fetch(error) => error.findings(),
            Self::NotLocked { requested_platform, locked } => {
                let help = add_platform_help(*requested_platform, locked);
                vec![Finding::new(Code::PlatformNotLocked, self.to_string()).with_help(help)]
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
            Self::LockInputs(error) => error.exit(),
            Self::Fetch(error) => error.exit(),
            Self::NotLocked { .. } | Self::FolderNotEmpty(_) | Self::Folder(_) => Exit::Usage,
        }
    }
}

/// Downloads the lock's packages into the cache, so that `install --offline` needs nothing else.
/// Adds findings to `findings`.
pub async fn fetch(
    project: &Project,
    request: &FetchOptions,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Result<Vec<FetchedPlatform>, FetchCommandError> {
    let (lock, platforms) = read(project, request, context, findings).await?;
    let records = records(lock, &platforms);
    let archives = &lock.other_archives;
    let unpacked = context.client.packages(&records, archives, context.observer).await?;
    findings.extend(unpacked.iter().flat_map(UnpackedPackage::findings));
    Ok(platforms)
}

/// Writes the lock's packages and the lock into `directory`, as one channel. Adds findings to
/// `findings`.
pub async fn bundle(
    project: &Project,
    request: &FetchOptions,
    directory: &Path,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Result<Bundle, FetchCommandError> {
    let (lock, platforms) = read(project, request, context, findings).await?;
    let lock_path = directory.join(lock::FILE_NAME);
    if !is_empty_or_bundle(directory) {
        return Err(FetchCommandError::FolderNotEmpty(directory.to_owned()));
    }
    let folder = std::path::absolute(directory).ok();
    let channel = folder.and_then(|folder| Url::from_directory_path(folder).ok());
    let channel = channel.ok_or_else(|| FetchCommandError::Folder(directory.to_owned()))?;
    let records = records(lock, &platforms);
    let (archives, observer) = (&lock.other_archives, context.observer);
    let used = context.client.write_channel(&records, archives, directory, observer).await?;
    findings.extend(used.iter().map(Substitution::finding));
    if let Some(text) = project.lock_text()? {
        files::write_atomically(&lock_path, text)?;
    }
    let origins = records.iter().filter_map(|record| Url::parse(record.channel.as_ref()?).ok());
    let mut origins: Vec<_> = origins.filter(|url| url.scheme() != "file").collect();
    origins.sort();
    origins.dedup();
    Ok(Bundle { channel, lock: lock_path, platforms, origins })
}

/// Whether the directory is missing, empty, or has only files of a complete or partial bundle.
fn is_empty_or_bundle(directory: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(directory) else { return !directory.exists() };
    entries.flatten().all(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name == lock::FILE_NAME || name == WHEELS_FOLDER || name.parse::<Subdir>().is_ok()
    })
}

/// Reads the lock, and returns it with the requested platforms. A lock with a forbidden channel is
/// refused.
async fn read<'a>(
    project: &'a Project,
    request: &FetchOptions,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Result<(&'a Lock, Vec<FetchedPlatform>), FetchCommandError> {
    project.read_blocking(|project| project.lock().map(drop)).await?;
    let lock = project.lock()?;
    let checked = check_channels(lock, ResolutionInputs::new(project, context), findings)?;
    checked.channel_urls.register(context.client);
    findings.extend(checked.findings);
    package_restrictions::check_existing_lock(lock, project.configuration())
        .map_err(InputsError::from)?;
    lock_credentials::read_channel_urls(project, lock, context).register(context.client);
    let mut wanted = request.platforms.clone();
    if wanted.is_empty() {
        wanted.extend(lock.platforms.keys());
    }
    wanted.sort();
    wanted.dedup();
    let platforms = wanted.into_iter().map(|platform| {
        let locked = lock.platforms.get(&platform).ok_or_else(|| FetchCommandError::NotLocked {
            requested_platform: platform,
            locked: lock.platforms.keys().map(ToString::to_string).collect(),
        })?;
        Ok(FetchedPlatform {
            installs_here: platform == context.host
                && InstallFlags::for_host(lock, platform, context.host_packages).is_some(),
            flags: InstallFlags::for_platform(locked).with_staleness(project, lock, context),
            ..summarize(platform, locked)
        })
    });
    let platforms = platforms.collect::<Result<_, FetchCommandError>>()?;
    Ok((lock, platforms))
}

fn summarize(platform: Subdir, locked: &LockedPlatform) -> FetchedPlatform {
    let bytes = locked.all_records().filter_map(|record| record.package_record.size).sum();
    FetchedPlatform {
        platform,
        packages: locked.all_records().count(),
        bytes,
        flags: InstallFlags::for_platform(locked),
        installs_here: false,
    }
}

/// Returns the records of these platforms. noarch records may occur several times.
fn records(lock: &Lock, platforms: &[FetchedPlatform]) -> Vec<RepoDataRecord> {
    let locked = platforms.iter().filter_map(|wanted| lock.platforms.get(&wanted.platform));
    locked.flat_map(|locked| locked.all_records().cloned()).collect()
}
