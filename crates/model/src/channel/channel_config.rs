//! How channel names are resolved to URLs.

use std::collections::BTreeMap;
use std::fmt;

use rattler_conda_types::Subdir;
use url::Url;

use envlock_text::redact;

/// How channel names are resolved to URLs. The default is conda's without a `.condarc`.
///
/// The URLs can have credentials. `Debug` redacts them.
#[derive(Clone, PartialEq, Eq)]
pub struct ChannelConfig {
    /// The base URL of a name like `conda-forge`; ends in `/`.
    pub channel_alias: Url,
    /// The base URL of names that begin with `pkgs/`; ends in `/`.
    pub pkgs_base: Url,
    /// The channels of `defaults`, in order of priority.
    pub defaults: Vec<Url>,
    /// The base URLs of single channels and of all names below them, instead of the
    /// `channel_alias`; each ends in `/`.
    pub custom_channels: BTreeMap<String, Url>,
    /// The multichannels in addition to `defaults`, each with its channels.
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
    Url::parse(text).expect("the literal is a valid URL")
}

impl ChannelConfig {
    /// Returns the channels of a multichannel for a platform. `None` if it isn't a multichannel.
    pub(super) fn members(&self, name: &str, platform: Subdir) -> Option<Vec<&Url>> {
        let urls = if name == "defaults" {
            &self.defaults
        } else {
            self.custom_multichannels.get(name)?
        };
        // msys2 has packages for Windows only, and the instructions of mirrors list it for all
        // platforms. A lock for another platform must be the same with and without it.
        let serves = |url: &&Url| platform.is_windows() || url.as_str() != MSYS2;
        Some(urls.iter().filter(serves).collect())
    }

    /// Returns the base URL of a channel name: that of a custom channel; or that of a channel in
    /// `defaults` with this path, as in conda; or that of all other names.
    pub(super) fn base_url_of(&self, name: &str) -> Url {
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

/// Returns the name to show for a channel: a short name such as `conda-forge`, or its URL. Names
/// that only a configuration defines aren't used, because they could mean another channel on
/// another machine.
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
