//! `install`: the lock -> what the host must have -> packages in the cache -> the prefix.

use std::{collections::BTreeMap, path::PathBuf};

use envlock_channel::FetchError;
use envlock_install::{InstallError as LinkError, Plan, Wanted};
use envlock_model::{
    lock::{self, Change, Lock, LockedPlatform},
    spec::parse_request,
};
use envlock_report::{Code, Exit, Explain, Finding, Place, count};
use rattler_conda_types::{
    GenericVirtualPackage, MatchSpec, Matches, ParseMatchSpecOptions, RepoDataRecord, Subdir,
};

use envlock_model::needs::LockedNeeds;
use envlock_secrets::manifest::Manifest;

use crate::{
    Context, FileError, Project, QuestionError, lock_credentials,
    question::{QuestionInputs, check_channels, resolve_question},
};

/// What to do about a pip section, which a lock of this version doesn't resolve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PipPolicy {
    /// Refuse.
    Refuse,
    /// Install without it: the user said so.
    Skip,
}

/// What `install` is asked to do.
#[derive(Debug, Clone)]
pub struct InstallRequest {
    /// The prefix, as an absolute path. None for the project's own, `.envlock/NAME` in the
    /// folder of the lock.
    pub prefix: Option<PathBuf>,
    /// `--platform`: refused unless it is the host's.
    pub platform: Option<Subdir>,
    /// Whether a stale lock is taken as it is.
    pub frozen: bool,
    /// Whether to build anew over unknown files.
    pub replace: bool,
    /// What to do about a pip section.
    pub pip: PipPolicy,
    /// Whether post-link scripts run.
    pub link_scripts: bool,
    /// Whether to leave the prefix as it is.
    pub dry_run: bool,
    /// The command line, for the history and for other installs that wait.
    pub command: String,
    /// The time.
    pub now: jiff::Timestamp,
    /// This program's version.
    pub version: String,
    /// How many packages are compiled at a time.
    pub jobs: usize,
}

/// What `install` did.
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
    /// The pip section's lines that were left out.
    pub skipped_pip_lines: Vec<String>,
    /// How many packages the lock has for this platform.
    pub packages: usize,
    /// The needs of secrets that the lock carries.
    pub needs: Option<LockedNeeds>,
}

/// Why nothing was installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A file of the project can't be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The question can't be resolved.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// environment.yml or secrets.yml changed since the lock was made.
    #[error("the lock no longer answers what is asked")]
    Stale {
        /// What changed.
        changes: Vec<Change>,
    },
    /// `--platform` isn't this machine's platform.
    #[error("{asked} can't be installed on this machine, which is {host}")]
    OtherPlatform {
        /// What was asked.
        asked: Subdir,
        /// What this is.
        host: Subdir,
    },
    /// The lock doesn't answer for this machine.
    #[error("the lock has no packages for {host}, only for {}", .locked.join(", "))]
    NotLocked {
        /// This machine's platform.
        host: Subdir,
        /// The lock's.
        locked: Vec<String>,
    },
    /// The machine lacks what packages need.
    #[error("this machine is not what the lock was made for")]
    UnmetVirtualPackages {
        /// What is missing, each with who needs it.
        missing: Vec<String>,
    },
    /// A pip section, unresolved.
    #[error("the lock leaves the pip section out: {} would be missing", count(.lines.len(), "line"))]
    Pip {
        /// The lines.
        lines: Vec<String>,
    },
    /// An archive can't be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The prefix can't be made.
    #[error(transparent)]
    Link(#[from] LinkError),
}

impl Explain for InstallError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::File(error) => error.findings(),
            Self::Question(error) => error.findings(),
            Self::Fetch(error) => error.findings(),
            Self::Link(error) => error.findings(),
            Self::Stale { changes } => stale_findings(changes),
            Self::OtherPlatform { host, .. } => {
                vec![Finding::new(Code::OtherPlatform, self.to_string()).with_help(format!(
                    "leave `--platform` out, or install on {host} what is for it"
                ))]
            }
            Self::NotLocked { host, .. } => {
                vec![Finding::new(Code::NotLocked, self.to_string()).with_help(format!(
                    "add it: `envlock solve --platform {host}`, with the others"
                ))]
            }
            Self::UnmetVirtualPackages { missing } => {
                let mut finding = Finding::new(Code::HostLacks, self.to_string());
                finding.notes.clone_from(missing);
                vec![finding.with_help(
                    "install on a machine that has it; or, where the machine is known better, set \
                     `CONDA_OVERRIDE_…` (such as CONDA_OVERRIDE_CUDA=12.2)",
                )]
            }
            Self::Pip { lines } => {
                let mut finding = Finding::new(Code::PipLeftOut, self.to_string());
                finding.notes =
                    lines.iter().map(|line| format!("not in the lock: {line}")).collect();
                vec![finding.with_help("install the conda packages alone with `--without-pip`")]
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::Question(error) => error.exit(),
            Self::Fetch(error) => error.exit(),
            Self::Link(error) => error.exit(),
            Self::Stale { .. } => Exit::Stale,
            Self::OtherPlatform { .. } | Self::NotLocked { .. } => Exit::Usage,
            Self::UnmetVirtualPackages { .. } | Self::Pip { .. } => Exit::Findings,
        }
    }
}

