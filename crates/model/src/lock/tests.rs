//! Tests of reading and writing locks, also of random ones.

use std::str::FromStr;

use proptest::prelude::*;
use rattler_conda_types::{PackageName, PackageRecord, Version};

use envlock_report::{AsFindings, Place};

use super::*;
use crate::{lock_inputs::Priority, virtual_packages};

const ORIGIN: &str = "https://conda.anaconda.org/conda-forge/";

/// A random package. It depends on some of the packages before it.
#[derive(Debug, Clone)]
struct Sketch {
    version: String,
    build: String,
    depends: Vec<prop::sample::Index>,
    size: Option<u64>,
    timestamp: Option<i64>,
    license: Option<String>,
    old_format: bool,
    digest: [u8; 32],
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let milliseconds = prop::option::of(1_400_000_000_000..1_800_000_000_000_i64);
    (
        "[0-9]{1,3}(\\.[0-9]{1,4}){0,3}(rc1|a0|\\.post2)?",
        "[a-z]{1,4}[0-9_]{0,4}_[0-9]",
        prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        prop::option::of(any::<u32>().prop_map(u64::from)),
        milliseconds,
        prop::option::of("[A-Za-z][A-Za-z0-9 .:-]{0,12}[A-Z]"),
        any::<bool>(),
        any::<[u8; 32]>(),
    )
        .prop_map(|(version, build, depends, size, timestamp, license, old_format, digest)| {
            Sketch { version, build, depends, size, timestamp, license, old_format, digest }
        })
}

fn name_of(place: usize) -> String {
    format!("package-{place:02}")
}

fn record(place: usize, sketch: &Sketch, platform: Subdir) -> RepoDataRecord {
    let version = Version::from_str(&sketch.version).expect("a version");
    let name = PackageName::new_unchecked(name_of(place));
    let mut package = PackageRecord::new(
        name,
        rattler_conda_types::VersionWithSource::new(version, sketch.version.as_str()),
        rattler_conda_types::package::BuildString::new_unchecked(sketch.build.as_str()),
    );
    package.subdir = platform.to_string();
    package.sha256 = Some(sketch.digest.into());
    package.size = sketch.size;
    package.license.clone_from(&sketch.license);
    package.timestamp = sketch
        .timestamp
        .map(|at| jiff::Timestamp::from_millisecond(at).expect("within the years").into());
    if place > 0 {
        let depends = sketch.depends.iter().map(|index| name_of(index.index(place)) + " >=0a0");
        package.depends = depends.collect();
    }
    let ending = if sketch.old_format { "tar.bz2" } else { "conda" };
    let file = format!("{}-{}-{}.{ending}", name_of(place), sketch.version, sketch.build);
    RepoDataRecord {
        package_record: package,
        identifier: file.parse().expect("an archive's name"),
        url: format!("{ORIGIN}{platform}/{file}").parse().expect("a URL"),
        channel: Some(ORIGIN.to_owned()),
    }
}

prop_compose! {
    fn pip_line()(
        text in "[a-z]{1,6}(==[0-9.]{1,4})?",
        is_constraint in any::<bool>(),
        file in prop::option::of("[a-z]{1,6}\\.txt"),
    ) -> LockedPipLine {
        // Only an included file has constraints.
        LockedPipLine { text, is_constraint: is_constraint && file.is_some(), file }
    }
}

