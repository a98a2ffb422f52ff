//! The table of all keys that have an effect. The parsers, the merge and `envlock config` use it.

/// One key of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The name in the file that it belongs to.
    pub name: &'static str,
    /// Older names that conda also accepts.
    pub aliases: &'static [&'static str],
    /// The type of its value.
    pub value_type: ValueType,
    /// Where it may be set.
    pub scope: Scope,
}

/// The type of a key's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// True or false.
    Boolean,
    /// A number that isn't negative.
    Number,
    /// One line of text, or a boolean for some keys.
    Text,
    /// `strict`, `flexible` or `disabled`.
    Priority,
    /// A list of texts. In a variable this character separates them.
    List(char),
    /// A mapping of names to texts.
    TextMap,
    /// A mapping of names to lists of texts.
    ListMap,
}

/// Where a key may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// `.condarc` and `CONDA_*`.
    Condarc,
    /// `.condarc`, `CONDA_*` and envlock.toml, there with `-` for `_`.
    CondarcAndProject,
    /// envlock.toml and flags.
    Project,
}

const fn condarc(name: &'static str, value_type: ValueType) -> Key {
    Key { name, aliases: &[], value_type, scope: Scope::Condarc }
}

const fn alias(key: Key, aliases: &'static [&'static str]) -> Key {
    Key { aliases, ..key }
}

const LIST: ValueType = ValueType::List(',');

/// The channels to use if environment.yml lists none.
pub const CHANNELS: Key = alias(condarc("channels", LIST), &["channel"]);
/// The channels that `defaults` consists of.
pub const DEFAULT_CHANNELS: Key = condarc("default_channels", LIST);
/// The base URLs of channels that aren't below the alias, by channel name.
pub const CUSTOM_CHANNELS: Key = condarc("custom_channels", ValueType::TextMap);
/// Multichannels: names for several channels.
pub const CUSTOM_MULTICHANNELS: Key = condarc("custom_multichannels", ValueType::ListMap);
/// The base URL of channels that are named without a URL.
pub const CHANNEL_ALIAS: Key = condarc("channel_alias", ValueType::Text);
/// Earlier values of the alias, whose URLs are those of the present one.
pub const MIGRATED_CHANNEL_ALIASES: Key = condarc("migrated_channel_aliases", LIST);
/// Earlier base URLs of channels, by channel name.
pub const MIGRATED_CUSTOM_CHANNELS: Key = condarc("migrated_custom_channels", ValueType::TextMap);
/// Match specs that every package of their name must meet. conda separates them by `&` in a
/// variable.
pub const PINNED_PACKAGES: Key = condarc("pinned_packages", ValueType::List('&'));
/// Match specs that no package may meet. conda separates them by `&` in a variable.
pub const DISALLOWED_PACKAGES: Key =
    alias(condarc("disallowed_packages", ValueType::List('&')), &["disallow"]);
/// The channel priority.
pub const CHANNEL_PRIORITY: Key =
    Key { scope: Scope::CondarcAndProject, ..condarc("channel_priority", ValueType::Priority) };
/// mamba's key: the only URLs that are used for a channel.
pub const MIRRORED_CHANNELS: Key = condarc("mirrored_channels", ValueType::ListMap);
/// The only channels that may be used.
pub const ALLOWLIST_CHANNELS: Key =
    alias(condarc("allowlist_channels", LIST), &["whitelist_channels"]);
/// Channels that may not be used.
pub const DENYLIST_CHANNELS: Key = condarc("denylist_channels", LIST);
/// Channels that a project forbids. Only in envlock.toml.
pub const FORBID_CHANNELS: Key =
    Key { name: "forbid-channels", aliases: &[], value_type: LIST, scope: Scope::Project };
/// The mirrors, as with `--mirror`. Only in envlock.toml.
pub const MIRRORS: Key =
    Key { name: "mirrors", aliases: &[], value_type: LIST, scope: Scope::Project };
/// The codes to deny, as with `--deny`. Only in envlock.toml.
pub const DENY: Key = Key { name: "deny", aliases: &[], value_type: LIST, scope: Scope::Project };
/// Whether origins are never used, as with `--no-origin`. Only in envlock.toml.
pub const NO_ORIGIN: Key =
    Key { name: "no-origin", aliases: &[], value_type: ValueType::Boolean, scope: Scope::Project };
/// Whether no request may be sent.
pub const OFFLINE: Key = condarc("offline", ValueType::Boolean);
/// `true`, `false`, `truststore`, or the path of a bundle of certificates.
pub const SSL_VERIFY: Key = alias(condarc("ssl_verify", ValueType::Text), &["verify_ssl"]);
/// The client certificate.
pub const CLIENT_SSL_CERT: Key =
    alias(condarc("client_ssl_cert", ValueType::Text), &["client_cert"]);
/// The key of the client certificate, if it is in another file.
pub const CLIENT_SSL_CERT_KEY: Key =
    alias(condarc("client_ssl_cert_key", ValueType::Text), &["client_cert_key"]);
