//! The settings of the channel client, from the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use envlock_channel::{
    Credentials, Mirror, MirrorError, ProxyServer, ProxyServers, Sources, TlsTrust,
    certificates_error, identity_error, is_supported_proxy, parse_mirror,
};
use envlock_config::{ChannelSettings, Configuration, Configured, Key, ValueSource, key};
use envlock_model::channel::{self, ChannelConfig};
use envlock_report::{AsFindings, Code, Exit, Finding, Level};
use envlock_text::redact::redact_url;
use url::Url;

use super::{
    ProcessEnvironment, VERSION,
    certificates::{UnusableFile, certificate_variable_error, read_certificates},
    credentials::stores,
};

/// An error in the network settings.
#[derive(Debug)]
pub(crate) enum NetworkError {
    /// A mirror is invalid.
    Mirror(MirrorError, ValueSource),
    /// A value can't be used.
    Value { key: &'static str, reason: String, by: ValueSource, is_input: bool },
}

impl std::fmt::Display for NetworkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mirror(error, _) => error.fmt(f),
            Self::Value { key, reason, .. } => write!(f, "`{key}` can't be used: {reason}"),
        }
    }
}

impl std::error::Error for NetworkError {}

impl AsFindings for NetworkError {
    fn findings(&self) -> Vec<Finding> {
        let (Self::Mirror(_, by) | Self::Value { by, .. }) = self;
        let mut findings = match self {
            Self::Mirror(error, _) => error.findings(),
            Self::Value { .. } => {
                vec![Finding::new(Code::ConfigurationValueInvalid, self.to_string())]
            }
        };
        for finding in &mut findings {
            match by {
                ValueSource::File(place) => finding.place = Some(place.clone()),
                ValueSource::Variable(name) => finding.add_note(format!("set by {name}")),
                ValueSource::Default | ValueSource::Flag(_) => {}
            }
        }
        findings
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Mirror(error, _) => error.exit(),
            Self::Value { is_input: false, .. } => Exit::Undetermined,
            Self::Value { .. } => Exit::Usage,
        }
    }
}

/// The settings of the channel client, and the channel configuration.
pub(crate) struct ChannelSetup {
    pub(crate) settings: envlock_channel::Settings,
    pub(crate) channel_config: ChannelConfig,
    /// Warnings about the configuration, for every command.
    pub(crate) warnings: Vec<Finding>,
}

/// Returns the settings of the channel client. Reads the configured certificate files and the
/// credential stores.
pub(crate) fn channel_setup(
    settings: &ProcessEnvironment,
    configuration: &Configuration,
) -> Result<ChannelSetup, NetworkError> {
    let variable = |name: &str| settings.variables.get(name).cloned();
    let ChannelSettings { mut channel_config, mirrored, mut warnings } =
        configuration.channel_settings(&settings.folder, &variable);
    let mut network =
        envlock_channel::Settings::new(settings.cache_dir().0, format!("envlock/{VERSION}"));
    network.sources = sources(configuration, &mut channel_config, mirrored)?;
    network.offline = configuration.boolean(&key::OFFLINE);
    let (credentials, unreadable) = Credentials::read(&stores(settings));
    network.credentials = credentials;
    warnings.extend(unreadable);
    let seconds =
        |key: &Key| configuration.number(key).and_then(|s| Duration::try_from_secs_f64(s).ok());
    let set = |field: &mut Duration, key| *field = seconds(key).unwrap_or(*field);
    set(&mut network.connect_timeout, &key::CONNECT_TIMEOUT);
    set(&mut network.idle_timeout, &key::READ_TIMEOUT);
    set(&mut network.backoff, &key::BACKOFF_FACTOR);
    // conda's usual three tries are as long as our usual patience.
    if let Some(retries) = configuration.number(&key::MAX_RETRIES) {
        network.max_total_pause = Duration::from_secs(10).mul_f64(retries.min(1000.0));
    }
    network.proxy_servers = proxies(settings, configuration);
    let file = |set: &Configured<&str>, key| read(settings, set, key);
    if let Some(set) = configuration.text(&key::SSL_VERIFY) {
        network.trust = match set.value.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" | "truststore" => TlsTrust::System,
            "false" | "no" | "off" | "0" => {
                warnings.push(unverified(&set.set_by));
                TlsTrust::Unverified
            }
            _ => file(&set, key::SSL_VERIFY.name)
                .and_then(|pem| check(pem, certificates_error, &set, key::SSL_VERIFY.name))
                .map_or_else(|error| unusable(&error), TlsTrust::Certificates),
        };
    }
    if matches!(network.trust, TlsTrust::System)
        && let Some(error) = system_certificates_error(settings)
    {
        network.trust = TlsTrust::Unusable(Arc::new(error));
    }
    if let Some(set) = configuration.text(&key::CLIENT_SSL_CERT) {
        let identity = file(&set, key::CLIENT_SSL_CERT.name).and_then(|mut pem| {
            if let Some(key) = configuration.text(&key::CLIENT_SSL_CERT_KEY) {
                pem.push(b'\n');
                pem.extend(file(&key, key::CLIENT_SSL_CERT_KEY.name)?);
            }
            check(pem, identity_error, &set, key::CLIENT_SSL_CERT.name)
        });
        match identity {
            Ok(pem) => network.client_certificate = Some(pem),
            Err(error) => network.trust = unusable(&error),
        }
    }
    if let TlsTrust::Unusable(error) = &network.trust {
        // It is an error of a request over TLS, and there may be none.
        warnings.push(error.as_ref().clone().at_level(Level::Note));
    }
    Ok(ChannelSetup { settings: network, channel_config, warnings })
}

