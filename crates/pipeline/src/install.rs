//! `install`: checks the lock and the host, downloads the packages, and creates the prefix.

use std::{collections::BTreeMap, path::PathBuf};

use envlock_channel::{FetchError, UnpackedPackage};
use envlock_install::{InstallError as LinkError, InstallSpec, Package, Plan, ReadLock};
use envlock_model::{
    lock::{self, Change, Lock, LockedPlatform},
    spec::{RecordSpec, parse_spec},
};
use envlock_report::{AsFindings, Code, Exit, Finding, Place, count};
use rattler_conda_types::{GenericVirtualPackage, RepoDataRecord, Subdir};

use envlock_model::needs::{self, LockedNeeds};
use envlock_secrets::manifest::Manifest;

use crate::{
    Context, FileError, InputsError, Project, files,
    inputs::{ResolutionInputs, check_channels, resolve_inputs},
    lock_credentials, package_restrictions,
};

/// What to do about a pip section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PipHandling {
    /// Install its wheels. A lock that lacks them is refused.
    Install,
    /// Install without the pip lines, as with `--without-pip`.
    Skip,
}

/// The inputs of `install`.
#[derive(Debug, Clone)]
pub struct InstallOptions {
    /// The prefix, as an absolute path. `None` for the default prefix, `.envlock/NAME` in the
    /// folder of the lock.
    pub prefix: Option<PathBuf>,
    /// `--platform`: only the host's platform is accepted.
    pub platform: Option<Subdir>,
    /// Whether a stale lock is accepted.
    pub frozen: bool,
    /// Installs even if the prefix is up to date. Untracked files and environments of other tools
    /// move to `NAME~previous`.
    pub replace: bool,
    /// What to do about a pip section.
    pub pip: PipHandling,
    /// Whether post-link scripts run.
    pub run_post_link_scripts: bool,
    /// Whether to only plan, without a change to the prefix.
    pub dry_run: bool,
    /// The command line, for the history and for messages of waiting installs.
    pub command: String,
    /// The time.
    pub now: jiff::Timestamp,
    /// This program's version.
    pub version: String,
    /// The number of packages that are compiled at a time.
    pub jobs: usize,
}

/// The result of `install`.
#[derive(Debug)]
pub struct Installed {
    /// The prefix.
    pub prefix: PathBuf,
    /// The platform.
    pub platform: Subdir,
    /// What a dry run would do, or what was done.
    pub plan: Plan,
    /// What was done; none on a dry run.
    pub outcome: Option<envlock_install::Installed>,
    /// Whether `python` is one of the packages.
    pub has_python: bool,
    /// The lines of the pip section that were skipped.
    pub skipped_pip_lines: Vec<String>,
    /// The number of packages that the lock has for this platform.
    pub packages: usize,
    /// The needs in the lock.
    pub needs: Option<LockedNeeds>,
    /// Whether the project has a secrets manifest with the same needs, so that `check-secrets`
    /// accepts the lock.
    pub needs_are_current: bool,
}

/// Why the install failed. The prefix is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A file of the project can't be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The inputs of the lock can't be resolved.
    #[error(transparent)]
    LockInputs(#[from] InputsError),
    /// environment.yml or secrets.yml changed since the lock was made.
    #[error("the lock doesn't match environment.yml")]
    Stale {
        /// What changed.
        changes: Vec<Change>,
    },
    /// `--platform` isn't this machine's platform.
    #[error("{requested_platform} can't be installed on this machine, which is {host}")]
    OtherPlatform {
        /// The requested platform.
        requested_platform: Subdir,
        /// This machine's platform.
        host: Subdir,
    },
    /// The lock doesn't have this machine's platform.
    #[error("the lock has no packages for {host}, only for {}", .locked.join(", "))]
    NotLocked {
        /// This machine's platform.
        host: Subdir,
        /// The lock's platforms.
        locked: Vec<String>,
    },
    /// The machine lacks virtual packages that packages require.
    #[error("this machine lacks what the lock requires")]
    UnmetVirtualPackages {
        /// The missing virtual packages, each with the package that requires it.
        missing: Vec<String>,
    },
    /// The lock has a pip section that isn't resolved.
    #[error("the lock doesn't resolve the pip section: {} would be missing", count(.lines.len(), "line"))]
    Pip {
        /// The lines.
        lines: Vec<String>,
    },
    /// An archive can't be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The prefix can't be created.
    #[error(transparent)]
    Link(#[from] LinkError),
}

impl AsFindings for InstallError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::File(error) => error.findings(),
            Self::LockInputs(error) => error.findings(),
            Self::Fetch(error) => error.findings(),
            Self::Link(error) => error.findings(),
            Self::Stale { changes } => stale_findings(changes),
            Self::OtherPlatform { requested_platform, .. } => {
                vec![Finding::new(Code::OtherPlatform, self.to_string()).with_help(format!(
                    "leave `--platform` out, or install on a machine of the platform {requested_platform}"
                ))]
            }
            Self::NotLocked { host, locked } => {
                let help = add_platform_help(*host, locked);
                vec![Finding::new(Code::PlatformNotLocked, self.to_string()).with_help(help)]
            }
            Self::UnmetVirtualPackages { missing } => {
                let mut finding = Finding::new(Code::UnmetVirtualPackages, self.to_string());
                for package in missing {
                    finding.add_note(package);
                }
                vec![finding.with_help(
                    "install on a machine that has it; or, if the target machine has it, set \
                     `CONDA_OVERRIDE_…` (such as CONDA_OVERRIDE_CUDA=12.2)",
                )]
            }
            Self::Pip { lines } => {
                let mut finding = Finding::new(Code::PipSkipped, self.to_string());
                for line in lines {
                    finding.add_note(format!("not in the lock: {line}"));
                }
                vec![finding.with_help("install the conda packages alone with `--without-pip`")]
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::LockInputs(error) => error.exit(),
            Self::Fetch(error) => error.exit(),
            Self::Link(error) => error.exit(),
            Self::Stale { .. } => Exit::Stale,
            Self::OtherPlatform { .. } | Self::NotLocked { .. } => Exit::Usage,
            Self::UnmetVirtualPackages { .. } | Self::Pip { .. } => Exit::Findings,
        }
    }
}

