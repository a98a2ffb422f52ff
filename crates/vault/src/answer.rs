//! What came back, and how it is read.

use envlock_text::redact;
use http::Response;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Visitor};
use zeroize::Zeroizing;

use crate::{AnswerFault, ProbeError, Secret};

/// An answer: its status, and a body that is wiped after it was read.
pub(crate) struct VaultResponse {
    /// The HTTP status.
    pub(crate) status: u16,
    request_path: String,
    body: Zeroizing<Vec<u8>>,
}

/// What a server complains about in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KnownServerError {
    /// It is sealed.
    Sealed,
    /// It has no such namespace.
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

    /// The whole body.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, ProbeError> {
        // The library's own words would quote what it found.
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

    /// What stands under `data`; an answer without it is an error.
    pub(crate) fn data<T: DeserializeOwned>(&self) -> Result<T, ProbeError> {
        let envelope: Envelope<T> = self.read()?;
        envelope.data.ok_or_else(|| self.unreadable(AnswerFault::NoData))
    }

    /// What the server says is wrong, with nothing in it that looks like a secret or is one
    /// of `sent`.
    pub(crate) fn errors(&self, secrets: &[&Secret]) -> Vec<String> {
        if self.is_page() {
            return vec!["(a page, as a proxy writes it)".to_owned()];
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

    /// Whether it says how the server is, as no gateway before one does.
    pub(crate) fn has_seal_status(&self) -> bool {
        self.read::<State>().is_ok_and(|state| state.sealed.is_some())
    }

    /// What the server complains about, where its status alone doesn't say. These are the
    /// servers' own words.
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
        ProbeError::Unreadable { asked: self.request_path.clone(), reason }
    }

    /// The failure for a status that no answer to the request has.
    pub(crate) fn unexpected_status(&self) -> ProbeError {
        self.unreadable(AnswerFault::Status(self.status))
    }
}

/// A place where a server that keeps its word has `null`. Anything else is a value, and is
/// not read.
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

/// A number of seconds, which some engines write as `"1h"` and some as `3600`.
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
            duration(&text).ok_or_else(|| serde::de::Error::custom("no number of seconds"))?
        }
        Written::Nothing(()) => 0,
    })
}

/// `1h30m`, `90s`, `90`, `7d` in seconds.
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
    fn a_value_where_there_should_be_none_is_not_told() {
        #[derive(serde::Deserialize)]
        struct Fields {
            #[expect(clippy::zero_sized_map_values, reason = "as the shipped one")]
            subkeys: BTreeMap<String, Null>,
        }
        let good = answer(r#"{"data":{"subkeys":{"host":null}}}"#).data::<Fields>();
        assert!(good.is_ok_and(|fields| fields.subkeys.contains_key("host")));
        for value in [format!("\"{CANARY}\""), format!("{{\"a\":\"{CANARY}\"}}"), "7".into()] {
            let bad = answer(&format!(r#"{{"data":{{"subkeys":{{"host":{value}}}}}}}"#));
            let Err(failure) = bad.data::<Fields>() else { panic!("{value} was read") };
            assert!(!format!("{failure} {failure:?}").contains("canary"), "{failure:?}");
        }
    }

    #[test]
    fn an_error_repeats_nothing_that_was_sent() {
        let answer =
            answer(&format!(r#"{{"errors":["bad {CANARY} and hvs.CAESIJ0123456789ab"]}}"#));
        let secrets = Secret::new(CANARY.to_owned());
        let text = answer.errors(&[&secrets]).join(" ");
        assert!(text.starts_with("bad [not shown]") && !text.contains("CAESIJ"), "{text}");
    }

    #[test]
    fn durations_are_read_in_every_way_that_engines_write_them() {
        let of = |text| duration(text);
        assert_eq!((of("90"), of("1h30m"), of("7d")), (Some(90), Some(5400), Some(604_800)));
        assert_eq!((of("1w"), of("h"), of("5x")), (None, None, None));
    }
}
