//! Bodies that a mirror or a proxy compresses for the transfer.

use std::fs;
use std::io::Write as _;

use envlock_testkit::{Fault, TestMirror, files_containing};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use crate::support::{TestClients, error_text, records};

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn plain_index_mirror() -> TestMirror {
    TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0");
        c.json_only();
    })
}

/// Returns the content of a file of a mirror's channel.
fn content(mirror: &TestMirror, file: &str) -> Vec<u8> {
    fs::read(mirror.channel_dir("conda-forge").join("linux-64").join(file)).unwrap()
}

#[tokio::test]
async fn a_mirror_that_compresses_bodies_delivers_indexes_and_archives() {
    for (encoding, compress) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("deflate", deflate)] {
        let mirror = plain_index_mirror();
        for file in ["repodata.json", "app-1.0-0.conda"] {
            let body = compress(&content(&mirror, file));
            let pattern = format!("*/linux-64/{file}");
            mirror.add_fault(&pattern, Fault::Encoded(encoding, body.into()));
        }
        let clients = TestClients::for_mirrors(&[&mirror]);
        let found = records(&clients.index().await.unwrap(), &["app"]);
        let dirs = clients.packages(&found).await.unwrap();
        assert_eq!(fs::read_to_string(dirs[0].join("share/app/of")).unwrap(), "app 1.0");
        assert!(clients.events.notices().is_empty(), "{:?}", clients.events.notices());
        let accepted = |pattern: &str| -> Vec<String> {
            let requests = mirror.requests(pattern).into_iter();
            let header = |logged: envlock_testkit::LoggedRequest| {
                logged.request.header("accept-encoding").unwrap().to_owned()
            };
            requests.map(header).collect()
        };
        assert_eq!(accepted("*/linux-64/repodata.json"), ["gzip"]);
        assert_eq!(accepted("*/linux-64/repodata.json.zst"), ["identity"]);
        assert_eq!(accepted("*.conda"), ["identity"]);
    }
}

#[tokio::test]
async fn an_encoding_that_only_names_the_file_s_own_compression_is_ignored() {
    let mirror = TestMirror::new().channel("conda-forge", |c| {
        c.tar_bz2();
        c.add("app 1.0");
    });
    for (file, encoding) in [("repodata.json.zst", "zstd"), ("app-1.0-0.tar.bz2", "bzip2")] {
        let body = content(&mirror, file);
        mirror.add_fault(&format!("*/linux-64/{file}"), Fault::Encoded(encoding, body.into()));
    }
    let clients = TestClients::for_mirrors(&[&mirror]);
    let found = records(&clients.index().await.unwrap(), &["app"]);
    clients.packages(&found).await.unwrap();
    assert_eq!(mirror.requests("*/linux-64/repodata.json").len(), 0);
}

#[tokio::test]
async fn an_index_that_unpacks_to_many_times_its_size_is_refused_and_leaves_no_file() {
    let mirror = plain_index_mirror();
    let mut json = content(&mirror, "repodata.json");
    assert_eq!(json.pop(), Some(b'}'));
    json.extend(std::iter::repeat_n(b' ', 80_000_000));
    json.push(b'}');
    for (file, body) in [
        ("repodata.json", Fault::Encoded("gzip", gzip(&json).into())),
        ("repodata.json.zst", Fault::Bytes(zstd::encode_all(&json[..], 1).unwrap().into())),
    ] {
        mirror.clear_faults();
        mirror.add_fault("*/linux-64/repodata.json*", Fault::status(404));
        mirror.add_fault(&format!("*/linux-64/{file}"), body);
        let clients = TestClients::for_mirrors(&[&mirror]);
        let (text, exit) = error_text(&clients.index().await.unwrap_err());
        assert_eq!(exit, 3, "{text}");
        assert!(text.contains("unreadable: it unpacks to more than 50 times its size"), "{text}");
        assert!(files_containing(&clients.cache(), "app").is_empty());
        let left = fs::read_dir(clients.cache().join("tmp"));
        assert_eq!(left.map_or(0, Iterator::count), 0);
    }
}

#[tokio::test]
async fn an_archive_whose_encoding_is_damaged_or_hides_other_content_is_refused() {
    let mirror = plain_index_mirror();
    let found = records(&TestClients::for_mirrors(&[&mirror]).index().await.unwrap(), &["app"]);
    let archive = content(&mirror, "app-1.0-0.conda");
    let packed = gzip(&archive);
    let mut other = archive.clone();
    other[0] ^= 1;
    let longer = [archive, vec![0; 1_000_000]].concat();
    for (body, why) in [
        (packed[..packed.len() - 9].to_vec(), "the compressed data is incomplete"),
        (gzip(&other), "wrong sha256"),
        (gzip(&longer), "wrong size"),
    ] {
        mirror.clear_faults();
        mirror.add_fault("*.conda", Fault::Encoded("gzip", body.into()));
        let clients = TestClients::for_mirrors(&[&mirror]);
        let (text, exit) = error_text(&clients.packages(&found).await.unwrap_err());
        assert!(exit == 3 && text.contains(why), "{text}");
    }
}