/// Returns the content of a file, unless there is an error in it.
fn check(
    pem: Vec<u8>,
    error: fn(&[u8]) -> Option<String>,
    set: &Configured<&str>,
    key: &'static str,
) -> Result<Vec<u8>, NetworkError> {
    match error(&pem) {
        Some(why) => {
            let reason = format!("{}: {why}", set.value);
            Err(NetworkError::Value { key, reason, by: set.set_by.clone(), is_input: true })
        }
        None => Ok(pem),
    }
}

/// Returns the trust for a setting that can't be used: only a request over TLS fails.
fn unusable(error: &NetworkError) -> TlsTrust {
    let finding = error.findings().swap_remove(0);
    TlsTrust::Unusable(Arc::new(finding.with_help("correct the entry: requests that need it fail")))
}

/// Returns an error if the certificates that `SSL_CERT_FILE` names can't be used.
fn system_certificates_error(settings: &ProcessEnvironment) -> Option<Finding> {
    let UnusableFile { path, reason } = certificate_variable_error(settings)?;
    let message = format!("SSL_CERT_FILE names {path}, which can't be used: {reason}");
    Some(
        Finding::new(Code::ConfigurationValueInvalid, message)
            .with_help("name a file with certificates in PEM format"),
    )
}

/// Returns the mirrors in their order: flags, envlock.toml, `mirrored_channels`, and the known
/// mirrors whose URLs are in a `.condarc`. Channel names then mean the mirrors' origins.
fn sources(
    configuration: &Configuration,
    channel_config: &mut ChannelConfig,
    mirrored: Vec<(Url, Vec<Url>)>,
) -> Result<Sources, NetworkError> {
    let mut groups = [Vec::new(), Vec::new()];
    for set in configuration.list(&key::MIRRORS) {
        let group = usize::from(!matches!(set.set_by, ValueSource::Flag(_)));
        let mirrors = parse_mirror(&set.value)
            .map_err(|error| NetworkError::Mirror(error, set.set_by.clone()))?;
        groups[group].extend(mirrors);
    }
    let [flags, project] = groups;
    let mut sources = Sources::new(flags, !configuration.boolean(&key::NO_ORIGIN));
    sources.append(project);
    for (channel, urls) in mirrored {
        let origin = sources.origin_of(&channel).unwrap_or(channel);
        let mirror = |url| Mirror { prefix: origin.clone(), url };
        sources.append(urls.into_iter().map(mirror).collect());
        // As in mamba, only the listed sources are used, so that a private channel of this name
        // never becomes a public one.
        sources.disable_origin(&origin);
    }
    let mut at_origin = |url: &mut Url| {
        // A URL with an account means that mirror.
        let has_account = !url.username().is_empty() || url.password().is_some();
        if let Some(origin) = sources.register_mirror_url(url).filter(|_| !has_account) {
            *url = origin;
        }
    };
    channel_config
        .defaults
        .iter_mut()
        .chain(channel_config.custom_multichannels.values_mut().flatten())
        .for_each(&mut at_origin);
    // A single channel's name is resolved to its origin where it is used. Its source is
    // registered here, for an install that only reads the lock.
    for (name, folder) in &channel_config.custom_channels {
        let mut channel = folder.clone();
        if let Ok(mut path) = channel.path_segments_mut() {
            path.pop_if_empty().extend(name.split('/')).push("");
        }
        sources.register_mirror_url(&channel);
    }
    sources.register_mirror_url(&channel_config.channel_alias);
    Ok(sources)
}

/// The entry of `proxy_servers` that lists hosts instead of a proxy.
pub(crate) const NO_PROXY_ENTRY: &str = "no_proxy";

