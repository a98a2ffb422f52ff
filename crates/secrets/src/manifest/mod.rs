//! The secrets manifest: read with places, resolved by profile, embedded in the lock.

pub mod list;
mod model;
mod read;
mod resolve;
mod schema;

pub use model::{
    Allowance, Auth, AuthMethod, Credential, ForbiddenToken, Manifest, PolicyFile, Profile,
    ServerDialect, TokenRules,
};
pub use read::{ManifestError, ManifestLocation};
pub use resolve::{ResolvedNeed, ResolvedProfile};
pub use schema::manifest_schema;
