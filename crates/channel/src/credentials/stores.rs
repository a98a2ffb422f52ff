//! Reads the credential stores of conda, rattler and curl.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use envlock_model::channel::ChannelCredentials;
use envlock_model::channel::without_credentials;
use envlock_report::{Code, Finding};
use envlock_text::limits::CREDENTIAL_STORE_BYTES;
use fs_err as fs;
use percent_encoding::percent_decode_str;
use url::Url;

use super::{AuthScheme, CredentialScope, Credentials, netrc, rattler};
use crate::address;

/// The host that anaconda-client's tokens are for.
const ANACONDA: &str = "conda.anaconda.org";

/// The locations of the credential stores. The caller reads the environment and the home folder.
/// A missing file isn't an error.
#[derive(Clone, Default)]
pub struct CredentialStores {
    /// Variables with a URL that has a credential: name and value.
    pub url_variables: Vec<(String, String)>,
    /// anaconda.org's token, as in `ANACONDA_API_TOKEN`.
    pub anaconda_token: Option<String>,
    /// The `.netrc`.
    pub netrc: Option<PathBuf>,
    /// rattler's `credentials.json` files, in order of precedence.
    pub rattler: Vec<PathBuf>,
    /// Folders of anaconda-client's `<URL>.token` files, in order of precedence.
    pub anaconda: Vec<PathBuf>,
}

impl Credentials {
    /// Reads the stores: variables, then `.netrc`, rattler's and anaconda-client's. An unreadable
    /// store is a warning that doesn't quote its contents.
    pub fn read(stores: &CredentialStores) -> (Self, Vec<Finding>) {
        let mut all = Self::default();
        let mut warnings = Vec::new();
        for (variable, value) in &stores.url_variables {
            if all.add_url_variable(variable, value).is_none() {
                warnings.push(unreadable(
                    variable,
                    "isn't a URL with a credential",
                    "write https://user:password@host/ or https://host/t/token/",
                ));
            }
        }
        if let Some(token) = &stores.anaconda_token {
            let scheme = AuthScheme::Token(token.trim().to_owned());
            all.add(2, CredentialScope::Host(ANACONDA.into()), scheme, "ANACONDA_API_TOKEN");
        }
        if let Some(path) = &stores.netrc
            && let Some(text) = read_text(path, &mut warnings)
        {
            for machine in netrc::read(&text) {
                let scheme = AuthScheme::Basic { user: machine.login, password: machine.password };
                all.add(3, CredentialScope::Host(machine.name), scheme, &display_path(path));
            }
        }
        for (number, path) in stores.rattler.iter().enumerate() {
            let Some(text) = read_text(path, &mut warnings) else { continue };
            let Some(entries) = rattler::read(&text) else {
                let name = display_path(path);
                warnings.push(unreadable(
                    &name,
                    "isn't a credential store of rattler",
                    "log in again",
                ));
                continue;
            };
            for (scope, scheme) in entries {
                if let Some(scope) = parse_scope(&scope) {
                    all.add(4 + number, scope, scheme, &display_path(path));
                }
            }
        }
        for (number, folder) in stores.anaconda.iter().enumerate() {
            all.add_tokens(4 + stores.rattler.len() + number, folder, &mut warnings);
        }
        (all, warnings)
    }

    fn add_url_variable(&mut self, variable: &str, value: &str) -> Option<()> {
        let mut url = Url::parse(value.trim()).ok().filter(Url::has_host)?;
        let access = ChannelCredentials::extract_from(&mut url)?;
        self.add(
            1,
            CredentialScope::UrlPrefix(address::with_trailing_slash(&url)),
            AuthScheme::FromUrl(access),
            variable,
        );
        Some(())
    }

    /// anaconda-client names a file after the quoted URL of its server's API. conda uses the token
    /// for the server of the packages, whose host begins with `conda.` instead of `api.`.
    fn add_tokens(&mut self, rank: usize, folder: &Path, warnings: &mut Vec<Finding>) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().and_then(OsStr::to_str);
            let Some(quoted) = name.and_then(|name| name.strip_suffix(".token")) else { continue };
            let unquoted = quoted.replace('+', " ");
            let written = percent_decode_str(&unquoted).decode_utf8_lossy();
            let Some(CredentialScope::UrlPrefix(server)) = parse_scope(&written) else { continue };
            let Some(token) = read_text(&path, warnings) else { continue };
            for server in [packages_of(&server), Some(server)].into_iter().flatten() {
                let scheme = AuthScheme::Token(token.trim().to_owned());
                self.add(rank, CredentialScope::UrlPrefix(server), scheme, &display_path(&path));
            }
        }
    }
}

/// Parses a scope: a host, `*.domain` or a URL.
fn parse_scope(written: &str) -> Option<CredentialScope> {
    if written.contains("://") {
        let url = Url::parse(written).ok().filter(Url::has_host)?;
        return Some(CredentialScope::UrlPrefix(address::with_trailing_slash(
            &without_credentials(&url),
        )));
    }
    Some(match written.strip_prefix("*.") {
        Some(domain) => CredentialScope::Domain(domain.to_ascii_lowercase()),
        None => CredentialScope::Host(written.to_owned()),
    })
}

/// Returns `conda.anaconda.org` for `api.anaconda.org`.
fn packages_of(server: &Url) -> Option<Url> {
    let rest = server.host_str()?.strip_prefix("api.")?;
    let mut url = server.clone();
    url.set_host(Some(&format!("conda.{rest}"))).ok()?;
    Some(url)
}

/// Reads a regular file up to the limit; `None` if there is none. A pipe would block, and a device
/// never ends.
fn read_text(path: &Path, warnings: &mut Vec<Finding>) -> Option<String> {
    let mut warn = |why: &str, help| warnings.push(unreadable(&display_path(path), why, help));
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => {
            warn("isn't a regular file", "make it one, or configure another one");
            return None;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        // Reading it fails too.
        Ok(_) | Err(_) => {}
    }
    let mut text = String::new();
    let read = fs::File::open(path)
        .and_then(|file| file.take(CREDENTIAL_STORE_BYTES + 1).read_to_string(&mut text));
    match read {
        Ok(bytes) if bytes as u64 <= CREDENTIAL_STORE_BYTES => Some(text),
        Ok(_) => {
            warn("is too large for a credential store", "configure another one");
            None
        }
        Err(_) => {
            warn("can't be read as text", "make it readable, or configure another one");
            None
        }
    }
}

fn unreadable(name: &str, why: &str, help: &str) -> Finding {
    Finding::new(Code::ChannelCredentialsUnreadable, format!("{name} {why}, so it isn't used"))
        .with_help(help)
}

fn display_path(path: &Path) -> String {
    path.display().to_string()
}
