//! Reads ACL policies of Vault and OpenBao, and decides requests as the servers do.
//!
//! [`Policy::parse`] reads a policy. [`Acl::new`] evaluates the policies of one token on one
//! server. [`Acl::decide`] decides one request and returns the deciding rule. [`lint`] reports
//! probable mistakes, [`explain`] explains a decision, [`suite`] runs unit tests of policies, and
//! [`Engine`] has the API paths of each secrets engine.
//!
//! The crate is pure: it reads no file, no clock and no network.
//!
//! ```
//! use envlock_policy::{Acl, EvaluationContext, Dialect, Operation, Policy, Request};
//!
//! let text = "path \"secret/data/ml/*\" { capabilities = [\"read\"] }";
//! let policy = Policy::parse("ci", "ci.hcl", text)?;
//! let context = EvaluationContext {
//!     dialect: Dialect::OpenBao,
//!     now: jiff::Timestamp::UNIX_EPOCH,
//!     identity: None,
//!     token_namespace: "",
//! };
//! let acl = Acl::new(&[&policy], &context)?;
//!
//! let decision = acl.decide(&Request::new(Operation::Read, "secret/data/ml/db"));
//! assert!(decision.allowed);
//!
//! let decision = acl.decide(&Request::new(Operation::Update, "secret/data/ml/db"));
//! assert_eq!(decision.reason.to_string(), "the rule grants read, and update is needed");
//! # Ok::<(), envlock_policy::PolicyError>(())
//! ```

mod acl;
mod block;
mod capability;
mod choice;
mod control_group;
mod decide;
mod dialect;
mod document;
mod duration;
mod encoded;
mod engine;
mod error;
pub mod explain;
mod hcl;
mod hcl_body;
mod identity;
mod identity_read;
mod json;
pub mod lint;
mod lowercase;
mod mounts;
mod overlap;
mod parameters;
mod partial_body;
mod pattern;
mod protected;
mod reach;
mod release;
mod request;
mod request_parameters;
mod rule;
mod segments;
pub mod suite;
mod template;
#[cfg(test)]
mod tests;
mod write;

pub use acl::{Acl, EvaluationContext, RuleId, RuleOrigin};
pub use block::Block;
pub use capability::{Capabilities, Capability};
pub use decide::{Decision, DecisionReason};
pub use dialect::{Dialect, DialectSet};
pub use document::{Policy, canonical_namespace};
pub use engine::{ApiRequest, Engine, KnownFields, LocatorKind, TOKEN_ENDPOINTS, TransitOperation};
pub use error::{PolicyError, PolicyErrorKind};
pub use identity::{Alias, Entity, Group, Identity};
pub use mounts::Mounts;
pub use partial_body::{KnownParameter, PartialBody, PartialDecision, Unknown};
pub use protected::{may_be_protected_by_pki, requires_sudo};
pub use release::{Product, Release, UnknownRelease};
pub use request::{Operation, Request};
pub use request_parameters::{
    DeclaredParameters, is_secret_parameter, known_parameters, parameters_require_sudo,
    partial_bodies, renewal_body,
};
pub use rule::{BlockId, RequiredApproval, Rule};
pub use template::may_match;
pub use write::{kv2_path_blocks, path_block};
