//! A real OpenBao or Vault server for tests.
//!
//! ```
//! use envlock_testkit::{TestServer, skip_test};
//! use serde_json::json;
//!
//! let Some(bao) = TestServer::dev() else { return skip_test("a secret in a real server") };
//! bao.kv2("secret");
//! bao.secret("secret", "demo/db", json!({ "password": TestServer::canary("db") }));
//! bao.policy("reader", r#"path "secret/data/demo/*" { capabilities = ["read"] }"#);
//! let job = bao.with_token(bao.token(&["reader"], json!({ "ttl": "5m" })));
//! assert_eq!(job.request("GET", "secret/data/demo/db", &[], None).0, 200);
//! assert!(bao.audit().iter().any(|line| line.path == "secret/data/demo/db"));
//! ```

mod audit;
mod authority;
mod binary;
mod client;
mod engines;
mod jwt;
mod kubernetes;
mod logins;
mod process;
mod server;

pub use audit::{AuditEntry, AuditKind};
pub use binary::{binary, product, skip_test};
pub use client::VaultClient;
pub use jwt::JwtIssuer;
pub use kubernetes::FakeKubernetes;
pub use server::TestServer;

#[cfg(test)]
mod tests;
