//! The options of pip that apply to all packages: indexes, and which archives and releases may be
//! chosen.

use std::collections::BTreeMap;
use std::path::PathBuf;

use envlock_report::Place;
use pep508_rs::PackageName;

use super::VariableText;
use super::read::{PipContent, PipLine};

/// An option of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexOption {
    /// `--index-url`
    IndexUrl(Location),
    /// `--extra-index-url`
    ExtraIndexUrl(Location),
    /// `--no-index`
    NoIndex,
    /// `--find-links`
    FindLinks(Location),
    /// `--no-binary`
    NoBinary(Vec<PackageChoice>),
    /// `--only-binary`
    OnlyBinary(Vec<PackageChoice>),
    /// `--prefer-binary`
    PreferBinary,
    /// `--all-releases`, and `--pre` for all packages
    AllReleases(Vec<PackageChoice>),
    /// `--only-final`
    OnlyFinal(Vec<PackageChoice>),
    /// `--trusted-host`. It has no effect: certificates are always checked.
    TrustedHost(String),
    /// `--require-hashes`. It is always so in a lock.
    RequireHashes,
}

/// An index or a list of archives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Location {
    /// A URL.
    Url(VariableText),
    /// A path relative to the project's folder. The first that exists is meant: pip searches
    /// beside the file that has the line, then in the folder of environment.yml.
    Path(Vec<PathBuf>),
}

/// A package of a list such as `--no-binary`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackageChoice {
    /// `:all:`
    All,
    /// `:none:`, which empties the list.
    None,
    /// A package.
    Name(PackageName),
}

/// The options for one platform, with the place of each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IndexOptions {
    /// The index that replaces the default one.
    pub index_url: Option<(Location, Place)>,
    /// The indexes in addition to it, in order.
    pub extra_index_urls: Vec<(Location, Place)>,
    /// The folders and pages with archives, in order.
    pub find_links: Vec<(Location, Place)>,
    /// Whether no index is used, only `find_links`.
    pub no_index: Option<Place>,
    /// The packages of which no wheel is used.
    pub no_binary: PackageSet,
    /// The packages of which only wheels are used.
    pub only_binary: PackageSet,
    /// Whether an older wheel is preferred to a newer sdist.
    pub prefer_binary: Option<Place>,
    /// The packages of which pre-releases are used; `--pre` is all.
    pub pre: PackageSet,
    /// The packages of which no pre-release is used.
    pub only_final: PackageSet,
    /// The hosts of `--trusted-host`, without effect.
    pub trusted_hosts: Vec<(String, Place)>,
    /// The place of `--require-hashes`.
    pub require_hashes: Option<Place>,
}

/// A set of packages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackageSet {
    /// The place of `:all:`. `None` if not all packages are in the set.
    pub all: Option<Place>,
    /// The packages that are named.
    pub names: BTreeMap<PackageName, Place>,
}

/// Which archives of a package may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archives {
    /// Wheels and sdists.
    Any,
    /// Only wheels.
    Wheels,
    /// Only sdists.
    Sdists,
}

/// An option whose line has no effect, because of another line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unused {
    pub(crate) place: Place,
    pub(crate) option: &'static str,
    /// The line that is the reason, and its option.
    pub(crate) because: (Place, &'static str),
}