/// Returns the help that adds a platform to a lock and keeps its platforms.
pub(crate) fn add_platform_help(added: Subdir, locked: &[String]) -> String {
    let platforms = locked.iter().cloned().chain([added.to_string()]);
    let flags: Vec<_> = platforms.map(|platform| format!("--platform {platform}")).collect();
    format!("add it: `envlock solve {}`", flags.join(" "))
}

/// Returns the findings of a stale lock, one for each change.
pub fn stale_findings(changes: &[Change]) -> Vec<Finding> {
    const HELP: &str = "run `envlock solve`; `envlock install --frozen` installs it as it is";
    changes
        .iter()
        .map(|change| {
            let mut finding = Finding::new(Code::StaleLock, change.to_string());
            finding.place.clone_from(&change.place);
            finding.with_help(HELP)
        })
        .collect()
}

/// Installs the lock. Every archive is fetched and verified before the prefix is touched.
/// Adds findings to `findings`, also on failure.
pub async fn install(
    project: &Project,
    request: &InstallOptions,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Result<Installed, InstallError> {
    project.read_blocking(|project| project.lock().map(drop)).await?;
    let lock = project.lock()?;
    refuse_stale(project, request, lock, context, findings)?;
    let checked = check_channels(lock, ResolutionInputs::new(project, context), findings)?;
    package_restrictions::check_existing_lock(lock, project.configuration())
        .map_err(InputsError::from)?;
    checked.channel_urls.register(context.client);
    findings.extend(checked.findings);
    let platform = context.host;
    let locked = platform_of_lock(request, lock, platform)?;
    let skipped_pip_lines = pip(locked, request.pip)?;
    let with_wheels = request.pip != PipHandling::Skip;
    let records: Vec<RepoDataRecord> =
        if with_wheels { locked.all_records().cloned().collect() } else { locked.records.clone() };
    check_virtual_packages(locked, context.host_packages)?;
    findings.extend(missing_but_not_needed(locked, context.host_packages));

    let prefix = match &request.prefix {
        Some(prefix) => prefix.clone(),
        None => project.default_prefix()?,
    };
    let spec = InstallSpec {
        prefix: prefix.clone(),
        platform,
        records: records.clone(),
        requested: requested(locked),
        requested_wheels: locked.requested_wheels(),
        variables: lock.variables.clone(),
        lock_digest: lock.environment_digest(platform, request.run_post_link_scripts, with_wheels),
        command: request.command.clone(),
        time: request.now,
        envlock_version: request.version.clone(),
        replace: request.replace,
        run_post_link_scripts: request.run_post_link_scripts,
        jobs: request.jobs,
    };
    let packages = records.len();
    let manifest = project.manifest().ok().flatten();
    let needs_are_current = manifest.is_some_and(|manifest| {
        needs::changes(lock.needs.as_ref(), Some(&manifest.locked())).is_empty()
    });
    let is_python =
        |record: &RepoDataRecord| record.package_record.name.as_normalized() == "python";
    let installed = |plan, outcome| Installed {
        prefix: prefix.clone(),
        platform,
        plan,
        outcome,
        has_python: locked.records.iter().any(is_python),
        skipped_pip_lines,
        packages,
        needs: lock.needs.clone(),
        needs_are_current,
    };
    // Checked again under the prefix's lock; here it is the dry run, and refuses before
    // anything is fetched.
    let plan = {
        let _lock = ReadLock::acquire(&prefix, context.observer).await?;
        envlock_install::plan(envlock_install::inspect(&spec)?, spec)?
    };
    if request.dry_run {
        return Ok(installed(plan, None));
    }
    let unpacked = if plan.is_empty() {
        Vec::new()
    } else {
        let archives = &lock.other_archives;
        context.client.packages(&records, archives, context.observer).await?
    };
    findings.extend(unpacked.iter().flat_map(UnpackedPackage::findings));
    let packages =
        unpacked.into_iter().map(|package| Package { record: package.record, dir: package.dir });
    if request.prefix.is_none() {
        files::ignore_in_git(&project.prefix_folder());
    }
    let outcome = envlock_install::apply(plan, packages.collect(), context.observer).await?;
    Ok(installed(outcome.plan.clone(), Some(outcome)))
}

fn refuse_stale(
    project: &Project,
    request: &InstallOptions,
    lock: &Lock,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Result<(), InstallError> {
    if request.frozen {
        lock_credentials::read_channel_urls(project, lock, context).register(context.client);
        return Ok(());
    }
    // Without environment.yml the lock can't be stale.
    let Some(environment) = project.optional_environment()? else { return Ok(()) };
    let overrides = lock_credentials::overrides_from_lock(environment, lock);
    let inputs = ResolutionInputs::new(project, context);
    let resolution = resolve_inputs(environment, &overrides, Some(lock), inputs);
    let inputs = resolution.apply(context.client, findings)?.inputs;
    let needs = project.manifest()?.map(Manifest::locked);
    let changes = lock::changes(lock, &inputs, needs.as_ref());
    if changes.is_empty() { Ok(()) } else { Err(InstallError::Stale { changes }) }
}

fn platform_of_lock<'a>(
    request: &InstallOptions,
    lock: &'a Lock,
    host: Subdir,
) -> Result<&'a LockedPlatform, InstallError> {
    if let Some(requested_platform) =
        request.platform.filter(|requested_platform| *requested_platform != host)
    {
        return Err(InstallError::OtherPlatform { requested_platform, host });
    }
    lock.platforms.get(&host).ok_or_else(|| InstallError::NotLocked {
        host,
        locked: lock.platforms.keys().map(ToString::to_string).collect(),
    })
}

