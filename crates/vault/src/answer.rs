//! The server's answers, and how they are read.

use envlock_text::redact;
use http::Response;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Visitor};
use zeroize::Zeroizing;

use crate::{AnswerFault, ProbeError, Secret};

/// An answer: its status and its body, whose memory is wiped after use.
pub(crate) struct VaultResponse {
    /// The HTTP status.
    pub(crate) status: u16,
    request_path: String,
    body: Zeroizing<Vec<u8>>,
}

/// An error that a server reports only in its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KnownServerError {
    /// The server is sealed.
    Sealed,
    /// The namespace doesn't exist.
    UnknownNamespace,
}

#[derive(serde::Deserialize)]
struct Envelope<T> {
    data: Option<T>,
}

#[derive(serde::Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<String>,
}

#[derive(serde::Deserialize)]
struct State {
    sealed: Option<bool>,
}

impl VaultResponse {
    pub(crate) fn new(request_path: String, response: Response<Vec<u8>>) -> Self {
        let status = response.status().as_u16();
        Self { status, request_path, body: Zeroizing::new(response.into_body()) }
    }

    /// Parses the whole body.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, ProbeError> {
        // The library's message would quote the content.
        serde_json::from_slice(&self.body).map_err(|error| {
            let reason = match error.classify() {
                _ if self.is_page() => AnswerFault::Page,
                serde_json::error::Category::Eof => AnswerFault::Truncated,
                serde_json::error::Category::Data => AnswerFault::Shape,
                _ => AnswerFault::NotJson,
            };
            self.unreadable(reason)
        })
    }

    /// Parses the content of `data`; an answer without it is an error.
    pub(crate) fn data<T: DeserializeOwned>(&self) -> Result<T, ProbeError> {
        let envelope: Envelope<T> = self.read()?;
        envelope.data.ok_or_else(|| self.unreadable(AnswerFault::NoData))
    }

    /// The server's error messages, without anything that looks like a secret and without
    /// `secrets`.
    pub(crate) fn errors(&self, secrets: &[&Secret]) -> Vec<String> {
        if self.is_page() {
            return vec!["(an HTML page, probably of a proxy)".to_owned()];
        }
        let errors = serde_json::from_slice(&self.body).map_or(Vec::new(), |e: Errors| e.errors);
        let hidden = |mut text: String| {
            for secret in secrets.iter().filter(|secret| secret.reveal().len() > 3) {
                text = text.replace(secret.reveal(), "[not shown]");
            }
            redact(text.trim()).into_owned()
        };
        errors.into_iter().map(hidden).filter(|text| !text.is_empty()).collect()
    }

    /// Whether the answer has a seal status, which only the server sends and no gateway.
    pub(crate) fn has_seal_status(&self) -> bool {
        self.read::<State>().is_ok_and(|state| state.sealed.is_some())
    }

    /// Recognises an error that the status doesn't identify. The compared texts are the servers'
    /// messages.
    pub(crate) fn known_error(&self) -> Option<KnownServerError> {
        let errors = self.errors(&[]).join("\n").to_lowercase();
        match self.status {
            404 if errors.contains("namespace not found") => {
                Some(KnownServerError::UnknownNamespace)
            }
            503 if errors.contains("sealed") => Some(KnownServerError::Sealed),
            _ => None,
        }
    }

    fn is_page(&self) -> bool {
        self.body.trim_ascii_start().starts_with(b"<")
    }

    pub(crate) fn unreadable(&self, reason: AnswerFault) -> ProbeError {
        ProbeError::Unreadable { request: self.request_path.clone(), reason }
    }

    /// The error for a status that the request can't have.
    pub(crate) fn unexpected_status(&self) -> ProbeError {
        self.unreadable(AnswerFault::Status(self.status))
    }
}

/// A value that must be `null`. Anything else is an error and isn't read.
pub(crate) struct Null;

impl<'de> Deserialize<'de> for Null {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NullVisitor;
        impl Visitor<'_> for NullVisitor {
            type Value = Null;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("nothing")
            }
            fn visit_unit<E>(self) -> Result<Null, E> {
                Ok(Null)
            }
        }
        deserializer.deserialize_any(NullVisitor)
    }
}

/// Reads a number of seconds, which engines write as `"1h"` or as `3600`.
pub(crate) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u64),
        Text(String),
        Nothing(()),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Number(seconds) => seconds,
        Written::Text(text) => {
            duration(&text).ok_or_else(|| serde::de::Error::custom("not a number of seconds"))?
        }
        Written::Nothing(()) => 0,
    })
}

/// Parses `1h30m`, `90s`, `90` or `7d` into seconds.
fn duration(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let (mut total, mut number) = (0u64, String::new());
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        number.clear();
    }
    number.is_empty().then_some(total)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const CANARY: &str = "canary-hunter2";

    fn answer(body: &str) -> VaultResponse {
        let response = Response::builder().status(200).body(body.as_bytes().to_vec());
        VaultResponse::new("secret/subkeys/x".to_owned(), response.unwrap())
    }

    #[test]
    fn a_value_in_place_of_null_is_an_error_that_does_not_show_it() {
        #[derive(serde::Deserialize)]
        struct Fields {
            #[expect(clippy::zero_sized_map_values, reason = "as the shipped one")]
            subkeys: BTreeMap<String, Null>,
        }
        let good = answer(r#"{"data":{"subkeys":{"host":null}}}"#).data::<Fields>();
        assert!(good.is_ok_and(|fields| fields.subkeys.contains_key("host")));
        for value in [format!("\"{CANARY}\""), format!("{{\"a\":\"{CANARY}\"}}"), "7".into()] {
            let bad = answer(&format!(r#"{{"data":{{"subkeys":{{"host":{value}}}}}}}"#));
            let Err(error) = bad.data::<Fields>() else { panic!("{value} was accepted") };
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
    }

    #[test]
    fn an_error_does_not_repeat_secrets_of_the_request() {
        let answer =
            answer(&format!(r#"{{"errors":["bad {CANARY} and hvs.CAESIJ0123456789ab"]}}"#));
        let secrets = Secret::new(CANARY.to_owned());
        let text = answer.errors(&[&secrets]).join(" ");
        assert!(text.starts_with("bad [not shown]") && !text.contains("CAESIJ"), "{text}");
    }

    #[test]
    fn durations_are_parsed_in_every_notation_of_the_engines() {
        let of = |text| duration(text);
        assert_eq!((of("90"), of("1h30m"), of("7d")), (Some(90), Some(5400), Some(604_800)));
        assert_eq!((of("1w"), of("h"), of("5x")), (None, None, None));
    }
}
