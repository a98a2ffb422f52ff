//! Answers requests for files: with the file, a part of it, a directory's page, 304 or an error.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use hyper::{StatusCode, header};
use percent_encoding::utf8_percent_encode;
use rattler_digest::{Sha256, compute_bytes_digest};

use super::range::{self, Part};
use super::{PATH, Request, negotiate};

/// Whether parts of files are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ranges {
    Served,
    Ignored,
}

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

    /// Returns the reply with these headers, instead of those of the same name.
    pub(super) fn with_headers(mut self, headers: &[(&'static str, String)]) -> Self {
        self.headers.retain(|(name, _)| headers.iter().all(|(other, _)| other != name));
        self.headers.extend_from_slice(headers);
        self
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

pub(super) async fn reply(root: &Path, request: &Request, ranges: Ranges) -> Reply {
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Reply::failure(405, &[("allow", "GET, HEAD".to_owned())]);
    }
    let Some(path) = below(root, &request.path) else { return Reply::failure(400, &[]) };
    if path.is_dir() {
        return of_directory(request, &path).await;
    }
    match read(&path).await {
        Ok(file) => part_of(request, found(request, content_type(&path), file), ranges),
        Err(error) => not_read(&error),
    }
}

/// Answers with a directory's page, whose path ends with a slash.
async fn of_directory(request: &Request, directory: &Path) -> Reply {
    if !request.path.ends_with('/') && negotiate::has_page(directory) {
        let location = format!("{}/", utf8_percent_encode(&request.path, PATH));
        return Reply::failure(301, &[("location", location)]);
    }
    let Some(page) = negotiate::page(directory, request.header("accept")) else {
        return Reply::failure(404, &[]);
    };
    match read(&page.path).await {
        Ok(file) => {
            let mut reply = found(request, page.content_type, file);
            reply.headers.push((header::VARY.as_str(), "Accept".to_owned()));
            reply
        }
        Err(error) => not_read(&error),
    }
}

fn not_read(error: &io::Error) -> Reply {
    let status = if error.kind() == io::ErrorKind::PermissionDenied { 403 } else { 404 };
    Reply::failure(status, &[])
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

fn found(request: &Request, content_type: &str, file: (Bytes, SystemTime)) -> Reply {
    let (body, modified) = file;
    let etag = format!("\"{}\"", hex::encode(compute_bytes_digest::<Sha256>(&body)));
    let unchanged = match request.header("if-none-match") {
        Some(known) => matches_etag(known, &etag),
        None => request.header("if-modified-since").is_some_and(|date| !is_after(modified, date)),
    };
    let mut reply = if unchanged {
        Reply { status: StatusCode::NOT_MODIFIED, headers: Vec::new(), body: Bytes::new() }
    } else {
        Reply::ok(content_type, body)
    };
    reply.headers.push((header::ETAG.as_str(), etag));
    reply.headers.push((header::LAST_MODIFIED.as_str(), httpdate::fmt_http_date(modified)));
    reply
}

/// Reduces an answer to the part that the request asks for.
fn part_of(request: &Request, mut reply: Reply, ranges: Ranges) -> Reply {
    if reply.status != StatusCode::OK || ranges == Ranges::Ignored {
        return reply;
    }
    reply.headers.push((header::ACCEPT_RANGES.as_str(), "bytes".to_owned()));
    let range = request.header("range").filter(|_| request.method == "GET");
    let is_same = request.header("if-range").is_none_or(|known| {
        reply.headers.iter().any(|(name, value)| *name == header::ETAG.as_str() && value == known)
    });
    let Some(range) = range.filter(|_| is_same) else { return reply };
    let length = reply.body.len();
    match range::part(range, length) {
        Part::Whole => reply,
        Part::Bytes(range) => {
            let told = format!("bytes {}-{}/{length}", range.start, range.end - 1);
            reply.headers.push((header::CONTENT_RANGE.as_str(), told));
            reply.status = StatusCode::PARTIAL_CONTENT;
            reply.body = reply.body.slice(range);
            reply
        }
        Part::Unsatisfiable => {
            let told = format!("bytes */{length}");
            Reply::failure(416, &[(header::CONTENT_RANGE.as_str(), told)])
        }
    }
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
        Some("html") => "text/html; charset=utf-8",
        Some("json") => "application/json",
        Some("zst") => "application/zstd",
        _ => "application/octet-stream",
    }
}
