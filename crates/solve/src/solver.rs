//! Solves with resolvo through rattler_solve.

use std::collections::BTreeSet;

use envlock_model::lock_inputs::{Priority, RequestedSpec};
use rattler_conda_types::RepoDataRecord;
use rattler_solve::{
    ChannelPriority, ChannelRepoData, SolveStrategy, SolverImpl, SolverTask, resolvo,
};

use crate::{
    Problem,
    pool::{Pool, PriorityExempt, name},
};

/// The solution of a problem.
#[derive(Debug, Clone)]
pub struct Solution {
    /// One record for each name, sorted by name.
    pub records: Vec<RepoDataRecord>,
    /// Records that would have been chosen if their index had a sha256 for them, each with the
    /// record that was chosen instead, if any.
    pub skipped_without_sha256: Vec<(RepoDataRecord, Option<RepoDataRecord>)>,
    /// The number of records that were excluded because of their age.
    pub too_new: ExcludedByTime,
}

/// The numbers of records that `exclude_newer` excludes, among those that the requests can reach.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExcludedByTime {
    /// Records that were built later than allowed.
    pub newer: usize,
    /// Records without a timestamp.
    pub without_timestamp: usize,
}

/// Why solving failed.
#[derive(Debug, thiserror::Error)]
pub enum SolveError {
    /// There is no solution. [`crate::explain`] returns the reasons.
    #[error("there is no solution")]
    NoSolution {
        /// The explanation of the solver: a tree of packages, several lines.
        solver_message: String,
    },
    /// An index lists a record twice, with different contents.
    #[error("the index lists {0} twice with different contents")]
    DuplicateRecord(String),
    /// A record has a dependency that can't be parsed.
    #[error("the index has a dependency that can't be parsed: {0}")]
    InvalidDependency(String),
}

/// Solves the problem. The result doesn't depend on the order of requests and records.
pub fn solve(problem: &Problem<'_>) -> Result<Solution, SolveError> {
    let pool = Pool::new(problem, &PriorityExempt::new());
    let requests: Vec<_> = problem.inputs.requests.iter().collect();
    let newest = if problem.upgraded.is_empty() {
        Vec::new()
    } else {
        // Their versions without kept records are the newest that fit.
        let nothing_kept = Problem { locked: &[], ..*problem };
        let mut records = search(&nothing_kept, &pool, &requests, &[])?;
        records.retain(|record| problem.upgraded.contains(name(record)));
        records
    };
    let records = search(problem, &pool, &requests, &newest)?;
    let skipped_without_sha256 = skipped_without_sha256(problem, &pool, &requests, &records);
    Ok(Solution { records, skipped_without_sha256, too_new: too_new(&pool) })
}

/// Solves for `requests` with the records of `pool`. A name of `pinned` has only the pinned record.
pub(crate) fn search(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    requests: &[&RequestedSpec],
    pinned: &[RepoDataRecord],
) -> Result<Vec<RepoDataRecord>, SolveError> {
    let assumed = &problem.inputs.virtual_packages;
    let (machine, requests): (Vec<&RequestedSpec>, Vec<_>) =
        requests.iter().partition(|request| request.package().starts_with("__"));
    if let Some(unmet) = machine.iter().find(|r| !assumed.iter().any(|p| r.matches_virtual(p))) {
        let solver_message = format!("{} isn't assumed", unmet.text);
        return Err(SolveError::NoSolution { solver_message });
    }
    let mut specs: Vec<_> = requests.iter().map(|request| request.spec.clone()).collect();
    specs.sort_by_cached_key(ToString::to_string);
    specs.dedup();
    let lists = pool.by_subdir(problem.records.len(), &requests);
    let pinned: Vec<_> = pinned.iter().map(|record| pool.translated.for_solver(record)).collect();
    let locked: BTreeSet<_> = problem.locked.iter().map(|record| record.url.as_str()).collect();
    // Strict priority is applied by the pool. The solver compares only the usable records.
    let channel_priority = match problem.priority {
        Priority::Strict | Priority::Disabled => ChannelPriority::Disabled,
        Priority::Flexible => ChannelPriority::Flexible,
    };
    let subdirs = lists.iter().zip(problem.records).map(|(list, subdir)| {
        let channel = &problem.channels[subdir.channel];
        let multi_channel = channel.multi.then_some(channel.name.as_str());
        ChannelRepoData { records: list.iter().copied(), multi_channel }
    });
    let task = SolverTask {
        locked_packages: lists
            .iter()
            .flatten()
            .copied()
            .filter(|record| locked.contains(record.url.as_str()))
            .filter(|record| !problem.upgraded.contains(name(record)))
            .collect(),
        pinned_packages: pinned,
        virtual_packages: problem.inputs.virtual_packages.clone(),
        specs,
        channel_priority,
        strategy: SolveStrategy::Highest,
        ..subdirs.collect::<SolverTask<'_, Vec<ChannelRepoData<'_, _>>>>()
    };
    let records = resolvo::Solver
        .solve(task)
        .map_err(|error| match error {
            rattler_solve::SolveError::Unsolvable(solver_message) => {
                SolveError::NoSolution { solver_message: solver_message.join("\n") }
            }
            rattler_solve::SolveError::DuplicateRecords(file) => SolveError::DuplicateRecord(file),
            other => SolveError::InvalidDependency(other.to_string()),
        })?
        .records;
    let originals = records.into_iter().map(|record| pool.translated.original(record));
    let mut records: Vec<_> = originals.collect();
    records.sort_by(|a, b| name(a).cmp(name(b)));
    Ok(records)
}

fn too_new(pool: &Pool<'_>) -> ExcludedByTime {
    let mut counts = ExcludedByTime::default();
    for record in pool.names.values().flat_map(|candidates| &candidates.too_new) {
        match record.package_record.timestamp {
            Some(_) => counts.newer += 1,
            None => counts.without_timestamp += 1,
        }
    }
    counts
}

/// Finds the records without a sha256 that would have been chosen. Solves once more with them if
/// one is as new as the chosen record.
fn skipped_without_sha256(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    requests: &[&RequestedSpec],
    chosen: &[RepoDataRecord],
) -> Vec<(RepoDataRecord, Option<RepoDataRecord>)> {
    let newer = chosen.iter().any(|record| {
        pool.get(name(record)).is_some_and(|candidates| {
            candidates
                .without_sha256
                .iter()
                .any(|other| other.package_record.version >= record.package_record.version)
        })
    });
    if !newer {
        return Vec::new();
    }
    let with_all: Vec<_> = problem
        .records
        .iter()
        .map(|subdir| {
            let all = subdir.with_sha256.iter().chain(&subdir.without_sha256).cloned().collect();
            crate::Records::new(subdir.channel, all, Vec::new())
        })
        .collect();
    let problem = Problem { records: &with_all, ..*problem };
    let Ok(with_all_records) =
        search(&problem, &Pool::new(&problem, &PriorityExempt::new()), requests, &[])
    else {
        return Vec::new();
    };
    with_all_records
        .into_iter()
        .filter(|record| record.package_record.sha256.is_none())
        .map(|record| {
            let instead = chosen.iter().find(|other| name(other) == name(&record)).cloned();
            (record, instead)
        })
        .collect()
}
