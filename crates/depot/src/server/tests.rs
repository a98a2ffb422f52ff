//! The server as a client sees it, byte for byte.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use super::{Fault, Pace, Server};

const TEXT: &str = "{\"info\": {}}";

struct Answer {
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (header, value) = line.split_once(": ")?;
            header.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Sends one request and reads until the server closes the connection.
fn ask(server: &Server, method: &str, path: &str, headers: &str) -> Answer {
    let mut stream = TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")
        .unwrap();
    let mut bytes = Vec::new();
    // A fault may reset the connection: what came before counts.
    let _ = stream.read_to_end(&mut bytes);
    let split = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let body = split.map(|at| bytes.split_off(at + 4)).unwrap_or_default();
    Answer { head: String::from_utf8(bytes).unwrap(), body }
}

fn tree() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let subdir = directory.path().join("频道/linux-64");
    fs_err::create_dir_all(&subdir).unwrap();
    fs_err::write(subdir.join("repodata.json"), TEXT).unwrap();
    directory
}

const INDEX: &str = "/%E9%A2%91%E9%81%93/linux-64/repodata.json";

fn faulty(root: &Path, fault: Fault) -> Server {
    Server::start_with(root, move |_| Some(fault.clone())).unwrap()
}

#[test]
fn the_query_is_not_part_of_the_path() {
    let tree = tree();
    let server = Server::start(tree.path()).unwrap();
    let answer = ask(&server, "GET", &format!("{INDEX}?a=%2F&b"), "");
    assert_eq!(answer.status(), "200");
    let request = &server.log()[0].request;
    assert_eq!((&*request.path, &*request.query), ("/频道/linux-64/repodata.json", "a=%2F&b"));
}

