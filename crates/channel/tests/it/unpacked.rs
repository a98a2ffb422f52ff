//! Unpacked packages in the cache: their identity, their lists of files, and edits.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt, symlink};

use envlock_channel::UnpackedPackage;
use envlock_model::progress::Notice;
use envlock_report::Code;
use envlock_testkit::{BuiltPackage, Package, Subdir, TestMirror, parse_package};
use rattler_conda_types::RepoDataRecord;
use serde_json::json;

use crate::support::{NO_OTHER_ARCHIVES, TestClients, error_text, records};

async fn found(mirror: &TestMirror, name: &str) -> Vec<RepoDataRecord> {
    records(&TestClients::for_mirrors(&[mirror]).index().await.unwrap(), &[name])
}

async fn fetch(clients: &TestClients, wanted: &[RepoDataRecord]) -> UnpackedPackage {
    clients.packages_or_other_archives(wanted, &NO_OTHER_ARCHIVES).await.unwrap().remove(0)
}

#[tokio::test]
async fn an_archive_of_another_package_than_its_record_is_not_unpacked() {
    for (name, version, build) in [("h", "2", "0"), ("h", "1", "1"), ("g", "1", "0")] {
        let mut built: Option<BuiltPackage> = None;
        let mirror = TestMirror::new().channel("conda-forge", |c| {
            let other = parse_package(&format!("{name} {version} {build}")).file("share/x", "x");
            let other = c.package(&other);
            let mut record = other.record.clone();
            (record["name"], record["version"], record["build"]) =
                (json!("h"), json!("1"), json!("0"));
            c.record(Subdir::Linux64, "h-1-0.conda", record);
            built = Some(other);
        });
        let folder = mirror.channel_dir("conda-forge").join("linux-64");
        let file_name = built.unwrap().file_name;
        fs::copy(folder.join(&file_name), folder.join("h-1-0.conda")).unwrap();
        let mut wanted = found(&mirror, "h").await;
        wanted.retain(|record| record.identifier.to_string() == "h-1-0.conda");
        let clients = TestClients::for_mirrors(&[&mirror]);
        let (text, exit) = error_text(&clients.packages(&wanted).await.unwrap_err());
        assert_eq!(exit, 3);
        let expected = format!("it has the package {name}-{version}-{build}");
        assert!(text.contains(&expected), "{text}");
        let left = fs::read_dir(clients.cache().join("pkgs")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{file_name}");
    }
}

#[tokio::test]
async fn a_wrong_list_in_a_package_is_corrected_and_reported_each_time() {
    let mirror = TestMirror::new().channel("conda-forge", |c| {
        let package = Package::new("h", "1").file("share/right", "right");
        c.package(&package.file_listed_as("share/wrong", "content", "another content"));
    });
    let wanted = found(&mirror, "h").await;
    let mut clients = TestClients::for_mirrors(&[&mirror]);
    for offline in [false, true] {
        clients.settings.offline = offline;
        let package = fetch(&clients, &wanted).await;
        assert_eq!(package.corrected, ["share/wrong"]);
        let findings = package.findings();
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].code, Code::FileListWrong);
        assert!(findings[0].message.contains("h-1-0.conda"), "{}", findings[0].message);
        let paths = fs::read_to_string(package.dir.join("info/paths.json")).unwrap();
        let paths: serde_json::Value = serde_json::from_str(&paths).unwrap();
        let entries = paths["paths"].as_array().unwrap();
        let entry = entries.iter().find(|entry| entry["_path"] == "share/wrong").unwrap();
        assert_eq!(entry["size_in_bytes"], 7);
    }
    assert!(clients.events.notices().is_empty(), "{:?}", clients.events.notices());
}

#[tokio::test]
async fn a_mode_a_link_or_info_that_was_edited_in_the_cache_is_fetched_again() {
    let mirror = TestMirror::new().channel("conda-forge", |c| {
        c.package(&Package::new("h", "1").file("share/a", "a").symlink("share/b", "a"));
    });
    let wanted = found(&mirror, "h").await;
    let clients = TestClients::for_mirrors(&[&mirror]);
    let dir = fetch(&clients, &wanted).await.dir;
    let edits: [fn(&std::path::Path); 3] = [
        |dir| fs::set_permissions(dir.join("share/a"), PermissionsExt::from_mode(0o6777)).unwrap(),
        |dir| {
            fs::remove_file(dir.join("share/b")).unwrap();
            symlink("/etc/passwd", dir.join("share/b")).unwrap();
        },
        |dir| fs::write(dir.join("info/index.json"), "{}").unwrap(),
    ];
    for (number, edit) in edits.iter().enumerate() {
        edit(&dir);
        assert_eq!(fetch(&clients, &wanted).await.dir, dir);
        let mode = fs::metadata(dir.join("share/a")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7002, 0);
        assert_eq!(fs::read_link(dir.join("share/b")).unwrap().to_str(), Some("a"));
        let notices = clients.events.notices();
        let damaged = |notice: &&Notice| matches!(notice, Notice::DamagedPackage { .. });
        assert_eq!(notices.iter().filter(damaged).count(), number + 1, "{notices:?}");
    }
}

#[tokio::test]
async fn the_name_of_a_folder_in_the_cache_has_the_whole_digest() {
    let mirror = TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0");
    });
    let wanted = found(&mirror, "app").await;
    let dir = fetch(&TestClients::for_mirrors(&[&mirror]), &wanted).await.dir;
    let digest = hex::encode(wanted[0].package_record.sha256.unwrap());
    assert_eq!(dir.file_name().unwrap().to_str(), Some(&*format!("app-1.0-0-{digest}")));
}

#[tokio::test]
async fn an_archive_without_a_size_in_its_record_is_not_downloaded_if_it_is_too_large() {
    let mirror = TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0");
    });
    let mut wanted = found(&mirror, "app").await;
    wanted[0].package_record.size = None;
    // With a usual size it is downloaded.
    fetch(&TestClients::for_mirrors(&[&mirror]), &wanted).await;

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let _ = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 30000000000\r\n\r\nx").unwrap();
    });
    let clients = TestClients::for_urls(&[&url]);
    let (text, exit) = error_text(&clients.packages(&wanted).await.unwrap_err());
    assert_eq!(exit, 3);
    assert!(text.contains("it is larger than 20"), "{text}");
    server.join().unwrap();
}
