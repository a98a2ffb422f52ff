//! Every key that is honoured, once: the readers, the merge and `envlock config` use this table.

/// One key of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// As it is written in the file that it belongs to.
    pub name: &'static str,
    /// Older names that conda still reads.
    pub aliases: &'static [&'static str],
    /// What its value is.
    pub value_type: ValueType,
    /// Where it may be written.
    pub scope: Scope,
}

/// What the value of a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// True or false.
    Boolean,
    /// A number that isn't negative.
    Number,
    /// One line of text, or a boolean where that has a meaning of its own.
    Text,
    /// `strict`, `flexible` or `disabled`.
    Priority,
    /// A list of texts; in a variable separated by this character.
    List(char),
    /// Names with a text each.
    TextMap,
    /// Names with a list of texts each.
    ListMap,
}

/// Where a key may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// `.condarc` and `CONDA_*`.
    Condarc,
    /// The same, and envlock.toml with `-` for `_`.
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

/// The channels that are searched where environment.yml lists none.
pub const CHANNELS: Key = alias(condarc("channels", LIST), &["channel"]);
/// What `defaults` stands for.
pub const DEFAULT_CHANNELS: Key = condarc("default_channels", LIST);
/// Where a channel of this name lies, instead of below the alias.
pub const CUSTOM_CHANNELS: Key = condarc("custom_channels", ValueType::TextMap);
/// Names that stand for several channels.
pub const CUSTOM_MULTICHANNELS: Key = condarc("custom_multichannels", ValueType::ListMap);
/// Where a name is looked for.
pub const CHANNEL_ALIAS: Key = condarc("channel_alias", ValueType::Text);
/// What the order of the channels decides.
pub const CHANNEL_PRIORITY: Key =
    Key { scope: Scope::CondarcAndProject, ..condarc("channel_priority", ValueType::Priority) };
/// mamba's: the only addresses that a channel of this name is asked at.
pub const MIRRORED_CHANNELS: Key = condarc("mirrored_channels", ValueType::ListMap);
/// The only channels that may be used.
pub const ALLOWLIST_CHANNELS: Key =
    alias(condarc("allowlist_channels", LIST), &["whitelist_channels"]);
/// Channels that may not be used.
pub const DENYLIST_CHANNELS: Key = condarc("denylist_channels", LIST);
/// envlock's own: channels that a project doesn't want.
pub const FORBID_CHANNELS: Key =
    Key { name: "forbid-channels", aliases: &[], value_type: LIST, scope: Scope::Project };
/// envlock's own: `--mirror`.
pub const MIRRORS: Key =
    Key { name: "mirrors", aliases: &[], value_type: LIST, scope: Scope::Project };
/// envlock's own: `--deny`.
pub const DENY: Key = Key { name: "deny", aliases: &[], value_type: LIST, scope: Scope::Project };
/// envlock's own: `--no-origin`.
pub const NO_ORIGIN: Key =
    Key { name: "no-origin", aliases: &[], value_type: ValueType::Boolean, scope: Scope::Project };
/// No request leaves the machine.
pub const OFFLINE: Key = condarc("offline", ValueType::Boolean);
/// `true`, `false`, `truststore`, or the path of a bundle of certificates.
pub const SSL_VERIFY: Key = alias(condarc("ssl_verify", ValueType::Text), &["verify_ssl"]);
/// The certificate that servers are shown.
pub const CLIENT_SSL_CERT: Key =
    alias(condarc("client_ssl_cert", ValueType::Text), &["client_cert"]);
/// Its key, where that is a file of its own.
pub const CLIENT_SSL_CERT_KEY: Key =
    alias(condarc("client_ssl_cert_key", ValueType::Text), &["client_cert_key"]);
