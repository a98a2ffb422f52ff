//! Compares the URLs of origins: one origin has several spellings.

use url::{Host, Url};

/// The host of channels by name.
const PUBLIC_HOST: &str = "conda.anaconda.org";
/// The host of Anaconda's own channels.
const ANACONDA_HOST: &str = "repo.anaconda.com";
/// Earlier names of the two hosts, which still answer or redirect.
const OLD_HOSTS: [(&str, &str); 2] =
    [("conda.binstar.org", PUBLIC_HOST), ("repo.continuum.io", ANACONDA_HOST)];
/// Channels of the public host with the packages of a channel of Anaconda.
const COPIES: [(&str, &str); 4] =
    [("main", "main"), ("anaconda", "main"), ("r", "r"), ("msys2", "msys2")];

/// The channels below `https://repo.anaconda.com/pkgs/`.
const ANACONDA_CHANNELS: [&str; 8] =
    ["main", "r", "msys2", "free", "pro", "mro", "mro-archive", "archive"];

/// Returns the one spelling of an origin's URL that is locked and requested.
///
/// A host is without a final dot, an unreserved character isn't percent-encoded, and the public hosts
/// have their present names and https.
pub(super) fn normalize(mut url: Url) -> Url {
    if !matches!(url.scheme(), "http" | "https") {
        return url;
    }
    if let Some(Host::Domain(host)) = url.host() {
        let host = host.strip_suffix('.').unwrap_or(host);
        let host = OLD_HOSTS.iter().find(|(old, _)| *old == host).map_or(host, |(_, new)| *new);
        let (host, is_public) = (host.to_owned(), matches!(host, PUBLIC_HOST | ANACONDA_HOST));
        // The host is valid, and http may become https.
        let _ = url.set_host(Some(&host));
        if is_public && url.port().is_none() {
            let _ = url.set_scheme("https");
        }
    }
    let path = decode_unreserved(url.path());
    if path != url.path() {
        url.set_path(&path);
    }
    url
}

/// Returns the URL under which channels with the same packages are compared.
///
/// http and https are equal, and Anaconda's channels on the public host are those of `defaults`.
pub fn comparable_origin(url: &Url) -> Url {
    let mut url = normalize(url.clone());
    let _ = url.set_scheme("https");
    let host = url.host_str().unwrap_or_default().to_owned();
    let parts: Vec<String> =
        url.path().split('/').filter(|part| !part.is_empty()).map(str::to_lowercase).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let copied = |name: &str| COPIES.iter().find(|(copy, _)| *copy == name).map(|(_, name)| *name);
    let path = match (host.as_str(), parts.as_slice()) {
        (PUBLIC_HOST | "anaconda.org", [name, rest @ ..]) if copied(name).is_some() => {
            let _ = url.set_host(Some(ANACONDA_HOST));
            [&["pkgs", copied(name).unwrap_or_default()][..], rest].concat().join("/")
        }
        ("anaconda.org", parts) => {
            let _ = url.set_host(Some(PUBLIC_HOST));
            parts.join("/")
        }
        // Anaconda's server for organisations.
        ("repo.anaconda.cloud", ["repo" | "pkgs", rest @ ..]) => {
            let _ = url.set_host(Some(ANACONDA_HOST));
            [&["pkgs"][..], rest].concat().join("/")
        }
        (PUBLIC_HOST | ANACONDA_HOST, parts) => parts.join("/"),
        _ => return url,
    };
    url.set_path(&format!("/{path}/"));
    url
}

/// Whether a channel's packages are Anaconda's, whose terms of service ask larger organisations to
/// pay.
pub fn is_anaconda(url: &Url) -> bool {
    comparable_origin(url).host_str() == Some(ANACONDA_HOST)
}

/// Whether a URL is one of the channels below `https://repo.anaconda.com/pkgs/`, or below one.
pub fn is_anaconda_channel(url: &Url) -> bool {
    let url = comparable_origin(url);
    let mut parts = url.path().split('/').filter(|part| !part.is_empty());
    url.host_str() == Some(ANACONDA_HOST)
        && parts.next() == Some("pkgs")
        && parts.next().is_some_and(|name| ANACONDA_CHANNELS.contains(&name))
}

/// Decodes the `%XX` of unreserved characters, which never need it (RFC 3986, section 6.2.2.2).
fn decode_unreserved(path: &str) -> String {
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        decoded.push_str(before);
        let byte = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte.map(char::from) {
            Some(c) if c.is_ascii_alphanumeric() || "-._~".contains(c) => {
                decoded.push(c);
                rest = &after[2..];
            }
            _ => {
                decoded.push('%');
                rest = after;
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    #[test]
    fn an_origin_has_one_spelling() {
        for (written, origin) in [
            ("http://conda.anaconda.org/conda-forge/", "https://conda.anaconda.org/conda-forge/"),
            ("https://Conda.Anaconda.org./x/", "https://conda.anaconda.org/x/"),
            ("http://conda.anaconda.org:80/x/", "https://conda.anaconda.org/x/"),
            ("http://repo.continuum.io/pkgs/main/", "https://repo.anaconda.com/pkgs/main/"),
            ("https://conda.binstar.org/x/", "https://conda.anaconda.org/x/"),
            ("https://repo.anaconda.com/%70kgs/m%61in/", "https://repo.anaconda.com/pkgs/main/"),
            ("https://h/a%2Fb/%20/", "https://h/a%2Fb/%20/"),
            ("http://lab.example/x/", "http://lab.example/x/"),
            ("http://conda.anaconda.org:8080/x/", "http://conda.anaconda.org:8080/x/"),
            ("file:///srv/%70/", "file:///srv/%70/"),
        ] {
            assert_eq!(normalize(url(written)).as_str(), origin, "{written}");
        }
    }

    #[test]
    fn channels_with_the_packages_of_defaults_compare_equal() {
        for (written, compared) in [
            ("https://conda.anaconda.org/main/", "https://repo.anaconda.com/pkgs/main/"),
            ("https://conda.anaconda.org/anaconda/", "https://repo.anaconda.com/pkgs/main/"),
            (
                "https://conda.anaconda.org/Anaconda/label/x",
                "https://repo.anaconda.com/pkgs/main/label/x/",
            ),
            ("http://anaconda.org/r/", "https://repo.anaconda.com/pkgs/r/"),
            ("https://anaconda.org/conda-forge/", "https://conda.anaconda.org/conda-forge/"),
            ("https://conda.anaconda.org/Conda-Forge/", "https://conda.anaconda.org/conda-forge/"),
            ("https://repo.anaconda.cloud/repo/main/", "https://repo.anaconda.com/pkgs/main/"),
            ("http://lab.example/X/", "https://lab.example/X/"),
            ("http://lab.example:8080/x/", "https://lab.example:8080/x/"),
        ] {
            let found = comparable_origin(&url(written));
            assert_eq!(found.as_str(), compared, "{written}");
            assert_eq!(comparable_origin(&found), found);
        }
        assert!(is_anaconda(&url("http://repo.continuum.io/pkgs/free/")));
        assert!(!is_anaconda(&url("https://conda.anaconda.org/conda-forge/")));
        for name in ANACONDA_CHANNELS {
            assert!(is_anaconda_channel(&url(&format!(
                "http://repo.continuum.io//pkgs/{name}/x/"
            ))));
        }
        for other in ["conda-forge/", "pkgs/", "pkgs/conda-forge/", "main/"] {
            assert!(!is_anaconda_channel(&url(&format!("https://repo.anaconda.com/{other}"))));
        }
    }
}
