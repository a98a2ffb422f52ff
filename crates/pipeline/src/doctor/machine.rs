//! Checks of this machine: the cache, links from it into a prefix, proxies and trust.

use std::io;
use std::path::{Path, PathBuf};

use envlock_report::format_size;

use super::{CheckResult, ConfiguredProxy, DoctorOptions};

/// The least free space for the cache, in bytes. The next environment may need more.
const MIN_FREE_BYTES: u64 = 1_000_000_000;
/// The folders of the cache.
const CACHE_FOLDERS: [&str; 3] = ["index", "pkgs", "tmp"];

pub(super) fn checks(request: &DoctorOptions, prefix: &Path) -> Vec<CheckResult> {
    let mut checks = vec![cache(&request.cache)];
    checks.push(links(&request.cache, prefix));
    if request.proxies.is_empty() {
        checks.push(CheckResult::ok("proxy", "none"));
    }
    checks.extend(request.proxies.iter().map(proxy));
    checks.push(trust(request));
    checks
}

fn proxy(proxy: &ConfiguredProxy) -> CheckResult {
    match &proxy.fault {
        None => CheckResult::ok("proxy", proxy.description.as_str()),
        Some(fault) => CheckResult::failed(
            "proxy",
            format!("{}: {fault}", proxy.description),
            "name a proxy with http, https, socks4, socks4a, socks5 or socks5h",
        ),
    }
}

fn cache(folder: &Path) -> CheckResult {
    let shown = folder.display();
    let holds = format_size(bytes_in(folder));
    match check_writable(folder) {
        Ok(()) => {}
        // A cache that another user or an image provides.
        Err(error) if is_read_only(&error) && has_packages(folder) => {
            let message = format!(
                "{shown} has {holds} and is read-only: packages that it lacks can't be installed"
            );
            return CheckResult::ok("cache", message);
        }
        Err(error) => {
            let help = "name a folder that you may write to with ENVLOCK_CACHE_DIR";
            return CheckResult::failed(
                "cache",
                format!("{shown} can't be written: {error}"),
                help,
            );
        }
    }
    match free_bytes(folder) {
        Some(room) if room < MIN_FREE_BYTES => {
            let message = format!("{shown} has {holds}; {} are free", format_size(room));
            CheckResult::failed("cache", message, "free some disk space, or delete the cache")
        }
        Some(room) => {
            CheckResult::ok("cache", format!("{shown} has {holds}; {} are free", format_size(room)))
        }
        None => {
            CheckResult::unknown("cache", format!("{shown} has {holds}; the free space is unknown"))
        }
    }
}

/// Writes and removes a file in the cache, and in each folder of it that exists.
fn check_writable(cache: &Path) -> io::Result<()> {
    std::fs::create_dir_all(cache)?;
    let folders = CACHE_FOLDERS.map(|name| cache.join(name)).into_iter();
    let existing = folders.filter(|folder| folder.is_dir());
    std::iter::once(cache.to_owned())
        .chain(existing)
        .try_for_each(|folder| tempfile::NamedTempFile::new_in(folder).map(drop))
}

fn is_read_only(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem)
}

/// Whether the cache has an unpacked package that can be read.
fn has_packages(cache: &Path) -> bool {
    std::fs::read_dir(cache.join("pkgs")).is_ok_and(|mut entries| entries.next().is_some())
}

/// Returns a regular file of the cache: a new one, or one of a package if the cache is read-only.
fn file_in(cache: &Path) -> Option<(PathBuf, Option<tempfile::NamedTempFile>)> {
    if let Ok(file) = tempfile::NamedTempFile::new_in(cache) {
        return Some((file.path().to_owned(), Some(file)));
    }
    let entries = std::fs::read_dir(cache.join("pkgs")).ok()?;
    let files = entries.flatten().map(|package| package.path().join("info/index.json"));
    Some((files.into_iter().find(|file| file.is_file())?, None))
}

/// Returns the size of the files below a folder, in bytes. Unreadable files aren't counted.
fn bytes_in(folder: &Path) -> u64 {
    let mut sum = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                Ok(metadata) => sum += metadata.len(),
                Err(_) => {}
            }
        }
    }
    sum
}

fn free_bytes(folder: &Path) -> Option<u64> {
    let system = rustix::fs::statvfs(folder).ok()?;
    Some(system.f_bavail.saturating_mul(system.f_frsize))
}

/// Checks whether files of the cache can be hard links in the prefix.
fn links(cache: &Path, prefix: &Path) -> CheckResult {
    let Some(folder) = prefix.ancestors().find(|folder| folder.is_dir()) else {
        return CheckResult::unknown(
            "links",
            format!("{} has no folder above it", prefix.display()),
        );
    };
    let shown = folder.display();
    let Some((file, _temporary)) = file_in(cache) else {
        return CheckResult::unknown("links", "the cache can't be written");
    };
    let probe = match tempfile::Builder::new().prefix(".envlock-doctor-").tempdir_in(folder) {
        Ok(probe) => probe,
        Err(error) => {
            let message = format!("{shown} can't be written: {error}");
            return CheckResult::failed(
                "links",
                message,
                "install into another folder with `-p PREFIX`",
            );
        }
    };
    let target: PathBuf = probe.path().join("link");
    let message = match std::fs::hard_link(&file, &target) {
        Ok(()) => format!("{shown} shares files with the cache by hard links"),
        // Some systems forbid links to files of other users.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => format!(
            "{shown} can't have hard links to the cache's files: files are copied instead of linked, which needs more time and space"
        ),
        Err(_) => format!(
            "{shown} is on another file system than the cache: files are copied instead of linked, which needs more time and space"
        ),
    };
    CheckResult::ok("links", message)
}

fn trust(request: &DoctorOptions) -> CheckResult {
    match request.certificate_count {
        None => CheckResult::failed(
            "trust",
            "no server's certificate is verified",
            "give `ssl_verify` the path of your network's certificate instead of `false`",
        ),
        Some(0) => CheckResult::failed(
            "trust",
            format!(
                "{} has no certificates: nothing is reached by https",
                request.trust_description
            ),
            "install your system's ca-certificates, or name a file with SSL_CERT_FILE",
        ),
        Some(number) => CheckResult::ok(
            "trust",
            format!(
                "{} from {}",
                envlock_report::count(number, "certificate"),
                request.trust_description
            ),
        ),
    }
}
