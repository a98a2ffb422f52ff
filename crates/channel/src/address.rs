//! Display names of sources, and operations on URLs of folders.

use url::Url;

/// Returns the name of a source for messages: host and port, or the folder.
pub(crate) fn source_label(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) if url.scheme() != "file" => host.to_owned(),
        _ => {
            url.to_file_path().map_or_else(|()| url.to_string(), |path| path.display().to_string())
        }
    }
}

/// Returns the URL with a trailing `/`.
pub(crate) fn with_trailing_slash(url: &Url) -> Url {
    let mut folder = url.clone();
    if !folder.path().ends_with('/') {
        folder.set_path(&format!("{}/", url.path()));
    }
    folder
}

/// Whether `url` is below `folder`, which ends in `/`.
pub(crate) fn is_below(url: &Url, folder: &Url) -> bool {
    rest_below(url, folder).is_some()
}

/// Whether `url` is below `folder`, which ends in `/`. http and https are equal: both name one
/// channel. A credential needs [`is_below`].
pub(crate) fn is_below_on_any_scheme(url: &Url, folder: &Url) -> bool {
    rest_below(&with_https(url), &with_https(folder)).is_some()
}

/// Replaces the prefix `from` of `url` by `to`; both end in `/`. `None` if `url` isn't below
/// `from`. http and https are equal, so that a mirror of `https://…` also serves `http://…` of the
/// same origin.
pub(crate) fn rebase(url: &Url, from: &Url, to: &Url) -> Option<Url> {
    let (url, from) = (with_https(url), with_https(from));
    let rest = rest_below(&url, &from)?;
    let mut moved = to.clone();
    moved.set_path(&format!("{}{rest}", to.path()));
    Some(moved)
}

fn rest_below<'a>(url: &'a Url, folder: &Url) -> Option<&'a str> {
    let same_server = url.scheme() == folder.scheme()
        && url.host() == folder.host()
        && url.port_or_known_default() == folder.port_or_known_default();
    same_server.then(|| url.path().strip_prefix(folder.path()))?
}

/// Returns the URL with https instead of http, unless it has a port.
pub(crate) fn with_https(url: &Url) -> Url {
    let mut secure = url.clone();
    if url.scheme() == "http" && url.port().is_none() {
        // It only fails for schemes other than http and https.
        let _ = secure.set_scheme("https");
    }
    secure
}

/// Returns the URL of the file `name` in `folder`; `name` becomes one path segment.
pub(crate) fn join_file(folder: &Url, name: &str) -> Url {
    let mut url = folder.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().push(name);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_of_a_source_is_its_server_without_credentials() {
        let url = Url::parse("https://me:geheim@h:8443/t/tk-1/c/noarch/?x=1#y").expect("a URL");
        assert_eq!(source_label(&url), "h:8443");
    }

    #[test]
    fn a_file_name_becomes_one_path_segment() {
        let folder = Url::parse("https://h/c/noarch/").expect("a URL");
        assert_eq!(
            join_file(&folder, "包-1.0-0.conda").as_str(),
            "https://h/c/noarch/%E5%8C%85-1.0-0.conda"
        );
        assert_eq!(
            join_file(&folder, "a!b-1!2.0-0.conda").as_str(),
            "https://h/c/noarch/a!b-1!2.0-0.conda"
        );
        assert_eq!(join_file(&folder, "//evil/x").as_str(), "https://h/c/noarch/%2F%2Fevil%2Fx");
    }
}
