//! The configuration of channel names.

use std::collections::BTreeMap;
use std::fmt;

use envlock_text::redact::redact_url;
use rattler_conda_types::Subdir;
use url::Url;

use super::{ChannelCredentials, ChannelError};

/// How channel names are resolved to URLs. The default is that of conda without a `.condarc`.
///
/// The URLs may hold credentials; `Debug` hides them.
#[derive(Clone, PartialEq, Eq)]
pub struct ChannelConfig {
    /// The base URL of names such as `conda-forge`; ends in `/`.
    pub channel_alias: Url,
    /// The base URL of `pkgs/…`; ends in `/`.
    pub pkgs_base: Url,
    /// The members of `defaults`, in order of priority.
    pub defaults: Vec<Url>,
    /// Base URLs of single channels, by name. They replace the alias for the channel and for the
    /// channels below it; each ends in `/`.
    pub custom_channels: BTreeMap<String, Url>,
    /// Other multichannels: names for several channels.
    pub custom_multichannels: BTreeMap<String, Vec<Url>>,
    /// Earlier values of the alias. A URL below one is the channel of this name below the alias.
    pub migrated_aliases: Vec<Url>,
    /// Earlier base URLs of channels, by name. A URL below one is the channel of this name.
    pub migrated_channels: BTreeMap<String, Url>,
    /// Entries that can't be used. Using one is an error.
    pub invalid: InvalidEntries,
}

/// Entries of the configuration that can't be used, each with its error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InvalidEntries {
    /// The alias.
    pub channel_alias: Option<ChannelError>,
    /// A member of `defaults`.
    pub defaults: Option<ChannelError>,
    /// Custom channels by name.
    pub custom_channels: BTreeMap<String, ChannelError>,
    /// Multichannels by name.
    pub custom_multichannels: BTreeMap<String, ChannelError>,
    /// Entries of `mirrored_channels` with a folder that can't be used, by the channel's URL.
    pub mirrored_channels: Vec<(Url, ChannelError)>,
}

/// The setting that decides the base URL of a channel's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaseSetting {
    /// `custom_channels`, with the name of its entry.
    CustomChannel(String),
    /// The path of a member of `defaults`.
    Defaults,
    /// conda's own base URL of `pkgs/…`.
    Pkgs,
    /// `channel_alias`.
    ChannelAlias,
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
            migrated_aliases: Vec::new(),
            migrated_channels: BTreeMap::new(),
            invalid: InvalidEntries::default(),
        }
    }
}

const ALIAS: &str = "https://conda.anaconda.org/";
const PACKAGES: &str = "https://repo.anaconda.com/pkgs/";
const MSYS2: &str = "https://repo.anaconda.com/pkgs/msys2/";

fn literal(text: &str) -> Url {
    Url::parse(text).expect("a valid literal")
}

impl ChannelConfig {
    /// Returns the members of a multichannel that exist for a platform.
    pub(super) fn members(&self, name: &str, platform: Subdir) -> Option<Vec<&Url>> {
        let urls = if name == "defaults" {
            &self.defaults
        } else {
            self.custom_multichannels.get(name)?
        };
        // msys2 has packages for Windows only, and the instructions of mirrors list it for every
        // platform. Without it the lock of another platform is the same.
        let serves = |url: &&Url| platform.is_windows() || url.as_str() != MSYS2;
        Some(urls.iter().filter(serves).collect())
    }

    /// Returns the error of a multichannel, if one of its members can't be used.
    pub(super) fn invalid_members(&self, name: &str) -> Option<&ChannelError> {
        match name {
            "defaults" => self.invalid.defaults.as_ref(),
            name => self.invalid.custom_multichannels.get(name),
        }
    }

    /// Returns the setting that decides the base URL of a name: a custom channel, else a member of
    /// `defaults` with this path, as in conda, else the general one.
    pub fn base_setting(&self, name: &str) -> BaseSetting {
        let is_custom = |name: &&str| {
            self.custom_channels.contains_key(*name)
                || self.invalid.custom_channels.contains_key(*name)
        };
        let mut parents = name_and_parents(name);
        if let Some(name) = parents.find(is_custom) {
            return BaseSetting::CustomChannel(name.to_owned());
        }
        if self.default_member(name).is_some() {
            return BaseSetting::Defaults;
        }
        if !name.starts_with("pkgs/") {
            return BaseSetting::ChannelAlias;
        }
        // The member that can't be used may be the one with this path.
        match self.invalid.defaults {
            Some(_) => BaseSetting::Defaults,
            None => BaseSetting::Pkgs,
        }
    }

