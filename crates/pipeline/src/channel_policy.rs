//! Which channels may be used, and a finding about the terms of Anaconda's channels.

use envlock_config::{Configuration, Configured, Key, ValueSource, key};
use envlock_report::{Code, Finding, Place};
use url::Url;

/// Why a channel may not be used, and where that is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The reason, as the end of "the channel is …".
    pub reason: &'static str,
    /// Where it is configured.
    pub by: ValueSource,
}

/// The configured lists of channels, with the URLs of their origins.
#[derive(Default)]
pub(crate) struct ChannelPolicy {
    refused: Vec<(Vec<Url>, Refusal)>,
    /// The only channels that may be used, if there is an allowlist.
    allowed: Option<(Vec<Url>, ValueSource)>,
}

/// The keys of the lists of forbidden channels, each with its reason.
const FORBIDDING_KEYS: [(&Key, &str); 2] =
    [(&key::FORBID_CHANNELS, "forbidden here"), (&key::DENYLIST_CHANNELS, "on the denylist")];

/// Returns every channel in the configured lists, as written.
pub(crate) fn policy_channels(
    configuration: &Configuration,
) -> impl Iterator<Item = &Configured<String>> {
    let keys = FORBIDDING_KEYS.iter().map(|(key, _)| *key).chain([&key::ALLOWLIST_CHANNELS]);
    keys.flat_map(|key| configuration.list(key))
}

impl ChannelPolicy {
    /// Reads the lists. `resolve` returns the URLs of a channel as written.
    pub(crate) fn new<E>(
        configuration: &Configuration,
        mut resolve: impl FnMut(&str, Option<&Place>) -> Result<Vec<Url>, E>,
    ) -> Result<Self, E> {
        let mut policy = Self::default();
        for (key, reason) in FORBIDDING_KEYS {
            for set in configuration.list(key) {
                let urls = resolve(&set.value, set.set_by.place())?;
                policy.refused.push((urls, Refusal { reason, by: set.set_by.clone() }));
            }
        }
        for set in configuration.list(&key::ALLOWLIST_CHANNELS) {
            let urls = resolve(&set.value, set.set_by.place())?;
            policy.allowed.get_or_insert((Vec::new(), set.set_by.clone())).0.extend(urls);
        }
        Ok(policy)
    }

    /// Returns why a channel may not be used; `None` if it may.
    pub(crate) fn refuses(&self, urls: &[Url]) -> Option<Refusal> {
        let refused = |(listed, _): &&(Vec<Url>, Refusal)| urls.iter().any(|u| listed.contains(u));
        if let Some((_, refusal)) = self.refused.iter().find(refused) {
            return Some(refusal.clone());
        }
        let (allowed, by) = self.allowed.as_ref()?;
        let missing = urls.iter().any(|url| !allowed.contains(url));
        missing.then(|| Refusal { reason: "not on the allowlist", by: by.clone() })
    }
}

/// Returns a finding about the terms of Anaconda's channels if one of them is used.
pub(crate) fn anaconda_terms<'a>(mut urls: impl Iterator<Item = &'a Url>) -> Option<Finding> {
    let used = urls.any(|url| url.host_str() == Some("repo.anaconda.com"));
    used.then(|| {
        Finding::new(
            Code::DefaultsTerms,
            "packages come from Anaconda's own channels, whose terms of service ask larger \
             organisations to pay",
        )
        .with_note(
            "its servers refuse whole networks at times; mirrors change nothing of the terms",
        )
        .with_help(
            "use `conda-forge`, or forbid them: `forbid-channels = [\"defaults\"]` in envlock.toml",
        )
    })
}
