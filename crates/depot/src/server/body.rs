//! How a body goes over the wire.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;

pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

pub(super) fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// The body, and how much of it is sent.
pub(super) fn truncated(bytes: &Bytes, length: usize) -> (Body, usize) {
    let sent = bytes.slice(..length.min(bytes.len()));
    let length = sent.len();
    let start = stream::once(async { Ok(Frame::data(sent)) });
    let end = stream::once(async {
        // hyper writes out what it has when the body isn't ready, and drops it on an error.
        tokio::task::yield_now().await;
        Err(io::ErrorKind::UnexpectedEof.into())
    });
    (StreamBody::new(start.chain(end)).boxed_unsync(), length)
}

/// The body, and how much of it is sent.
pub(super) fn slow(bytes: Bytes, chunk: usize, pause: Duration) -> (Body, usize) {
    let length = bytes.len();
    let chunks = stream::unfold(bytes, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let next = rest.split_to(chunk.clamp(1, rest.len()));
        Some((Ok(Frame::data(next)), rest))
    });
    (StreamBody::new(chunks).boxed_unsync(), length)
}
