//! Vault and OpenBao ACL policies, read and decided as the servers do.
//!
//! A text becomes a [`Policy`] once; an [`Acl`] is what one server makes of the policies of
//! one token; [`Acl::decide`] answers one request with the rule that decided it.

mod acl;
mod block;
mod body;
mod capability;
mod decide;
mod dialect;
mod document;
mod duration;
mod engine;
mod error;
pub mod explain;
mod hcl;
mod identity;
mod json;
pub mod lint;
mod parameters;
mod pattern;
mod request;
mod rule;
mod segments;
mod template;
#[cfg(test)]
mod tests;

pub use acl::{Acl, Context, RuleOrigin};
pub use capability::{Capabilities, Capability};
pub use decide::{Decision, Reason};
pub use dialect::{Dialect, DialectSet};
pub use document::Policy;
pub use engine::{Access, Engine, KnownFields, LocatorKind, TransitOperation};
pub use error::{Fault, PolicyError};
pub use identity::{Alias, Entity, Group, Identity};
pub use request::{Operation, Request};

pub use acl::RuleId;
pub use document::canonical_namespace;
pub use rule::BlockId;
pub use template::may_match;
