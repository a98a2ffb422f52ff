//! The server, the dialect of its release, and the kinds of patterns.

use envlock_policy::{Acl, Dialect, Operation, Product, Release, Request};
use envlock_testkit::{TestServer, product};

/// Starts the server, and returns its version and its dialect. `None` without a server.
pub(crate) fn server() -> Option<(TestServer, String, Dialect)> {
    let product = if product().ok()? == "vault" { Product::Vault } else { Product::OpenBao };
    let bao = TestServer::dev()?;
    let version = bao.get("sys/health")["version"].as_str()?.to_owned();
    let release = Release::new(product, Some(&version)).expect("the release is known");
    let dialect = release.dialects()[0];
    Some((bao, version, dialect))
}

/// Whether `request` is allowed; a protected endpoint also requires `sudo`.
pub(crate) fn allows(acl: &Acl<'_>, request: &Request<'_>, protected: bool) -> bool {
    let decision = acl.decide(request);
    let has_sudo = decision.grants_sudo || !protected || request.operation == Operation::Help;
    decision.allowed && has_sudo
}

/// The kind of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Exact,
    Star,
    Plus,
}

/// The kind of a pattern without its leading slash.
pub(crate) fn kind(pattern: &str) -> Kind {
    if pattern == "+" || pattern.starts_with("+/") || pattern.contains("/+") {
        Kind::Plus
    } else if pattern.ends_with('*') {
        Kind::Star
    } else {
        Kind::Exact
    }
}
