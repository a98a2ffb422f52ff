//! The records of indexes: URLs, hashes, dependencies, malformed records.

use envlock_testkit::{Subdir, TestMirror};
use rattler_conda_types::PackageName;

use crate::support::{FORGE, TestClients, error_text, name, records, request, small_mirror};

#[tokio::test]
async fn every_record_has_the_origins_url_and_channel_with_any_source() {
    let mirror = small_mirror();
    let indexes = TestClients::for_mirrors(&[&mirror]).index().await.unwrap();
    let found = records(&indexes, &["numpy", "idna"]);
    assert_eq!(found.len(), 3);
    for record in &found {
        let subdir = &record.package_record.subdir;
        let url = format!("{FORGE}{subdir}/{}", record.identifier);
        assert_eq!(record.url.as_str(), url);
        assert_eq!(record.channel.as_deref(), Some(FORGE));
    }
}

#[tokio::test]
async fn a_base_url_at_the_mirror_becomes_the_origins_and_one_at_another_host_is_refused() {
    let mut mirror = TestMirror::new();
    let own = format!("{}/anaconda/cloud/conda-forge/linux-64/", mirror.url());
    mirror.update_channel("conda-forge", |c| {
        c.add("a 1");
        c.set_info("base_url", own);
    });
    let clients = TestClients::for_mirrors(&[&mirror]);
    // noarch has the same base_url, which is in the same channel.
    let found = records(&clients.index().await.unwrap(), &["a"]);
    assert_eq!(found[0].url.as_str(), format!("{FORGE}linux-64/a-1-0.conda"));

    mirror.update_channel("conda-forge", |c| c.set_info("base_url", "https://evil.example/x/"));
    let (text, exit) = error_text(&clients.index().await.unwrap_err());
    assert_eq!(exit, 3);
    assert!(text.contains("https://evil.example/x/") && text.contains("leads away"), "{text}");
}

#[tokio::test]
async fn an_origin_may_keep_its_packages_on_another_host() {
    let mirror = TestMirror::new().channel("conda-forge", |c| {
        c.add("a 1");
        c.set_info("base_url", "https://files.example/x/");
    });
    let url = format!("{}/", mirror.channel_url("conda-forge"));
    let mut clients = TestClients::for_urls(&[]);
    clients.settings.sources = envlock_channel::Sources::new(Vec::new(), true);
    let indexes = clients.indexes(&[request("lab", &url)]).await.unwrap();
    let found = records(&indexes, &["a"]);
    assert_eq!(found[0].url.as_str(), "https://files.example/x/a-1-0.conda");
    assert_eq!(found[0].channel.as_deref(), Some(url.as_str()));
}

#[tokio::test]
async fn the_conda_archive_of_a_build_is_preferred() {
    let mirror = TestMirror::new().channel("conda-forge", |c| {
        c.add("a 1");
        c.tar_bz2();
        c.add("a 1");
        c.add("b 1");
    });
    let indexes = TestClients::for_mirrors(&[&mirror]).index().await.unwrap();
    let files: Vec<String> =
        records(&indexes, &["a", "b"]).iter().map(|record| record.identifier.to_string()).collect();
    assert_eq!(files, ["a-1-0.conda", "b-1-0.tar.bz2"]);
}

#[tokio::test]
async fn a_record_without_sha256_is_listed_but_is_no_candidate() {
    let mirror = TestMirror::new().channel("conda-forge", |c| {
        let built = c.add("a 1");
        c.remove_field(&built, "sha256");
        c.add("a 0.9");
    });
    let indexes = TestClients::for_mirrors(&[&mirror]).index().await.unwrap();
    let found = indexes.load(&[name("a")]);
    let without_sha256 = &found[0].without_sha256;
    assert_eq!(without_sha256.len(), 1);
    assert_eq!(without_sha256[0].identifier.to_string(), "a-1-0.conda");
    assert_eq!(found[0].records.len(), 1);
}

