//! The address of an index: its credential, and its origin.

use envlock_channel::Client;
use envlock_model::channel::ChannelCredentials;
use url::Url;

/// Registers the credential in the URL of an index, and the known mirror that the URL is below.
/// Returns the origin's URL without the credential; it ends in `/`.
pub fn register_index(client: &Client, mut url: Url) -> Url {
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    if let Some(access) = ChannelCredentials::extract_from(&mut url) {
        client.register_credential(&url, access);
    }
    client.register_mirror_url(&url);
    client.configured_sources().origin_of(&url).unwrap_or(url)
}