prop_compose! {
    fn lock()(
        name in "[^\\p{C}]{1,12}",
        variables in prop::collection::btree_map("[A-Z_]{1,8}", "((?s).|[\u{2028}\u{2029}]){0,20}", 0..4),
        linux in prop::collection::vec(sketch(), 0..8),
        mac in prop::option::of(prop::collection::vec(sketch(), 0..4)),
        pip in prop::collection::vec(pip_line(), 0..3),
        others in prop::collection::vec(prop::option::of(any::<([u8; 32], Option<u32>)>()), 8),
    ) -> Lock {
        let platform = |platform: Subdir, sketches: &[Sketch]| {
            let records: Vec<_> = sketches
                .iter()
                .enumerate()
                .map(|(place, sketch)| record(place, sketch, platform))
                .collect();
            let specs = records.iter().map(|r| r.package_record.name.as_source().to_owned());
            (platform, LockedPlatform {
                specs: specs.collect(),
                pip: pip.clone(),
                virtual_packages: virtual_packages::defaults(platform),
                records,
                wheels: Some(Vec::new()),
            })
        };
        let platforms: BTreeMap<_, _> = std::iter::once(platform(Subdir::Linux64, &linux))
            .chain(mac.as_deref().map(|mac| platform(Subdir::OsxArm64, mac)))
            .collect();
        let records = platforms[&Subdir::Linux64].records.iter();
        let other_archives = records.zip(others).filter_map(|(record, other)| {
            let (sha256, size) = other?;
            let archive = OtherArchive { sha256: sha256.into(), size: size.map(u64::from) };
            Some((record.url.clone(), archive))
        });
        let other_archives = other_archives.collect();
        Lock {
            name,
            channels: vec![RequestedChannel {
                name: "conda-forge".to_owned(),
                urls: vec![Url::parse(ORIGIN).expect("a URL")],
                multi: false,
                only_for_specs: false,
            }],
            platforms,
            variables,
            priority: Priority::Strict,
            exclude_newer: None,
            needs: None,
            other_archives,
        }
    }
}

