//! A real OpenBao or Vault server, for the tests that ask one.
//!
//! ```
//! use envlock_testkit::{Bao, left_out};
//! use serde_json::json;
//!
//! let Some(bao) = Bao::dev() else { return left_out("a secret in a real server") };
//! bao.kv2("secret");
//! bao.secret("secret", "demo/db", json!({ "password": Bao::canary("db") }));
//! bao.policy("reader", r#"path "secret/data/demo/*" { capabilities = ["read"] }"#);
//! let job = bao.as_token(bao.token(&["reader"], json!({ "ttl": "5m" })));
//! assert_eq!(job.request("GET", "secret/data/demo/db", &[], None).0, 200);
//! assert!(bao.audit().iter().any(|line| line.path == "secret/data/demo/db"));
//! ```

mod audit;
mod authority;
mod binary;
mod engines;
mod jwt;
mod kubernetes;
mod logins;
mod operator;
mod process;
mod server;

pub use audit::{AuditKind, Audited};
pub use binary::{binary, left_out};
pub use jwt::JwtIssuer;
pub use kubernetes::KubernetesStandIn;
pub use operator::Operator;
pub use server::Bao;

#[cfg(test)]
mod tests;
