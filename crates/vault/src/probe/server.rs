//! Queries the server: its state, its version and its clock.

use envlock_secrets::facts::{Server, read_health};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::connection::Connection;
use crate::request::VaultRequest;
use crate::{NotVaultReason, ProbeError};

#[derive(Deserialize)]
struct Health {
    initialized: Option<bool>,
    sealed: Option<bool>,
    version: Option<String>,
    enterprise: Option<bool>,
    server_time_utc: Option<i64>,
}

/// The state of the server. One that can't serve requests is an error.
pub(super) async fn health(connection: &Connection<'_>) -> Result<Server, ProbeError> {
    let address = connection.settings().address.to_string();
    let not_a_vault = |reason| ProbeError::NotAVault { address: address.clone(), reason };
    let mut answer = connection.send(&VaultRequest::Health, None).await?;
    if answer.status == 404 {
        // RustyVault has no health endpoint.
        answer = connection.send(&VaultRequest::SealStatus, None).await?;
    }
    let status = answer.status;
    let Ok(health) = answer.read::<Health>() else {
        return Err(not_a_vault(NotVaultReason::HealthIsNotJson(status)));
    };
    let version = health.version.unwrap_or_default();
    let (product, has_namespaces) = read_health(&version, health.enterprise);
    connection.set_product(product);
    match (status, health.initialized, health.sealed) {
        (_, None, None) => return Err(not_a_vault(NotVaultReason::HealthWithoutState)),
        (501, ..) | (_, Some(false), _) => {
            return Err(ProbeError::NotInitialised { product });
        }
        (503, ..) | (_, _, Some(true)) => return Err(ProbeError::Sealed),
        (472, ..) => return Err(ProbeError::DrSecondary),
        // A performance standby answers requests itself, and may not know a new token yet.
        (473, ..) => connection.expect_standby_lag(),
        // A standby forwards requests.
        (200 | 429, ..) => {}
        _ => return Err(not_a_vault(NotVaultReason::HealthStatus(status))),
    }
    let now = connection.settings().now;
    let server_time = health.server_time_utc.and_then(|time| Timestamp::from_second(time).ok());
    let clock_ahead =
        server_time.map(|time| SignedDuration::from_secs(time.as_second() - now.as_second()));
    Ok(Server { address, version, product, has_namespaces, clock_ahead })
}