/// Returns the URL of a proxy. Its scheme is http unless it has another.
fn proxy_url(
    written: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<String, channel::InvalidChannel> {
    if !written.contains("://") {
        let expanded = channel::expand(written, variable)?;
        if !expanded.contains("://") {
            return channel::expand_url(&format!("http://{written}"), variable);
        }
    }
    channel::expand_url(written, variable)
}

/// Returns the URL of an entry of `proxy_servers`, or why it has none.
fn proxy(
    set: &Configured<String>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Url, String> {
    let url = proxy_url(&set.value, variable).map_err(|error| error.to_string())?;
    // A `/` in a password ends the host for a parser, and the rest would be a path.
    let url = Url::parse(&url).ok().filter(|url| !url.path().contains('@'));
    url.ok_or_else(|| format!("`{}` isn't a URL", redact_url(&set.value)))
}

/// Why an entry of `proxy_servers` can't be used.
enum UnusableProxy {
    /// It has no URL.
    NoUrl(String),
    /// Its scheme is none of a proxy.
    Scheme(String),
}

impl UnusableProxy {
    fn reason(self) -> String {
        let (Self::NoUrl(reason) | Self::Scheme(reason)) = self;
        reason
    }
}

/// Returns why an entry of `proxy_servers` can't be used, if it can't.
pub(crate) fn proxy_fault(
    settings: &ProcessEnvironment,
    set: &Configured<String>,
) -> Option<String> {
    let variable = |name: &str| settings.variables.get(name).cloned();
    usable_proxy(set, &variable).err().map(UnusableProxy::reason)
}

fn usable_proxy(
    set: &Configured<String>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Url, UnusableProxy> {
    let url = proxy(set, variable).map_err(UnusableProxy::NoUrl)?;
    if is_supported_proxy(&url) {
        return Ok(url);
    }
    let shown = redact_url(&set.value);
    Err(UnusableProxy::Scheme(format!(
        "`{shown}` isn't a proxy for http, https, socks4, socks4a, socks5 or socks5h"
    )))
}

fn proxy_error(set: &Configured<String>, reason: &str) -> Finding {
    let name = key::PROXY_SERVERS.name;
    let finding =
        Finding::new(Code::ConfigurationValueInvalid, format!("`{name}` can't be used: {reason}"))
            .with_help("correct the entry: requests that need it fail");
    match &set.set_by {
        ValueSource::File(place) => finding.at(place.clone()),
        by => finding.with_note(format!("set by {by}")),
    }
}

fn proxies(settings: &ProcessEnvironment, configuration: &Configuration) -> ProxyServers {
    let variable = |name: &str| settings.variables.get(name).cloned();
    let named: Vec<_> = configuration.map(&key::PROXY_SERVERS).collect();
    // If only variables set proxies, the HTTP library reads them, which knows all their forms.
    let is_chosen =
        named.iter().flat_map(|(_, texts)| texts.iter()).any(|set| set.set_by.place().is_some());
    let mut by_scheme = BTreeMap::new();
    let mut except: Vec<String> = Vec::new();
    for (scheme, texts) in named.into_iter().filter(|_| is_chosen) {
        let Some(set) = texts.first() else { continue };
        if scheme.eq_ignore_ascii_case(NO_PROXY_ENTRY) {
            except.push(set.value.clone());
            continue;
        }
        // Only a request that needs the proxy fails.
        let server = match usable_proxy(set, &variable) {
            Ok(url) => ProxyServer::Url(url),
            // Desktops set `all_proxy=socks://…` next to proxies that can be used.
            Err(UnusableProxy::Scheme(_)) if set.set_by.place().is_none() => continue,
            Err(error) => ProxyServer::Unusable(Arc::new(proxy_error(set, &error.reason()))),
        };
        by_scheme.insert(scheme.trim_end_matches("://").to_owned(), server);
    }
    except.extend(variable("no_proxy").or_else(|| variable("NO_PROXY")));
    let except = (!except.is_empty()).then(|| except.join(","));
    ProxyServers { by_scheme, except }
}

/// Reads the file, or all files of the folder, that a key names.
fn read(
    settings: &ProcessEnvironment,
    set: &Configured<&str>,
    key: &'static str,
) -> Result<Vec<u8>, NetworkError> {
    let wrong = |reason: String| NetworkError::Value {
        key,
        reason,
        by: set.set_by.clone(),
        is_input: true,
    };
    let path = settings.path(set.value).map_err(&wrong)?;
    let unreadable = |path: &PathBuf, error: std::io::Error| {
        wrong(format!("{} can't be read: {error}", path.display()))
    };
    if !path.is_dir() {
        return read_certificates(&path).map_err(|error| unreadable(&path, error));
    }
    let entries = std::fs::read_dir(&path).map_err(|error| unreadable(&path, error))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.is_file());
    files.sort();
    let mut pem = Vec::new();
    for file in files {
        pem.extend(read_certificates(&file).map_err(|error| unreadable(&file, error))?);
        pem.push(b'\n');
    }
    Ok(pem)
}

fn unverified(by: &ValueSource) -> Finding {
    let warning = Finding::new(
        Code::UnverifiedServers,
        "no server's certificate is verified: anyone on the network path can change every index and \
         read every credential",
    )
    .with_note(format!("`ssl_verify: false` by {by}"))
    .with_help("give `ssl_verify` the path of your network's certificate instead");
    match by {
        ValueSource::File(place) => warning.at(place.clone()),
        _ => warning,
    }
}
