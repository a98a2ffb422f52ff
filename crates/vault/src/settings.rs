//! What the caller decides.

use std::time::Duration;

use crate::{Address, Secret};

/// How a server is asked. Nothing here is read from the environment.
pub struct Settings {
    /// Where it is.
    pub address: Address,
    /// The namespace of a profile that names none.
    pub namespace: Option<String>,
    /// The only authorities that are believed, as PEM; those of this machine (and of
    /// `SSL_CERT_FILE`) without any.
    pub authorities: Option<Vec<u8>>,
    /// The name that the certificate must be made out to, if it isn't the address's own.
    pub server_name: Option<String>,
    /// What the connection shows of itself.
    pub identity: Option<ClientIdentity>,
    /// The `User-Agent`, `envlock/<version>`.
    pub user_agent: String,
    /// How long the server may take to answer one request.
    pub timeout: Duration,
    /// How often it is asked again.
    pub retry_policy: RetryPolicy,
    /// The time.
    pub now: jiff::Timestamp,
}

/// A certificate and its key, both PEM.
pub struct ClientIdentity {
    /// The certificate, with those that lead to its authority.
    pub certificate: Vec<u8>,
    /// The key.
    pub key: Secret,
}

/// How often, and how long, the same is asked again of a server that is busy.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// How often at most, the first time included.
    pub tries: u32,
    /// The first pause; each next one is twice as long.
    pub pause: Duration,
    /// How long, in all, may be paused for one request.
    pub total: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { tries: 4, pause: Duration::from_millis(500), total: Duration::from_secs(20) }
    }
}

impl RetryPolicy {
    /// The pause before try number `next` (2 is the first repetition); `None` when it is
    /// enough. A server's own word goes before ours.
    pub(crate) fn pause(
        self,
        next: u32,
        asked: Option<Duration>,
        paused: Duration,
    ) -> Option<Duration> {
        let own = self.pause.saturating_mul(1 << next.saturating_sub(2).min(16));
        let pause = asked.unwrap_or_else(|| own + own.mul_f64(jitter()));
        (next <= self.tries && paused.saturating_add(pause) <= self.total).then_some(pause)
    }
}

/// Up to a quarter, another one each time, so that a hundred jobs don't come back at once.
fn jitter() -> f64 {
    use std::hash::{BuildHasher as _, RandomState};
    let bits = RandomState::new().hash_one(0u8) >> 56;
    f64::from(u8::try_from(bits).unwrap_or(0)) / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end() {
        let retry_policy = RetryPolicy::default();
        let pause = |next, paused| retry_policy.pause(next, None, Duration::from_secs(paused));
        let first = pause(2, 0).unwrap();
        assert!(first >= Duration::from_millis(500) && first < Duration::from_millis(630));
        assert!(pause(4, 0).unwrap() >= Duration::from_secs(2));
        assert_eq!(pause(5, 0), None);
        assert_eq!(pause(2, 20), None);
        let asked = retry_policy.pause(2, Some(Duration::from_secs(3)), Duration::ZERO);
        assert_eq!(asked, Some(Duration::from_secs(3)));
        assert_eq!(retry_policy.pause(3, Some(Duration::MAX), Duration::from_secs(1)), None);
        assert_eq!(retry_policy.pause(2, Some(Duration::from_mins(1)), Duration::ZERO), None);
    }
}