fn pip(locked: &LockedPlatform, policy: PipHandling) -> Result<Vec<String>, InstallError> {
    let lines = || locked.pip.iter().map(ToString::to_string).collect();
    match policy {
        PipHandling::Skip => Ok(lines()),
        PipHandling::Install if locked.lacks_wheels() => Err(InstallError::Pip { lines: lines() }),
        PipHandling::Install => Ok(Vec::new()),
    }
}

/// Checks that this machine has the virtual packages that the lock's packages require.
pub(crate) fn check_virtual_packages(
    locked: &LockedPlatform,
    host: &[GenericVirtualPackage],
) -> Result<(), InstallError> {
    let requests = locked.specs.iter().map(|spec| (spec.as_str(), "environment.yml".to_owned()));
    let depends = locked.records.iter().flat_map(|record| {
        let needs = record.package_record.depends.iter();
        needs.map(|text| (text.as_str(), record.package_record.name.as_normalized().to_owned()))
    });
    let mut missing: Vec<String> = Vec::new();
    for (text, by) in requests.chain(depends).filter(|(text, _)| text.starts_with("__")) {
        let Some(spec) = RecordSpec::parse(text) else { continue };
        if host.iter().any(|package| spec.matches_virtual(package)) {
            continue;
        }
        let has = host.iter().find(|package| package.name.as_normalized() == spec.package());
        let has = has.map_or_else(|| "has none".to_owned(), describe_virtual);
        let line = format!("{by} needs {text}; this machine {has}");
        if !missing.contains(&line) {
            missing.push(line);
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(InstallError::UnmetVirtualPackages { missing }) }
}

/// Returns `has 2.17`; of the microarchitecture `is x86_64_v2`, since its version is always 1.
fn describe_virtual(package: &GenericVirtualPackage) -> String {
    match package.name.as_normalized() {
        "__archspec" => format!("is {}", package.build_string),
        _ => format!("has {}", package.version),
    }
}

/// Warns about assumed virtual packages that this machine lacks and no package requires.
fn missing_but_not_needed(
    locked: &LockedPlatform,
    host: &[GenericVirtualPackage],
) -> Option<Finding> {
    let lacks = |assumed: &&GenericVirtualPackage| {
        // A newer version includes the older ones.
        let has = host.iter().find(|package| package.name == assumed.name);
        has.is_none_or(|has| has.version < assumed.version)
    };
    let lacking: Vec<_> =
        locked.virtual_packages.iter().filter(lacks).map(ToString::to_string).collect();
    (!lacking.is_empty()).then(|| {
        let message = format!("the lock was made for a machine with {}", lacking.join(", "));
        Finding::new(Code::VirtualPackagesDiffer, message)
            .with_note(
                "this machine doesn't have it; no package depends on it by name, but one may have been \
                 built for it",
            )
            .with_help("`envlock solve --virtual-package default` makes a lock for the default assumptions")
    })
}

fn requested(locked: &LockedPlatform) -> BTreeMap<String, Vec<String>> {
    let mut requested: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for spec in &locked.specs {
        if let Some(request) = parse_spec(spec, Place::new("", 1, 1)) {
            requested.entry(request.package().to_owned()).or_default().push(spec.clone());
        }
    }
    requested
}
