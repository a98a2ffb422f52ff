//! Resolves channel names, paths and URLs.

use std::path::Path;

use rattler_conda_types::Subdir;
use url::Url;

use super::channel_config::display_name;
use super::expand::expand;
use super::location::{locate, locate_folder};
use super::{ChannelConfig, ChannelCredentials, ChannelError, InvalidChannel};

/// A channel at its origin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel {
    /// The name to show: `conda-forge`, `pkgs/main`, or the URL of any other channel.
    pub name: String,
    /// The URL of the channel's folder at its origin; ends in `/`; never with credentials.
    pub url: Url,
    /// The multichannel that it is a part of, such as `defaults`.
    pub multichannel: Option<String>,
}

/// A channel, with the credentials from its URL.
#[derive(Debug, Clone)]
pub struct ResolvedChannel {
    /// The channel, without credentials.
    pub channel: Channel,
    /// The credentials from the URL, for requests to the channel only.
    pub credentials: Option<ChannelCredentials>,
}

/// Resolves a name, a URL or a path to one channel, or to several if it is a multichannel such
/// as `defaults`.
///
/// Relative paths are resolved against `base_dir`, which must be absolute. `variable` returns
/// the values for `$NAME`, `${NAME}` and `~`.
///
/// # Errors
/// Returns a [`ChannelError`] without a place, which the caller sets.
pub fn resolve(
    written: &str,
    channel_config: &ChannelConfig,
    platform: Subdir,
    base_dir: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<ResolvedChannel>, ChannelError> {
    let fail = |reason| ChannelError::new(written, reason);
    let expanded = expand(written.trim(), variable).map_err(fail)?;
    let text = expanded.trim();
    match text {
        "" => return Err(fail(InvalidChannel::Empty)),
        "local" => return Err(fail(InvalidChannel::LocalChannel)),
        _ => {}
    }
    if let Some(members) = channel_config.members(text, platform) {
        let member = |url: &Url| {
            let mut resolved = Channel::at(url.clone());
            resolved.channel.multichannel = Some(text.to_owned());
            resolved
        };
        return Ok(members.into_iter().map(member).collect());
    }
    let resolved = Channel::at(locate(text, channel_config, base_dir, variable).map_err(fail)?);
    if resolved.channel.name.is_empty() {
        return Err(fail(InvalidChannel::Empty));
    }
    Ok(vec![resolved])
}

/// Resolves a URL or a path to the URL of a folder, which ends in `/`. It can have credentials:
/// never show it.
///
/// # Errors
/// Returns a [`ChannelError`] if the text is neither, for example a name.
pub fn resolve_location(
    written: &str,
    base_dir: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Url, ChannelError> {
    let fail = |reason| ChannelError::new(written, reason);
    let expanded = expand(written.trim(), variable).map_err(fail)?;
    locate_folder(expanded.trim(), base_dir, variable)
        .unwrap_or(Err(InvalidChannel::InvalidUrl))
        .map_err(fail)
}

impl Channel {
    /// Separates the URL of a channel's folder from its credentials.
    fn at(mut url: Url) -> ResolvedChannel {
        let credentials = ChannelCredentials::extract_from(&mut url);
        ResolvedChannel {
            channel: Self { name: display_name(&url), url, multichannel: None },
            credentials,
        }
    }
}
