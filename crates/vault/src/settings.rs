//! The settings of a connection, from the caller.

use std::time::Duration;

use crate::{Address, Secret};

/// How the server is queried. Nothing here is read from the environment.
pub struct Settings {
    /// The address.
    pub address: Address,
    /// The namespace for a profile without one.
    pub namespace: Option<String>,
    /// The only trusted certificate authorities, as PEM. `None`: those of this machine (and of
    /// `SSL_CERT_FILE`).
    pub authorities: Option<Vec<u8>>,
    /// The name that the certificate must have, if it isn't the address's host.
    pub server_name: Option<String>,
    /// The client certificate.
    pub client_certificate: Option<ClientIdentity>,
    /// The proxy that the environment names for the address, with its variable, for messages.
    pub proxy: Option<String>,
    /// The `User-Agent`, `envlock/<version>`.
    pub user_agent: String,
    /// The longest time for the answer to one request.
    pub timeout: Duration,
    /// How often a request is retried.
    pub retry_policy: RetryPolicy,
    /// The current time.
    pub now: jiff::Timestamp,
}

/// A certificate and its key, both PEM.
pub struct ClientIdentity {
    /// The certificate, with its chain.
    pub certificate: Vec<u8>,
    /// The key.
    pub key: Secret,
}

/// How often, and for how long, a request is retried.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// The maximum number of tries, including the first.
    pub tries: u32,
    /// The first pause. Each following pause is twice as long.
    pub pause: Duration,
    /// The longest total pause for one request.
    pub total: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { tries: 4, pause: Duration::from_millis(500), total: Duration::from_secs(20) }
    }
}

impl RetryPolicy {
    /// The pause before try number `next` (2 is the first retry). `None` if there is no further
    /// try. A server's `Retry-After` takes precedence.
    pub(crate) fn pause(
        self,
        next: u32,
        retry_after: Option<Duration>,
        paused: Duration,
    ) -> Option<Duration> {
        let default = self.pause.saturating_mul(1 << next.saturating_sub(2).min(16));
        let pause = retry_after.unwrap_or_else(|| default + default.mul_f64(jitter()));
        (next <= self.tries && paused.saturating_add(pause) <= self.total).then_some(pause)
    }
}

/// A random factor up to a quarter, so that a hundred jobs don't retry at the same time.
fn jitter() -> f64 {
    use std::hash::{BuildHasher as _, RandomState};
    let bits = RandomState::new().hash_one(0u8) >> 56;
    f64::from(u8::try_from(bits).unwrap_or(0)) / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let retry_policy = RetryPolicy::default();
        let pause = |next, paused| retry_policy.pause(next, None, Duration::from_secs(paused));
        let first = pause(2, 0).unwrap();
        assert!(first >= Duration::from_millis(500) && first < Duration::from_millis(630));
        assert!(pause(4, 0).unwrap() >= Duration::from_secs(2));
        assert_eq!(pause(5, 0), None);
        assert_eq!(pause(2, 20), None);
        let pause = retry_policy.pause(2, Some(Duration::from_secs(3)), Duration::ZERO);
        assert_eq!(pause, Some(Duration::from_secs(3)));
        assert_eq!(retry_policy.pause(3, Some(Duration::MAX), Duration::from_secs(1)), None);
        assert_eq!(retry_policy.pause(2, Some(Duration::from_mins(1)), Duration::ZERO), None);
    }
}
