//! Every fault, at every position, of every kind of file, at every speed.

use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use envlock_testkit::{Fault, Pace, TestMirror, files_containing};
use futures::{StreamExt, stream};
use rattler_conda_types::RepoDataRecord;

use crate::support::{FORGE, NO_OTHER_ARCHIVES, TestClients, error_text, records, request};

/// The kind of the requested file.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Zst,
    Json,
    Conda,
    TarBz2,
}

const KINDS: [Kind; 4] = [Kind::Zst, Kind::Json, Kind::Conda, Kind::TarBz2];

impl Kind {
    fn file(self) -> &'static str {
        match self {
            Self::Zst => "repodata.json.zst",
            Self::Json => "repodata.json",
            Self::Conda => "app-1.0-0.conda",
            Self::TarBz2 => "lib-1.2-0.tar.bz2",
        }
    }

    fn pattern(self) -> String {
        format!("*/linux-64/{}", self.file())
    }

    /// Returns a mirror with the file. For [`Kind::Json`] it has no compressed index.
    fn mirror(self) -> TestMirror {
        TestMirror::new().channel("conda-forge", |c| {
            c.add("app 1.0 | lib");
            c.tar_bz2();
            c.add("lib 1.2");
            if self == Self::Json {
                c.json_only();
            }
        })
    }
}

/// At once, in chunks, and byte by byte.
const PACES: [Option<Pace>; 3] = [
    None,
    Some(Pace { chunk: 300, pause: Duration::from_millis(5) }),
    Some(Pace { chunk: 1, pause: Duration::ZERO }),
];

/// Returns all faults of a file of `length` bytes, at each position.
fn faults(length: usize) -> Vec<Fault> {
    // After the headers, in the middle, before the last byte.
    let moments = [0, length / 2, length - 1];
    let bytes = |length: usize| Fault::Bytes(vec![b'x'; length].into());
    let mut faults = vec![Fault::Close, Fault::Hang, Fault::Html, Fault::Corrupt];
    faults.extend([403, 404, 410, 429, 500, 502, 503].map(Fault::status));
    faults.extend([0, length - 1, length, length + 1, 100 * length].map(bytes));
    faults.extend(moments.map(Fault::Truncate));
    faults.extend(moments.map(Fault::Stall));
    faults
}

/// Returns all faults of a file of this kind.
fn once(kind: Kind) -> Vec<Fault> {
    let mirror = kind.mirror();
    let file = mirror.channel_dir("conda-forge").join("linux-64").join(kind.file());
    let length = usize::try_from(fs::metadata(file).unwrap().len()).unwrap();
    // A plain index with a wrong byte can't be distinguished from another index.
    let is_detectable = |fault: &Fault| kind != Kind::Json || *fault != Fault::Corrupt;
    faults(length).into_iter().filter(is_detectable).collect()
}

/// Returns all faults of a file of this kind, at every speed.
fn at_every_pace(kind: Kind) -> Vec<Fault> {
    let paced = |fault: Fault| {
        PACES.map(|pace| match pace {
            Some(pace) => fault.clone().with_pace(pace),
            None => fault.clone(),
        })
    };
    once(kind).into_iter().flat_map(paced).collect()
}

/// Fetches the index and the packages, and checks the contents of the packages.
async fn fetch_all(clients: &TestClients) -> Result<Vec<RepoDataRecord>, String> {
    let client = clients.client();
    let wanted = [request("conda-forge", FORGE)];
    let indexes =
        client.indexes(&wanted, &clients.events).await.map_err(|error| error_text(&error).0)?;
    if let Some(warning) = indexes.warnings.first() {
        return Err(warning.message.clone());
    }
    let found = records(&indexes, &["app"]);
    let paths = client
        .packages(&found, &NO_OTHER_ARCHIVES, &clients.events)
        .await
        .map_err(|error| error_text(&error).0)?;
    for (path, text) in paths.iter().zip(["app 1.0 | lib", "lib 1.2"]) {
        let name = text.split(' ').next().unwrap();
        let got = fs::read_to_string(path.dir.join(format!("share/{name}/of"))).unwrap();
        assert_eq!(got, text);
    }
    Ok(found)
}

