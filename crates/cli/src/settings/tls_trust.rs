//! Describes which certificates are trusted.

use envlock_channel::TlsTrust;
use envlock_config::{Configuration, key};

use super::ProcessEnvironment;

/// Returns where the trusted certificates are, in words, and their number; `None` if certificates
/// aren't verified.
pub(crate) fn describe_trust(
    settings: &ProcessEnvironment,
    configuration: &Configuration,
    trust: &TlsTrust,
) -> (String, Option<usize>) {
    match trust {
        TlsTrust::Unverified => ("none".to_owned(), None),
        TlsTrust::Unusable(_) => ("a setting that can't be used".to_owned(), Some(0)),
        TlsTrust::Certificates(pem) => {
            let place = configuration.text(&key::SSL_VERIFY).map(|set| set.value.to_owned());
            let number = String::from_utf8_lossy(pem).matches("-----BEGIN CERTIFICATE").count();
            (place.unwrap_or_default(), Some(number))
        }
        TlsTrust::System => {
            let named = |name| settings.variables.get(name).filter(|value| !value.is_empty());
            let place = named("SSL_CERT_FILE").or_else(|| named("SSL_CERT_DIR"));
            let place = place.map_or_else(|| "this system".to_owned(), Clone::clone);
            (place, Some(rustls_native_certs::load_native_certs().certs.len()))
        }
    }
}
