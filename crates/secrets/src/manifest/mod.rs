//! The secrets manifest: reads it with places, resolves profiles, and makes the block of the lock.

pub mod list;
mod model;
mod read;
mod resolve;
mod schema;

pub use model::{
    Auth, AuthMethod, Exception, ForbiddenToken, Manifest, PolicyFile, Profile, RuntimeValue,
    TargetServers, TokenRules,
};
pub use read::{ManifestError, ManifestLocation};
pub use resolve::{ResolvedNeed, ResolvedProfile};
pub use schema::manifest_schema;
