//! What came back, and how it is read.

use envlock_text::redact;
use http::Response;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Visitor};
use zeroize::Zeroizing;

use crate::{AnswerFault, Failure, Secret};

/// An answer: its status, and a body that is wiped after it was read.
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    asked: String,
    body: Zeroizing<Vec<u8>>,
}

/// What a server complains about in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Complaint {
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

impl Answer {
    pub(crate) fn new(asked: String, response: Response<Vec<u8>>) -> Self {
        let status = response.status().as_u16();
        Self { status, asked, body: Zeroizing::new(response.into_body()) }
    }

    /// The whole body.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
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
    pub(crate) fn data<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let envelope: Envelope<T> = self.read()?;
        envelope.data.ok_or_else(|| self.unreadable(AnswerFault::NoData))
    }

    /// What the server says is wrong, with nothing in it that looks like a secret or is one
    /// of `sent`.
    pub(crate) fn errors(&self, sent: &[&Secret]) -> Vec<String> {
        if self.is_page() {
            return vec!["(a page, as a proxy writes it)".to_owned()];
        }
        let errors = serde_json::from_slice(&self.body).map_or(Vec::new(), |e: Errors| e.errors);
        let hidden = |mut text: String| {
            for secret in sent.iter().filter(|secret| secret.reveal().len() > 3) {
                text = text.replace(secret.reveal(), "[not shown]");
            }
            redact(text.trim()).into_owned()
        };
        errors.into_iter().map(hidden).filter(|text| !text.is_empty()).collect()
    }

    /// Whether it says how the server is, as no gateway before one does.
    pub(crate) fn tells_state(&self) -> bool {
        self.read::<State>().is_ok_and(|state| state.sealed.is_some())
    }

    /// What the server complains about, where its status alone doesn't say. These are the
    /// servers' own words.
    pub(crate) fn complaint(&self) -> Option<Complaint> {
        let errors = self.errors(&[]).join("\n").to_lowercase();
        match self.status {
            404 if errors.contains("namespace not found") => Some(Complaint::UnknownNamespace),
            503 if errors.contains("sealed") => Some(Complaint::Sealed),
            _ => None,
        }
    }

    fn is_page(&self) -> bool {
        self.body.trim_ascii_start().starts_with(b"<")
    }

    pub(crate) fn unreadable(&self, reason: AnswerFault) -> Failure {
        Failure::Unreadable { asked: self.asked.clone(), reason }
    }

    /// The failure for a status that no answer to the request has.
    pub(crate) fn unexpected_status(&self) -> Failure {
        self.unreadable(AnswerFault::Status(self.status))
    }
}

/// A place where a server that keeps its word has `null`. Anything else is a value, and is
/// not read.
pub(crate) struct Nothing;

impl<'de> Deserialize<'de> for Nothing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Null;
        impl Visitor<'_> for Null {
            type Value = Nothing;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("nothing")
            }
            fn visit_unit<E>(self) -> Result<Nothing, E> {
                Ok(Nothing)
            }
        }
        deserializer.deserialize_any(Null)
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

    fn answer(body: &str) -> Answer {
        let response = Response::builder().status(200).body(body.as_bytes().to_vec());
        Answer::new("secret/subkeys/x".to_owned(), response.unwrap())
    }

    #[test]
    fn a_value_where_there_should_be_none_is_not_told() {
        #[derive(serde::Deserialize)]
        struct Fields {
            #[expect(clippy::zero_sized_map_values, reason = "as the shipped one")]
            subkeys: BTreeMap<String, Nothing>,
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
        let sent = Secret::new(CANARY.to_owned());
        let said = answer.errors(&[&sent]).join(" ");
        assert!(said.starts_with("bad [not shown]") && !said.contains("CAESIJ"), "{said}");
    }

    #[test]
    fn durations_are_read_in_every_way_that_engines_write_them() {
        let of = |text| duration(text);
        assert_eq!((of("90"), of("1h30m"), of("7d")), (Some(90), Some(5400), Some(604_800)));
        assert_eq!((of("1w"), of("h"), of("5x")), (None, None, None));
    }
}
