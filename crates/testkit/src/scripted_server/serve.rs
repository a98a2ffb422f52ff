//! A scripted server's connections.

use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use super::RecordedRequest;
use super::answer::{Kind, Reply};
use super::rules::Rules;

/// The state that the server and the test share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    rules: Mutex<Rules>,
    requests: Mutex<Vec<RecordedRequest>>,
}

impl Shared {
    pub(super) fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn requests(&self) -> MutexGuard<'_, Vec<RecordedRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Accepts connections until the task is aborted, which also closes them.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let mut connections = JoinSet::new();
    loop {
        // The client may have closed an accepted connection already.
        let Ok((stream, _)) = listener.accept().await else { continue };
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(|request| answer(&shared, request));
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            // Clients close connections, and some answers do so on purpose.
            let _ = connection.await;
        });
    }
}

/// An error closes the connection without an answer.
async fn answer(shared: &Shared, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let mut recorded = RecordedRequest::new(&head);
    let answer = shared.rules().next(&recorded);
    if matches!(answer.0, Kind::CloseUnread) {
        shared.requests().push(recorded);
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    recorded.body = serde_json::from_slice(&body).unwrap_or_default();
    shared.requests().push(recorded.clone());
    let mut kind = answer.0;
    while let Kind::By(by) = kind {
        kind = by(&recorded).0;
    }
    match kind {
        Kind::Reply(reply) => response(reply),
        Kind::Hang => std::future::pending().await,
        Kind::By(_) | Kind::CloseUnread | Kind::Close => {
            Err(io::ErrorKind::ConnectionAborted.into())
        }
    }
}

fn response(reply: Reply) -> io::Result<Response<Full<Bytes>>> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(Full::new(reply.body)).map_err(io::Error::other)
}
