//! The secrets manifest: read with places, resolved by profile, embedded in the lock.

mod engine;
pub mod list;
mod lock;
mod model;
mod read;
mod resolve;
mod schema;
mod words;

pub use engine::{Access, Engine, KnownFields, Locator, TRANSIT_OPERATIONS};
pub use lock::{Change, LockedNeeds, LockedProfile};
pub use model::{
    Allowance, Auth, AuthMethod, Credential, Forbidden, Form, Manifest, Need, NeedUse, Override,
    PolicyFile, Profile, Required, ServerDialect, Target, TokenRules, Ttl, Verify,
};
pub use read::{ManifestError, Notation};
pub use resolve::{ResolvedNeed, ResolvedProfile};
pub use schema::manifest_schema;

pub(crate) use words::seconds;