/// Proxies by scheme, or by scheme and host.
pub const PROXY_SERVERS: Key = condarc("proxy_servers", ValueType::TextMap);
/// Seconds to wait for a connection.
pub const CONNECT_TIMEOUT: Key = condarc("remote_connect_timeout_secs", ValueType::Number);
/// Seconds to wait for data from a server.
pub const READ_TIMEOUT: Key = condarc("remote_read_timeout_secs", ValueType::Number);
/// The number of retries for one source.
pub const MAX_RETRIES: Key = condarc("remote_max_retries", ValueType::Number);
/// Seconds before the first retry, doubled for each further one.
pub const BACKOFF_FACTOR: Key = condarc("remote_backoff_factor", ValueType::Number);
/// The folders that hold environments by name.
pub const ENVS_DIRS: Key = alias(condarc("envs_dirs", ValueType::List(':')), &["envs_path"]);
/// conda's package caches. Printed by `envlock config`, not used.
pub const PKGS_DIRS: Key = condarc("pkgs_dirs", LIST);

/// envlock's cache.
pub const CACHE_DIR: Key =
    Key { name: "cache-dir", aliases: &[], value_type: ValueType::Text, scope: Scope::Project };

/// All keys, in the order in which they are printed.
pub static ALL: [Key; 29] = [
    CHANNELS,
    CHANNEL_PRIORITY,
    CHANNEL_ALIAS,
    DEFAULT_CHANNELS,
    CUSTOM_CHANNELS,
    CUSTOM_MULTICHANNELS,
    MIRRORED_CHANNELS,
    MIGRATED_CHANNEL_ALIASES,
    MIGRATED_CUSTOM_CHANNELS,
    MIRRORS,
    NO_ORIGIN,
    FORBID_CHANNELS,
    ALLOWLIST_CHANNELS,
    DENYLIST_CHANNELS,
    PINNED_PACKAGES,
    DISALLOWED_PACKAGES,
    DENY,
    OFFLINE,
    PROXY_SERVERS,
    SSL_VERIFY,
    CLIENT_SSL_CERT,
    CLIENT_SSL_CERT_KEY,
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    MAX_RETRIES,
    BACKOFF_FACTOR,
    ENVS_DIRS,
    PKGS_DIRS,
    CACHE_DIR,
];

/// conda's keys that have no effect here. A finding lists them, but not as misspellings.
pub const UNUSED_CONDA_KEYS: &str = "add_anaconda_token add_binstar_token add_pip_as_python_dependency \
    aggressive_update_packages allow_conda_downgrades allow_cycles allow_non_channel_urls \
    allow_other_channels allow_softlinks always_copy always_softlink always_yes anaconda_anon_usage \
    anaconda_upload auto_activate auto_activate_base auto_stack auto_update_conda binstar_upload \
    bld_path changeps1 channel_settings clobber conda-build conda_build \
    console create_default_packages croot debug default_activation_env default_python \
    default_threads deps_modifier dev download_only dry_run \
    enable_private_envs env_prompt envvars_force_uppercase error_upload_url execute_threads \
    experimental experimental_solver extra_safety_checks fetch_threads force force_32bit \
    force_reinstall force_remove ignore_pinned json list_fields local_repodata_ttl \
    no_deps no_lock no_plugins \
    non_admin_enabled notify_outdated_conda number_channel_notices override_virtual_packages \
    path_conflict pip_interop_enabled plugins prefix_data_interoperability \
    protect_frozen_envs quiet register_envs repodata_fns repodata_threads \
    repodata_use_zst report_errors reporters restore_free_channel rollback_enabled \
    root_prefix safety_checks sat_solver self_update separate_format_cache shortcuts \
    shortcuts_only signing_metadata_url_base solver solver_ignore_timestamps subdir subdirs \
    target_prefix_override trace track_features unsatisfiable_hints \
    unsatisfiable_hints_check_depth update_dependencies update_modifier use_index_cache \
    use_local use_only_tar_bz2 use_pip use_sharded_repodata verbose verbosity verify_threads yes";

/// conda's keys that have no effect here and that no finding lists.
pub const UNREPORTED_CONDA_KEYS: [&str; 2] = ["show_channel_urls", "override_channels_enabled"];

/// Finds the key with this name in a `.condarc`.
pub fn by_condarc_name(name: &str) -> Option<&'static Key> {
    let own = |key: &&Key| key.scope != Scope::Project;
    ALL.iter().filter(own).find(|key| key.name == name || key.aliases.contains(&name))
}

/// Finds the key with this name in an envlock.toml.
pub fn by_project_name(name: &str) -> Option<&'static Key> {
    project_keys().find(|(known, _)| known == name).map(|(_, key)| key)
}

/// Iterates over the keys of envlock.toml, with their names there.
pub fn project_keys() -> impl Iterator<Item = (String, &'static Key)> {
    let ours = |key: &&Key| key.scope != Scope::Condarc && **key != CACHE_DIR;
    ALL.iter().filter(ours).map(|key| (key.name.replace('_', "-"), key))
}
