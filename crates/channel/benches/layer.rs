//! Measures the cost of mirrors, retries and checks with a mirror without faults, compared with
//! plain downloads by the same HTTP library: `cargo bench -p envlock-channel`.
//!
//! Both download the same archives from the same loopback server, eight at a time. The layer
//! hashes, checks and writes them; a plain download only writes them. The minimum of several
//! rounds is printed, because other processes can only make a round slower.
// An unwrap in a benchmark is an assertion, and a benchmark prints its result.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss)]

use std::path::Path;
use std::time::{Duration, Instant};

use envlock_channel::{ChannelRequest, Client, Settings, Sources, parse_mirror};
use envlock_model::channel::Channel;
use envlock_model::lock::OtherArchives;
use envlock_model::progress::NoProgress;
use envlock_testkit::{Subdir, TestMirror};
use futures::{StreamExt, stream};
use rattler_conda_types::RepoDataRecord;
use url::Url;

const ROUNDS: usize = 7;
const JOBS: usize = 8;
const PACKAGES: usize = 60;
const FILES: usize = 300;

#[tokio::main]
async fn main() {
    let world = TestMirror::new().channel("conda-forge", |c| c.synthetic(PACKAGES - 1, FILES));
    let records = records(&world).await;
    let bytes: u64 = records.iter().filter_map(|record| record.package_record.size).sum();
    let (mut plain, mut layer) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        plain = plain.min(timed(download(&world, &records)).await);
        layer = layer.min(timed(through_the_layer(&world, &records)).await);
    }
    let cost = (layer.as_secs_f64() / plain.as_secs_f64() - 1.0) * 100.0;
    let per_file = (layer.as_secs_f64() - plain.as_secs_f64()) * 1e3 / records.len() as f64;
    println!("| archives | bytes | plain download | through the layer | cost | a file |");
    println!("|---|---|---|---|---|---|");
    println!(
        "| {} | {:.1} MB | {:.0} ms | {:.0} ms | {cost:+.0} % | {per_file:+.2} ms |",
        records.len(),
        bytes as f64 / 1e6,
        plain.as_secs_f64() * 1e3,
        layer.as_secs_f64() * 1e3,
    );
}

fn client(world: &TestMirror, cache: &Path) -> Client {
    let mirror = format!("https://conda.anaconda.org/={}/anaconda/cloud/", world.url());
    let settings = Settings {
        sources: Sources::new(parse_mirror(&mirror).unwrap(), false),
        jobs: JOBS,
        proxies: false,
        ..Settings::new(cache, "envlock/0.0.0-bench")
    };
    Client::new(settings).unwrap()
}

async fn records(world: &TestMirror) -> Vec<RepoDataRecord> {
    let cache = tempfile::tempdir().unwrap();
    let url = Url::parse("https://conda.anaconda.org/conda-forge/").unwrap();
    let channel = Channel { name: "conda-forge".into(), url, multichannel: None };
    let wanted = [ChannelRequest { channel, subdirs: vec![Subdir::Linux64] }];
    let indexes = client(world, cache.path()).indexes(&wanted, &NoProgress).await.unwrap();
    let found = indexes.load(&["synth-all".parse().unwrap()]);
    found.into_iter().flat_map(|subdir| subdir.records).collect()
}

async fn timed(work: impl Future<Output = ()>) -> Duration {
    let start = Instant::now();
    work.await;
    start.elapsed()
}

/// Uses a new client in each round, as a run does.
async fn download(world: &TestMirror, records: &[RepoDataRecord]) {
    let folder = tempfile::tempdir().unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let all = records.iter().map(|record| async {
        let name = record.identifier.to_string();
        let url = format!("{}/anaconda/cloud/conda-forge/linux-64/{name}", world.url());
        let mut response = http.get(url).send().await.unwrap().error_for_status().unwrap();
        let mut file = std::fs::File::create(folder.path().join(name)).unwrap();
        while let Some(chunk) = response.chunk().await.unwrap() {
            std::io::Write::write_all(&mut file, &chunk).unwrap();
        }
    });
    stream::iter(all).buffer_unordered(JOBS).collect::<Vec<()>>().await;
}

async fn through_the_layer(world: &TestMirror, records: &[RepoDataRecord]) {
    let folder = tempfile::tempdir().unwrap();
    let client = client(world, &folder.path().join("cache"));
    client
        .write_channel(records, &OtherArchives::new(), &folder.path().join("channel"), &NoProgress)
        .await
        .unwrap();
}
