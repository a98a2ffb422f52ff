//! `solve` and `solve --check`: solve environment.yml and write the lock, or compare with it.

mod findings;
mod pip;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use envlock_channel::{Channel, ChannelRequest, IndexError, Indexes, SubdirRecords};
use envlock_model::{
    diff::{self, PackageDifference},
    lock::{self, Change, Lock, LockWriteError, LockedPlatform},
    lock_inputs::LockInputs,
    progress::{self, Event, Phase},
};
use envlock_report::{AsFindings, Code, Exit, Finding, Level, nearest};
use envlock_secrets::manifest::Manifest;
use envlock_solve::{Problem, Records, Solution, UnsolvableReason};
use rattler_conda_types::{PackageName, RepoDataRecord, Subdir};
use url::Url;

pub use self::pip::PipError;

use self::pip::PipSolve;

use self::findings::{dropped_platforms_finding, excluded_newer_finding, without_sha256_finding};
use crate::{
    Context, FileError, InputsError, InstallFlags, NeedChange, Overrides, Project, files,
    inputs::{ResolutionInputs, ResolvedInputs, kept_virtual_packages, resolve_inputs},
    need_changes::need_changes,
    package_restrictions, spawn_blocking,
};

/// The inputs of `solve`.
#[derive(Debug, Clone)]
pub struct SolveOptions {
    /// What the command line sets.
    pub overrides: Overrides,
    /// Which packages of the existing lock to upgrade.
    pub upgrade: Upgrade,
    /// Whether to only solve, without writing the lock.
    pub dry_run: bool,
}

/// Which packages of the existing lock to upgrade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upgrade {
    /// No package: each keeps its version if possible.
    None,
    /// `--update`: these packages, to the newest possible version; others only if necessary.
    Packages(BTreeSet<String>),
    /// `--upgrade`: all packages.
    All,
}

/// The result of `solve`.
#[derive(Debug)]
pub struct Solved {
    /// The new lock.
    pub lock: Lock,
    /// Whether the file was written. It isn't written if no byte changes.
    pub written: bool,
    /// The changes compared with the previous lock.
    pub differences: Vec<PackageDifference>,
    /// The changes of the needs compared with the previous lock; without one, all needs are new.
    pub need_changes: Vec<NeedChange>,
    /// The flags with which `install` accepts the lock here; `None` if it doesn't.
    pub install: Option<InstallFlags>,
}

/// The result of [`check`].
#[derive(Debug)]
pub struct LockCheck {
    /// What changed since the lock was made; empty when the lock is up to date.
    pub changes: Vec<Change>,
}

/// Why solving failed.
#[derive(Debug, thiserror::Error)]
pub enum SolveError {
    /// A file of the project can't be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The inputs of the lock can't be resolved.
    #[error(transparent)]
    LockInputs(#[from] InputsError),
    /// An index can't be fetched or read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// `--update` names a package that the lock doesn't have.
    #[error("{name} is not in the lock")]
    NotLocked {
        /// The name.
        name: String,
        /// The nearest name in the lock.
        nearest: Option<String>,
    },
    /// An index contradicts itself.
    #[error("the indexes can't be searched: {0}")]
    Records(envlock_solve::SolveError),
    /// There is no solution.
    #[error("there is no solution")]
    NoSolution {
        /// Why, by line and platform.
        reasons: Vec<UnsolvableReason>,
        /// The number of requested platforms.
        platforms: usize,
    },
    /// The pip section can't be resolved.
    #[error(transparent)]
    Pip(Box<PipError>),
    /// The lock isn't valid and can't be written.
    #[error(transparent)]
    Write(#[from] LockWriteError),
}

impl From<PipError> for SolveError {
    fn from(error: PipError) -> Self {
        Self::Pip(Box::new(error))
    }
}

impl AsFindings for SolveError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::File(error) => error.findings(),
            Self::LockInputs(error) => error.findings(),
            Self::Index(error) => error.findings(),
            Self::Pip(error) => error.findings(),
            Self::NoSolution { reasons, platforms } => {
                reasons.iter().map(|reason| reason.finding(*platforms)).collect()
            }
            Self::NotLocked { nearest, .. } => {
                let finding = Finding::new(Code::NotLockedPackage, self.to_string());
                vec![finding.with_help(nearest.as_ref().map_or_else(
                    || "`envlock solve` adds the packages of environment.yml".to_owned(),
                    |near| format!("did you mean `--update {near}`?"),
                ))]
            }
            Self::Records(_) => {
                vec![Finding::new(Code::BadIndex, self.to_string()).with_help(
                    "report it to the channel's operator; another mirror may have a good copy",
                )]
            }
            Self::Write(_) => vec![
                Finding::new(Code::LockNotWritten, self.to_string())
                    .with_note("no lock was written"),
            ],
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::LockInputs(error) => error.exit(),
            Self::Index(error) => error.exit(),
            Self::Pip(error) => error.exit(),
            Self::NoSolution { .. } => Exit::NoSolution,
            Self::Write(_) | Self::NotLocked { .. } => Exit::Usage,
            Self::Records(_) => Exit::Undetermined,
        }
    }
}

