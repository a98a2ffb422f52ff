//! Where the packages of an index are: beside it, unless it says otherwise and may.
//!
//! `info.base_url` (CEP 15) lets an index name another place. A mirror that copies it would
//! put its own address into every lock, and a hostile one could send people elsewhere: the
//! first is read as the origin that it stands for, the second is refused.

use envlock_model::channel::without_credentials;
use envlock_text::redact;
use rattler_conda_types::Subdir;
use url::{ParseError, Url};

use crate::{Sources, address};

/// The folder of the packages, an origin's URL that ends in `/`; or why the index's answer
/// can't be used. `from_origin` is whether the origin itself delivered the index.
pub(crate) fn package_base_url(
    written: Option<&str>,
    channel: &Url,
    subdir: Subdir,
    from_origin: bool,
    sources: &Sources,
) -> Result<Url, String> {
    let channel = address::with_trailing_slash(&without_credentials(channel));
    let beside = subdir_url(&channel, subdir);
    let Some(written) = written else { return Ok(beside) };
    let wrong = |why: &str| format!("its base_url `{}` {why}", redact(written));
    let url = match Url::parse(written) {
        Ok(url) => url,
        Err(ParseError::RelativeUrlWithoutBase) => {
            beside.join(written).map_err(|_| wrong("isn't an address"))?
        }
        Err(_) => return Err(wrong("isn't an address")),
    };
    if !matches!(url.scheme(), "http" | "https") && url.scheme() != channel.scheme() {
        return Err(wrong("isn't a place to fetch from"));
    }
    let url = address::with_trailing_slash(&url);
    if url != address::with_trailing_slash(&without_credentials(&url)) {
        return Err(wrong("holds a credential or a query"));
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

/// The folder of a subdir.
pub(crate) fn subdir_url(channel: &Url, subdir: Subdir) -> Url {
    address::with_trailing_slash(&address::join_file(channel, subdir.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_mirror;

    fn placed(written: Option<&str>, from_origin: bool) -> Result<String, String> {
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

    const BESIDE: &str = "https://conda.anaconda.org/conda-forge/linux-64/";

    #[test]
    fn packages_are_beside_the_index_whatever_a_mirror_calls_itself() {
        for written in [
            None,
            Some("http://127.0.0.1:8000/cloud/conda-forge/linux-64"),
            Some("https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/conda-forge/linux-64/"),
            Some(BESIDE),
            Some("."),
            Some("../linux-64"),
        ] {
            assert_eq!(placed(written, false).as_deref(), Ok(BESIDE), "{written:?}");
        }
    }

    #[test]
    fn only_the_origin_may_name_another_place() {
        for written in ["https://files.example/x", "//files.example/x", "../../other/linux-64/"] {
            assert!(placed(Some(written), true).is_ok(), "{written}");
            assert!(placed(Some(written), false).is_err(), "{written}");
        }
        assert_eq!(
            placed(Some("https://files.example/x"), true).as_deref(),
            Ok("https://files.example/x/")
        );
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_mirror_writes_leads_into_the_channel_or_nowhere(written in "(https?:)?/{0,3}[a-z:@%./\\\\?#\\[-]{0,30}") {
            if let Ok(url) = placed(Some(&written), false) {
                proptest::prop_assert!(url.starts_with("https://conda.anaconda.org/conda-forge/"), "{}", url);
            }
        }
    }

    #[test]
    fn a_base_url_that_is_none_or_holds_a_credential_is_refused_even_from_the_origin() {
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
            assert!(placed(Some(written), true).is_err(), "{written}");
        }
    }
}
