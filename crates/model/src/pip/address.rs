//! Reads requirements by URL: archives, git repositories and `file:`.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use envlock_report::Code;
use pep508_rs::{ExtraName, PackageName};
use percent_encoding::percent_decode_str;
use url::Url;

use super::VariableText;
use super::named;
use super::problem::Problem;
use super::requirement::{Hash, HashAlgorithm, RequirementKind, Revision};
use super::variables::references;

/// A name with its extras, from before `@`.
pub(super) type Named = Option<(PackageName, Vec<ExtraName>)>;

/// The schemes of repositories that aren't git.
const OTHER_REPOSITORIES: [(&str, &str); 3] =
    [("hg", "Mercurial"), ("svn", "Subversion"), ("bzr", "Bazaar")];

/// The extensions of archives that pip installs.
const ARCHIVES: [&str; 13] = [
    ".whl",
    ".zip",
    ".tar.gz",
    ".tgz",
    ".tar",
    ".tar.bz2",
    ".tbz",
    ".tar.xz",
    ".txz",
    ".tlz",
    ".tar.lz",
    ".tar.lzma",
    ".tar.zst",
];

/// Whether a path or URL ends like an archive.
pub(super) fn is_archive(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    ARCHIVES.iter().any(|extension| lower.ends_with(extension))
}

/// Returns the scheme of a text that pip reads as a URL, or that can only be meant as one.
pub(super) fn scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let known = ["http", "https", "file", "ftp"];
    let is_known = known.iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let is_meant = rest.starts_with("//") || is_known || scheme.contains('+');
    (scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(is_scheme)
        && is_meant)
        .then_some(scheme)
}

/// The fragment of a URL.
#[derive(Debug, Default)]
struct Fragment {
    egg: Named,
    subdirectory: Option<String>,
    hashes: Vec<Hash>,
    /// What has no meaning, with its place in the text.
    unknown: Option<Range<usize>>,
}

/// Reads a URL. `named` is the name before `@`. The offsets of problems are those in `text`.
pub(super) fn read(
    text: &str,
    named: Named,
    editable: bool,
    warnings: &mut Vec<Problem>,
) -> Result<RequirementKind, Problem> {
    if let Some(at) = text.find(char::is_whitespace) {
        let message = "a URL can't have a blank";
        let help = "write `%20` for a blank of the address, and a marker after ` ; `";
        return Err(Problem::syntax(at..text.len(), message, help));
    }
    unreplaced(text, warnings);
    let (address, fragment_text) = text.split_once('#').unwrap_or((text, ""));
    let scheme = scheme(text).unwrap_or_default().to_ascii_lowercase();
    let fragment = fragment(fragment_text).map_err(|problem| problem.moved(address.len() + 1))?;
    if let Some(at) = &fragment.unknown {
        let at = at.start + address.len() + 1..at.end + address.len() + 1;
        let help = if scheme.starts_with("git") {
            "write a revision after `@`, as in `git+https://example.org/x.git@v1`"
        } else {
            "the parts of a fragment are `egg=`, `subdirectory=` and `sha256=`"
        };
        let message = format!("`#{}` has no effect", &text[at.clone()]);
        warnings.push(Problem::warning(Code::PipOptionUnused, at, message, help));
    }
    if scheme == "git" || scheme.starts_with("git+") {
        return git(address, &scheme, named, fragment, editable);
    }
    let prefix = scheme.split('+').next().unwrap_or_default();
    if let Some((_, tool)) = OTHER_REPOSITORIES.iter().find(|(known, _)| *known == prefix) {
        let message = format!("a {tool} repository can't be locked");
        let help = "name an archive of it, as in `name @ https://example.org/name-1.0.zip`, or a \
                    git repository";
        return Err(Problem::error(Code::PipNotLockable, 0..scheme.len(), message, help));
    }
    match scheme.as_str() {
        "file" => file(address, named, fragment),
        "http" | "https" if editable => {
            let help = "remove `-e`, or name a git repository: `-e git+https://…#egg=NAME`";
            Err(Problem::syntax(0..text.len(), "an archive can't be installed with `-e`", help))
        }
        "http" | "https" => archive(address, named, fragment),
        "ftp" => {
            let help = "use an address with `https://`";
            Err(Problem::error(Code::PipNotLockable, 0..3, "`ftp:` isn't fetched", help))
        }
        _ => {
            let help = "write `https://…` for an archive, and `git+https://…` or `git+ssh://…` for \
                        a git repository";
            let message = format!("`{scheme}:` isn't a scheme that pip knows");
            Err(Problem::syntax(0..scheme.len(), message, help))
        }
    }
}