/// Compares the lock with environment.yml and secrets.yml. Uses no network. Adds findings to
/// `findings`, also on failure.
pub fn check(
    project: &Project,
    overrides: &Overrides,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Result<LockCheck, SolveError> {
    let environment = project.environment()?;
    let manifest = project.manifest()?;
    let lock = project.lock()?;
    let resolution =
        resolve_inputs(environment, overrides, Some(lock), ResolutionInputs::new(project, context));
    findings.extend(resolution.findings);
    let needs = manifest.map(Manifest::locked);
    let changes = lock::changes(lock, &resolution.inputs?.inputs, needs.as_ref());
    Ok(LockCheck { changes })
}

/// Solves and writes the lock. Adds findings to `findings`, also on failure.
pub async fn solve(
    project: &Project,
    request: &SolveOptions,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Result<Solved, SolveError> {
    let read = project.read_blocking(|project| {
        project.environment()?;
        project.manifest()?;
        project.existing_lock().map(drop)
    });
    read.await?;
    let existing = project.existing_lock()?;
    let environment = project.environment()?;
    let overrides = &request.overrides;
    let resolution =
        resolve_inputs(environment, overrides, existing, ResolutionInputs::new(project, context));
    let resolved = resolution.apply(context.client, findings)?;
    let ResolvedInputs { inputs, places, settings, .. } = resolved;
    findings.extend(dropped_platforms_finding(environment, existing, &inputs, overrides));
    findings.extend(kept_virtual_packages(&inputs, overrides));

    let kept = existing.filter(|_| request.upgrade != Upgrade::All);
    let upgraded = upgraded(&request.upgrade, existing)?;
    let indexes = context.client.indexes(&channel_requests(&inputs), context.observer).await;
    let indexes = indexes.map_err(|error| {
        error
            .with_places(|channel| places.get(&channel.url).cloned())
            .with_settings(|channel| settings.get(&channel.url).cloned())
    })?;
    findings.extend(indexes.warnings.iter().cloned());
    findings.extend(indexes.absent_member_warnings(|channel| places.get(&channel.url).cloned()));
    let records = solve_platforms(&inputs, &indexes, kept, upgraded, context, findings).await?;

    let pip = PipSolve {
        inputs: &inputs,
        records: &records,
        kept,
        upgrade: &request.upgrade,
        folder: project.folder(),
        context,
    };
    let wheels = pip.run().await?;
    let needs = project.manifest()?.map(Manifest::locked);
    let mut lock = Lock::new(&inputs, records, wheels, needs);
    lock.keep_other_archives(kept);
    package_restrictions::check_new_lock(&lock, project.configuration())
        .map_err(InputsError::from)?;
    let (lock, text) = spawn_blocking(move || {
        let records = lock.platforms.values().flat_map(|locked| &locked.records);
        for (url, archive) in indexes.other_archives(records) {
            lock.other_archives.entry(url).or_insert(archive);
        }
        let text = lock::write(&lock);
        (lock, text)
    })
    .await;
    let text = text?;
    let changed = project.lock_text()? != Some(text.as_str());
    let written = changed && !request.dry_run;
    if written {
        let path = project.lock_path().to_owned();
        spawn_blocking(move || files::write_atomically(&path, &text)).await?;
    }
    let differences = diff::differences(existing, &lock);
    let old_needs = existing.and_then(|lock| lock.needs.as_ref());
    let need_changes = need_changes(old_needs, lock.needs.as_ref());
    let install = InstallFlags::for_host(&lock, context.host, context.host_packages)
        .map(|flags| flags.with_staleness(project, &lock, context));
    Ok(Solved { lock, written, differences, need_changes, install })
}

/// Returns the names of the packages to upgrade. Each must be in the lock.
fn upgraded(upgrade: &Upgrade, existing: Option<&Lock>) -> Result<BTreeSet<String>, SolveError> {
    let Upgrade::Packages(names) = upgrade else { return Ok(BTreeSet::new()) };
    let locked: BTreeSet<&str> = existing
        .into_iter()
        .flat_map(|lock| lock.platforms.values())
        .flat_map(LockedPlatform::all_records)
        .map(|record| record.package_record.name.as_normalized())
        .collect();
    match names.iter().find(|name| !locked.contains(name.as_str())) {
        None => Ok(names.clone()),
        Some(name) => Err(SolveError::NotLocked {
            name: name.clone(),
            nearest: nearest(name, locked).map(str::to_owned),
        }),
    }
}

/// Returns each channel once, with the subdirs that the platforms need and `noarch`.
fn channel_requests(inputs: &LockInputs) -> Vec<ChannelRequest> {
    let platforms: BTreeSet<_> = inputs.platforms.keys().copied().collect();
    let mut requests: Vec<ChannelRequest> = Vec::new();
    for channel in &inputs.channels {
        for url in &channel.urls {
            // `pkgs/main::package` names a channel that `defaults` contains already.
            if requests.iter().any(|other| other.channel.url == *url) {
                continue;
            }
            let windows_only = url.path().ends_with("/pkgs/msys2/");
            let subdirs: Vec<_> = platforms
                .iter()
                .copied()
                .filter(|platform| !windows_only || platform.is_windows())
                .chain([Subdir::NoArch])
                .collect();
            requests.push(ChannelRequest {
                channel: Channel {
                    name: channel.name.clone(),
                    url: url.clone(),
                    multichannel: channel.multi.then(|| channel.name.clone()),
                },
                subdirs,
            });
        }
    }
    requests
}

/// Loads and solves all platforms concurrently. The error has the reasons of all platforms
/// without a solution.
async fn solve_platforms(
    inputs: &LockInputs,
    indexes: &Indexes,
    kept: Option<&Lock>,
    upgraded: BTreeSet<String>,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Result<BTreeMap<Subdir, Vec<RepoDataRecord>>, SolveError> {
    let platforms = inputs.platforms.len();
    context.observer.observe(Event::Expect { phase: Phase::Solve, units: platforms as u64 });
    let inputs = Arc::new(inputs.clone());
    let mut tasks = Vec::new();
    for platform in inputs.platforms.keys().copied() {
        let solve = PlatformSolve {
            platform,
            inputs: Arc::clone(&inputs),
            indexes: indexes.for_platform(platform),
            upgraded: upgraded.clone(),
            locked: kept
                .and_then(|lock| lock.platforms.get(&platform))
                .map(|locked| locked.records.clone())
                .unwrap_or_default(),
        };
        tasks.push((platform, spawn_blocking(move || solve.run())));
    }
    let mut solved = BTreeMap::new();
    let mut reasons = Vec::new();
    for (platform, solve) in tasks {
        let (outcome, skipped) = solve.await?;
        // If there is no solution, the malformed records may be the cause.
        let level = match outcome {
            Outcome::Solution(_) => Level::Note,
            Outcome::NoSolution(_) => Level::Warning,
        };
        for finding in skipped {
            let finding = finding.at_level(level);
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
        match outcome {
            Outcome::Solution(solution) => {
                findings.extend(solution.skipped_without_sha256.iter().map(without_sha256_finding));
                findings.extend(excluded_newer_finding(platform, solution.too_new));
                solved.insert(platform, solution.records);
            }
            Outcome::NoSolution(found) => reasons.extend(found),
        }
        context.observer.observe(Event::Advance { phase: Phase::Solve, units: 1 });
    }
    if !reasons.is_empty() {
        return Err(SolveError::NoSolution {
            reasons: UnsolvableReason::merge(reasons),
            platforms,
        });
    }
    let packages: usize = solved.values().map(Vec::len).sum();
    context.observer.observe(Event::Done(progress::Outcome::Solved { packages }));
    Ok(solved)
}

/// The solve of one platform, with all inputs for a thread for blocking work.
struct PlatformSolve {
    platform: Subdir,
    inputs: Arc<LockInputs>,
    indexes: Indexes,
    locked: Vec<RepoDataRecord>,
    upgraded: BTreeSet<String>,
}

/// The result of the solve of one platform.
enum Outcome {
    Solution(Solution),
    NoSolution(Vec<UnsolvableReason>),
}

impl PlatformSolve {
    /// Loads the records, which parses megabytes, and solves. Also returns notes about records
    /// that can't be read.
    fn run(&self) -> Result<(Outcome, Vec<Finding>), SolveError> {
        let loaded = self.load();
        let skipped = loaded.iter().filter_map(SubdirRecords::skipped_finding).collect();
        let mut malformed: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, records) in loaded.iter().flat_map(|subdir| &subdir.skipped) {
            let files = malformed.entry(name.as_normalized().to_owned()).or_default();
            files
                .extend(records.iter().map(|record| format!("{}: {}", record.file, record.reason)));
        }
        let records = self.records(loaded);
        let problem = Problem {
            platform: self.platform,
            channels: &self.inputs.channels,
            inputs: &self.inputs.platforms[&self.platform],
            records: &records,
            locked: &self.locked,
            upgraded: &self.upgraded,
            priority: self.inputs.priority,
            exclude_newer: self.inputs.exclude_newer,
        };
        match envlock_solve::solve(&problem) {
            Ok(solution) => Ok((Outcome::Solution(solution), skipped)),
            Err(envlock_solve::SolveError::NoSolution { .. }) => {
                let mut reasons = envlock_solve::explain(&problem, &self.names());
                for reason in &mut reasons {
                    reason.name_malformed_records(&malformed);
                }
                Ok((Outcome::NoSolution(reasons), skipped))
            }
            Err(error) => Err(SolveError::Records(error)),
        }
    }

    /// Loads the records that the requests can need, in the order of the channels.
    fn load(&self) -> Vec<SubdirRecords> {
        let inputs = &self.inputs.platforms[&self.platform];
        let names: BTreeSet<PackageName> =
            inputs.requests.iter().filter_map(|r| r.spec.name.as_exact().cloned()).collect();
        self.indexes.load(&names.into_iter().collect::<Vec<_>>())
    }

    /// Assigns the loaded records to the channels of the question.
    fn records(&self, loaded: Vec<SubdirRecords>) -> Vec<Records> {
        loaded
            .into_iter()
            .filter_map(|subdir| {
                let channel = self.channel(&subdir.channel.url)?;
                Some(Records::new(channel, subdir.records, subdir.without_sha256))
            })
            .collect()
    }

    /// Returns every package name in the repodata, with the positions of its channels in the
    /// inputs.
    fn names(&self) -> envlock_solve::ChannelsByPackage {
        let places = |channels: Vec<&Channel>| {
            let places: BTreeSet<_> =
                channels.iter().filter_map(|channel| self.channel(&channel.url)).collect();
            places.into_iter().collect()
        };
        let names = self.indexes.names().into_iter();
        names.map(|(name, channels)| (name.to_owned(), places(channels))).collect()
    }

    /// Returns the index of a channel in the inputs.
    fn channel(&self, url: &Url) -> Option<usize> {
        self.inputs.channels.iter().position(|channel| channel.urls.contains(url))
    }
}
