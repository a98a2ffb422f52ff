//! From what was written to channels.

use std::path::Path;

use rattler_conda_types::Subdir;
use url::Url;

use super::expand::expand;
use super::location::locate;
use super::{Access, ChannelError, Reason, Rules};

/// A channel at its origin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel {
    /// As shown to people: `conda-forge`, `pkgs/main`, or the address of any other.
    pub name: String,
    /// The channel's folder at its origin; ends in `/`; never with credentials.
    pub url: Url,
    /// The multichannel that it came from, such as `defaults`.
    pub multi: Option<String>,
}

/// A channel, and the credentials that were written into its address.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The channel, without credentials.
    pub channel: Channel,
    /// What was in the address; for requests to the channel only.
    pub access: Option<Access>,
}

/// The channels that a name, an address or a path stands for: one, or those of `defaults`.
///
/// Relative paths start at `base_dir`, which must be absolute; `variable` gives the values
/// for `$NAME`, `${NAME}` and `~`.
///
/// # Errors
/// [`ChannelError`] says why the text names no channel; the caller adds the place.
pub fn resolve(
    written: &str,
    rules: &Rules,
    platform: Subdir,
    base_dir: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Resolved>, ChannelError> {
    let fail = |reason| ChannelError::new(written, reason);
    let expanded = expand(written.trim(), variable).map_err(fail)?;
    match expanded.trim() {
        "" => Err(fail(Reason::Empty)),
        "local" => Err(fail(Reason::Local)),
        "defaults" => Ok(defaults(rules, platform)),
        text => {
            let mut url = locate(text, rules, base_dir, variable).map_err(fail)?;
            let access = Access::take(&mut url);
            let name = shown_name(&url, rules);
            if name.is_empty() {
                return Err(fail(Reason::Empty));
            }
            Ok(vec![Resolved { channel: Channel { name, url, multi: None }, access }])
        }
    }
}

fn defaults(rules: &Rules, platform: Subdir) -> Vec<Resolved> {
    let windows = rules.defaults_on_windows.iter().filter(|_| platform.is_windows());
    let urls = rules.defaults.iter().chain(windows);
    urls.map(|url| {
        let (mut url, multi) = (url.clone(), Some("defaults".to_owned()));
        let access = Access::take(&mut url);
        Resolved { channel: Channel { name: shown_name(&url, rules), url, multi }, access }
    })
    .collect()
}

/// The short name where the rules have one, else the address.
fn shown_name(url: &Url, rules: &Rules) -> String {
    let under =
        |base: &Url| url.as_str().strip_prefix(base.as_str()).map(|r| r.trim_end_matches('/'));
    if let Some(rest) = under(&rules.packages).filter(|rest| !rest.is_empty()) {
        return format!("pkgs/{rest}");
    }
    under(&rules.alias).map_or_else(|| url.as_str().trim_end_matches('/').to_owned(), str::to_owned)
}
