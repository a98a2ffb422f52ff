//! How a source is called, and URLs below other URLs.

use url::Url;

/// How a source is called: host and port, or the folder.
pub(crate) fn source_label(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) if url.scheme() != "file" => host.to_owned(),
        _ => {
            url.to_file_path().map_or_else(|()| url.to_string(), |path| path.display().to_string())
        }
    }
}

/// The same URL, ending in `/`.
pub(crate) fn with_trailing_slash(url: &Url) -> Url {
    let mut folder = url.clone();
    if !folder.path().ends_with('/') {
        folder.set_path(&format!("{}/", url.path()));
    }
    folder
}

/// Whether `url` lies below `folder`, which ends in `/`.
pub(crate) fn is_below(url: &Url, folder: &Url) -> bool {
    rest_below(url, folder).is_some()
}

/// `url`, which lies below `from`, at the same place below `to`; both end in `/`.
pub(crate) fn rebase(url: &Url, from: &Url, to: &Url) -> Option<Url> {
    let rest = rest_below(url, from)?;
    let mut moved = to.clone();
    moved.set_path(&format!("{}{rest}", to.path()));
    Some(moved)
}

fn rest_below<'a>(url: &'a Url, folder: &Url) -> Option<&'a str> {
    let same_place = url.scheme() == folder.scheme()
        && url.host() == folder.host()
        && url.port_or_known_default() == folder.port_or_known_default();
    same_place.then(|| url.path().strip_prefix(folder.path()))?
}

/// The URL of the file called `name` in `folder`; `name` is one path segment.
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
    fn a_source_is_called_by_its_server_and_not_by_its_credentials() {
        let url = Url::parse("https://me:geheim@h:8443/t/tk-1/c/noarch/?x=1#y").expect("a URL");
        assert_eq!(source_label(&url), "h:8443");
    }

    #[test]
    fn a_name_of_a_file_is_one_segment_whatever_is_in_it() {
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
