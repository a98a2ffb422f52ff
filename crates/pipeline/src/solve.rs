//! `solve`: environment.yml -> question -> indexes -> a set by platform -> the lock.

use std::collections::{BTreeMap, BTreeSet};

use envlock_channel::{IndexError, Indexes, SubdirRecords, Subscription};
use envlock_model::{
    diff::{self, Difference},
    lock::{self, Change, Lock, WriteError},
    needs::NeedChange,
    progress::{Event, Phase},
    question::Question,
};
use envlock_report::{Code, Exit, Explain, Finding, Level, count, nearest};
use envlock_secrets::manifest::Manifest;
use envlock_solve::{Problem, Records, TooNew};
use rattler_conda_types::{PackageName, RepoDataRecord, Subdir};

use crate::{
    Context, FileError, Overrides, Project, QuestionError,
    blocking::blocking,
    files,
    question::{Inputs, Settled, settle, still_assumed},
    secrets,
};

/// What `solve` is asked to do.
#[derive(Debug, Clone)]
pub struct SolveRequest {
    /// What the command line sets.
    pub overrides: Overrides,
    /// Which packages of the present lock to upgrade.
    pub upgrade: Upgrade,
    /// Whether to leave the lock file as it is.
    pub dry_run: bool,
}

/// Which packages of the present lock to upgrade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upgrade {
    /// None: each stays at its version if it can.
    None,
    /// `--update`: these, to the newest version that fits; others only as far as they must.
    Packages(BTreeSet<String>),
    /// `--upgrade`: all.
    All,
}

/// What `solve` found.
#[derive(Debug)]
pub struct Solved {
    /// The answer.
    pub lock: Lock,
    /// Whether the file was written: not where no byte would have changed.
    pub written: bool,
    /// What changed against the lock that was there.
    pub differences: Vec<Difference>,
}

/// What `solve --check` found.
#[derive(Debug)]
pub struct Checked {
    /// What the lock doesn't answer.
    pub changes: Vec<Change>,
    /// Where the lock's needs of secrets aren't the manifest's. Both empty: it is fresh.
    pub needs: Vec<NeedChange>,
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum SolveError {
    /// A file of the project can't be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// What is asked can't be made out.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// An index can't be had.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// `--update` names a package that the lock doesn't have.
    #[error("{name} is not in the lock")]
    NotLocked {
        /// The name.
        name: String,
        /// The nearest that is.
        nearest: Option<String>,
    },
    /// An index contradicts itself.
    #[error("the indexes can't be searched: {0}")]
    Records(String),
    /// There is no solution.
    #[error("there is no solution")]
    NoSolution {
        /// Why, by line and platform.
        reasons: Vec<Finding>,
    },
    /// The answer may not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The search ended early.
    #[error("the search was interrupted")]
    Interrupted,
}

impl Explain for SolveError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::File(error) => error.findings(),
            Self::Question(error) => error.findings(),
            Self::Index(error) => error.findings(),
            Self::NoSolution { reasons } => reasons.clone(),
            Self::NotLocked { nearest, .. } => {
                let diagnostic = Finding::new(Code::NotLockedPackage, self.to_string());
                vec![diagnostic.with_help(nearest.as_ref().map_or_else(
                    || "`envlock solve` adds what environment.yml asks for".to_owned(),
                    |near| format!("did you mean `--update {near}`?"),
                ))]
            }
            Self::Records(_) => {
                vec![Finding::new(Code::BadIndex, self.to_string()).with_help(
                    "tell whoever runs the channel; another mirror may have a good copy",
                )]
            }
            Self::Write(_) => vec![
                Finding::new(Code::LockRefused, self.to_string()).with_note("no lock was written"),
            ],
            Self::Interrupted => vec![Finding::new(Code::Interrupted, self.to_string())],
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::Question(error) => error.exit(),
            Self::Index(error) => error.exit(),
            Self::NoSolution { .. } => Exit::NoSolution,
            Self::Write(_) | Self::NotLocked { .. } => Exit::Usage,
            Self::Records(_) | Self::Interrupted => Exit::Unknown,
        }
    }
}