fn archive(address: &str, named: Named, fragment: Fragment) -> Result<RequirementKind, Problem> {
    let url = check_url(address, 0)?;
    if let Some(help) = repository_page(address, &url) {
        let message = "this is a page of a git repository, and not an archive";
        return Err(Problem::syntax(0..address.len(), message, help));
    }
    let (name, extras) = name(address, named, fragment.egg)?;
    let Fragment { subdirectory, hashes, .. } = fragment;
    Ok(RequirementKind::Url { name, extras, url: VariableText::new(address), subdirectory, hashes })
}

/// Returns help if a URL is the page of a repository on a known server.
fn repository_page(address: &str, url: &Url) -> Option<String> {
    let hosts = ["github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "gitee.com"];
    let parts = url.path().trim_matches('/').split('/').count();
    let is_page = url.host_str().is_some_and(|host| hosts.contains(&host)) && parts <= 2;
    let is_git = Path::new(url.path()).extension().is_some_and(|extension| extension == "git");
    (is_page || is_git).then(|| format!("write `git+{address}`"))
}

fn git(
    address: &str,
    scheme: &str,
    named: Named,
    fragment: Fragment,
    editable: bool,
) -> Result<RequirementKind, Problem> {
    let prefix = if scheme == "git" { 0 } else { "git+".len() };
    let transport = &scheme[prefix..];
    if !matches!(transport, "https" | "http" | "ssh" | "git" | "file") {
        let message = format!("git has no `{transport}:`");
        let help = "write `git+https://…` or `git+ssh://…`";
        return Err(Problem::syntax(0..scheme.len(), message, help));
    }
    let url = &address[prefix..];
    let authority = transport.len() + "://".len();
    if !url[transport.len()..].starts_with("://") {
        let help = "write `git+https://host/path` or `git+ssh://git@host/path`";
        return Err(Problem::syntax(0..address.len(), "the address has no `://`", help));
    }
    let path = url[authority..].find('/').map_or(url.len(), |at| authority + at);
    let end = url[path..].find('?').map_or(url.len(), |at| path + at);
    let (without, revision) = match url[path..end].rsplit_once('@') {
        Some((_, "")) => {
            let at = prefix + end - 1;
            let help = "write one, as in `@v1.0`, or remove the `@`";
            return Err(Problem::syntax(at..at + 1, "no revision follows this `@`", help));
        }
        Some((before, revision)) => (path + before.len(), Some(self::revision(revision))),
        None => (end, None),
    };
    let repository = format!("{}{}", &url[..without], &url[end..]);
    check_url(&repository, prefix)?;
    let (name, extras) = named.or(fragment.egg).map_or((None, Vec::new()), |(n, e)| (Some(n), e));
    if editable && name.is_none() {
        let message = "the name of this repository's package is missing";
        let help = "add `#egg=NAME`, or write `NAME @ git+…` without `-e`";
        return Err(Problem::syntax(0..address.len(), message, help));
    }
    let url = VariableText::new(repository);
    let subdirectory = fragment.subdirectory;
    Ok(RequirementKind::Git { name, extras, url, revision, subdirectory, editable })
}

fn revision(text: &str) -> Revision {
    let text = percent_decode_str(text).decode_utf8_lossy();
    if text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Revision::Commit(text.to_ascii_lowercase())
    } else {
        Revision::Name(text.into_owned())
    }
}

