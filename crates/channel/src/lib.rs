//! Downloads indexes and archives of channels into a cache, through mirrors.
//!
//! [`Client::indexes`] fetches the indexes, [`Client::packages`] fetches, checks and unpacks
//! packages. Both use [`Sources`]: the mirrors of an origin in the order in which they are
//! asked, then the origin itself. Every record has the origin's URL, even if a mirror served
//! it.
//!
//! Nothing here prints or reads the environment, the home directory or the clock. Proxies
//! and `SSL_CERT_FILE` are honoured by the HTTP and TLS libraries themselves.

mod address;
mod blocking;
mod body;
mod body_reader;
mod cache_folder;
mod client;
mod connection;
mod credentials;
mod disk;
mod failover;
mod file;
mod host;
mod http_error;
mod idle;
mod index;
mod packages;
mod parse_error;
mod probe;
mod run_owner;
mod scratch;
mod settings;
mod source_error;
mod sources;
mod transport;
mod virtual_packages;

pub use blocking::spawn_blocking;
pub use client::{Client, ClientError};
pub use connection::{
    ProxyServer, ProxyServers, TlsTrust, certificates_error, identity_error, is_supported_proxy,
};
pub use credentials::{CredentialStores, Credentials};
pub use disk::DiskError;
pub use envlock_model::channel::Channel;
pub use file::{FileBody, FileRequest, FileResponse, UnavailableFile};
pub use idle::IdleEvent;
pub use index::{
    ChannelFailure, ChannelRequest, ChannelSetting, IndexError, Indexes, SkippedRecord,
    SubdirRecords,
};
pub use packages::{
    FailedPackage, FetchError, MissingPackage, Substitution, UnpackedPackage, WHEELS_FOLDER,
};
pub use probe::{IndexInfo, Probe};
pub use settings::Settings;
pub use source_error::{Attempt, SourceError};
pub use sources::{Mirror, MirrorError, Source, Sources, mirror_channels_below, parse_mirror};
pub use virtual_packages::{VirtualPackageError, detect_virtual_packages};
