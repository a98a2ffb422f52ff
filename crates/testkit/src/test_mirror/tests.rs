//! Tests of the mirror with a client.

use std::io::{Read, Write};
use std::net::TcpStream;

use rattler_conda_types::{RepoData, Subdir};

use super::*;
use crate::{extract, files_containing};

/// The status and the body.
fn get(world: &TestMirror, path: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(world.url().trim_start_matches("http://")).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let split = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
    (head.split(' ').nth(1).unwrap().to_owned(), bytes.split_off(split + 4))
}

fn index(world: &TestMirror, channel: &str, subdir: &str) -> RepoData {
    RepoData::from_path(world.channel_dir(channel).join(subdir).join("repodata.json")).unwrap()
}

const NUMPY: &str = "/anaconda/cloud/conda-forge/linux-64/numpy-1.24.3-py310_0.conda";

#[test]
fn packages_and_faults_are_served() {
    let world = TestMirror::new()
        .channel("conda-forge", |c| {
            c.add("numpy 1.24.3 py310_0 | python >=3.10,<3.11.0a0");
            c.add_for(Subdir::OsxArm64, "numpy 1.24.3 py310_0");
            c.noarch("idna 3.4 pyhd_0 | python");
        })
        .with_fault("*/numpy-1.24.3*", Fault::status(403));
    assert_eq!(index(&world, "conda-forge", "linux-64").conda_packages.len(), 1);
    assert_eq!(index(&world, "conda-forge", "osx-arm64").conda_packages.len(), 1);
    assert_eq!(index(&world, "conda-forge", "noarch").conda_packages.len(), 1);
    assert_eq!(get(&world, NUMPY).0, "403");
    world.clear_faults();
    assert_eq!(get(&world, NUMPY).0, "200");
    let statuses: Vec<_> =
        world.requests("*/numpy*").iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(403), Some(200)]);
    assert!(world.requests("*/idna*").is_empty());
}

#[test]
fn a_fault_can_be_limited_to_some_requests() {
    let world = TestMirror::new()
        .channel("conda-forge", |c| {
            c.add("numpy 1.24.3 py310_0");
        })
        .with_fault_times(1, "*.conda", Fault::Corrupt);
    let (corrupt, right) = (get(&world, NUMPY).1, get(&world, NUMPY).1);
    assert_ne!(corrupt, right);
    assert_eq!(corrupt.len(), right.len());
}

#[test]
fn the_formats_of_archives_and_indexes_can_be_set() {
    let world = TestMirror::new()
        .channel("old", |c| {
            c.json_only();
            c.tar_bz2();
            c.add("a 1");
            c.conda();
            c.add("b 1");
        })
        .channel("new", TestChannel::zst_only);
    let old = index(&world, "old", "linux-64");
    assert_eq!((old.packages.len(), old.conda_packages.len()), (1, 1));
    assert!(!world.channel_dir("old").join("linux-64/repodata.json.zst").exists());
    assert!(!world.channel_dir("new").join("noarch/repodata.json").exists());
    assert!(world.channel_dir("new").join("noarch/repodata.json.zst").exists());
}

#[test]
fn a_channel_can_change_while_it_is_served() {
    let mut world = TestMirror::new().channel("conda-forge", |c| {
        c.add("a 1");
    });
    world.update_channel("conda-forge", |c| {
        let built = c.add("a 2");
        c.remove_field(&built, "sha256");
    });
    let index = index(&world, "conda-forge", "linux-64");
    assert_eq!(index.conda_packages.len(), 2);
    let without = index.conda_packages.values().filter(|record| record.sha256.is_none());
    assert_eq!(without.count(), 1);
}

#[test]
fn the_arguments_make_the_mirror_the_source_of_both_origins() {
    let world = TestMirror::new();
    let url = world.url();
    assert_eq!(
        world.mirror_args(),
        [
            "--mirror".to_owned(),
            format!("https://conda.anaconda.org/={url}/anaconda/cloud/"),
            "--mirror".to_owned(),
            format!("https://repo.anaconda.com/={url}/anaconda/"),
            "--no-origin".to_owned(),
        ]
    );
    assert_eq!(world.channel_url("pkgs/main"), format!("{url}/anaconda/pkgs/main"));
}

#[test]
fn the_synthetic_channel_installs_and_is_reproducible() {
    let build = || TestMirror::new().channel("conda-forge", |c| c.synthetic(10, 20));
    let (one, other) = (build(), build());
    let path = "linux-64/repodata.json";
    let text = |world: &TestMirror| {
        fs_err::read_to_string(world.channel_dir("conda-forge").join(path)).unwrap()
    };
    assert_eq!(text(&one), text(&other));
    let index = index(&one, "conda-forge", "linux-64");
    assert_eq!((index.packages.len(), index.conda_packages.len()), (1, 10));
    let directory = one.channel_dir("conda-forge").join("linux-64");
    let archives: Vec<_> = fs_err::read_dir(&directory)
        .unwrap()
        .map(|item| item.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("synth-0"))
        .collect();
    assert_eq!(archives.len(), 10);
    let with_prefix = archives.iter().filter(|archive| {
        let tree = extract(archive);
        fs_err::remove_dir_all(tree.path().join("info")).unwrap();
        !files_containing(tree.path(), crate::PLACEHOLDER).is_empty()
    });
    assert_eq!(with_prefix.count(), 10);
}

#[test]
fn the_shared_channels_are_served_in_the_layout_of_the_mirror() {
    let Some(world) = TestMirror::shared_channels(IndexFormats::ZST) else { return };
    let path = "/anaconda/cloud/conda-forge/noarch/repodata.json.zst";
    let (status, body) = get(&world, path);
    assert_eq!(status, "200");
    assert!(zstd::decode_all(&body[..]).unwrap().starts_with(b"{"));
    assert_eq!(get(&world, path.trim_end_matches(".zst")).0, "404");
    assert_eq!(get(&world, "/anaconda/pkgs/main/linux-64/repodata.json.zst").0, "200");
}