/// Checks a URL whose variables have any value. `offset` is where it is in the text.
fn check_url(written: &str, offset: usize) -> Result<Url, Problem> {
    let at = offset..offset + written.len();
    let after_scheme = written.split_once("://").map(|(_, rest)| rest);
    let is_file = written.starts_with("file:");
    if !is_file && after_scheme.is_none_or(|rest| rest.starts_with('/')) {
        let message = "this URL has no host";
        return Err(Problem::syntax(at, message, "write it like `https://example.org/…`"));
    }
    let mut text = written.to_owned();
    let found: Vec<_> = references(written).map(|found| found.range).collect();
    for range in found.into_iter().rev() {
        // A digit is valid in every part: user, host, port and path.
        text.replace_range(range, "1");
    }
    Url::parse(&text).map_err(|error| {
        let help = match error {
            url::ParseError::InvalidPort => {
                "a port is a number; write `/` and not `:` before the path of a repository: \
                 `git+ssh://git@host/owner/name.git`"
            }
            _ => "write it like `https://example.org/name-1.0-py3-none-any.whl`",
        };
        Problem::syntax(at.clone(), format!("this isn't a URL: {error}"), help)
    })
}

fn file(address: &str, named: Named, fragment: Fragment) -> Result<RequirementKind, Problem> {
    let path = file_path(address)?;
    let (name, extras) = name(address, named, fragment.egg)?;
    let Fragment { subdirectory, hashes, .. } = fragment;
    Ok(RequirementKind::Path { name, extras, path, editable: false, subdirectory, hashes })
}

/// Returns the path of a `file:` URL as written, which can be relative.
pub(super) fn file_path(address: &str) -> Result<PathBuf, Problem> {
    let rest = &address["file:".len()..];
    let path = match rest.strip_prefix("//") {
        None => rest,
        Some(rest) if rest.starts_with('/') => rest,
        Some(rest) => match rest.split_once('/') {
            Some((host, _)) if host.eq_ignore_ascii_case("localhost") => &rest[host.len()..],
            Some((".", _)) => rest,
            _ => {
                let message = "a `file:` URL can't name another machine";
                let help = "write a path such as `./wheels/name.whl`, or three slashes: `file:///`";
                return Err(Problem::syntax(0..address.len(), message, help));
            }
        },
    };
    if path.is_empty() {
        let help = "write a path such as `./name`";
        return Err(Problem::syntax(0..address.len(), "this `file:` URL has no path", help));
    }
    Ok(PathBuf::from(percent_decode_str(path).decode_utf8_lossy().as_ref()))
}

/// Returns the name and the extras of an archive. A wheel has its name in its file name.
pub(super) fn name(
    address: &str,
    named: Named,
    egg: Named,
) -> Result<(Option<PackageName>, Vec<ExtraName>), Problem> {
    let path = address.split('?').next().unwrap_or(address);
    let file = path.rsplit('/').next().unwrap_or(path);
    let (name, extras) = named.or(egg).map_or((None, Vec::new()), |(n, e)| (Some(n), e));
    let is_wheel = Path::new(file).extension().is_some_and(|e| e.eq_ignore_ascii_case("whl"));
    if !is_wheel || references(file).next().is_some() {
        return Ok((name, extras));
    }
    let start = path.len() - file.len();
    let at = start..path.len();
    let decoded = percent_decode_str(file).decode_utf8_lossy();
    let Some(own) = wheel_name(&decoded) else {
        let message = "this isn't the file name of a wheel";
        let help = "a wheel is named like `name-1.0-py3-none-any.whl`; don't rename wheels";
        return Err(Problem::syntax(at, message, help));
    };
    match name {
        Some(name) if name != own => {
            let message = format!("this is a wheel of {own}, and not of {name}");
            Err(Problem::syntax(at, message, format!("write `{own} @ …`, or name another file")))
        }
        _ => Ok((Some(own), extras)),
    }
}

