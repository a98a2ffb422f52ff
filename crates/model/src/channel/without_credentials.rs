//! Removes credentials from URLs that are shown or stored.

use envlock_text::redact::split_path_token;
use url::Url;

/// Removes everything from a URL that can be a credential: user and password, `/t/<token>/`,
/// query and fragment.
#[must_use]
pub fn without_credentials(url: &Url) -> Url {
    let mut bare = url.clone();
    // Both setters fail only for URLs that can't have a user.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    bare.set_query(None);
    bare.set_fragment(None);
    if let Some((before, _, after)) = split_path_token(url.path()) {
        bare.set_path(&format!("{before}{after}"));
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_credentials_are_removed() {
        let bare = |url: &str| without_credentials(&Url::parse(url).expect("a URL")).to_string();
        assert_eq!(bare("https://me:pw@h:8443/t/tk-1/c/noarch/?x=1#y"), "https://h:8443/c/noarch/");
        assert_eq!(
            bare("https://u:p@conda.anaconda.org/t/tk-1/conda-forge/linux-64/a-1-0.conda?x=1"),
            "https://conda.anaconda.org/conda-forge/linux-64/a-1-0.conda"
        );
        assert_eq!(bare("https://h/art/t/tk-1/c"), "https://h/art/c");
        assert_eq!(bare("https://h/tea/t/"), "https://h/tea/t/");
        assert_eq!(bare("file:///srv/channel/"), "file:///srv/channel/");
    }

    #[test]
    fn a_url_without_credentials_does_not_change() {
        let url = Url::parse("https://h/c/noarch/a-1-0.conda").expect("a URL");
        assert_eq!(without_credentials(&url), url);
    }
}
