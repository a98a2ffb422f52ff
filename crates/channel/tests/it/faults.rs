//! Each fault, at each moment, of each kind of file, at each pace: the table is data.

use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use envlock_testkit::{Fault, Pace, TestMirror, files_containing};
use futures::{StreamExt, stream};
use rattler_conda_types::RepoDataRecord;

use crate::support::{FORGE, TestClients, error_text, records, request};

/// What is asked for: a pattern of its path, and its file in the subdir.
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

    /// A world that has it; the plain index is alone, so that it is what is asked for.
    fn world(self) -> TestMirror {
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

/// Whole, in pieces, and byte by byte.
const PACES: [Option<Pace>; 3] = [
    None,
    Some(Pace { chunk: 300, pause: Duration::from_millis(5) }),
    Some(Pace { chunk: 1, pause: Duration::ZERO }),
];

/// All faults of a file that is `length` bytes long, at each of their moments.
fn faults(length: usize) -> Vec<Fault> {
    // Behind the headers, in the middle, before the last byte.
    let moments = [0, length / 2, length - 1];
    let bytes = |length: usize| Fault::Bytes(vec![b'x'; length].into());
    let mut faults = vec![Fault::Close, Fault::Hang, Fault::Html, Fault::Corrupt];
    faults.extend([403, 404, 410, 429, 500, 502, 503].map(Fault::status));
    faults.extend([0, length - 1, length, length + 1, 100 * length].map(bytes));
    faults.extend(moments.map(Fault::Truncate));
    faults.extend(moments.map(Fault::Stall));
    faults
}

/// All that can go wrong with a file of this kind.
fn once(kind: Kind) -> Vec<Fault> {
    let world = kind.world();
    let file = world.channel_dir("conda-forge").join("linux-64").join(kind.file());
    let length = usize::try_from(fs::metadata(file).unwrap().len()).unwrap();
    // Nothing tells a plain index with a wrong byte from another index.
    let can_be_told = |fault: &Fault| kind != Kind::Json || *fault != Fault::Corrupt;
    faults(length).into_iter().filter(can_be_told).collect()
}

/// All pairs of what can go wrong and how slowly.
fn at_every_pace(kind: Kind) -> Vec<Fault> {
    let paced = |fault: Fault| {
        PACES.map(|pace| match pace {
            Some(pace) => fault.clone().with_pace(pace),
            None => fault.clone(),
        })
    };
    once(kind).into_iter().flat_map(paced).collect()
}

fn impatient(worlds: &[&TestMirror]) -> TestClients {
    let mut clients = TestClients::for_mirrors(worlds);
    clients.settings.idle_timeout = Duration::from_secs(3);
    clients
}

/// Index and packages, and whether all is there as it should be.
async fn whole(clients: &TestClients) -> Result<Vec<RepoDataRecord>, String> {
    let client = clients.client();
    let wanted = [request("conda-forge", FORGE)];
    let indexes =
        client.indexes(&wanted, &clients.events).await.map_err(|error| error_text(&error).0)?;
    if let Some(warning) = indexes.warnings.first() {
        return Err(warning.message.clone());
    }
    let found = records(&indexes, &["app"]);
    let paths =
        client.packages(&found, &clients.events).await.map_err(|error| error_text(&error).0)?;
    for (path, text) in paths.iter().zip(["app 1.0 | lib", "lib 1.2"]) {
        let name = text.split(' ').next().unwrap();
        let got = fs::read_to_string(path.join(format!("share/{name}/of"))).unwrap();
        assert_eq!(got, text);
    }
    Ok(found)
}

/// Runs a case for every kind and fault of a table, many at a time.
async fn all<F: Future<Output = ()>>(
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

fn shown(case: &impl Debug) -> String {
    let mut text = format!("{case:?}");
    text.truncate(200);
    text
}

#[tokio::test]
async fn whatever_goes_wrong_at_one_source_the_next_delivers() {
    all(at_every_pace, async |kind, fault: Fault| {
        let (bad, good) = (kind.world().with_fault(&kind.pattern(), fault.clone()), kind.world());
        let clients = impatient(&[&bad, &good]);
        let case = shown(&(kind, &fault));
        let wanted = whole(&clients).await.unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(wanted.len(), 2, "{case}");
        // A compressed index has the plain one beside it; all else is worth a word.
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
        assert_eq!(left(&clients), Vec::<PathBuf>::new(), "{case}");
    })
    .await;
}

#[tokio::test]
async fn what_passes_is_survived_without_another_source() {
    all(once, async |kind, fault: Fault| {
        if !passes(&fault) && kind != Kind::Zst {
            return;
        }
        let world = kind.world().with_fault_times(1, &kind.pattern(), fault.clone());
        let clients = impatient(&[&world]);
        let case = shown(&(kind, &fault));
        whole(&clients).await.unwrap_or_else(|error| panic!("{case}: {error}"));
    })
    .await;
}

/// Whether the same source may deliver what it didn't deliver at first.
fn passes(fault: &Fault) -> bool {
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
async fn without_another_source_it_is_an_error_and_nothing_of_it_is_kept() {
    all(once, async |kind, fault: Fault| {
        let world = kind.world().with_fault(&kind.pattern(), fault.clone());
        let clients = impatient(&[&world]);
        let case = shown(&(kind, &fault));
        let result = whole(&clients).await;
        match kind {
            // The plain one is beside it, unless the source was silent.
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
        assert_eq!(left(&clients), Vec::<PathBuf>::new(), "{case}");
    })
    .await;
}

/// Temporary files and folders that are left.
fn left(clients: &TestClients) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(clients.cache().join("tmp")) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).filter(|path| !path.ends_with("gate")).collect()
}