/// Parses `name-version(-build)?-python-abi-platform.whl`.
fn wheel_name(file: &str) -> Option<PackageName> {
    let parts: Vec<_> = file[..file.len() - ".whl".len()].split('-').collect();
    let [name, version, ..] = parts.as_slice() else { return None };
    let has_parts = matches!(parts.len(), 5 | 6) && parts.iter().all(|part| !part.is_empty());
    let is_build = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let has_build = parts.len() == 5 || parts.get(2).is_some_and(|build| is_build(build));
    pep440_rs::Version::from_str(&version.replace('_', "-"))
        .ok()
        .filter(|_| has_parts && has_build)?;
    PackageName::new((*name).to_owned()).ok()
}

fn fragment(text: &str) -> Result<Fragment, Problem> {
    let mut fragment = Fragment::default();
    let mut at = 0;
    for part in text.split('&') {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let value_at = at + part.len() - value.len();
        let algorithm = HashAlgorithm::ALL.into_iter().find(|known| known.as_str() == key);
        match (key, algorithm) {
            ("egg", _) => {
                let head = named::head(value).map_err(|problem| problem.moved(value_at))?;
                if head.end < value.len() {
                    let message = format!("`{value}` isn't the name of a package");
                    let help = "write `#egg=NAME`; a version is chosen by the revision after `@`";
                    let at = value_at..value_at + value.len();
                    return Err(Problem::syntax(at, message, help));
                }
                fragment.egg = Some((head.name, head.extras));
            }
            ("subdirectory", _) => {
                let is_outside =
                    value.starts_with('/') || value.split('/').any(|part| part == "..");
                if value.is_empty() || is_outside {
                    let message = "`subdirectory=` must name a folder in the archive or repository";
                    let at = value_at..value_at + value.len();
                    return Err(Problem::syntax(
                        at,
                        message,
                        "write it like `#subdirectory=python`",
                    ));
                }
                fragment.subdirectory = Some(value.to_owned());
            }
            (_, Some(algorithm)) => fragment
                .hashes
                .push(digest(algorithm, value).map_err(|problem| problem.moved(value_at))?),
            _ if part.is_empty() => {}
            _ => {
                fragment.unknown.get_or_insert(at..at + part.len());
            }
        }
        at += part.len() + 1;
    }
    Ok(fragment)
}

/// Parses the digits of a hash.
pub(super) fn digest(algorithm: HashAlgorithm, digits: &str) -> Result<Hash, Problem> {
    let is_digest =
        digits.len() == algorithm.digits() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest {
        return Ok(Hash { algorithm, digest: digits.to_ascii_lowercase() });
    }
    let (name, count) = (algorithm.as_str(), algorithm.digits());
    let message = format!("a {name} has {count} hexadecimal digits, and this has {}", digits.len());
    Err(Problem::error(
        Code::PipHash,
        0..digits.len(),
        message,
        "copy the whole digest from the page of the file, or compute it with `pip hash FILE`",
    ))
}

/// Checks the URL of an index. Returns it with warnings.
pub(super) fn index(text: &str) -> Result<(&str, Vec<Problem>), Problem> {
    if let Some(at) = text.find(char::is_whitespace) {
        let help = "write one address for each option";
        let at = at..text.len();
        return Err(Problem::error(Code::PipOption, at, "a URL can't have a blank", help));
    }
    check_url(text, 0).map_err(|problem| Problem {
        code: Code::PipOption,
        help: "write it like `https://pypi.org/simple`".to_owned(),
        ..problem
    })?;
    let mut warnings = Vec::new();
    unreplaced(text, &mut warnings);
    Ok((text, warnings))
}

/// Warns about what looks like a variable and isn't replaced by pip.
fn unreplaced(text: &str, warnings: &mut Vec<Problem>) {
    for found in references(text).filter(|found| !found.is_expanded) {
        let written = &text[found.range.clone()];
        let message = format!("`{written}` isn't replaced by the variable's value");
        let help =
            format!("write `${{{}}}`: pip replaces only that form", found.name.to_uppercase());
        warnings.push(Problem::warning(Code::PipVariable, found.range, message, help));
    }
}
