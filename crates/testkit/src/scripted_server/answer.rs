//! The answers of a scripted server.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::RecordedRequest;

/// An answer, or a way not to answer.
#[derive(Debug, Clone)]
pub struct ScriptedAnswer(pub(super) Kind);

#[derive(Clone)]
pub(super) enum Kind {
    Reply(Reply),
    By(Arc<dyn Fn(&RecordedRequest) -> ScriptedAnswer + Send + Sync>),
    CloseUnread,
    Close,
    Hang,
}

/// The answer that is sent.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
}

impl ScriptedAnswer {
    /// A status and a body of this type.
    pub fn raw(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self(Kind::Reply(Reply { status, headers, body: body.into() }))
    }

    /// A status and JSON.
    #[expect(clippy::needless_pass_by_value, reason = "json!(…) is written in the call")]
    pub fn json(status: u16, body: Value) -> Self {
        Self::raw(status, "application/json", body.to_string())
    }

    /// 200 and this data in the envelope of an answer.
    pub fn data(data: Value) -> Self {
        Self::json(200, envelope("data", data))
    }

    /// 200 and this data in the envelope of a login.
    pub fn auth(auth: Value) -> Self {
        Self::json(200, envelope("auth", auth))
    }

    /// An error with these reasons, which can be empty.
    pub fn errors(status: u16, errors: &[&str]) -> Self {
        Self::json(status, json!({ "errors": errors }))
    }

    /// A status without a body.
    pub fn empty(status: u16) -> Self {
        Self(Kind::Reply(Reply { status, headers: Vec::new(), body: Bytes::new() }))
    }

    /// A status and an HTML page, as from a proxy.
    pub fn html(status: u16) -> Self {
        let page =
            "<!DOCTYPE html><html><head><title>Gateway</title></head><body>Oops</body></html>";
        Self::raw(status, "text/html; charset=utf-8", page)
    }

    /// 200 and more than a mebibyte of JSON.
    pub fn huge() -> Self {
        Self::data(json!({ "keys": vec!["a".repeat(1024); 1100] }))
    }

    /// A redirect to an address.
    pub fn redirect(status: u16, to: &str) -> Self {
        Self::empty(status).header("location", to)
    }

    /// Computes the answer from the request.
    pub fn computed(
        answer: impl Fn(&RecordedRequest) -> ScriptedAnswer + Send + Sync + 'static,
    ) -> Self {
        Self(Kind::By(Arc::new(answer)))
    }

    /// Closes the connection after the request's head, without reading the body.
    pub fn close_unread() -> Self {
        Self(Kind::CloseUnread)
    }

    /// Closes the connection after the whole request.
    pub fn close() -> Self {
        Self(Kind::Close)
    }

    /// Reads the whole request and never answers.
    pub fn hang() -> Self {
        Self(Kind::Hang)
    }

    /// Adds a header, such as `retry-after`. Panics if no answer is sent.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let Kind::Reply(reply) = &mut self.0 else { panic!("{self:?} has no headers") };
        reply.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

fn envelope(member: &str, value: Value) -> Value {
    let mut envelope = json!({
        "request_id": "7b1d4cd9-0000-4000-8000-000000000000",
        "lease_id": "",
        "renewable": false,
        "lease_duration": 0,
        "data": null,
        "wrap_info": null,
        "warnings": null,
        "auth": null,
    });
    envelope[member] = value;
    envelope
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply(reply) => reply.fmt(f),
            Self::By(_) => f.write_str("By"),
            Self::CloseUnread => f.write_str("CloseUnread"),
            Self::Close => f.write_str("Close"),
            Self::Hang => f.write_str("Hang"),
        }
    }
}

/// Answers in order, the last of which is repeated.
#[derive(Debug)]
pub struct ScriptedAnswers(pub(super) Vec<ScriptedAnswer>);

impl From<ScriptedAnswer> for ScriptedAnswers {
    fn from(answer: ScriptedAnswer) -> Self {
        Self(vec![answer])
    }
}

impl<const N: usize> From<[ScriptedAnswer; N]> for ScriptedAnswers {
    fn from(answers: [ScriptedAnswer; N]) -> Self {
        Self(answers.into())
    }
}

impl From<Vec<ScriptedAnswer>> for ScriptedAnswers {
    fn from(answers: Vec<ScriptedAnswer>) -> Self {
        Self(answers)
    }
}
