//! The release of the server, and the rules in which an earlier release differs from the
//! evaluator's dialect `openbao`, which is OpenBao from 2.6.0 on. All such rules are here.

use std::process::Command;

use envlock_policy::explain::explain;
use envlock_policy::{Acl, DecisionReason, Operation, Request};
use envlock_testkit::{TestServer, binary};

use crate::entity::filled;

/// The rules of the server's release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Release {
    /// OpenBao before 2.6.0.
    Earlier,
    /// OpenBao from 2.6.0 on.
    Current,
}

/// Starts the server, and returns its version and release. `None` without OpenBao.
pub(crate) fn server() -> Option<(TestServer, String, Release)> {
    let output = Command::new(binary().ok()?).arg("version").output().ok()?;
    if !output.stdout.starts_with(b"OpenBao v") {
        return None;
    }
    let bao = TestServer::dev()?;
    let version = bao.get("sys/health")["version"].as_str()?.to_owned();
    let mut numbers = version.split(['.', '-', '+']).map(|part| part.parse::<u32>().unwrap_or(0));
    let numbers = (numbers.next()?, numbers.next()?);
    let release = if numbers < (2, 6) { Release::Earlier } else { Release::Current };
    Some((bao, version, release))
}

impl Release {
    /// Whether `request` is allowed; a protected endpoint also requires `sudo`.
    pub(crate) fn allows(self, acl: &Acl<'_>, request: &Request<'_>, protected: bool) -> bool {
        let path = self.spelled(acl, request.operation, request.path);
        if self.overlooks(acl, request) {
            return false;
        }
        let decision = acl.decide(&Request { path, ..*request });
        let allowed = decision.allowed
            || (decision.reason == DecisionReason::PageTooLarge && self.takes_the_page(request));
        allowed && (decision.grants_sudo || !protected || request.operation == Operation::Help)
    }

    /// The answer of `capabilities-self`.
    pub(crate) fn capabilities(self, acl: &Acl<'_>, path: &str) -> Vec<&'static str> {
        acl.capabilities(self.spelled(acl, Operation::List, path), "")
    }

    /// Before 2.6.0 wildcards that match `x` decide on a list of `x/`, and those that match `x/` only
    /// if there are none, as in Vault 1.15 to 1.20. An exact rule takes precedence over both.
    fn spelled<'p>(self, acl: &Acl<'_>, operation: Operation, path: &'p str) -> &'p str {
        let bare = path.strip_suffix('/');
        let Some(bare) = bare.filter(|_| self == Self::Earlier && operation == Operation::List)
        else {
            return path;
        };
        let exact = decided_exactly(acl, operation, path).is_some_and(|pattern| pattern == path);
        let known = acl.decide(&Request::new(operation, bare)).reason != DecisionReason::NoRule;
        if !exact && known { bare } else { path }
    }

    /// Before 2.6.0 wildcards that match `x` never decide on a scan of `x/`.
    fn overlooks(self, acl: &Acl<'_>, request: &Request<'_>) -> bool {
        let scans = self == Self::Earlier && request.operation == Operation::Scan;
        scans
            && decided_exactly(acl, Operation::Scan, request.path).is_none()
            && acl.decide(&Request::new(Operation::Read, request.path)).reason
                == DecisionReason::NoRule
    }

    /// Before 2.6.0 a negative page size isn't larger than the limit.
    fn takes_the_page(self, request: &Request<'_>) -> bool {
        let limit = request.data.and_then(|data| data.get("limit")?.as_str()?.parse::<i64>().ok());
        self == Self::Earlier && limit.is_some_and(|limit| limit < 0)
    }
}

/// The pattern of the deciding rule, if it is exact.
fn decided_exactly(acl: &Acl<'_>, operation: Operation, path: &str) -> Option<String> {
    let pattern = explain(acl, &Request::new(operation, path)).rule.first()?.pattern.clone();
    let bare = pattern.strip_prefix('/').unwrap_or(&pattern);
    (kind(bare) == Kind::Exact).then(|| filled(bare))
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