/// The findings of a stale lock, one a change.
pub fn stale_findings(changes: &[Change]) -> Vec<Finding> {
    const HELP: &str = "run `envlock solve`; `envlock install --frozen` takes it as it is";
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
/// What the user should know goes to `warnings`, however it ends.
pub async fn install(
    project: &Project,
    request: &InstallRequest,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Result<Installed, InstallError> {
    project.read(|project| project.lock().map(drop)).await?;
    let lock = project.lock()?;
    refuse_stale(project, request, lock, context, findings)?;
    let checked = check_channels(lock, QuestionInputs::new(project, context), findings)?;
    checked.addresses.register(context.client);
    findings.extend(checked.findings);
    let platform = context.host;
    let locked = platform_of_lock(request, lock, platform)?;
    let skipped_pip_lines = pip(locked, request.pip)?;
    check_virtual_packages(locked, context.host_packages)?;
    findings.extend(missing_but_not_needed(locked, context.host_packages));

    let prefix = match &request.prefix {
        Some(prefix) => prefix.clone(),
        None => project.default_prefix()?,
    };
    let wanted = Wanted {
        prefix: prefix.clone(),
        platform,
        records: locked.records.clone(),
        requested: requested(locked),
        variables: lock.variables.clone(),
        stamp: lock.stamp(platform, request.link_scripts),
        command: request.command.clone(),
        now: request.now,
        envlock_version: request.version.clone(),
        replace: request.replace,
        link_scripts: request.link_scripts,
        jobs: request.jobs,
    };
    let packages = locked.records.len();
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
    };
    // Checked again under the prefix's lock; here it is the dry run, and refuses before
    // anything is fetched.
    let plan = envlock_install::plan(envlock_install::inspect(&wanted)?, wanted)?;
    if request.dry_run {
        return Ok(installed(plan, None));
    }
    let folders = if plan.is_empty() {
        Vec::new()
    } else {
        context.client.packages(&locked.records, context.observer).await?
    };
    let outcome = envlock_install::apply(plan, folders, context.observer).await?;
    Ok(installed(outcome.plan.clone(), Some(outcome)))
}

fn refuse_stale(
    project: &Project,
    request: &InstallRequest,
    lock: &Lock,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Result<(), InstallError> {
    if request.frozen {
        lock_credentials::addresses_in_environment(project, lock, context).register(context.client);
        return Ok(());
    }
    // A lock may be shipped alone, and then there is nothing that it could be stale against.
    let Some(environment) = project.optional_environment()? else { return Ok(()) };
    let overrides = lock_credentials::overrides_from_lock(environment, lock);
    let inputs = QuestionInputs::new(project, context);
    let resolution = resolve_question(environment, &overrides, Some(lock), inputs);
    let question = resolution.apply(context.client, findings)?.question;
    let needs = project.manifest()?.map(Manifest::locked);
    let changes = lock::changes(lock, &question, needs.as_ref());
    if changes.is_empty() { Ok(()) } else { Err(InstallError::Stale { changes }) }
}

fn platform_of_lock<'a>(
    request: &InstallRequest,
    lock: &'a Lock,
    host: Subdir,
) -> Result<&'a LockedPlatform, InstallError> {
    if let Some(asked) = request.platform.filter(|asked| *asked != host) {
        return Err(InstallError::OtherPlatform { asked, host });
    }
    lock.platforms.get(&host).ok_or_else(|| InstallError::NotLocked {
        host,
        locked: lock.platforms.keys().map(ToString::to_string).collect(),
    })
}

fn pip(locked: &LockedPlatform, policy: PipPolicy) -> Result<Vec<String>, InstallError> {
    if locked.pip.is_empty() || policy == PipPolicy::Skip {
        return Ok(locked.pip.clone());
    }
    Err(InstallError::Pip { lines: locked.pip.clone() })
}

/// The lock assumes virtual packages; what its packages need of them this machine must have.
fn check_virtual_packages(
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
        let Ok(spec) = MatchSpec::from_str(text, ParseMatchSpecOptions::lenient()) else {
            continue;
        };
        if host.iter().any(|package| spec.matches(package)) {
            continue;
        }
        let has = host.iter().find(|package| spec.name.matches(&package.name));
        let has = has.map_or_else(|| "has none".to_owned(), |has| format!("has {}", has.version));
        let line = format!("{by} needs {text}; this machine {has}");
        if !missing.contains(&line) {
            missing.push(line);
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(InstallError::UnmetVirtualPackages { missing }) }
}

/// What the lock assumes and this machine hasn't, though no package asks for it by now.
fn missing_but_not_needed(
    locked: &LockedPlatform,
    host: &[GenericVirtualPackage],
) -> Option<Finding> {
    let lacks = |assumed: &&GenericVirtualPackage| {
        // A newer machine has all that an older one has. How fast its processor is decides
        // nothing here: packages say what they need of it.
        let has = host.iter().find(|package| package.name == assumed.name);
        has.is_none_or(|has| has.version < assumed.version)
    };
    let lacking: Vec<_> =
        locked.virtual_packages.iter().filter(lacks).map(ToString::to_string).collect();
    (!lacking.is_empty()).then(|| {
        let message = format!("the lock was made for a machine with {}", lacking.join(", "));
        Finding::new(Code::HostDiffers, message)
            .with_note(
                "this one hasn't; no package asks for it by name, but one may be built on it",
            )
            .with_help("`envlock solve --virtual-package default` makes a lock for usual machines")
    })
}

fn requested(locked: &LockedPlatform) -> BTreeMap<String, Vec<String>> {
    let mut requested: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for spec in &locked.specs {
        if let Some(request) = parse_request(spec, Place::new("", 1, 1)) {
            requested.entry(request.package().to_owned()).or_default().push(spec.clone());
        }
    }
    requested
}
