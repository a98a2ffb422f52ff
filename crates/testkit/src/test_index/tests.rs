//! Tests of the index with a client. `pip_tests.rs` has those with pip.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;
use crate::{FileAddress, Listing, Sdist, Wheel};

/// The status and the body.
fn get(url: &str, headers: &str) -> (String, Vec<u8>) {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")
        .unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let split = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
    (head.split(' ').nth(1).unwrap().to_owned(), bytes.split_off(split + 4))
}

#[test]
fn an_index_can_be_at_a_path_and_its_relative_urls_stay_there() {
    let mut built = None;
    let index = TestIndex::at("/pypi/web/").projects(|p| built = Some(p.add("Foo.Bar 1.0 | b>=1")));
    let built = built.unwrap();
    assert_eq!(index.index_url(), format!("{}/pypi/web/simple", index.url()));
    let (status, page) = get(&format!("{}/foo-bar/", index.index_url()), "");
    let page = String::from_utf8(page).unwrap();
    let href = page.split("href=\"../../").nth(1).unwrap().split('#').next().unwrap();
    let url = format!("{}/pypi/web/{href}", index.url());
    assert_eq!((&*status, url), ("200", index.file_url(&built)));
    let (status, wheel) = get(&index.file_url(&built), "");
    assert_eq!((&*status, wheel.len() as u64), ("200", built.size));
    let (_, metadata) = get(&format!("{}.metadata", index.file_url(&built)), "");
    assert_eq!(metadata, built.metadata.as_bytes());
    let (status, flat) = get(&index.find_links_url(), "");
    assert_eq!(status, "200");
    assert!(String::from_utf8(flat).unwrap().contains("foo_bar-1.0-py3-none-any.whl"));
}

#[test]
fn an_index_can_change_while_it_is_served() {
    let mut index = TestIndex::new().projects(|p| {
        p.add("a 1");
    });
    let page = |index: &TestIndex| {
        String::from_utf8(get(&format!("{}/a/", index.index_url()), "").1).unwrap()
    };
    assert!(!page(&index).contains("a-2"));
    index.update_projects(|p| {
        p.sdist(&Sdist::new("a", "2"));
        p.relist("a-1-py3-none-any.whl", Listing::new().yanked("old"));
        p.address(FileAddress::Base("https://files.example".to_owned()));
    });
    let changed = page(&index);
    assert!(changed.contains("/a-2.tar.gz#sha256="), "{changed}");
    assert!(changed.contains("data-yanked=\"old\""), "{changed}");
    assert!(changed.contains("href=\"https://files.example/packages/"), "{changed}");
    index.update_projects(|p| p.remove("a-2.tar.gz"));
    assert!(!page(&index).contains("a-2"));
}

#[test]
fn a_login_is_required_for_its_paths_only_and_goes_before_faults() {
    let mut built = None;
    let index = TestIndex::new()
        .projects(|p| built = Some(p.wheel(&Wheel::new("a", "1"))))
        .with_login("/simple/*", "user", "pass:word")
        .with_fault("*", Fault::status(503));
    let page = format!("{}/a/", index.index_url());
    assert_eq!(get(&page, "").0, "401");
    assert_eq!(get(&page, "authorization: Basic eDp4\r\n").0, "401");
    assert_eq!(get(&index.file_url(&built.unwrap()), "").0, "503");
    // `printf user:pass:word | base64`
    let right = "authorization: Basic dXNlcjpwYXNzOndvcmQ=\r\n";
    assert_eq!(get(&page, right).0, "503");
    index.clear_faults();
    assert_eq!(get(&page, right).0, "200");
    assert_eq!(get(&page, "").0, "401");
    assert_eq!(index.requests("/simple/a/").len(), 5);
    assert!(index.index_url_with_login("u", "p").starts_with("http://u:p@127.0.0.1:"));
}