/// Proxies by scheme, or by scheme and host.
pub const PROXY_SERVERS: Key = condarc("proxy_servers", ValueType::TextMap);
/// Seconds to wait for a connection.
pub const CONNECT_TIMEOUT: Key = condarc("remote_connect_timeout_secs", ValueType::Number);
/// Seconds that a server may be silent.
pub const READ_TIMEOUT: Key = condarc("remote_read_timeout_secs", ValueType::Number);
/// How often one source is asked again.
pub const MAX_RETRIES: Key = condarc("remote_max_retries", ValueType::Number);
/// Seconds before a source is asked again, doubled each time.
pub const BACKOFF_FACTOR: Key = condarc("remote_backoff_factor", ValueType::Number);
/// Folders of environments by name.
pub const ENVS_DIRS: Key = alias(condarc("envs_dirs", ValueType::List(':')), &["envs_path"]);
/// conda's caches of packages: shown, and left to conda.
pub const PKGS_DIRS: Key = condarc("pkgs_dirs", LIST);

/// envlock's own cache.
pub const CACHE_DIR: Key =
    Key { name: "cache-dir", aliases: &[], value_type: ValueType::Text, scope: Scope::Project };

/// All of them, in the order in which they are shown.
pub static ALL: [Key; 25] = [
    CHANNELS,
    CHANNEL_PRIORITY,
    CHANNEL_ALIAS,
    DEFAULT_CHANNELS,
    CUSTOM_CHANNELS,
    CUSTOM_MULTICHANNELS,
    MIRRORED_CHANNELS,
    MIRRORS,
    NO_ORIGIN,
    FORBID_CHANNELS,
    ALLOWLIST_CHANNELS,
    DENYLIST_CHANNELS,
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

/// Keys that conda has and envlock hasn't: none of them is a slip.
pub const UNUSED_CONDA_KEYS: &str = "add_anaconda_token add_binstar_token add_pip_as_python_dependency \
    aggressive_update_packages allow_conda_downgrades allow_cycles allow_non_channel_urls \
    allow_other_channels allow_softlinks always_copy always_softlink always_yes anaconda_anon_usage \
    anaconda_upload auto_activate auto_activate_base auto_stack auto_update_conda binstar_upload \
    bld_path changeps1 channel_settings clobber conda-build conda_build \
    console create_default_packages croot debug default_activation_env default_python \
    default_threads deps_modifier dev disallow disallowed_packages download_only dry_run \
    enable_private_envs env_prompt envvars_force_uppercase error_upload_url execute_threads \
    experimental experimental_solver extra_safety_checks fetch_threads force force_32bit \
    force_reinstall force_remove ignore_pinned json list_fields local_repodata_ttl \
    migrated_channel_aliases migrated_custom_channels no_deps no_lock no_plugins \
    non_admin_enabled notify_outdated_conda number_channel_notices override_virtual_packages \
    path_conflict pinned_packages pip_interop_enabled plugins prefix_data_interoperability \
    protect_frozen_envs quiet register_envs repodata_fns repodata_threads \
    repodata_use_zst report_errors reporters restore_free_channel rollback_enabled \
    root_prefix safety_checks sat_solver self_update separate_format_cache shortcuts \
    shortcuts_only signing_metadata_url_base solver solver_ignore_timestamps subdir subdirs \
    target_prefix_override trace track_features unsatisfiable_hints \
    unsatisfiable_hints_check_depth update_dependencies update_modifier use_index_cache \
    use_local use_only_tar_bz2 use_pip use_sharded_repodata verbose verbosity verify_threads yes";

/// Keys of conda's that change nothing that envlock does, so that nobody need be told.
pub const SILENTLY_IGNORED: [&str; 2] = ["show_channel_urls", "override_channels_enabled"];

/// The key that a `.condarc` means by this name.
pub fn by_condarc_name(name: &str) -> Option<&'static Key> {
    let own = |key: &&Key| key.scope != Scope::Project;
    ALL.iter().filter(own).find(|key| key.name == name || key.aliases.contains(&name))
}

/// The key that an envlock.toml means by this name.
pub fn by_project_name(name: &str) -> Option<&'static Key> {
    project_keys().find(|(known, _)| known == name).map(|(_, key)| key)
}

/// What envlock.toml may say.
pub fn project_keys() -> impl Iterator<Item = (String, &'static Key)> {
    let ours = |key: &&Key| key.scope != Scope::Condarc && **key != CACHE_DIR;
    ALL.iter().filter(ours).map(|key| (key.name.replace('_', "-"), key))
}
