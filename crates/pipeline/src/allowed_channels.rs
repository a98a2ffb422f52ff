//! Which channels may be used, and a finding about the terms of Anaconda's channels.

use envlock_channel::Sources;
use envlock_config::{Configuration, Configured, Key, ValueSource, key};
use envlock_model::channel::{comparable_origin, is_anaconda};
use envlock_report::{Code, Finding, Place};
use url::Url;

/// Why a channel may not be used, and where that is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The reason, as the end of "the channel is …".
    pub reason: &'static str,
    /// The setting that forbids it.
    pub configured_in: ValueSource,
}

/// The configured lists of channels, with the URLs of their origins.
#[derive(Default)]
pub(crate) struct AllowedChannels {
    /// The forbidden channels, in the form in which they are compared.
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

impl AllowedChannels {
    /// Reads the lists. `resolve` returns the URLs of a channel as written; `without_configuration`
    /// returns those that it has without a `.condarc`, which can give a forbidden name to other
    /// channels.
    pub(crate) fn new<E>(
        configuration: &Configuration,
        mut resolve: impl FnMut(&str, Option<&Place>) -> Result<Vec<Url>, E>,
        without_configuration: impl Fn(&str) -> Vec<Url>,
    ) -> Result<Self, E> {
        let mut policy = Self::default();
        for (key, reason) in FORBIDDING_KEYS {
            for set in configuration.list(key) {
                let mut urls = without_configuration(&set.value);
                match resolve(&set.value, set.set_by.place()) {
                    Ok(configured) => urls.extend(configured),
                    // No project can use an entry of the configuration that can't be resolved.
                    Err(error) if urls.is_empty() => return Err(error),
                    Err(_) => {}
                }
                let mut urls: Vec<_> = urls.iter().map(comparable_origin).collect();
                // Its other channels have the same terms.
                if set.value.trim() == "defaults"
                    && let Some(mut all) = urls.iter().find(|url| is_anaconda(url)).cloned()
                {
                    all.set_path("/");
                    urls.push(all);
                }
                policy.refused.push((urls, Refusal { reason, configured_in: set.set_by.clone() }));
            }
        }
        for set in configuration.list(&key::ALLOWLIST_CHANNELS) {
            // An entry that can't be resolved allows nothing.
            let urls = resolve(&set.value, set.set_by.place()).unwrap_or_default();
            policy.allowed.get_or_insert((Vec::new(), set.set_by.clone())).0.extend(urls);
        }
        Ok(policy)
    }

    /// Returns why a channel may not be used; `None` if it may.
    ///
    /// A channel is forbidden by every spelling of its URL, with all channels below it, and also if
    /// one of its sources serves a forbidden channel.
    pub(crate) fn refuses(&self, urls: &[Url], sources: &Sources) -> Option<Refusal> {
        if !self.refused.is_empty() {
            let spellings: Vec<Url> = urls.iter().flat_map(|url| spellings(url, sources)).collect();
            let is_refused = |(listed, _): &&(Vec<Url>, Refusal)| {
                spellings.iter().any(|url| listed.iter().any(|listed| is_or_is_below(url, listed)))
            };
            if let Some((_, refusal)) = self.refused.iter().find(is_refused) {
                return Some(refusal.clone());
            }
        }
        let (allowed, by) = self.allowed.as_ref()?;
        let missing = urls.iter().any(|url| !allowed.contains(url));
        missing.then(|| Refusal { reason: "not on the allowlist", configured_in: by.clone() })
    }
}

/// Returns the channel and its sources, each also at its origin, in the form in which they are
/// compared.
fn spellings(url: &Url, sources: &Sources) -> Vec<Url> {
    let all = sources.sources_for(url).into_iter().map(|source| source.url).chain([url.clone()]);
    let all = all.flat_map(|url| [merge_slashes(&url), url]);
    let with_origin = |url: Url| [sources.origin_of(&url), Some(url)];
    all.flat_map(with_origin).flatten().map(|url| comparable_origin(&url)).collect()
}

/// Returns the URL as many servers read it: several slashes are one.
fn merge_slashes(url: &Url) -> Url {
    let mut merged = url.clone();
    let mut path = url.path().to_owned();
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    merged.set_path(&path);
    merged
}

fn is_or_is_below(url: &Url, folder: &Url) -> bool {
    url.origin() == folder.origin()
        && url.scheme() == folder.scheme()
        && url.path().starts_with(folder.path())
}

/// Returns a finding about the terms of Anaconda's channels if one of them is used.
pub(crate) fn anaconda_terms<'a>(mut urls: impl Iterator<Item = &'a Url>) -> Option<Finding> {
    urls.any(is_anaconda).then(|| {
        Finding::new(
            Code::DefaultsTerms,
            "packages come from Anaconda's own channels, whose terms of service require \
             larger organisations to pay",
        )
        .with_note("its servers sometimes block whole networks; the terms also apply to mirrors")
        .with_help(
            "use `conda-forge`, or forbid them: `forbid-channels = [\"defaults\"]` in envlock.toml",
        )
    })
}
