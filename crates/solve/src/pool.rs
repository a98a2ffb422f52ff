//! Selects the usable records by channel priority and `channel::package`, before the solver runs,
//! so that hidden records can be explained afterwards.

use std::collections::{BTreeMap, BTreeSet};

use envlock_model::lock_inputs::{Priority, RequestedChannel, RequestedSpec};
use envlock_model::spec::Conditions;
use rattler_conda_types::RepoDataRecord;

use crate::{Problem, translate::Translated};

/// The records of each package name, divided into usable and hidden ones.
pub(crate) struct Pool<'a> {
    pub(crate) names: BTreeMap<&'a str, Candidates<'a>>,
    /// The usable records whose dependencies rattler would read in another way than conda.
    pub(crate) translated: Translated<'a>,
}

/// The records of one name.
#[derive(Default)]
pub(crate) struct Candidates<'a> {
    /// The channel that is used for this name. `None` if no permitted channel has it.
    pub(crate) channel: Option<usize>,
    /// The usable records, each with the index of its subdir in the problem.
    pub(crate) usable: Vec<(usize, &'a RepoDataRecord)>,
    /// Records without a sha256 that would be usable otherwise.
    pub(crate) without_sha256: Vec<&'a RepoDataRecord>,
    /// Records that are newer than allowed, or have no timestamp.
    pub(crate) too_new: Vec<&'a RepoDataRecord>,
    /// The records of other channels, each with the index of its channel.
    pub(crate) hidden: Vec<(usize, &'a RepoDataRecord)>,
}

/// Packages that may come from any listed channel, regardless of priority. An explanation uses them
/// to test a remedy.
pub(crate) type PriorityExempt<'a> = BTreeSet<&'a str>;

impl<'a> Pool<'a> {
    pub(crate) fn new(problem: &Problem<'a>, exempt: &PriorityExempt<'_>) -> Self {
        let rules = ChannelRules::new(problem);
        let mut present: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for subdir in problem.records {
            for record in subdir.with_sha256.iter().chain(&subdir.without_sha256) {
                present.entry(name(record)).or_default().insert(subdir.channel);
            }
        }
        let chosen: BTreeMap<&str, Option<usize>> = present
            .iter()
            .map(|(name, channels)| (*name, rules.channel_of(name, channels)))
            .collect();

        let mut names: BTreeMap<&str, Candidates<'_>> = BTreeMap::new();
        for (place, subdir) in problem.records.iter().enumerate() {
            for (record, hashed) in subdir
                .with_sha256
                .iter()
                .map(|record| (record, true))
                .chain(subdir.without_sha256.iter().map(|record| (record, false)))
            {
                let name = name(record);
                let candidates = names.entry(name).or_default();
                candidates.channel = chosen[name];
                let any_listed = problem.priority != Priority::Strict || exempt.contains(name);
                let permitted = rules.is_permitted(record, subdir.channel, chosen[name])
                    || (any_listed && rules.may_serve_without_priority(name, subdir.channel));
                if !permitted || !rules.subdir_fits(record) {
                    candidates.hidden.push((subdir.channel, record));
                } else if is_too_new(record, problem.exclude_newer) {
                    candidates.too_new.push(record);
                } else if hashed {
                    candidates.usable.push((place, record));
                } else {
                    candidates.without_sha256.push(record);
                }
            }
        }
        let usable = names.values().flat_map(|candidates| &candidates.usable);
        let translated = Translated::new(
            |name| names.get(name),
            usable.map(|(_, record)| *record),
            &problem.inputs.virtual_packages,
        );
        Self { names, translated }
    }

    /// Returns the usable records by subdir as the solver gets them, in the order of
    /// [`crate::Records`]. Records that don't meet the conditions of a request are omitted, since
    /// the solver doesn't know them.
    pub(crate) fn by_subdir(
        &self,
        subdirs: usize,
        requests: &[&RequestedSpec],
    ) -> Vec<Vec<&RepoDataRecord>> {
        let mut conditions: BTreeMap<&str, Vec<&Conditions>> = BTreeMap::new();
        for request in requests.iter().filter(|request| !request.conditions.is_empty()) {
            conditions.entry(request.package()).or_default().push(&request.conditions);
        }
        let mut lists = vec![Vec::new(); subdirs];
        for (name, candidates) in &self.names {
            let conditions = conditions.get(name).map(Vec::as_slice).unwrap_or_default();
            for (place, record) in &candidates.usable {
                if conditions.iter().all(|one| one.match_record(&record.package_record)) {
                    lists[*place].push(self.translated.for_solver(record));
                }
            }
        }
        lists
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Candidates<'a>> {
        self.names.get(name)
    }
}

/// The channels that may provide each package.
struct ChannelRules<'a> {
    channels: &'a [RequestedChannel],
    /// The channels that are named only in specs.
    only_for_specs: BTreeSet<usize>,
    /// The channels from which each package is requested.
    pinned: BTreeMap<&'a str, BTreeSet<usize>>,
    /// The packages that are requested without a channel.
    without_channel: BTreeSet<&'a str>,
    subdirs: BTreeMap<&'a str, &'static str>,
}