    /// Returns the base URL of a name.
    pub(super) fn base_url(&self, name: &str) -> Result<Url, ChannelError> {
        match self.base_setting(name) {
            BaseSetting::CustomChannel(name) => {
                match (self.custom_channels.get(&name), self.invalid.custom_channels.get(&name)) {
                    (_, Some(error)) => Err(error.clone()),
                    (Some(url), None) => Ok(url.clone()),
                    (None, None) => Ok(self.channel_alias.clone()),
                }
            }
            BaseSetting::Defaults => match (self.default_member(name), &self.invalid.defaults) {
                (Some(member), _) => {
                    let mut base = member.clone();
                    base.set_path("/");
                    Ok(base)
                }
                (None, Some(error)) => Err(error.clone()),
                (None, None) => Ok(self.channel_alias.clone()),
            },
            BaseSetting::Pkgs => {
                let mut base = self.pkgs_base.clone();
                if let Ok(mut path) = base.path_segments_mut() {
                    path.pop_if_empty().pop().push("");
                }
                Ok(base)
            }
            BaseSetting::ChannelAlias => match &self.invalid.channel_alias {
                Some(error) => Err(error.clone()),
                None => Ok(self.channel_alias.clone()),
            },
        }
    }

    /// Returns the member of `defaults` with this path, unless the members are unknown.
    fn default_member(&self, name: &str) -> Option<&Url> {
        if self.invalid.defaults.is_some() {
            return None;
        }
        self.defaults.iter().find(|url| url.path().trim_matches('/') == name)
    }

    /// Returns the name of a channel whose URL is an earlier one, by `migrated_custom_channels` or
    /// `migrated_channel_aliases`. As in conda, custom channels are first, and http and https are
    /// equal.
    pub(super) fn migrated_name(&self, url: &Url) -> Option<String> {
        let custom = self.migrated_channels.iter().filter_map(|(name, base)| {
            let rest = path_below(url, &channel_url(base, name))?;
            Some((name.len(), format!("{name}/{rest}")))
        });
        let custom = custom.max_by_key(|(length, _)| *length).map(|(_, name)| name);
        let alias = || {
            self.migrated_aliases.iter().find_map(|base| path_below(url, base).map(str::to_owned))
        };
        let name = custom.or_else(alias)?;
        let name = name.trim_matches('/');
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// Returns the credentials that the configuration has for a channel that is written by its URL.
    pub fn credentials_for(&self, url: &Url) -> Option<ChannelCredentials> {
        let custom =
            self.custom_channels.iter().map(|(name, base)| (channel_url(base, name), base));
        let members = self.defaults.iter().chain(self.custom_multichannels.values().flatten());
        let members = members.map(|member| (member.clone(), member));
        let alias = [(self.channel_alias.clone(), &self.channel_alias)];
        custom.chain(members).chain(alias).find_map(|(folder, configured)| {
            let mut folder = folder;
            // The credentials of the folder without the channel's name.
            let _ = ChannelCredentials::extract_from(&mut folder);
            let credentials = ChannelCredentials::extract_from(&mut configured.clone())?;
            let is_below = url.origin() == folder.origin() && path_below(url, &folder).is_some();
            is_below.then_some(credentials)
        })
    }

    /// Returns the error of the `mirrored_channels` entry for the channel at `url`.
    pub(super) fn mirrored_channel_error(&self, url: &Url) -> Option<&ChannelError> {
        let mut entries = self.invalid.mirrored_channels.iter();
        entries.find(|(channel, _)| path_below(url, channel).is_some()).map(|(_, error)| error)
    }
}

/// Returns a name, then the names that it is below: `a/b/c`, `a/b`, `a`.
fn name_and_parents(name: &str) -> impl Iterator<Item = &str> {
    let ends = name.match_indices('/').map(|(at, _)| at);
    let ends: Vec<usize> = ends.chain([name.len()]).collect();
    ends.into_iter().rev().map(|end| &name[..end])
}

/// Returns the URL of the channel `name` below `base`.
fn channel_url(base: &Url, name: &str) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(name.split('/')).push("");
    }
    url
}

/// Returns the path of `url` below `folder`, which ends in `/`. http and https are equal.
fn path_below<'a>(url: &'a Url, folder: &Url) -> Option<&'a str> {
    let is_web = |url: &Url| matches!(url.scheme(), "http" | "https");
    let same_server = url.host() == folder.host()
        && url.port() == folder.port()
        && (url.scheme() == folder.scheme() || (is_web(url) && is_web(folder)));
    same_server.then(|| url.path().strip_prefix(folder.path()))?
}

/// Returns the name to show for a channel: a short name that conda knows without a configuration,
/// else its URL. A name that only a configuration defines would differ on another machine.
pub fn display_name(url: &Url) -> String {
    let under = |base: &str| url.as_str().strip_prefix(base).map(|rest| rest.trim_end_matches('/'));
    if let Some(rest) = under(PACKAGES).filter(|rest| !rest.is_empty()) {
        return format!("pkgs/{rest}");
    }
    under(ALIAS).map_or_else(|| url.as_str().trim_end_matches('/').to_owned(), str::to_owned)
}

impl fmt::Debug for ChannelConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown =
            |urls: &[Url]| urls.iter().map(|url| redact_url(url.as_str())).collect::<Vec<_>>();
        let custom =
            self.custom_channels.iter().map(|(name, url)| (name, redact_url(url.as_str())));
        let multi = self.custom_multichannels.iter().map(|(name, urls)| (name, shown(urls)));
        f.debug_struct("ChannelConfig")
            .field("channel_alias", &redact_url(self.channel_alias.as_str()))
            .field("defaults", &shown(&self.defaults))
            .field("custom", &custom.collect::<Vec<_>>())
            .field("multi", &multi.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