/// Compares the lock with what the project asks for. Touches no network. What the user should
/// know goes to `findings`, however it ends.
pub fn check(
    project: &Project,
    overrides: &Overrides,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Result<Checked, SolveError> {
    let environment = project.environment()?;
    let manifest = project.manifest()?;
    let lock = project.lock()?;
    let settlement = settle(environment, overrides, Some(lock), Inputs::new(project, context));
    findings.extend(settlement.findings);
    let changes = lock::changes(lock, &settlement.question?.question);
    let needs = secrets::changes(lock, manifest);
    Ok(Checked { changes, needs })
}

/// Solves and writes the lock. What the user should know goes to `findings`, however it ends.
pub async fn solve(
    project: &Project,
    request: &SolveRequest,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Result<Solved, SolveError> {
    let present = project.read(|project| {
        project.environment()?;
        project.manifest()?;
        project.present_lock()
    });
    let present = present.await?;
    let present = present.as_ref();
    let environment = project.environment()?;
    let overrides = &request.overrides;
    let settlement = settle(environment, overrides, present, Inputs::new(project, context));
    let Settled { question, places, .. } = settlement.apply(context.client, findings)?;
    findings.extend(still_assumed(&question, overrides));
    findings.extend(pip_left_out(&question));

    let kept = present.filter(|_| request.upgrade != Upgrade::All);
    let upgraded = upgraded(&request.upgrade, present)?;
    let indexes = context.client.indexes(&channel_requests(&question), context.observer).await;
    let indexes = indexes.map_err(|error| error.at(|channel| places.get(&channel.url).cloned()))?;
    findings.extend(indexes.warnings.iter().cloned());
    let records = answers(&question, &indexes, kept, upgraded, context, findings).await?;

    let lock = Lock::answer(&question, records, project.manifest()?.map(Manifest::locked));
    let (lock, text) = blocking(move || {
        let text = lock::write(&lock);
        (lock, text)
    })
    .await;
    let text = text?;
    let changed = project.lock_text()? != Some(text.as_str());
    let written = changed && !request.dry_run;
    if written {
        let path = project.lock_path().to_owned();
        blocking(move || files::replace(&path, &text)).await?;
    }
    let differences = diff::differences(present, &lock);
    Ok(Solved { lock, written, differences })
}

/// The names of the packages to upgrade, each of which the lock has.
fn upgraded(upgrade: &Upgrade, present: Option<&Lock>) -> Result<BTreeSet<String>, SolveError> {
    let Upgrade::Packages(names) = upgrade else { return Ok(BTreeSet::new()) };
    let locked: BTreeSet<&str> = present
        .into_iter()
        .flat_map(|lock| lock.platforms.values())
        .flat_map(|platform| &platform.records)
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

/// Each channel once, with the subdirs that the platforms need, `noarch` among them.
fn channel_requests(question: &Question) -> Vec<Subscription> {
    let platforms: BTreeSet<_> = question.platforms.keys().copied().collect();
    let mut requests: Vec<Subscription> = Vec::new();
    for channel in &question.channels {
        for url in &channel.urls {
            // `pkgs/main::package` names a channel that `defaults` has already.
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
            requests.push(Subscription {
                channel: envlock_model::channel::Channel {
                    name: channel.name.clone(),
                    url: url.clone(),
                    multi: channel.multi.then(|| channel.name.clone()),
                },
                subdirs,
            });
        }
    }
    requests
}

/// Solves every platform side by side; all that fails is told at once.
async fn answers(
    question: &Question,
    indexes: &Indexes,
    kept: Option<&Lock>,
    upgraded: BTreeSet<String>,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> Result<BTreeMap<Subdir, Vec<RepoDataRecord>>, SolveError> {
    let units = question.platforms.len() as u64;
    context.observer.observe(Event::Expect { phase: Phase::Solve, units });
    let mut searches = Vec::new();
    for platform in question.platforms.keys().copied() {
        let search = Search {
            platform,
            question: question.clone(),
            records: records_for(platform, question, indexes)?,
            upgraded: upgraded.clone(),
            locked: kept
                .and_then(|lock| lock.platforms.get(&platform))
                .map(|locked| locked.records.clone())
                .unwrap_or_default(),
        };
        searches.push(tokio::task::spawn_blocking(move || {
            let outcome = search.run();
            (search, outcome)
        }));
    }
    let mut answers = BTreeMap::new();
    let mut reasons = Vec::new();
    for search in searches {
        let (search, outcome) = search.await.map_err(|_| SolveError::Interrupted)?;
        match outcome {
            Ok(solution) => {
                findings.extend(solution.passed_over.iter().map(passed_over));
                findings.extend(left_out(search.platform, solution.too_new));
                answers.insert(search.platform, solution.records);
            }
            Err(envlock_solve::SolveError::NoSolution { .. }) => {
                let names = names(question, &indexes.of_platform(search.platform));
                reasons.extend(
                    tokio::task::spawn_blocking(move || search.explain(&names))
                        .await
                        .map_err(|_| SolveError::Interrupted)?,
                );
            }
            Err(error) => return Err(SolveError::Records(error.to_string())),
        }
        context.observer.observe(Event::Advance { phase: Phase::Solve, units: 1 });
    }
    if !reasons.is_empty() {
        return Err(SolveError::NoSolution { reasons: once_for_all_platforms(reasons, units) });
    }
    let packages: usize = answers.values().map(Vec::len).sum();
    let summary = count(packages, "package");
    context.observer.observe(Event::Done { phase: Phase::Solve, summary });
    Ok(answers)
}

/// One platform's search, with all that it needs, for a thread of its own.
struct Search {
    platform: Subdir,
    question: Question,
    records: Vec<Records>,
    locked: Vec<RepoDataRecord>,
    upgraded: BTreeSet<String>,
}

impl Search {
    fn problem(&self) -> Problem<'_> {
        Problem {
            platform: self.platform,
            channels: &self.question.channels,
            asked: &self.question.platforms[&self.platform],
            records: &self.records,
            locked: &self.locked,
            moved: &self.upgraded,
            priority: self.question.priority,
            exclude_newer: self.question.exclude_newer,
        }
    }

    fn run(&self) -> Result<envlock_solve::Solution, envlock_solve::SolveError> {
        envlock_solve::solve(&self.problem())
    }

    fn explain(&self, names: &envlock_solve::Names) -> Vec<Finding> {
        let reasons = envlock_solve::explain(&self.problem(), names);
        let on = format!("on {}", self.platform);
        reasons.into_iter().map(|reason| reason.with_note(on.clone())).collect()
    }
}

/// The records that the requests can reach, in the order of the channels.
fn records_for(
    platform: Subdir,
    question: &Question,
    indexes: &Indexes,
) -> Result<Vec<Records>, IndexError> {
    let asked = &question.platforms[&platform];
    let names: BTreeSet<PackageName> =
        asked.requests.iter().filter_map(|r| r.spec.name.as_exact().cloned()).collect();
    let names: Vec<_> = names.into_iter().collect();
    let loaded = indexes.of_platform(platform).load(&names)?;
    let place = |subdir: &SubdirRecords| {
        question.channels.iter().position(|channel| channel.urls.contains(&subdir.channel.url))
    };
    Ok(loaded
        .into_iter()
        .filter_map(|subdir| {
            let channel = place(&subdir)?;
            Some(Records::new(channel, subdir.records, subdir.unhashed))
        })
        .collect())
}

/// Every name of the indexes, with the places of its channels in the question.
fn names(question: &Question, indexes: &Indexes) -> envlock_solve::Names {
    let place = |url: &url::Url| question.channels.iter().position(|c| c.urls.contains(url));
    let places = |channels: Vec<&envlock_model::channel::Channel>| {
        let places: BTreeSet<_> = channels.iter().filter_map(|c| place(&c.url)).collect();
        places.into_iter().collect()
    };
    let names = indexes.names().into_iter();
    names.map(|(name, channels)| (name.to_owned(), places(channels))).collect()
}

/// A reason that holds on every platform is told once, without naming any.
fn once_for_all_platforms(reasons: Vec<Finding>, platforms: u64) -> Vec<Finding> {
    let mut merged: Vec<(Finding, Vec<String>)> = Vec::new();
    for mut reason in reasons {
        let on = reason.notes.pop().unwrap_or_default();
        match merged.iter_mut().find(|(other, _)| *other == reason) {
            Some((_, all)) => all.push(on),
            None => merged.push((reason, vec![on])),
        }
    }
    merged
        .into_iter()
        .map(
            |(reason, on)| {
                if on.len() as u64 == platforms { reason } else { reason.with_note(on.join(", ")) }
            },
        )
        .collect()
}

fn left_out(platform: Subdir, too_new: TooNew) -> Option<Finding> {
    (too_new != TooNew::default()).then(|| {
        Finding::new(
            Code::ExcludeNewer,
            format!(
                "{} newer than allowed and {} without a timestamp left out for {platform}",
                count(too_new.newer, "record"),
                count(too_new.undated, "record"),
            ),
        )
    })
}

fn passed_over((record, instead): &(RepoDataRecord, Option<RepoDataRecord>)) -> Finding {
    let taken = instead.as_ref().map_or_else(
        || "another set was taken".to_owned(),
        |instead| format!("{} was taken", instead.identifier),
    );
    Finding::new(
        Code::NoSha256,
        format!("{} would have been the choice, but its index gives no sha256", record.identifier),
    )
    .at_level(Level::Warning)
    .with_note(format!("what can't be verified is never locked; {taken}"))
}

fn pip_left_out(question: &Question) -> Option<Finding> {
    let first =
        question.platforms.values().flat_map(|asked| &asked.pip).min_by_key(|l| &l.place)?;
    let lines: BTreeSet<_> =
        question.platforms.values().flat_map(|asked| &asked.pip).map(|l| &l.text).collect();
    Some(
        Finding::new(
            Code::PipLeftOut,
            format!(
                "the pip section is NOT resolved: {} left out of the set",
                count(lines.len(), "line")
            ),
        )
        .at_level(Level::Warning)
        .at(first.place.clone())
        .with_note("the lock records them as asked; no package of it answers for them")
        .with_help("`envlock install` refuses such a lock, unless with `--without-pip`"),
    )
}
