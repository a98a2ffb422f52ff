//! Sends bodies, at once or in chunks.

use std::io;

use bytes::Bytes;
use futures::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;

use super::Pace;

pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What happens after the last byte.
#[derive(Debug, Clone, Copy)]
pub(super) enum BodyEnd {
    /// The body ends.
    Complete,
    /// The connection is closed.
    ConnectionClosed,
    /// Nothing more is sent.
    NoMoreData,
}

pub(super) fn complete(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// Sends `bytes` in chunks at `pace`, or at once without one, and then ends as `end` says. Calls
/// `on_hang` when everything is sent and nothing more will be sent.
pub(super) fn chunked(
    bytes: Bytes,
    pace: Option<Pace>,
    end: BodyEnd,
    on_hang: impl FnOnce() + Send + 'static,
) -> Body {
    let pieces = stream::unfold(Some((bytes, on_hang)), move |state| async move {
        let (mut rest, on_hang) = state?;
        if rest.is_empty() {
            // hyper flushes what it has if the body isn't ready, and drops it on an error.
            tokio::task::yield_now().await;
            return match end {
                BodyEnd::Complete => None,
                BodyEnd::ConnectionClosed => Some((Err(io::ErrorKind::UnexpectedEof.into()), None)),
                BodyEnd::NoMoreData => {
                    on_hang();
                    std::future::pending().await
                }
            };
        }
        let chunk = pace.map_or(rest.len(), |pace| pace.chunk.clamp(1, rest.len()));
        match pace {
            // hyper flushes what it has if the body isn't ready.
            Some(pace) if pace.pause.is_zero() => tokio::task::yield_now().await,
            Some(pace) => tokio::time::sleep(pace.pause).await,
            None => {}
        }
        let next = rest.split_to(chunk);
        Some((Ok(Frame::data(next)), Some((rest, on_hang))))
    });
    StreamBody::new(pieces).boxed_unsync()
}