/// Removes `arch` and `platform`, which the library derives from the subdir.
fn without_derived(lock: &Lock) -> Lock {
    let mut lock = lock.clone();
    for record in lock.platforms.values_mut().flat_map(|locked| &mut locked.records) {
        let package = &mut record.package_record;
        (package.arch, package.platform) = (None, None);
    }
    lock
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_lock_is_read_as_it_was_written_and_written_as_it_was_read(lock in lock()) {
        let text = write(&lock).expect("it can be written");
        let again = read(FILE_NAME, &text).map_err(|error| TestCaseError::fail(format!("{error:?}\n{text}")))?;
        prop_assert_eq!(&write(&again).expect("again"), &text);
        prop_assert_eq!(without_derived(&again), without_derived(&lock));
    }

    #[test]
    fn any_text_is_a_lock_or_has_findings(edits in prop::collection::vec((any::<prop::sample::Index>(), ".{0,3}"), 1..6), lock in lock()) {
        let mut text: Vec<char> = write(&lock).expect("it can be written").chars().collect();
        for (index, put) in edits {
            let at = index.index(text.len());
            let end = (at + put.chars().count()).min(text.len());
            text.splice(at..end, put.chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(error) = read(FILE_NAME, &text) {
            use envlock_report::AsFindings as _;
            prop_assert!(!error.findings().is_empty());
        }
    }
}

fn small() -> Lock {
    let sketch = Sketch {
        version: "1.0".to_owned(),
        build: "h_0".to_owned(),
        depends: Vec::new(),
        size: None,
        timestamp: None,
        license: None,
        old_format: false,
        digest: [7; 32],
    };
    let records = vec![record(0, &sketch, Subdir::Linux64)];
    let locked = LockedPlatform {
        specs: vec![name_of(0)],
        pip: Vec::new(),
        virtual_packages: Vec::new(),
        records,
        wheels: Some(Vec::new()),
    };
    Lock {
        name: "x".to_owned(),
        channels: vec![RequestedChannel {
            name: "conda-forge".to_owned(),
            urls: vec![Url::parse(ORIGIN).expect("a URL")],
            multi: false,
            only_for_specs: false,
        }],
        platforms: BTreeMap::from([(Subdir::Linux64, locked)]),
        variables: BTreeMap::new(),
        priority: Priority::Strict,
        exclude_newer: None,
        needs: None,
        other_archives: BTreeMap::new(),
    }
}

/// Returns the small lock with its only record changed.
fn with(change: impl FnOnce(&mut RepoDataRecord)) -> Lock {
    let mut lock = small();
    let locked = lock.platforms.get_mut(&Subdir::Linux64).expect("it is there");
    change(&mut locked.records[0]);
    lock
}

#[test]
fn a_credential_or_a_query_is_never_written() {
    for url in [
        "https://user:geheim@conda.anaconda.org/conda-forge/linux-64/package-00-1.0-h_0.conda",
        "https://conda.anaconda.org/t/geheim/conda-forge/linux-64/package-00-1.0-h_0.conda",
        "https://conda.anaconda.org/conda-forge/linux-64/package-00-1.0-h_0.conda?sig=geheim",
    ] {
        let error = write(&with(|record| record.url = url.parse().expect("a URL")));
        let message = error.expect_err(url).to_string();
        assert!(message.contains("package-00") && !message.contains("geheim"), "{message}");
        let url = url.rsplit_once("/linux-64").expect("it has one").0.to_owned() + "/?geheim";
        let error = write(&with(|record| record.channel = Some(url)));
        assert!(matches!(error, Err(LockWriteError::Credential { .. })));
    }
    let mut lock = small();
    lock.channels[0].urls[0].set_query(Some("geheim"));
    assert!(matches!(write(&lock), Err(LockWriteError::Credential { .. })));
    let mut lock = small();
    lock.variables.insert("URL".to_owned(), "https://me:geheim@h/".to_owned());
    assert!(matches!(write(&lock), Err(LockWriteError::Credential { .. })));
    for line in ["git+https://me:geheim@pypi.example/simple", "https://h/x.whl?sig=geheim"] {
        let mut lock = small();
        let locked = lock.platforms.get_mut(&Subdir::Linux64).expect("it is there");
        let text = line.to_owned();
        locked.pip = vec![LockedPipLine { text, is_constraint: false, file: None }];
        let message = write(&lock).expect_err(line).to_string();
        assert!(!message.contains("geheim"), "{message}");
    }
}

#[test]
fn a_record_without_sha256_is_never_written() {
    let error = write(&with(|record| record.package_record.sha256 = None));
    assert!(matches!(error, Err(LockWriteError::NoSha256 { .. })));
}

#[test]
fn the_environment_digest_depends_on_the_contents_of_a_prefix_only() {
    let environment_digest = |lock: &Lock| lock.environment_digest(Subdir::Linux64, false, true);
    let base = environment_digest(&small());
    assert_eq!(environment_digest(&small()), base);
    assert_ne!(small().environment_digest(Subdir::Linux64, true, true), base);
    assert_ne!(
        environment_digest(&with(|record| record.package_record.sha256 = Some([8; 32].into()))),
        base
    );
    let mut variable = small();
    variable.variables.insert("A".to_owned(), "1".to_owned());
    assert_ne!(environment_digest(&variable), base);
    let mut named = small();
    named.name = "y".to_owned();
    named.platforms.insert(Subdir::OsxArm64, named.platforms[&Subdir::Linux64].clone());
    assert_eq!(environment_digest(&named), base);
}

#[test]
fn a_malformed_record_is_neither_written_nor_read() {
    type Change = fn(&mut RepoDataRecord);
    let changes: [Change; 3] = [
        |record| record.package_record.subdir = "../x".to_owned(),
        |record| record.package_record.depends = vec!["b ".to_owned() + &"(".repeat(5000)],
        |record| record.url = "https://conda.anaconda.org/conda-forge/x".parse().expect("a URL"),
    ];
    for change in changes {
        let error = write(&with(change)).expect_err("a malformed record");
        assert!(matches!(error, LockWriteError::Malformed { .. }), "{error}");
    }
    let text = write(&small()).expect("a lock");
    let start = text.find("  sha256: ").expect("the block of the package");
    let brackets = format!("depends: ['b {}']", "(".repeat(5000));
    for line in
        ["subdir: ../x", "subdir: /etc", "build: ../../x", "version: '2'", "name: other", &brackets]
    {
        let mut text = text.clone();
        text.insert_str(start, &format!("  {line}\n"));
        let error = read(FILE_NAME, &text).expect_err(line);
        let findings = error.findings();
        let is_malformed = |finding: &envlock_report::Finding| {
            finding.code == envlock_report::Code::LockInconsistent
                && finding.message.contains("is malformed")
        };
        assert!(findings.iter().any(is_malformed), "{line}: {findings:?}");
        // A solve keeps the packages of this lock.
        let LockError::Inconsistent { lock, .. } = error else { panic!("{line}") };
        assert!(lock.platforms.values().all(|locked| locked.records.is_empty()), "{line}");
    }
}

#[test]
fn the_first_hundred_contradictions_are_reported_and_the_others_are_counted() {
    let mut lock = small();
    let locked = lock.platforms.get_mut(&Subdir::Linux64).expect("the platform");
    locked.specs.extend((0..300).map(|number| format!("missing-{number}")));
    let text = write(&lock).expect("a lock");
    let findings = read(FILE_NAME, &text).expect_err("missing packages").findings();
    assert_eq!(findings.len(), 101);
    assert_eq!(findings[100].message, "the lock has 200 more contradictions");
}

#[test]
fn deep_nesting_is_an_error_at_its_place_without_delay() {
    let text = write(&small()).expect("a lock");
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("[\n", "]"), ("? ", "")] {
        let nested = format!("{text}x:\n  {}{}\n", open.repeat(100_000), close.repeat(100_000));
        let error = read(FILE_NAME, &nested).expect_err(open);
        assert!(error.findings()[0].place.is_some(), "{open}");
    }
}

const NEEDS: &str = "secrets:\n  version: 1\n  needs:\n    db:\n      engine: kv2\n      \
                     mount: secret\n      path: a\n";

#[test]
fn the_needs_of_a_lock_are_written_as_they_were_read() {
    let text = write(&small()).expect("a lock") + NEEDS;
    let lock = read(FILE_NAME, &text).expect("what is written can be read");
    let needs = &lock.needs.as_ref().expect("the block is there").needs;
    assert_eq!(needs["db"].location(), "secret/a");
    assert_eq!(write(&lock).expect("it can be written"), text);
}

#[test]
fn a_malformed_block_of_needs_is_an_error_at_its_line_and_never_no_needs() {
    let body = write(&small()).expect("a lock");
    let first = u32::try_from(body.lines().count()).expect("few") + 1;
    for (from, to, line, column) in [
        ("engine: kv2", "engine: kv3", 4, 15),
        ("path: a", "pth: a", 6, 7),
        ("path: a", "path: a\n      fields: [x]", 7, 15),
        ("      path: a", "      path: a\n      path: b", 7, 7),
        ("version: 1", "version: 7", 1, 12),
        ("version: 1", "vers: 1", 1, 3),
        ("secrets:\n", "secrets: ~\nx:\n", 0, 10),
    ] {
        let text = body.clone() + &NEEDS.replacen(from, to, 1);
        let error = read(FILE_NAME, &text).expect_err(to);
        let places: Vec<_> =
            error.findings().into_iter().map(|finding| finding.place.expect("a place")).collect();
        assert!(places.contains(&Place::new(FILE_NAME, first + line, column)), "{to}: {places:?}");
        assert_eq!(error.exit(), envlock_report::Exit::Usage);
    }
    let elsewhere = NEEDS.replacen("secrets:\n", "\"secrets\":\n", 1) + "later: 1\n";
    let lock = read(FILE_NAME, &(body + &elsewhere)).expect("a quoted key is the same key");
    assert!(lock.needs.is_some());
}

#[test]
fn a_line_of_an_included_file_is_a_mapping_in_the_lock() {
    let mut lock = small();
    let line = |text: &str, is_constraint, file: Option<&str>| LockedPipLine {
        text: text.to_owned(),
        is_constraint,
        file: file.map(str::to_owned),
    };
    let locked = lock.platforms.get_mut(&Subdir::Linux64).expect("it is there");
    locked.pip = vec![
        line("-e .", false, None),
        line("--extra-index-url https://${TOKEN}@h/", false, None),
        line("urllib3<2", true, Some("req/limits.txt")),
    ];
    let text = write(&lock).expect("it has no credential");
    let pip = "        pip:\n        - -e .\n        - --extra-index-url https://${TOKEN}@h/\n        \
               - line: urllib3<2\n          constraint: true\n          file: req/limits.txt\n";
    assert!(text.contains(pip), "{text}");
    let read = super::read("envlock.lock", &text).expect("it is written by this release");
    let lines = &read.platforms[&Subdir::Linux64].pip;
    assert_eq!(*lines, lock.platforms[&Subdir::Linux64].pip);
    let options: Vec<_> = lines.iter().map(LockedPipLine::is_option).collect();
    assert_eq!(options, [false, true, false]);
    let broken = text.replace("constraint: true", "constrained: true");
    assert!(super::read("envlock.lock", &broken).is_err());
}
