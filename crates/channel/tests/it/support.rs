//! Clients on test mirrors, and the events that they report.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use envlock_channel::{
    ChannelRequest, Client, FetchError, IdleEvent, IndexError, Indexes, Settings, Sources,
    UnpackedPackage, parse_mirror,
};
use envlock_model::channel::Channel;
use envlock_model::lock::OtherArchives;
use envlock_model::progress::{Event, Notice, Observer, Phase, RequestedFile};
use envlock_report::AsFindings;
use envlock_testkit::{Hangs, Subdir, TestMirror};
use percent_encoding::percent_decode_str;
use rattler_conda_types::{PackageName, RepoDataRecord};
use tempfile::TempDir;
use url::Url;

/// What a lock has in which no build has a second archive.
pub(crate) static NO_OTHER_ARCHIVES: OtherArchives = OtherArchives::new();

pub(crate) const FORGE: &str = "https://conda.anaconda.org/conda-forge/";

/// Records all events.
#[derive(Default)]
pub(crate) struct RecordedEvents(Mutex<Vec<Event>>);

impl Observer for RecordedEvents {
    fn observe(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl RecordedEvents {
    pub(crate) fn notices(&self) -> Vec<Notice> {
        let notice = |event: &Event| match event {
            Event::Notice(notice) => Some(notice.clone()),
            _ => None,
        };
        self.0.lock().unwrap().iter().filter_map(notice).collect()
    }

    /// Returns every failover: the requested file, the source, the reason and the next source.
    pub(crate) fn failures(&self) -> Vec<(RequestedFile, String, String, String)> {
        let failure = |notice| match notice {
            Notice::SourceFailed { file, source, reason, next } => {
                Some((file, source, reason, next))
            }
            _ => None,
        };
        self.notices().into_iter().filter_map(failure).collect()
    }

    /// Returns the expected and the completed units of a phase.
    pub(crate) fn units(&self, wanted: Phase) -> (u64, u64) {
        let mut sums = (0, 0);
        for event in self.0.lock().unwrap().iter() {
            match event {
                Event::Expect { phase, units } if *phase == wanted => sums.0 += units,
                Event::Advance { phase, units } if *phase == wanted => sums.1 += units,
                _ => {}
            }
        }
        sums
    }
}

/// A cache and settings. Each run uses a new client with them.
pub(crate) struct TestClients {
    pub(crate) settings: Settings,
    pub(crate) events: RecordedEvents,
    cache: TempDir,
}

impl TestClients {
    /// Uses these URLs, in this order, as mirrors of both public origins; never the origins.
    pub(crate) fn for_urls(urls: &[&str]) -> Self {
        let cache = tempfile::tempdir().unwrap();
        let mirrors = urls.iter().flat_map(|url| {
            let forge = parse_mirror(&format!("https://conda.anaconda.org/={url}/anaconda/cloud/"));
            let main = parse_mirror(&format!("https://repo.anaconda.com/={url}/anaconda/"));
            [forge.unwrap(), main.unwrap()].concat()
        });
        let settings = Settings {
            sources: Sources::new(mirrors.collect(), false),
            backoff: Duration::from_millis(1),
            proxies: false,
            ..Settings::new(cache.path().join("缓存"), "envlock/0.0.0-test")
        };
        Self { settings, events: RecordedEvents::default(), cache }
    }

    /// Uses these mirrors. The wait for a response ends when a mirror reports that it hangs, and
    /// never after a time.
    pub(crate) fn for_mirrors(test_mirrors: &[&TestMirror]) -> Self {
        let urls: Vec<String> = test_mirrors.iter().map(|mirror| mirror.url()).collect();
        let mut clients = Self::for_urls(&urls.iter().map(String::as_str).collect::<Vec<_>>());
        let hangs: Vec<_> = test_mirrors.iter().map(|mirror| mirror.hangs()).collect();
        let mirrors: Vec<(String, Hangs)> = urls.into_iter().zip(hangs).collect();
        clients.settings.idle_event = Some(IdleEvent::new(move |url| {
            let is_of =
                |(mirror, _): &&(String, Hangs)| url.as_str().starts_with(&format!("{mirror}/"));
            let hangs = mirrors.iter().find(is_of).map(|(_, hangs)| hangs.clone());
            let path = percent_decode_str(url.path()).decode_utf8_lossy().into_owned();
            Box::pin(async move {
                match hangs {
                    Some(hangs) => hangs.next(&path).await,
                    None => std::future::pending().await,
                }
            })
        }));
        clients
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.cache.path().join("缓存")
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.settings.clone()).unwrap()
    }

    /// Fetches the indexes of conda-forge for linux-64 with a new client.
    pub(crate) async fn index(&self) -> Result<Indexes, IndexError> {
        self.indexes(&[request("conda-forge", FORGE)]).await
    }

    pub(crate) async fn indexes(&self, wanted: &[ChannelRequest]) -> Result<Indexes, IndexError> {
        self.client().indexes(wanted, &self.events).await
    }

    /// Returns the folders of these packages. The lock has no other archives.
    pub(crate) async fn packages(
        &self,
        records: &[RepoDataRecord],
    ) -> Result<Vec<PathBuf>, FetchError> {
        dirs(self.packages_or_other_archives(records, &NO_OTHER_ARCHIVES).await)
    }

    pub(crate) async fn packages_or_other_archives(
        &self,
        records: &[RepoDataRecord],
        archives: &OtherArchives,
    ) -> Result<Vec<UnpackedPackage>, FetchError> {
        self.client().packages(records, archives, &self.events).await
    }
}

/// Returns the folders of unpacked packages.
pub(crate) fn dirs(
    packages: Result<Vec<UnpackedPackage>, FetchError>,
) -> Result<Vec<PathBuf>, FetchError> {
    Ok(packages?.into_iter().map(|package| package.dir).collect())
}

pub(crate) fn request(name: &str, url: &str) -> ChannelRequest {
    let channel = Channel { name: name.into(), url: Url::parse(url).unwrap(), multichannel: None };
    ChannelRequest { channel, subdirs: vec![Subdir::Linux64] }
}

pub(crate) fn folder(path: &Path) -> ChannelRequest {
    let url = Url::from_directory_path(path).unwrap();
    request(url.as_str(), url.as_str())
}

pub(crate) fn name(text: &str) -> PackageName {
    text.parse().unwrap()
}

/// Returns all records of these packages and of their dependencies.
pub(crate) fn records(indexes: &Indexes, names: &[&str]) -> Vec<RepoDataRecord> {
    let names: Vec<PackageName> = names.iter().map(|text| name(text)).collect();
    indexes.load(&names).into_iter().flat_map(|subdir| subdir.records).collect()
}

/// Returns the findings of an error as text, and its exit code.
pub(crate) fn error_text(error: &impl AsFindings) -> (String, u8) {
    let lines = error.findings().into_iter().map(|finding| {
        let notes = finding.notes.join("\n");
        format!(
            "{}: {}\n{notes}\n{}",
            finding.code,
            finding.message,
            finding.help.unwrap_or_default()
        )
    });
    (lines.collect::<Vec<_>>().join("\n"), error.exit().code())
}

/// A mirror with one package for linux-64 and one for noarch.
pub(crate) fn small_mirror() -> TestMirror {
    TestMirror::new().channel("conda-forge", |c| {
        c.add("numpy 1.24.3 py310_0 | python >=3.10; libblas");
        c.add("libblas 3.9.0 0");
        c.noarch("idna 3.4 pyhd_0 | python");
    })
}

/// Returns a URL at which no server listens.
pub(crate) fn unreachable_url() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