impl<'a> ChannelRules<'a> {
    fn new(problem: &Problem<'a>) -> Self {
        let index = |wanted: &str| problem.channels.iter().position(|c| c.name == wanted);
        let mut rules = Self {
            channels: problem.channels,
            only_for_specs: (0..problem.channels.len())
                .filter(|index| problem.channels[*index].only_for_specs)
                .collect(),
            pinned: BTreeMap::new(),
            without_channel: BTreeSet::new(),
            subdirs: BTreeMap::new(),
        };
        for request in &problem.inputs.requests {
            match request.channel.as_deref().and_then(index) {
                Some(channel) => {
                    rules.pinned.entry(request.package()).or_default().insert(channel);
                }
                None => {
                    rules.without_channel.insert(request.package());
                }
            }
            if let Some(subdir) = request.subdir {
                rules.subdirs.insert(request.package(), subdir.as_str());
            }
        }
        rules
    }

    /// Returns the channel of a name under strict priority: the first channel that has the name,
    /// in any version.
    ///
    /// A package that is requested from a channel comes only from there. A channel that only specs
    /// name provides those packages, and dependencies that no listed channel has. It never
    /// provides a package that is requested without a channel.
    fn channel_of(&self, name: &str, present: &BTreeSet<usize>) -> Option<usize> {
        if let Some(pinned) = self.pinned.get(name) {
            return pinned.first().copied();
        }
        let listed = present.iter().find(|channel| !self.only_for_specs.contains(channel));
        match listed {
            Some(channel) => Some(*channel),
            None if self.without_channel.contains(name) => None,
            None => present.first().copied(),
        }
    }

    /// Whether a record may be chosen from its channel. For a pinned package the record's URL
    /// decides, since `pkgs/main` can be a part of `defaults`. With several pinned channels the
    /// record must come from all of them.
    fn is_permitted(&self, record: &RepoDataRecord, channel: usize, chosen: Option<usize>) -> bool {
        match self.pinned.get(name(record)) {
            Some(pinned) => pinned.iter().all(|asked| self.channels[*asked].contains(record)),
            None => chosen == Some(channel),
        }
    }

    /// Whether a listed channel provides a name if priority isn't strict. A name that is requested
    /// from a channel has only that channel.
    fn may_serve_without_priority(&self, name: &str, channel: usize) -> bool {
        !self.only_for_specs.contains(&channel) && !self.pinned.contains_key(name)
    }

    fn subdir_fits(&self, record: &RepoDataRecord) -> bool {
        self.subdirs.get(name(record)).is_none_or(|subdir| record.package_record.subdir == *subdir)
    }
}

/// Whether a record is newer than `limit`. One without a timestamp counts as too new, because its
/// age is unknown.
fn is_too_new(record: &RepoDataRecord, limit: Option<jiff::Timestamp>) -> bool {
    limit.is_some_and(|limit| {
        let built = record.package_record.timestamp.map(jiff::Timestamp::from);
        built.is_none_or(|built| built > limit)
    })
}

pub(crate) fn name(record: &RepoDataRecord) -> &str {
    record.package_record.name.as_normalized()
}
