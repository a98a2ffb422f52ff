//! What an install would change, from records alone: pure, for a dry run.

use std::collections::BTreeMap;
use std::fmt;

use rattler_conda_types::RepoDataRecord;
use schemars::JsonSchema;
use serde::Serialize;

use crate::history::channel;

/// A package as a person knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Dist {
    /// Its normalised name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its build string.
    pub build: String,
    /// Its channel, as conda names it.
    pub channel: String,
    /// Its subdir.
    pub subdir: String,
}

impl From<&RepoDataRecord> for Dist {
    fn from(record: &RepoDataRecord) -> Self {
        let package = &record.package_record;
        Self {
            name: package.name.as_normalized().to_owned(),
            version: package.version.to_string(),
            build: package.build.to_string(),
            channel: channel(record),
            subdir: package.subdir.clone(),
        }
    }
}

impl fmt::Display for Dist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} ({})", self.name, self.version, self.build, self.channel)
    }
}

/// Another package of the same name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// What is there.
    pub from: Dist,
    /// What will be there.
    pub to: Dist,
}

/// What an install would change; each list sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Plan {
    /// Packages that come.
    pub link: Vec<Dist>,
    /// Packages that go.
    pub unlink: Vec<Dist>,
    /// Packages that become another version, build or channel.
    pub change: Vec<Change>,
    /// Packages that stay as they are.
    pub keep: Vec<Dist>,
}

impl Plan {
    /// Whether every package stays.
    pub fn is_empty(&self) -> bool {
        self.link.is_empty() && self.unlink.is_empty() && self.change.is_empty()
    }
}

impl fmt::Display for Plan {
    /// A line a change: `+ new`, `- old`, `~ from -> to`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: BTreeMap<&str, String> = BTreeMap::new();
        for dist in &self.link {
            lines.insert(&dist.name, format!("+ {dist}"));
        }
        for dist in &self.unlink {
            lines.insert(&dist.name, format!("- {dist}"));
        }
        for Change { from, to } in &self.change {
            lines.insert(
                &to.name,
                format!("~ {from} -> {} {} ({})", to.version, to.build, to.channel),
            );
        }
        lines.values().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// Compares what a prefix has with what it shall have.
pub fn plan<'a>(
    present: impl IntoIterator<Item = &'a RepoDataRecord>,
    wanted: impl IntoIterator<Item = &'a RepoDataRecord>,
) -> Plan {
    let by_name = |record: &'a RepoDataRecord| (record.package_record.name.as_normalized(), record);
    let mut present: BTreeMap<&str, &RepoDataRecord> = present.into_iter().map(by_name).collect();
    let wanted: BTreeMap<&str, &RepoDataRecord> = wanted.into_iter().map(by_name).collect();
    let mut plan = Plan::default();
    for (name, new) in wanted {
        match present.remove(name) {
            None => plan.link.push(new.into()),
            Some(old) if same(old, new) => plan.keep.push(new.into()),
            Some(old) => plan.change.push(Change { from: old.into(), to: new.into() }),
        }
    }
    plan.unlink = present.into_values().map(Dist::from).collect();
    plan
}

/// The same archive, by digest where both have one, else by name.
fn same(a: &RepoDataRecord, b: &RepoDataRecord) -> bool {
    match (a.package_record.sha256, b.package_record.sha256) {
        (Some(a), Some(b)) => a == b,
        _ => Dist::from(a) == Dist::from(b),
    }
}