#[test]
fn a_file_comes_with_length_type_and_validators() {
    let tree = tree();
    let server = Server::start(tree.path()).unwrap();
    let answer = ask(&server, "GET", INDEX, "");
    assert_eq!(answer.status(), "200");
    assert_eq!(answer.body, TEXT.as_bytes());
    assert_eq!(answer.header("content-length"), Some("12"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.header("etag").is_some_and(|etag| etag.len() == 66));
    assert!(answer.header("last-modified").is_some_and(|date| date.ends_with("GMT")));
}

#[test]
fn head_has_the_headers_of_get_and_no_body() {
    let tree = tree();
    let server = Server::start(tree.path()).unwrap();
    let answer = ask(&server, "HEAD", INDEX, "");
    assert_eq!((answer.status(), answer.body.len()), ("200", 0));
    assert_eq!(answer.header("content-length"), Some("12"));
    assert_eq!(server.log()[0].bytes, 0);
}

#[test]
fn what_the_client_has_already_is_not_sent_again() {
    let tree = tree();
    let server = Server::start(tree.path()).unwrap();
    let first = ask(&server, "GET", INDEX, "");
    let etag = first.header("etag").unwrap();
    let date = first.header("last-modified").unwrap();
    for header in [
        format!("if-none-match: \"other\", W/{etag}\r\n"),
        "if-none-match: *\r\n".to_owned(),
        format!("if-modified-since: {date}\r\n"),
    ] {
        let answer = ask(&server, "GET", INDEX, &header);
        assert_eq!((answer.status(), answer.body.len()), ("304", 0), "{header}");
        assert_eq!(answer.header("etag"), Some(etag));
    }
    for header in [
        format!("if-none-match: \"other\"\r\nif-modified-since: {date}\r\n"),
        "if-modified-since: Thu, 01 Jan 1970 00:00:00 GMT\r\n".to_owned(),
        "if-modified-since: yesterday\r\n".to_owned(),
    ] {
        assert_eq!(ask(&server, "GET", INDEX, &header).status(), "200", "{header}");
    }
}

#[test]
fn an_etag_follows_the_content() {
    let tree = tree();
    let server = Server::start(tree.path()).unwrap();
    let before = ask(&server, "HEAD", INDEX, "");
    fs_err::write(tree.path().join("频道/linux-64/repodata.json"), "{}").unwrap();
    let after = ask(&server, "HEAD", INDEX, "");
    assert_ne!(before.header("etag"), after.header("etag"));
}

#[test]
fn nothing_outside_the_root_is_served() {
    let tree = tree();
    let root = tree.path().join("频道");
    fs_err::write(tree.path().join("secret"), "no").unwrap();
    let server = Server::start(root).unwrap();
    for path in ["/../secret", "/%2e%2e/secret", "/linux-64/%2E%2E%2F%2e%2e/secret", "/./secret"] {
        let answer = ask(&server, "GET", path, "");
        assert!(answer.status().starts_with('4'), "{path}: {}", answer.head);
        assert!(!answer.body.starts_with(b"no"), "{path}");
    }
}

#[test]
fn what_is_no_file_is_not_found_and_other_methods_are_refused() {
    let tree = tree();
    let server = Server::start(tree.path()).unwrap();
    for path in ["/", "/%E9%A2%91%E9%81%93", "/%E9%A2%91%E9%81%93/noarch/repodata.json"] {
        assert_eq!(ask(&server, "GET", path, "").status(), "404", "{path}");
    }
    let post = ask(&server, "POST", INDEX, "");
    assert_eq!((post.status(), post.header("allow")), ("405", Some("GET, HEAD")));
}

#[test]
fn the_log_tells_who_asked_for_what_and_what_came_of_it() {
    let tree = tree();
    let server = Server::start(tree.path()).unwrap();
    ask(&server, "GET", INDEX, "User-Agent: envlock/0.1.0\r\n");
    ask(&server, "HEAD", "/none?x=1", "");
    let log = server.log();
    assert_eq!(log[0].request.path, "/频道/linux-64/repodata.json");
    assert_eq!(log[0].request.header("user-agent"), Some("envlock/0.1.0"));
    assert_eq!((log[0].status, log[0].bytes), (Some(200), 12));
    assert_eq!((&*log[1].request.method, &*log[1].request.path), ("HEAD", "/none"));
    assert_eq!(log[1].status, Some(404));
    server.clear_log();
    assert!(server.log().is_empty());
}

#[test]
fn a_fault_for_one_path_leaves_the_others_alone() {
    let tree = tree();
    fs_err::write(tree.path().join("other"), "other").unwrap();
    let server = Server::start_with(tree.path(), |request| {
        let retry = vec![("retry-after", "7".to_owned())];
        request.path.ends_with("repodata.json").then_some(Fault::Status(429, retry))
    })
    .unwrap();
    let answer = ask(&server, "GET", INDEX, "");
    assert_eq!((answer.status(), answer.header("retry-after")), ("429", Some("7")));
    assert_eq!(ask(&server, "GET", "/other", "").body, b"other");
}

#[test]
fn a_truncated_body_promises_all_and_brings_a_part() {
    let tree = tree();
    let answer = ask(&faulty(tree.path(), Fault::Truncate(5)), "GET", INDEX, "");
    assert_eq!(answer.header("content-length"), Some("12"));
    assert_eq!(answer.body, &TEXT.as_bytes()[..5]);
}

#[test]
fn a_body_may_end_before_its_first_byte_and_then_its_headers_are_there() {
    let tree = tree();
    let answer = ask(&faulty(tree.path(), Fault::Truncate(0)), "GET", INDEX, "");
    assert_eq!((answer.status(), answer.header("content-length")), ("200", Some("12")));
    assert!(answer.body.is_empty());
}

#[test]
fn a_stalled_body_brings_a_part_and_keeps_the_connection() {
    let tree = tree();
    let server = faulty(tree.path(), Fault::Stall(5));
    let mut stream = TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
    write!(stream, "GET {INDEX} HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(&TEXT.as_bytes()[..5]) {
        stream.read_exact(&mut byte).unwrap();
        text.push(byte[0]);
    }
    stream.set_nonblocking(true).unwrap();
    assert_eq!(stream.read(&mut byte).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_corrupt_body_has_the_right_length_and_wrong_bytes() {
    let tree = tree();
    let answer = ask(&faulty(tree.path(), Fault::Corrupt), "GET", INDEX, "");
    assert_eq!((answer.status(), answer.body.len()), ("200", 12));
    assert_ne!(answer.body, TEXT.as_bytes());
}

#[test]
fn other_content_and_login_pages_come_with_200() {
    let tree = tree();
    let other = faulty(tree.path(), Fault::Bytes("else".into()));
    assert_eq!(ask(&other, "GET", INDEX, "").body, b"else");
    let page = ask(&faulty(tree.path(), Fault::Html), "GET", INDEX, "");
    assert_eq!(page.status(), "200");
    assert!(page.body.starts_with(b"<!DOCTYPE html>"));
}

#[test]
fn a_slow_body_arrives_whole() {
    let tree = tree();
    let pace = Pace { chunk: 5, pause: Duration::from_millis(1) };
    let slow = faulty(tree.path(), Fault::slow(pace));
    assert_eq!(ask(&slow, "GET", INDEX, "").body, TEXT.as_bytes());
    let half = faulty(tree.path(), Fault::Truncate(7).with_pace(pace));
    assert_eq!(ask(&half, "GET", INDEX, "").body, &TEXT.as_bytes()[..7]);
    let corrupt = faulty(tree.path(), Fault::Corrupt.with_pace(pace));
    assert_eq!(ask(&corrupt, "GET", INDEX, "").body.len(), TEXT.len());
}

#[test]
fn a_closed_connection_brings_nothing() {
    let tree = tree();
    let server = faulty(tree.path(), Fault::Close);
    assert_eq!(ask(&server, "GET", INDEX, "").head, "");
    assert_eq!(server.log()[0].status, None);
}

#[test]
fn a_server_that_hangs_stops_when_it_is_dropped() {
    let tree = tree();
    let server = faulty(tree.path(), Fault::Hang);
    let mut stream = TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
    write!(stream, "GET {INDEX} HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    drop(server);
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    assert!(bytes.is_empty());
}

/// A tree with a page in both forms, and a file of ten bytes.
fn pages() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let project = directory.path().join("pypi/simple/foo bar");
    fs_err::create_dir_all(&project).unwrap();
    fs_err::write(project.join("index.html"), "<html>").unwrap();
    fs_err::write(project.join("index.json"), "{}").unwrap();
    fs_err::write(directory.path().join("file.whl"), "0123456789").unwrap();
    directory
}

const PAGE: &str = "/pypi/simple/foo%20bar/";

#[test]
fn a_page_has_the_form_that_is_asked_for_and_each_form_its_validator() {
    let tree = pages();
    let server = Server::start(tree.path()).unwrap();
    let json_type = "application/vnd.pypi.simple.v1+json";
    let json = ask(&server, "GET", PAGE, &format!("accept: {json_type}\r\n"));
    assert_eq!((json.header("content-type"), &json.body[..]), (Some(json_type), &b"{}"[..]));
    let html = ask(&server, "GET", PAGE, "");
    assert_eq!((html.header("content-type"), &html.body[..]), (Some("text/html"), &b"<html>"[..]));
    assert_eq!((json.header("vary"), html.header("vary")), (Some("Accept"), Some("Accept")));
    let known = format!("if-none-match: {}\r\n", json.header("etag").unwrap());
    let accept = format!("accept: {json_type}\r\n");
    assert_eq!(ask(&server, "GET", PAGE, &format!("{known}{accept}")).status(), "304");
    assert_eq!(ask(&server, "GET", PAGE, &known).status(), "200");
}

#[test]
fn a_directory_without_a_slash_leads_to_its_page_if_it_has_one() {
    let tree = pages();
    let server = Server::start(tree.path()).unwrap();
    let answer = ask(&server, "GET", PAGE.trim_end_matches('/'), "");
    assert_eq!((answer.status(), answer.header("location")), ("301", Some(PAGE)));
    assert_eq!(ask(&server, "GET", "/pypi/simple", "").status(), "404");
    assert_eq!(ask(&server, "GET", "/pypi/simple/", "").status(), "404");
}

#[test]
fn a_part_of_a_file_is_served_unless_the_file_has_changed() {
    let tree = pages();
    let server = Server::start(tree.path()).unwrap();
    let whole = ask(&server, "GET", "/file.whl", "");
    assert_eq!((whole.status(), whole.header("accept-ranges")), ("200", Some("bytes")));
    let part = ask(&server, "GET", "/file.whl", "range: bytes=-4\r\n");
    assert_eq!((part.status(), &part.body[..]), ("206", &b"6789"[..]));
    assert_eq!(part.header("content-range"), Some("bytes 6-9/10"));
    assert_eq!(
        (part.header("content-length"), part.header("etag")),
        (Some("4"), whole.header("etag"))
    );
    let outside = ask(&server, "GET", "/file.whl", "range: bytes=10-\r\n");
    assert_eq!((outside.status(), outside.header("content-range")), ("416", Some("bytes */10")));
    let known = format!("range: bytes=0-1\r\nif-range: {}\r\n", whole.header("etag").unwrap());
    assert_eq!(ask(&server, "GET", "/file.whl", &known).body, b"01");
    let changed = "range: bytes=0-1\r\nif-range: \"other\"\r\n";
    assert_eq!(ask(&server, "GET", "/file.whl", changed).body, b"0123456789");
    let head = ask(&server, "HEAD", "/file.whl", "range: bytes=0-1\r\n");
    assert_eq!((head.status(), head.header("content-length")), ("200", Some("10")));
}

#[test]
fn a_server_may_lack_ranges() {
    let tree = pages();
    let server = faulty(tree.path(), Fault::NoRanges);
    let answer = ask(&server, "GET", "/file.whl", "range: bytes=0-1\r\n");
    assert_eq!((answer.status(), answer.header("accept-ranges")), ("200", None));
    assert_eq!(answer.body, b"0123456789");
}

#[test]
fn headers_are_added_or_replaced() {
    let tree = pages();
    let headers = vec![
        ("cache-control", "max-age=600".to_owned()),
        ("content-type", "text/plain".to_owned()),
    ];
    let answer = ask(&faulty(tree.path(), Fault::Headers(headers)), "GET", PAGE, "");
    assert_eq!((answer.status(), &answer.body[..]), ("200", &b"<html>"[..]));
    assert_eq!(answer.header("cache-control"), Some("max-age=600"));
    let types = answer.head.lines().filter(|line| line.starts_with("content-type"));
    assert_eq!(types.collect::<Vec<_>>(), ["content-type: text/plain"]);
}

#[test]
fn a_fault_also_applies_to_pages_and_parts() {
    let tree = pages();
    let corrupt = faulty(tree.path(), Fault::Corrupt);
    assert_ne!(ask(&corrupt, "GET", PAGE, "").body, b"<html>");
    let part = ask(&corrupt, "GET", "/file.whl", "range: bytes=0-3\r\n");
    assert_eq!((part.status(), part.body.len()), ("206", 4));
    assert_ne!(part.body, b"0123");
    let cut =
        ask(&faulty(tree.path(), Fault::Truncate(2)), "GET", "/file.whl", "range: bytes=4-\r\n");
    assert_eq!((cut.header("content-length"), &cut.body[..]), (Some("6"), &b"45"[..]));
}
