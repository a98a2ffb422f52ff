//! From what was written to channels.

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
    /// As shown to people: `conda-forge`, `pkgs/main`, or the address of any other.
    pub name: String,
    /// The channel's folder at its origin; ends in `/`; never with credentials.
    pub url: Url,
    /// The multichannel that it came from, such as `defaults`.
    pub multichannel: Option<String>,
}

/// A channel, and the credentials that were written into its address.
#[derive(Debug, Clone)]
pub struct ResolvedChannel {
    /// The channel, without credentials.
    pub channel: Channel,
    /// What was in the address; for requests to the channel only.
    pub credentials: Option<ChannelCredentials>,
}

/// The channels that a name, an address or a path stands for: one, or those of `defaults` and
/// other names of several.
///
/// Relative paths start at `base_dir`, which must be absolute; `variable` gives the values
/// for `$NAME`, `${NAME}` and `~`.
///
/// # Errors
/// [`ChannelError`] says why the text names no channel; the caller adds the place.
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

/// The folder that an address or a path stands for, ending in `/`. It may hold credentials,
/// and is never to be shown.
///
/// # Errors
/// [`ChannelError`] where it is neither; a name is neither.
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
    /// The channel in a folder, apart from the credentials in its address.
    fn at(mut url: Url) -> ResolvedChannel {
        let credentials = ChannelCredentials::extract_from(&mut url);
        ResolvedChannel {
            channel: Self { name: display_name(&url), url, multichannel: None },
            credentials,
        }
    }
}