impl IndexOptions {
    /// Applies the lines in order, as pip does.
    pub(crate) fn of<'a>(lines: impl Iterator<Item = &'a PipLine>) -> (Self, Vec<Unused>) {
        let mut options = Self::default();
        let mut unused = Vec::new();
        for line in lines {
            let PipContent::Options(given) = &line.content else { continue };
            let is_no_index = |option: &IndexOption| matches!(option, IndexOption::NoIndex);
            // Of one line pip applies `--no-index` first, and `--index-url` before the extra ones.
            let mut given: Vec<_> = given.iter().collect();
            given.sort_by_key(|option| match option {
                option if is_no_index(option) => 0,
                IndexOption::IndexUrl(_) => 1,
                _ => 2,
            });
            for option in given {
                options.apply(option, &line.place, &mut unused);
            }
        }
        (options, unused)
    }

    fn apply(&mut self, option: &IndexOption, place: &Place, unused: &mut Vec<Unused>) {
        let here = || place.clone();
        match option {
            IndexOption::NoIndex => {
                self.no_index.get_or_insert_with(here);
                let because = (here(), "--no-index");
                unused.extend(self.take_indexes().into_iter().map(|(place, option)| Unused {
                    place,
                    option,
                    because: because.clone(),
                }));
            }
            IndexOption::IndexUrl(_) | IndexOption::ExtraIndexUrl(_) if self.no_index.is_some() => {
                let is_extra = matches!(option, IndexOption::ExtraIndexUrl(_));
                let option = if is_extra { "--extra-index-url" } else { "--index-url" };
                let because = (self.no_index.clone().unwrap_or_else(here), "--no-index");
                unused.push(Unused { place: here(), option, because });
            }
            // pip drops what was set before.
            IndexOption::IndexUrl(url) => {
                let same = self.index_url.as_ref().is_some_and(|(known, _)| known == url);
                for (earlier, option) in self.take_indexes() {
                    if !same || option != "--index-url" {
                        let because = (here(), "--index-url");
                        unused.push(Unused { place: earlier, option, because });
                    }
                }
                self.index_url = Some((url.clone(), here()));
            }
            IndexOption::ExtraIndexUrl(url) => self.extra_index_urls.push((url.clone(), here())),
            IndexOption::FindLinks(location) => self.find_links.push((location.clone(), here())),
            IndexOption::NoBinary(list) => {
                choose(&mut self.no_binary, &mut self.only_binary, list, place);
            }
            IndexOption::OnlyBinary(list) => {
                choose(&mut self.only_binary, &mut self.no_binary, list, place);
            }
            IndexOption::AllReleases(list) => {
                choose(&mut self.pre, &mut self.only_final, list, place);
            }
            IndexOption::OnlyFinal(list) => {
                choose(&mut self.only_final, &mut self.pre, list, place);
            }
            IndexOption::PreferBinary => {
                self.prefer_binary.get_or_insert_with(here);
            }
            IndexOption::TrustedHost(host) => self.trusted_hosts.push((host.clone(), here())),
            IndexOption::RequireHashes => {
                self.require_hashes.get_or_insert_with(here);
            }
        }
    }

    fn take_indexes(&mut self) -> Vec<(Place, &'static str)> {
        let index = self.index_url.take().map(|(_, place)| (place, "--index-url"));
        let extra = self.extra_index_urls.drain(..).map(|(_, place)| (place, "--extra-index-url"));
        index.into_iter().chain(extra).collect()
    }

    /// Returns which archives of a package may be used. A name has priority over `:all:`.
    pub fn archives_of(&self, name: &PackageName) -> Archives {
        if self.only_binary.names.contains_key(name) {
            Archives::Wheels
        } else if self.no_binary.names.contains_key(name) {
            Archives::Sdists
        } else if self.only_binary.all.is_some() {
            Archives::Wheels
        } else if self.no_binary.all.is_some() {
            Archives::Sdists
        } else {
            Archives::Any
        }
    }

    /// Whether pre-releases of a package may be used. `None` if no option says it: then they are
    /// used only if a specifier names one, or if there is no other release.
    pub fn allows_pre(&self, name: &PackageName) -> Option<bool> {
        if self.pre.names.contains_key(name) {
            Some(true)
        } else if self.only_final.names.contains_key(name) {
            Some(false)
        } else if self.pre.all.is_some() {
            Some(true)
        } else {
            self.only_final.all.is_some().then_some(false)
        }
    }
}

/// Adds packages to a set, and removes them from its opposite.
fn choose(set: &mut PackageSet, opposite: &mut PackageSet, list: &[PackageChoice], place: &Place) {
    let mut list = list;
    while let Some(at) = list.iter().position(|choice| *choice == PackageChoice::All) {
        *opposite = PackageSet::default();
        *set = PackageSet { all: Some(place.clone()), names: BTreeMap::new() };
        list = &list[at + 1..];
        if !list.contains(&PackageChoice::None) {
            return;
        }
    }
    for choice in list {
        match choice {
            PackageChoice::Name(name) => {
                opposite.names.remove(name);
                set.names.insert(name.clone(), place.clone());
            }
            PackageChoice::None | PackageChoice::All => *set = PackageSet::default(),
        }
    }
}
