//! Which channels may be used, and what to know about the terms of those that are.

use envlock_config::{Configuration, Configured, Key, ValueSource, key};
use envlock_report::{Code, Finding, Place};
use url::Url;

/// Why a channel may not be used, and who set that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What the channel is, in the middle of a sentence.
    pub reason: &'static str,
    /// Who says so.
    pub by: ValueSource,
}

/// The configuration's lists, with their channels at the origin.
#[derive(Default)]
pub(crate) struct ChannelPolicy {
    refused: Vec<(Vec<Url>, Refusal)>,
    /// What alone may be used, where there is such a list.
    allowed: Option<(Vec<Url>, ValueSource)>,
}

/// The lists of channels that may not be used, with what such a channel is.
const FORBIDDING_KEYS: [(&Key, &str); 2] =
    [(&key::FORBID_CHANNELS, "forbidden here"), (&key::DENYLIST_CHANNELS, "on the denylist")];

/// Every channel in the configuration's lists, as it is written there.
pub(crate) fn policy_channels(
    configuration: &Configuration,
) -> impl Iterator<Item = &Configured<String>> {
    let keys = FORBIDDING_KEYS.iter().map(|(key, _)| *key).chain([&key::ALLOWLIST_CHANNELS]);
    keys.flat_map(|key| configuration.list(key))
}

impl ChannelPolicy {
    /// Reads the lists; `resolve` makes URLs of a channel as written.
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

    /// Why a channel may not be used; none where it may.
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

/// What to know before one builds on Anaconda's own channels; none where none is used.
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
