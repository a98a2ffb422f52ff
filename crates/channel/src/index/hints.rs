//! Suggestions for channel names and URLs that are often written wrong.

use url::Url;

use super::subdirs::ChannelRequest;
use envlock_model::channel::{Channel, is_anaconda_channel};

const KNOWN: [&str; 8] = [
    "conda-forge",
    "bioconda",
    "pytorch",
    "nvidia",
    "defaults",
    "rapidsai",
    "huggingface",
    "intel",
];

/// Suggests the right name for a channel that no source has.
pub(crate) fn suggested_name(channel: &Channel) -> Option<String> {
    suggested_name_except(channel, &[])
}

/// Suggests a channel name that isn't requested already.
pub(super) fn suggested_name_except(
    channel: &Channel,
    requested: &[ChannelRequest],
) -> Option<String> {
    let segments: Vec<&str> =
        channel.url.path_segments()?.filter(|segment| !segment.is_empty()).collect();
    let last = *segments.last()?;
    if last == "default" || last == "defaults" {
        return Some("`defaults` is the name of the channels pkgs/main and pkgs/r together: write `defaults`".into());
    }
    if segments.len() >= 2
        && segments[segments.len() - 2] == "pkgs"
        && !is_anaconda_channel(&channel.url)
    {
        return Some(format!("pkgs/ contains only main, r and msys2: write `{last}`"));
    }
    if let Some(place) = without_cloud(&channel.url) {
        return Some(format!("on a mirror of this layout the URL is {place}"));
    }
    let name = channel.name.rsplit('/').next().unwrap_or(&channel.name);
    let usual = name.to_lowercase().replace('_', "-");
    let same = KNOWN.into_iter().find(|known| *known == usual);
    same.or_else(|| envlock_report::nearest(&usual, KNOWN))
        .filter(|known| {
            *known != name && !requested.iter().any(|other| other.channel.name == *known)
        })
        .map(|known| format!("did you mean `{known}`?"))
}

/// Corrects `…/anaconda/<channel>/` to `…/anaconda/cloud/<channel>/`, the layout of public mirrors.
fn without_cloud(url: &Url) -> Option<Url> {
    let rest = url.path().strip_prefix("/anaconda/")?;
    let is_one_name = rest.trim_end_matches('/').split('/').count() == 1;
    is_one_name.then(|| {
        let mut place = envlock_model::channel::without_credentials(url);
        place.set_path(&format!("/anaconda/cloud/{rest}"));
        place
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: &str, url: &str) -> ChannelRequest {
        let url = Url::parse(url).expect("a URL");
        let channel = Channel { name: name.into(), url, multichannel: None };
        ChannelRequest { channel, subdirs: Vec::new() }
    }

    fn hint(name: &str, url: &str) -> Option<String> {
        let asked = request(name, url);
        suggested_name_except(&asked.channel, std::slice::from_ref(&asked))
    }

    #[test]
    fn frequent_wrong_urls_lead_to_the_right_ones() {
        let has = |hint: Option<String>, words: &str| {
            assert!(hint.clone().is_some_and(|h| h.contains(words)), "{hint:?}");
        };
        has(
            hint("pkgs/conda-forge", "https://repo.anaconda.com/pkgs/conda-forge/"),
            "write `conda-forge`",
        );
        has(
            hint("x", "https://mirrors.tuna.tsinghua.edu.cn/anaconda/default/"),
            "write `defaults`",
        );
        has(
            hint("x", "https://m.example/anaconda/pytorch/"),
            "https://m.example/anaconda/cloud/pytorch/",
        );
        has(hint("conda_forge", "https://conda.anaconda.org/conda_forge/"), "`conda-forge`");
        assert_eq!(hint("lab", "https://lab.example/lab/"), None);
        assert_eq!(hint("conda-forge", "https://conda.anaconda.org/conda-forge/"), None);
    }
    #[test]
    fn a_channel_that_is_requested_already_is_not_suggested() {
        let url = "https://conda.anaconda.org/rapidsai-nightly/";
        let nightly = request("rapidsai-nightly", url);
        let stable = request("rapidsai", "https://conda.anaconda.org/rapidsai/");
        assert!(suggested_name_except(&nightly.channel, std::slice::from_ref(&nightly)).is_some());
        assert_eq!(suggested_name_except(&nightly.channel, &[nightly.clone(), stable]), None);
    }
}
