//! Finds the server's program: on the machine, in the cache, or by a build with Go.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use fs_err::File;
use rattler_digest::{Sha256, compute_bytes_digest};

use crate::tell::tell;

/// The package to build, as `tests/openbao/go.mod` requires it.
const PACKAGE: &str = "github.com/openbao/openbao";

/// The release of the commit in go.mod; a build from a module has no tag.
const VERSION: &str = "2.4.0";

/// The variable: if it is 1, tests that need the server fail without one.
const NEEDED: &str = "ENVLOCK_TESTS_NEED_SERVER";

/// The variable with the path of a server's program, which is then taken.
const CHOSEN: &str = "ENVLOCK_TESTS_VAULT";

/// Finds the program of an OpenBao or a Vault server: `ENVLOCK_TESTS_VAULT`, `bao` on `PATH`, `vault`
/// on `PATH`, the one in the cache, or a new build, with `go` on `PATH`. Returns the reason if none is available. A
/// build takes minutes and is kept outside the repository, below
/// `$XDG_CACHE_HOME/envlock-tests`.
pub fn binary() -> Result<&'static Path, &'static str> {
    static FOUND: LazyLock<Result<PathBuf, String>> = LazyLock::new(find);
    FOUND.as_ref().map(PathBuf::as_path).map_err(String::as_str)
}

/// Returns the name of the [program](binary)'s product, `openbao` or `vault`.
pub fn product() -> Result<&'static str, &'static str> {
    static FOUND: LazyLock<Result<&'static str, String>> = LazyLock::new(|| {
        let output = Command::new(binary()?).arg("version").output();
        let output = output.map_err(|error| error.to_string())?;
        Ok(if output.stdout.starts_with(b"Vault v") { "vault" } else { "openbao" })
    });
    FOUND.as_ref().copied().map_err(String::as_str)
}

/// Reports that a test is skipped because there is no server, with the reason. Writes to stderr
/// directly, past the capture of the test harness, so that a skipped test isn't mistaken for a
/// passed one.
///
/// # Panics
/// Panics with `ENVLOCK_TESTS_NEED_SERVER=1` if there is no server.
pub fn skip_test(what: &str) {
    let why = match binary() {
        Ok(path) => format!("{} doesn't support it", path.display()),
        Err(why) => {
            assert!(std::env::var_os(NEEDED).is_none_or(|set| set != "1"), "{what}: {why}");
            why.to_owned()
        }
    };
    tell(&format!("skipped: {what} ({why})"));
}

/// The Go module that requires the server.
fn module() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/openbao")
}

fn find() -> Result<PathBuf, String> {
    if let Some(chosen) = std::env::var_os(CHOSEN).map(PathBuf::from) {
        let is_server = is_server(&chosen);
        return is_server.then_some(chosen).ok_or(format!("{CHOSEN} is no OpenBao or Vault"));
    }
    if let Some(server) =
        ["bao", "vault"].into_iter().find_map(|name| on_path(name).filter(|path| is_server(path)))
    {
        return Ok(server);
    }
    let folder = module();
    let cached = cache()?.join(format!("openbao-{}", recipe(&folder)?)).join("bao");
    if cached.exists() {
        return Ok(cached);
    }
    let go = on_path("go").ok_or("no bao or vault on PATH, and no Go to build one")?;
    build(&go, &folder, &cached).map_err(|error| format!("OpenBao can't be built: {error}"))?;
    Ok(cached)
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Checks the version output, since other programs are called `vault` too.
fn is_server(path: &Path) -> bool {
    let output = Command::new(path).arg("version").output();
    output.is_ok_and(|output| {
        output.stdout.starts_with(b"OpenBao v") || output.stdout.starts_with(b"Vault v")
    })
}

fn cache() -> Result<PathBuf, String> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    Ok(cache
        .ok_or("neither XDG_CACHE_HOME nor HOME is set, so a server can't be cached")?
        .join("envlock-tests"))
}

/// Returns a short digest of the inputs of the build.
fn recipe(folder: &Path) -> Result<String, String> {
    let read = |name| fs_err::read(folder.join(name)).map_err(|error| error.to_string());
    let all = [read("go.mod")?, read("go.sum")?, VERSION.into()].concat();
    Ok(BASE64_URL_SAFE_NO_PAD.encode(&compute_bytes_digest::<Sha256>(&all)[..9]))
}

/// Builds the program next to its final path, and renames it. A second process waits for the first
/// one.
fn build(go: &Path, folder: &Path, to: &Path) -> io::Result<()> {
    let home = to.parent().unwrap_or(to);
    fs_err::create_dir_all(home)?;
    let lock = File::create(home.join("lock"))?;
    lock.lock()?;
    if to.exists() {
        return Ok(());
    }
    tell(&format!("building OpenBao {VERSION} into {}: this takes minutes, once", home.display()));
    let temporary = home.join("bao.new");
    let flags = format!("-s -w -X {PACKAGE}/version.fullVersion={VERSION}");
    let args = ["build", "-buildvcs=false", "-mod=readonly", "-ldflags", &flags, "-o"];
    let output = Command::new(go)
        .current_dir(folder)
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off")
        .args(args.map(OsStr::new))
        .args([temporary.as_os_str(), OsStr::new(PACKAGE)])
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(last_lines(&String::from_utf8_lossy(&output.stderr), 5)));
    }
    fs_err::rename(temporary, to)
}

/// Returns the last lines of a program's output.
pub(super) fn last_lines(text: &str, lines: usize) -> String {
    let all: Vec<_> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reported_version_is_the_version_that_is_built() {
        let required = fs_err::read_to_string(module().join("go.mod")).unwrap();
        assert!(required.contains(&format!("{PACKAGE}/sdk/v2 v{VERSION}\n")));
    }

    #[test]
    fn the_digest_changes_with_the_inputs_of_the_build() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name, text| fs_err::write(folder.path().join(name), text).unwrap();
        write("go.mod", "module a");
        write("go.sum", "");
        let before = recipe(folder.path()).unwrap();
        assert_eq!(recipe(folder.path()).unwrap(), before);
        write("go.sum", "another");
        assert_ne!(recipe(folder.path()).unwrap(), before);
    }

    #[test]
    fn a_failed_build_reports_the_output_of_go_and_leaves_no_program() {
        let folder = tempfile::tempdir().unwrap();
        let go = folder.path().join("go");
        fs_err::write(&go, "#!/bin/sh\nseq 9 >&2\nexit 1\n").unwrap();
        let mut mode = fs_err::metadata(&go).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o755);
        fs_err::set_permissions(&go, mode).unwrap();
        let to = folder.path().join("cache/bao");
        let error = build(&go, folder.path(), &to).unwrap_err();
        assert_eq!(error.to_string(), "5\n6\n7\n8\n9");
        assert!(!to.exists());
    }

    #[test]
    fn another_program_of_the_same_name_is_not_a_server() {
        assert!(!is_server(Path::new("/bin/echo")));
        assert!(!is_server(Path::new("/nowhere/vault")));
    }
}
