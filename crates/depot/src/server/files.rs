//! Answers requests for files: with the file, with 304, or with an error.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use hyper::{StatusCode, header};
use rattler_digest::{Sha256, compute_bytes_digest};

use super::Request;

/// An answer before it is sent.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn ok(content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![(header::CONTENT_TYPE.as_str(), content_type.to_owned())];
        Self { status: StatusCode::OK, headers, body: body.into() }
    }

    pub(super) fn failure(status: u16, headers: &[(&'static str, String)]) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut reply = Self::ok("text/plain; charset=utf-8", format!("{status}\n"));
        reply.status = status;
        reply.headers.extend_from_slice(headers);
        reply
    }

    /// Returns the reply with one bit in the middle flipped, at the same length.
    pub(super) fn corrupted(mut self) -> Self {
        let mut bytes = Vec::from(self.body);
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 1;
        }
        self.body = bytes.into();
        self
    }
}

pub(super) async fn reply(root: &Path, request: &Request) -> Reply {
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Reply::failure(405, &[("allow", "GET, HEAD".to_owned())]);
    }
    let Some(path) = below(root, &request.path) else { return Reply::failure(400, &[]) };
    match read(&path).await {
        Ok((body, modified)) => found(request, &path, body, modified),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Reply::failure(403, &[]),
        Err(_) => Reply::failure(404, &[]),
    }
}

/// Returns the file for a request's path; `None` if it would leave the root. Links within the tree
/// are followed.
fn below(root: &Path, path: &str) -> Option<PathBuf> {
    let mut file = root.to_owned();
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let mut components = Path::new(name).components();
        match (components.next(), components.next()) {
            (Some(Component::Normal(name)), None) => file.push(name),
            _ => return None,
        }
    }
    Some(file)
}

async fn read(path: &Path) -> io::Result<(Bytes, SystemTime)> {
    let metadata = tokio::fs::metadata(path).await?;
    let body = tokio::fs::read(path).await?;
    Ok((body.into(), metadata.modified()?))
}

fn found(request: &Request, path: &Path, body: Bytes, modified: SystemTime) -> Reply {
    let etag = format!("\"{}\"", hex::encode(compute_bytes_digest::<Sha256>(&body)));
    let unchanged = match request.header("if-none-match") {
        Some(known) => matches_etag(known, &etag),
        None => request.header("if-modified-since").is_some_and(|date| !is_after(modified, date)),
    };
    let mut reply = if unchanged {
        Reply { status: StatusCode::NOT_MODIFIED, headers: Vec::new(), body: Bytes::new() }
    } else {
        Reply::ok(content_type(path), body)
    };
    reply.headers.push((header::ETAG.as_str(), etag));
    reply.headers.push((header::LAST_MODIFIED.as_str(), httpdate::fmt_http_date(modified)));
    reply
}

/// Whether a header of known tags has this one (RFC 9110, 13.1.2): it is a list, `*` means any, and
/// a weak tag matches too.
fn matches_etag(known: &str, etag: &str) -> bool {
    known.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

/// HTTP dates are in whole seconds; one that can't be read counts as before everything.
fn is_after(modified: SystemTime, date: &str) -> bool {
    httpdate::parse_http_date(date).map_or(true, |date| modified >= date + Duration::from_secs(1))
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => "application/json",
        Some("zst") => "application/zstd",
        _ => "application/octet-stream",
    }
}
