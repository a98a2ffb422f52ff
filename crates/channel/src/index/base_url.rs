//! Determines the base URL of an index's packages.
//!
//! By default it is the URL of the subdir. An index can name another one in `info.base_url`
//! (CEP 15). A mirror could put its own URL there, and then into every lock; a malicious mirror
//! could put any URL. A mirror's URL is mapped to its origin; a URL outside of the channel is
//! accepted only from the channel's origin.

use envlock_model::channel::without_credentials;
use envlock_text::redact;
use rattler_conda_types::Subdir;
use url::{ParseError, Url};

use crate::{Sources, address};

/// Returns the base URL of the packages, an origin's URL that ends in `/`; or why `written` can't
/// be used. `from_origin` is whether the origin itself delivered the index.
pub(crate) fn package_base_url(
    written: Option<&str>,
    channel: &Url,
    subdir: Subdir,
    from_origin: bool,
    sources: &Sources,
) -> Result<Url, String> {
    let channel = address::with_trailing_slash(&without_credentials(channel));
    let default = subdir_url(&channel, subdir);
    let Some(written) = written else { return Ok(default) };
    let wrong = |why: &str| format!("its base_url `{}` {why}", redact(written));
    let url = match Url::parse(written) {
        Ok(url) => url,
        Err(ParseError::RelativeUrlWithoutBase) => {
            default.join(written).map_err(|_| wrong("isn't a URL"))?
        }
        Err(_) => return Err(wrong("isn't a URL")),
    };
    if !matches!(url.scheme(), "http" | "https") && url.scheme() != channel.scheme() {
        return Err(wrong("isn't a URL that can be downloaded"));
    }
    let url = address::with_trailing_slash(&url);
    if url != address::with_trailing_slash(&without_credentials(&url)) {
        return Err(wrong("has a credential or a query"));
    }
    if address::is_below(&url, &channel) {
        return Ok(url);
    }
    if let Some(origin) =
        sources.origins_of(&url).into_iter().find(|origin| address::is_below(origin, &channel))
    {
        return Ok(origin);
    }
    if from_origin {
        return Ok(sources.origin_of(&url).unwrap_or(url));
    }
    Err(wrong("leads away from the channel, and only the channel's own server may say so"))
}

/// Returns the URL of a subdir, which ends in `/`.
pub(crate) fn subdir_url(channel: &Url, subdir: Subdir) -> Url {
    address::with_trailing_slash(&address::join_file(channel, subdir.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_mirror;

    fn base_url(written: Option<&str>, from_origin: bool) -> Result<String, String> {
        let mirror = parse_mirror("https://conda.anaconda.org/=http://127.0.0.1:8000/cloud/")
            .expect("a mirror");
        let channel = Url::parse("https://conda.anaconda.org/conda-forge/").expect("a URL");
        package_base_url(
            written,
            &channel,
            Subdir::Linux64,
            from_origin,
            &Sources::new(mirror, true),
        )
        .map(|url| url.to_string())
    }

    const SUBDIR_URL: &str = "https://conda.anaconda.org/conda-forge/linux-64/";

    #[test]
    fn the_base_url_is_the_subdir_for_every_url_of_a_mirror() {
        for written in [
            None,
            Some("http://127.0.0.1:8000/cloud/conda-forge/linux-64"),
            Some("https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/conda-forge/linux-64/"),
            Some(SUBDIR_URL),
            Some("."),
            Some("../linux-64"),
        ] {
            assert_eq!(base_url(written, false).as_deref(), Ok(SUBDIR_URL), "{written:?}");
        }
    }

    #[test]
    fn only_the_origin_may_name_a_url_outside_of_the_channel() {
        for written in ["https://files.example/x", "//files.example/x", "../../other/linux-64/"] {
            assert!(base_url(Some(written), true).is_ok(), "{written}");
            assert!(base_url(Some(written), false).is_err(), "{written}");
        }
        assert_eq!(
            base_url(Some("https://files.example/x"), true).as_deref(),
            Ok("https://files.example/x/")
        );
    }

    proptest::proptest! {
        #[test]
        fn a_base_url_from_a_mirror_is_in_the_channel_or_refused(written in "(https?:)?/{0,3}[a-z:@%./\\\\?#\\[-]{0,30}") {
            if let Ok(url) = base_url(Some(&written), false) {
                proptest::prop_assert!(url.starts_with("https://conda.anaconda.org/conda-forge/"), "{}", url);
            }
        }
    }

    #[test]
    fn a_malformed_base_url_or_one_with_a_credential_is_refused_even_from_the_origin() {
        for written in [
            "http://",
            "mailto:a@b",
            "data:x",
            "file:///etc/",
            "https://a:b@files.example/",
            "https://files.example/?t=1",
            "https://conda.anaconda.org/t/tk-123/conda-forge/linux-64/",
            "https://[::",
            "ftp://files.example/",
        ] {
            assert!(base_url(Some(written), true).is_err(), "{written}");
        }
    }
}
