//! What the names of channels stand for.

use std::collections::BTreeMap;
use std::fmt;

use rattler_conda_types::Subdir;
use url::Url;

use envlock_text::redact;

/// What the names of channels stand for. The default is conda's own, without any `.condarc`.
///
/// The addresses may hold credentials; `Debug` hides them.
#[derive(Clone, PartialEq, Eq)]
pub struct ChannelConfig {
    /// Where a name like `conda-forge` is looked for; ends in `/`.
    pub channel_alias: Url,
    /// Where `pkgs/…` is looked for; ends in `/`.
    pub pkgs_base: Url,
    /// What `defaults` stands for, in order of priority.
    pub defaults: Vec<Url>,
    /// Folders of single channels: the channel of this name, and what is below it, lies there
    /// and not at the channel_alias; each ends in `/`.
    pub custom_channels: BTreeMap<String, Url>,
    /// Further names that stand for several channels.
    pub custom_multichannels: BTreeMap<String, Vec<Url>>,
}

impl Default for ChannelConfig {
    fn default() -> Self {
        Self {
            channel_alias: literal(ALIAS),
            pkgs_base: literal(PACKAGES),
            defaults: vec![
                literal("https://repo.anaconda.com/pkgs/main/"),
                literal("https://repo.anaconda.com/pkgs/r/"),
                literal(MSYS2),
            ],
            custom_channels: BTreeMap::new(),
            custom_multichannels: BTreeMap::new(),
        }
    }
}

const ALIAS: &str = "https://conda.anaconda.org/";
const PACKAGES: &str = "https://repo.anaconda.com/pkgs/";
const MSYS2: &str = "https://repo.anaconda.com/pkgs/msys2/";

fn literal(text: &str) -> Url {
    Url::parse(text).expect("the address is a valid literal")
}

impl ChannelConfig {
    /// The members of the name of several channels that are there for a platform.
    pub(super) fn members(&self, name: &str, platform: Subdir) -> Option<Vec<&Url>> {
        let urls = if name == "defaults" {
            &self.defaults
        } else {
            self.custom_multichannels.get(name)?
        };
        // msys2 has packages for Windows alone, and mirrors tell everybody to list it: a lock
        // for another platform is the same with and without it.
        let serves = |url: &&Url| platform.is_windows() || url.as_str() != MSYS2;
        Some(urls.iter().filter(serves).collect())
    }

    /// The folder that a name lies in: a custom channel's, else that of a member of
    /// `defaults` with this whole path, as conda has it, else that of all others.
    pub(super) fn base(&self, name: &str) -> Url {
        let with_parents = |name: &str| {
            let ends = name.match_indices('/').map(|(at, _)| at).chain([name.len()]);
            let mut parents: Vec<String> = ends.map(|at| name[..at].to_owned()).collect();
            parents.reverse();
            parents
        };
        if let Some(base) =
            with_parents(name).iter().find_map(|name| self.custom_channels.get(name))
        {
            return base.clone();
        }
        let whole = |url: &&Url| url.path().trim_matches('/') == name;
        if let Some(mut base) = self.defaults.iter().find(whole).cloned() {
            base.set_path("/");
            return base;
        }
        match name.strip_prefix("pkgs/") {
            Some(_) => {
                let mut base = self.pkgs_base.clone();
                if let Ok(mut path) = base.path_segments_mut() {
                    path.pop_if_empty().pop().push("");
                }
                base
            }
            None => self.channel_alias.clone(),
        }
    }
}

/// How a channel is called: by the short name that everybody knows, else by its address. A
/// name that only some configuration knows would mean something else on another machine.
pub fn display_name(url: &Url) -> String {
    let under = |base: &str| url.as_str().strip_prefix(base).map(|rest| rest.trim_end_matches('/'));
    if let Some(rest) = under(PACKAGES).filter(|rest| !rest.is_empty()) {
        return format!("pkgs/{rest}");
    }
    under(ALIAS).map_or_else(|| url.as_str().trim_end_matches('/').to_owned(), str::to_owned)
}

impl fmt::Debug for ChannelConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |urls: &[Url]| {
            urls.iter().map(|url| redact(url.as_str()).into_owned()).collect::<Vec<_>>()
        };
        let custom = self.custom_channels.iter().map(|(name, url)| (name, redact(url.as_str())));
        let multi = self.custom_multichannels.iter().map(|(name, urls)| (name, shown(urls)));
        f.debug_struct("ChannelConfig")
            .field("channel_alias", &redact(self.channel_alias.as_str()))
            .field("defaults", &shown(&self.defaults))
            .field("custom", &custom.collect::<Vec<_>>())
            .field("multi", &multi.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
