//! The indexes of PyPI that the variables and the configuration files of pip name.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use configparser::ini::Ini;
use envlock_channel::Client;
use envlock_pypi::{DEFAULT_INDEX, IndexSources, register_index};
use envlock_report::{Code, Finding};
use envlock_text::limits::CREDENTIAL_STORE_BYTES;
use envlock_text::redact::redact_url;
use url::Url;

use super::ProcessEnvironment;

/// The sections of pip's configuration that are read, in order of precedence.
const SECTIONS: [&str; 2] = ["install", "global"];

/// The options that pip's variables and files give.
#[derive(Default)]
struct PipOptions {
    index: Option<Given>,
    extra_indexes: Vec<Given>,
    no_index: bool,
    prereleases: bool,
}

/// A value, and the variable or file that gives it. It can have a credential.
struct Given {
    value: String,
    by: String,
}

/// Returns the configured indexes. Their credentials are registered with the client.
pub(crate) fn index_sources(settings: &ProcessEnvironment, client: &Client) -> IndexSources {
    let mut sources = IndexSources::default();
    let options = match read(settings) {
        Ok(options) => options,
        Err(problem) => {
            sources.problem = Some(*problem);
            return sources;
        }
    };
    let default = || Given { value: DEFAULT_INDEX.to_owned(), by: "the default".to_owned() };
    let index = options.index.unwrap_or_else(default);
    match index_url(&index, client) {
        Ok(url) => sources.index = Some(url),
        Err(problem) => sources.problem = Some(*problem),
    }
    for given in &options.extra_indexes {
        match index_url(given, client) {
            Ok(url) => sources.extra_indexes.push(url),
            Err(problem) => sources.problem = Some(*problem),
        }
    }
    sources.no_index = options.no_index;
    sources.prereleases = options.prereleases;
    sources
}

/// Returns the origin's URL of an index.
fn index_url(given: &Given, client: &Client) -> Result<Url, Box<Finding>> {
    let url = Url::parse(given.value.trim()).map_err(|error| invalid(given, &error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https" | "file") {
        return Err(invalid(given, "its scheme isn't http, https or file"));
    }
    Ok(register_index(client, url))
}

fn invalid(given: &Given, reason: &str) -> Box<Finding> {
    let message = format!("`{}` can't be used as an index: {reason}", redact_url(&given.value));
    let finding = Finding::new(Code::ConfigurationValueInvalid, message)
        .with_note(format!("set by {}", given.by))
        .with_help("write a URL such as https://host/simple/");
    Box::new(finding)
}

/// Reads the variables, which have priority, and the files.
fn read(settings: &ProcessEnvironment) -> Result<PipOptions, Box<Finding>> {
    let mut options = PipOptions::default();
    for path in files(settings) {
        if let Some(text) = read_file(&path)? {
            apply_file(&mut options, &path, text)?;
        }
    }
    let variable = |name: &str| settings.variables.get(name).filter(|value| !value.is_empty());
    let given = |name: &str| {
        variable(name).map(|value| Given { value: value.clone(), by: name.to_owned() })
    };
    let index =
        ["PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"].iter().find_map(|name| given(name));
    options.index = index.or(options.index);
    for name in ["PIP_EXTRA_INDEX_URL", "UV_EXTRA_INDEX_URL"] {
        if let Some(value) = variable(name) {
            options.extra_indexes = listed(value, name);
        }
    }
    options.no_index = variable("PIP_NO_INDEX").map_or(options.no_index, |value| is_true(value));
    options.prereleases = variable("PIP_PRE").map_or(options.prereleases, |value| is_true(value));
    Ok(options)
}

/// Splits a list at blanks, as pip does.
fn listed(value: &str, by: &str) -> Vec<Given> {
    let values = value.split_whitespace();
    values.map(|value| Given { value: value.to_owned(), by: by.to_owned() }).collect()
}

fn is_true(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on" | "t" | "y")
}

/// Returns the configuration files of pip, the ones with priority last.
fn files(settings: &ProcessEnvironment) -> Vec<PathBuf> {
    let variable = |name: &str| settings.variables.get(name).filter(|value| !value.is_empty());
    let own = variable("PIP_CONFIG_FILE").map(|path| settings.absolute(Path::new(path)));
    if own.as_deref() == Some(Path::new("/dev/null")) {
        return Vec::new();
    }
    let system = variable("XDG_CONFIG_DIRS").map_or("/etc/xdg", String::as_str).split(':');
    let system = system.map(|folder| Path::new(folder).join("pip/pip.conf"));
    let home = settings.home.clone();
    let user = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let user = user.or_else(|| home.as_ref().map(|home| home.join(".config")));
    let mac = home.as_ref().filter(|_| cfg!(target_os = "macos"));
    let mac = mac.map(|home| home.join("Library/Application Support/pip/pip.conf"));
    system
        .chain([PathBuf::from("/etc/pip.conf")])
        .chain(home.map(|home| home.join(".pip/pip.conf")))
        .chain(mac)
        .chain(user.map(|folder| folder.join("pip/pip.conf")))
        .chain(own)
        .collect()
}

/// Reads a regular file. `None` if there is none.
fn read_file(path: &Path) -> Result<Option<String>, Box<Finding>> {
    let unreadable = |reason: &str| {
        let message = format!("{} {reason}", path.display());
        let finding = Finding::new(Code::ConfigurationUnreadable, message);
        Box::new(finding.with_help("make it readable, or set PIP_CONFIG_FILE=/dev/null"))
    };
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Err(unreadable("isn't a regular file")),
        Err(_) => return Ok(None),
    }
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|_| unreadable("can't be read"))?;
    let read = file.take(CREDENTIAL_STORE_BYTES).read_to_string(&mut text);
    read.map_err(|_| unreadable("isn't text"))?;
    Ok(Some(text))
}

fn apply_file(options: &mut PipOptions, path: &Path, text: String) -> Result<(), Box<Finding>> {
    let mut ini = Ini::new();
    ini.set_multiline(true);
    let name = path.display().to_string();
    // The library's error quotes the line, which may have a credential.
    let unreadable = || {
        let message = format!("{name} isn't in the format of pip's configuration");
        let finding = Finding::new(Code::ConfigurationUnreadable, message);
        Box::new(finding.with_help("write `key = value` below `[global]`"))
    };
    ini.read(text).map_err(|_| unreadable())?;
    let value = |key: &str| {
        SECTIONS.iter().find_map(|section| {
            ini.get(section, key).or_else(|| ini.get(section, &key.replace('-', "_")))
        })
    };
    if let Some(value) = value("index-url") {
        options.index = Some(Given { value, by: name.clone() });
    }
    if let Some(value) = value("extra-index-url") {
        options.extra_indexes = listed(&value, &name);
    }
    options.no_index = value("no-index").map_or(options.no_index, |value| is_true(&value));
    options.prereleases = value("pre").map_or(options.prereleases, |value| is_true(&value));
    Ok(())
}