/// Runs a case for every kind and every fault of a table, many concurrently.
async fn for_all_cases<F: Future<Output = ()>>(
    table: fn(Kind) -> Vec<Fault>,
    case: impl Fn(Kind, Fault) -> F,
) {
    let cases =
        KINDS.into_iter().flat_map(|kind| table(kind).into_iter().map(move |fault| (kind, fault)));
    let cases: Vec<_> = cases.collect();
    assert!(cases.len() >= 4 * 22 - 1);
    let running = cases.into_iter().map(|(kind, fault)| case(kind, fault));
    stream::iter(running).buffer_unordered(16).collect::<Vec<()>>().await;
}

fn shortened(case: &impl Debug) -> String {
    let mut text = format!("{case:?}");
    text.truncate(200);
    text
}

#[tokio::test]
async fn after_any_fault_of_one_source_the_next_delivers() {
    for_all_cases(at_every_pace, async |kind, fault: Fault| {
        let (bad, good) = (kind.mirror().with_fault(&kind.pattern(), fault.clone()), kind.mirror());
        let clients = TestClients::for_mirrors(&[&bad, &good]);
        let case = shortened(&(kind, &fault));
        let wanted = fetch_all(&clients).await.unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(wanted.len(), 2, "{case}");
        // After a damaged compressed index the plain one of the same source is used without a notice.
        let absent = [Fault::status(404), Fault::status(410)];
        let is_absent = |fault: &Fault| match fault {
            Fault::Slow { fault: Some(fault), .. } => absent.contains(fault),
            fault => absent.contains(fault),
        };
        let quiet = kind == Kind::Json && is_absent(&fault);
        if kind != Kind::Zst && !quiet {
            assert!(!clients.events.notices().is_empty(), "{case}");
        }
        assert!(bad.requests(&kind.pattern()).len() <= 3, "{case}");
        assert_eq!(left_in_tmp(&clients), Vec::<PathBuf>::new(), "{case}");
    })
    .await;
}

#[tokio::test]
async fn after_one_transient_fault_the_same_source_delivers() {
    for_all_cases(once, async |kind, fault: Fault| {
        if !is_transient(&fault) && kind != Kind::Zst {
            return;
        }
        let mirror = kind.mirror().with_fault_times(1, &kind.pattern(), fault.clone());
        let clients = TestClients::for_mirrors(&[&mirror]);
        let case = shortened(&(kind, &fault));
        fetch_all(&clients).await.unwrap_or_else(|error| panic!("{case}: {error}"));
    })
    .await;
}

/// Whether the same source may deliver the file at the second request.
fn is_transient(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Close
            | Fault::Hang
            | Fault::Truncate(_)
            | Fault::Stall(_)
            | Fault::Status(429 | 500..=599, _)
    )
}

#[tokio::test]
async fn without_another_source_a_fault_is_an_error_and_no_file_is_kept() {
    for_all_cases(once, async |kind, fault: Fault| {
        let mirror = kind.mirror().with_fault(&kind.pattern(), fault.clone());
        let clients = TestClients::for_mirrors(&[&mirror]);
        let case = shortened(&(kind, &fault));
        let result = fetch_all(&clients).await;
        match kind {
            // The plain index is used, unless the source sent nothing.
            Kind::Zst if result.is_ok() => {}
            Kind::Zst | Kind::Json => {
                assert!(result.is_err(), "{case}");
                assert!(files_containing(&clients.cache(), "app-1.0").is_empty(), "{case}");
            }
            Kind::Conda | Kind::TarBz2 => {
                assert!(result.is_err(), "{case}");
                let name = kind.file().split('-').next().unwrap();
                assert!(
                    files_containing(&clients.cache().join("pkgs"), format!("share/{name}/of"))
                        .is_empty()
                );
            }
        }
        assert_eq!(left_in_tmp(&clients), Vec::<PathBuf>::new(), "{case}");
    })
    .await;
}

/// Returns the temporary files and folders that are left.
fn left_in_tmp(clients: &TestClients) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(clients.cache().join("tmp")) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).collect()
}