#[tokio::test]
async fn dependencies_are_loaded_from_all_channels_and_only_for_the_requested_platform() {
    let mirror = small_mirror().channel("pytorch", |c| {
        c.add("pytorch 2 0 | numpy; idna");
        c.add_for(Subdir::OsxArm64, "pytorch 3 0");
    });
    let mut pytorch = request("pytorch", "https://conda.anaconda.org/pytorch/");
    pytorch.subdirs.push(Subdir::OsxArm64);
    let indexes = TestClients::for_mirrors(&[&mirror])
        .indexes(&[pytorch, request("conda-forge", FORGE)])
        .await
        .unwrap();
    let linux = indexes.for_platform(Subdir::Linux64);
    let found: Vec<String> =
        records(&linux, &["pytorch"]).iter().map(|record| record.identifier.to_string()).collect();
    assert_eq!(
        found,
        [
            "pytorch-2-0.conda",
            "libblas-3.9.0-0.conda",
            "numpy-1.24.3-py310_0.conda",
            "idna-3.4-pyhd_0.conda"
        ]
    );
    let mac = indexes.for_platform(Subdir::OsxArm64);
    assert_eq!(records(&mac, &["pytorch"]).len(), 1);
    let alone = linux.load_names(&[name("pytorch")]);
    assert_eq!(alone.iter().map(|subdir| subdir.records.len()).sum::<usize>(), 1);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_left_out_and_named_with_its_index() {
    let mirror = TestMirror::new().channel("conda-forge", |c| {
        c.add("a 2");
        for (file, record) in [
            ("a-1-0.conda", serde_json::json!({"name": "a", "version": 1})),
            ("a-1-1.conda", serde_json::json!({"name": "a", "version": "1", "build": "1"})),
            (
                "a-x_y-0.conda",
                serde_json::json!({
                    "name": "a", "version": "not a version", "build": "0", "build_number": 0
                }),
            ),
        ] {
            c.record(Subdir::Linux64, file, record);
        }
    });
    let clients = TestClients::for_mirrors(&[&mirror]);
    let indexes = clients.index().await.unwrap();
    assert_eq!(indexes.warnings, []);
    let loaded = indexes.load(&[name("a")]);
    let linux = &loaded[0];
    let files: Vec<_> = linux.records.iter().map(|record| record.identifier.to_string()).collect();
    assert_eq!(files, ["a-2-0.conda"]);
    let finding = linux.skipped_finding().unwrap();
    assert_eq!(
        finding.message,
        "3 records of the index of conda-forge/linux-64 can't be read and are left out"
    );
    for file in ["a-1-0.conda: ", "a-1-1.conda: ", "a-x_y-0.conda: "] {
        assert!(finding.notes[0].contains(file), "{finding:?}");
    }
    assert!(finding.notes[1].contains(&mirror.url()), "{finding:?}");
    assert_eq!(loaded[1].skipped_finding(), None);
}

#[tokio::test]
async fn if_the_preferred_archive_of_a_build_is_malformed_the_other_one_is_used() {
    let mirror = TestMirror::new().channel("conda-forge", |c| {
        c.tar_bz2();
        c.add("a 1");
        c.record(Subdir::Linux64, "a-1-0.conda", serde_json::json!({"name": "a", "version": "1"}));
    });
    let indexes = TestClients::for_mirrors(&[&mirror]).index().await.unwrap();
    let files: Vec<_> =
        records(&indexes, &["a"]).iter().map(|record| record.identifier.to_string()).collect();
    assert_eq!(files, ["a-1-0.tar.bz2"]);
}

#[tokio::test]
async fn a_version_with_a_dash_is_reported_for_the_package_of_its_record() {
    let mirror = TestMirror::new().channel("conda-forge", |c| {
        let record = serde_json::json!({
            "name": "pkg", "version": "0.5-5", "build": "0", "build_number": 0, "depends": []
        });
        c.record(Subdir::Linux64, "pkg-0.5-5-0.tar.bz2", record);
    });
    let indexes = TestClients::for_mirrors(&[&mirror]).index().await.unwrap();
    let loaded = indexes.load(&[name("pkg")]);
    let finding = loaded[0].skipped_finding().unwrap();
    assert!(finding.notes[0].contains("pkg-0.5-5-0.tar.bz2: "), "{finding:?}");
}

#[tokio::test]
async fn a_file_name_that_cannot_be_used_is_left_out_with_a_note() {
    let odd = [
        r#""//evil/a-1-0.tar.bz2":{}"#,
        r#""http://[-a-1-0.conda":{}"#,
        r#""a.conda":{}"#,
        r#""\u0061-1-0.conda":{}"#,
        r#""a-1-0.conda":7"#,
    ];
    for odd in odd {
        let mirror = small_mirror();
        let dir = mirror.channel_dir("conda-forge").join("linux-64");
        std::fs::remove_file(dir.join("repodata.json.zst")).unwrap();
        let text = std::fs::read_to_string(dir.join("repodata.json")).unwrap();
        let text = text.replacen(r#""packages":{"#, &format!(r#""packages":{{{odd},"#), 1);
        let text = text.replace(",}", "}");
        std::fs::write(dir.join("repodata.json"), text).unwrap();
        let clients = TestClients::for_mirrors(&[&mirror]);
        // The second run reads the cached index.
        for _ in 0..2 {
            let indexes = clients.index().await.unwrap();
            assert_eq!(indexes.warnings.len(), 1, "{odd}: {:?}", indexes.warnings);
            assert_eq!(indexes.warnings[0].level, envlock_report::Level::Note);
            assert_eq!(records(&indexes, &["numpy"]).len(), 2, "{odd}");
        }
    }
}

#[tokio::test]
async fn the_same_names_give_the_same_records_in_the_same_order() {
    let mirror = small_mirror();
    let indexes = TestClients::for_mirrors(&[&mirror]).index().await.unwrap();
    let load = |names: &[&str]| {
        let names: Vec<PackageName> = names.iter().map(|text| name(text)).collect();
        indexes.load(&names).into_iter().map(|subdir| subdir.records).collect::<Vec<_>>()
    };
    assert_eq!(load(&["numpy", "idna"]), load(&["idna", "numpy", "idna"]));
}

/// Returns a mirror in whose index of linux-64 the last `from` is `to`.
fn mirror_with(from: &[u8], to: &[u8]) -> TestMirror {
    let mirror = small_mirror();
    let dir = mirror.channel_dir("conda-forge").join("linux-64");
    std::fs::remove_file(dir.join("repodata.json.zst")).unwrap();
    let text = std::fs::read(dir.join("repodata.json")).unwrap();
    let at = text.windows(from.len()).rposition(|window| window == from).unwrap();
    let changed = [&text[..at], to, &text[at + from.len()..]].concat();
    std::fs::write(dir.join("repodata.json"), changed).unwrap();
    mirror
}

#[tokio::test]
async fn an_index_is_read_in_spite_of_what_json_does_not_have() {
    for (from, to) in [
        (&b"{\"info\""[..], &b"\xef\xbb\xbf{\"info\""[..]),
        (b"\"subdir\"", b"\"x\":NaN,\"y\":[-Infinity,Infinity],\"subdir\""),
        (b"\"subdir\"", b"\"summary\":\"caf\xe9\",\"subdir\""),
        (b"\"subdir\"", b"\"summary\":\"\xff\xfe\",\"subdir\""),
        (b"\"subdir\"", b"\"summary\":\"two\nlines and \\x41\",\"subdir\""),
    ] {
        let mirror = mirror_with(from, to);
        let mut clients = TestClients::for_mirrors(&[&mirror]);
        // The second run reads the cached index.
        for _ in 0..2 {
            let indexes = clients.index().await.unwrap();
            assert_eq!(records(&indexes, &["numpy", "idna"]).len(), 3);
        }
        // Without a network, too.
        clients.settings.offline = true;
        let offline = clients.index().await.unwrap();
        assert_eq!(records(&offline, &["numpy", "idna"]).len(), 3);
    }
}

#[tokio::test]
async fn a_record_with_a_text_that_is_not_utf_8_is_left_out_and_the_others_are_used() {
    for (from, to) in [
        (&b"\"subdir\""[..], &b"\"features\":\"\xa9\",\"subdir\""[..]),
        (b"\"subdir\"", b"\"caf\xe9\":1,\"subdir\""),
        (b"\"depends\":[", b"\"depends\":[\"p\xffthon\","),
    ] {
        let mirror = mirror_with(from, to);
        let clients = TestClients::for_mirrors(&[&mirror]);
        let loaded =
            clients.index().await.unwrap().load(&[name("numpy"), name("idna"), name("libblas")]);
        let found = loaded.iter().map(|subdir| subdir.records.len()).sum::<usize>();
        assert_eq!(found, 2, "{loaded:?}");
        let finding = loaded[0].skipped_finding().unwrap();
        assert!(finding.message.starts_with("1 record of"), "{finding:?}");
        assert!(finding.notes[0].contains(": a text of it isn't UTF-8"), "{finding:?}");
    }
    // Where no record ends, nothing can be left out.
    let mirror = mirror_with(b"\"subdir\"", b"\xff\"subdir\"");
    let error = TestClients::for_mirrors(&[&mirror]).index().await.unwrap_err();
    assert!(format!("{error:?}").contains("not an index"), "{error:?}");
}
