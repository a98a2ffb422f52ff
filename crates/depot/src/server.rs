//! Serves files over loopback, with injected faults.

mod body;
mod fault;
mod files;
mod hangs;
mod negotiate;
mod range;
mod request;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Response, header};
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;

pub use fault::{Fault, Pace};
pub use hangs::Hangs;
pub(crate) use request::PATH;
pub use request::{LoggedRequest, Request};

use body::{Body, BodyEnd};
use files::{Ranges, Reply};

type Hook = dyn Fn(&Request) -> Option<Fault> + Send + Sync;

/// A server on a free port of 127.0.0.1, in its own thread. When dropped, it stops and closes its
/// connections.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    root: PathBuf,
    hook: Box<Hook>,
    log: Mutex<Vec<LoggedRequest>>,
    hangs: Hangs,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Server {
    /// Serves the files in `root`, which are read at each request.
    pub fn start(root: impl Into<PathBuf>) -> io::Result<Self> {
        Self::start_with(root, |_| None)
    }

    /// Serves the files in `root`, with the faults that `hook` returns.
    pub fn start_with(
        root: impl Into<PathBuf>,
        hook: impl Fn(&Request) -> Option<Fault> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Shared {
            root: root.into(),
            hook: Box::new(hook),
            log: Mutex::default(),
            hangs: Hangs::default(),
        };
        let shared = Arc::new(shared);
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("depot".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, serving) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        })?;
        Ok(Self { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Returns the URL, `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the requests and answers so far, in the order of the answers.
    pub fn log(&self) -> Vec<LoggedRequest> {
        self.shared.log().clone()
    }

    /// Returns the responses that hang.
    pub fn hangs(&self) -> Hangs {
        self.shared.hangs.clone()
    }

    /// Clears the log.
    pub fn clear_log(&self) {
        self.shared.log().clear();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread has printed its panic already.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn log(&self) -> MutexGuard<'_, Vec<LoggedRequest>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        // A client may have closed its connection already.
        let Ok((stream, _)) = listener.accept().await else { continue };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(&shared, request));
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            // Clients hang up, and some faults end a connection on purpose.
            let _ = connection.await;
        });
    }
}

/// Answers a request. An error closes the connection without an answer.
async fn answer(shared: &Shared, request: hyper::Request<Incoming>) -> io::Result<Response<Body>> {
    let request = Request::from_http(&request);
    let (fault, pace) = match (shared.hook)(&request) {
        Some(Fault::Slow { fault, pace }) => (fault.map(|fault| *fault), Some(pace)),
        fault => (fault, None),
    };
    let from_files = || files::reply(&shared.root, &request, Ranges::Served);
    let reply = match &fault {
        Some(Fault::Close) => {
            shared.log().push(request.without_answer());
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Some(Fault::Hang) => {
            shared.log().push(request.without_answer());
            shared.hangs.add(&request.path);
            std::future::pending().await
        }
        Some(Fault::Status(code, headers)) => Reply::failure(*code, headers),
        Some(Fault::Html) => Reply::ok("text/html; charset=utf-8", Fault::LOGIN_PAGE),
        Some(Fault::Encoded(encoding, bytes)) => {
            let mut reply = Reply::ok("application/octet-stream", bytes.clone());
            reply.headers.push((header::CONTENT_ENCODING.as_str(), (*encoding).to_owned()));
            reply
        }
        Some(Fault::Bytes(bytes)) => Reply::ok("application/octet-stream", bytes.clone()),
        Some(Fault::Corrupt) => from_files().await.corrupted(),
        Some(Fault::NoRanges) => files::reply(&shared.root, &request, Ranges::Ignored).await,
        Some(Fault::Headers(headers)) => from_files().await.with_headers(headers),
        None | Some(Fault::Truncate(_) | Fault::Stall(_) | Fault::Slow { .. }) => {
            from_files().await
        }
    };
    let (length, end) = match &fault {
        Some(Fault::Truncate(length)) => (*length, BodyEnd::ConnectionClosed),
        Some(Fault::Stall(length)) => (*length, BodyEnd::NoMoreData),
        _ => (reply.body.len(), BodyEnd::Complete),
    };
    let sent = if request.method == "HEAD" { 0 } else { length.min(reply.body.len()) };
    let body = match end {
        _ if request.method == "HEAD" => body::complete(Bytes::new()),
        BodyEnd::Complete if pace.is_none() => body::complete(reply.body.clone()),
        end => {
            let (hangs, path) = (shared.hangs.clone(), request.path.clone());
            body::chunked(reply.body.slice(..sent), pace, end, move || hangs.add(&path))
        }
    };
    shared.log().push(request.with_status(reply.status.as_u16(), sent));
    let mut response =
        Response::builder().status(reply.status).header(header::CONTENT_LENGTH, reply.body.len());
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(body).map_err(io::Error::other)
}

#[cfg(test)]
mod tests;
