//! Resolves channel names, paths and URLs.

use std::path::Path;

use rattler_conda_types::Subdir;
use url::Url;

use super::channel_config::display_name;
use super::expand::expand_url;
use super::location::{folder_url_unless_name, locate_name};
use super::origin::normalize;
use super::{BaseSetting, ChannelConfig, ChannelCredentials, ChannelError, InvalidChannel};

/// A channel at its origin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel {
    /// The name to show: `conda-forge`, `pkgs/main`, or the URL of any other channel.
    pub name: String,
    /// The URL of the channel's folder at its origin. Ends in `/`, and never holds credentials.
    pub url: Url,
    /// The multichannel that it is a member of, such as `defaults`.
    pub multichannel: Option<String>,
}

/// A channel, and the credentials from its URL.
#[derive(Debug, Clone)]
pub struct ResolvedChannel {
    /// The channel, without credentials.
    pub channel: Channel,
    /// The credentials from the URL, for requests to the channel only.
    pub credentials: Option<ChannelCredentials>,
    /// The setting that decides the channel's base URL, if the channel is written as a name.
    pub setting: Option<BaseSetting>,
}

/// Resolves a name, a URL or a path to channels: one, or the members of `defaults` or another
/// multichannel.
///
/// Relative paths start at `base_dir`, which must be absolute. `variable` returns the values of
/// `$NAME`, `${NAME}` and `~`.
///
/// # Errors
/// [`ChannelError`] if the text isn't a channel. The caller adds the place.
pub fn resolve(
    written: &str,
    channel_config: &ChannelConfig,
    platform: Subdir,
    base_dir: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<ResolvedChannel>, ChannelError> {
    let fail = |reason| ChannelError::new(written, reason);
    let expanded = expand_url(written.trim(), variable).map_err(fail)?;
    let text = expanded.trim();
    match text {
        "" => return Err(fail(InvalidChannel::Empty)),
        "local" => return Err(fail(InvalidChannel::LocalChannel)),
        _ => {}
    }
    if let Some(error) = channel_config.invalid_members(text) {
        return Err(error.clone());
    }
    if let Some(members) = channel_config.members(text, platform) {
        let member = |url: &Url| {
            let mut resolved = Channel::at(url.clone());
            resolved.channel.multichannel = Some(text.to_owned());
            resolved
        };
        return Ok(members.into_iter().map(member).collect());
    }
    let located = folder_url_unless_name(text, base_dir, variable).transpose().map_err(fail)?;
    let name = match &located {
        None => Some(text.trim_end_matches('/').to_owned()),
        Some(url) => channel_config.migrated_name(url),
    };
    let url = match (&name, located) {
        (Some(name), _) => locate_name(name, &channel_config.base_url(name)?).map_err(fail)?,
        (None, Some(url)) => url,
        (None, None) => return Err(fail(InvalidChannel::Empty)),
    };
    let mut resolved = Channel::at(url);
    resolved.setting = name.map(|name| channel_config.base_setting(&name));
    if resolved.channel.name.is_empty() {
        return Err(fail(InvalidChannel::Empty));
    }
    if let Some(error) = channel_config.mirrored_channel_error(&resolved.channel.url) {
        return Err(error.clone());
    }
    if resolved.credentials.is_none() {
        resolved.credentials = channel_config.credentials_for(&resolved.channel.url);
    }
    Ok(vec![resolved])
}

/// Resolves a URL or a path to the URL of a folder, ending in `/`. A name is an error. The URL may
/// hold credentials: never show it.
///
/// # Errors
/// [`ChannelError`] if the text is neither a URL nor a path.
pub fn resolve_folder(
    written: &str,
    base_dir: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Url, ChannelError> {
    let fail = |reason| ChannelError::new(written, reason);
    let expanded = expand_url(written.trim(), variable).map_err(fail)?;
    folder_url_unless_name(expanded.trim(), base_dir, variable)
        .unwrap_or(Err(InvalidChannel::InvalidUrl))
        .map_err(fail)
}

impl Channel {
    /// Creates the channel of a folder, and separates the credentials from its URL.
    fn at(url: Url) -> ResolvedChannel {
        let mut url = normalize(url);
        let credentials = ChannelCredentials::extract_from(&mut url);
        ResolvedChannel {
            channel: Self { name: display_name(&url), url, multichannel: None },
            credentials,
            setting: None,
        }
    }
}
