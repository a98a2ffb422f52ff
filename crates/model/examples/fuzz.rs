//! Reads random inputs: `cargo run --release -p envlock-model --example fuzz -- TARGET COUNT [SEED]`,
//! where TARGET is `spec`, `record`, `lock` or `yaml`. A panic, an overflow of the stack or an input
//! that takes long is a fault. At the end it prints the slowest input.

#![expect(clippy::print_stdout, reason = "it is a program for people")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use envlock_model::{lock, record};
use envlock_report::Place;
use envlock_text::limits::LOCK;
use envlock_text::tree;
use rattler_conda_types::{MatchSpec, ParseMatchSpecOptions, RepoDataRecord, RepodataRevision};

/// A lock with one package, from which inputs are made.
const SEED_LOCK: &str = "\
version: 7
platforms:
- name: linux-64
environments:
  default:
    channels:
    - url: https://h/c/
    packages:
      linux-64:
      - conda: https://h/c/linux-64/a-1-0.conda
packages:
- conda: https://h/c/linux-64/a-1-0.conda
  sha256: 0000000000000000000000000000000000000000000000000000000000000000
  depends:
  - a >=1,<2
  license: MIT
envlock:
  version: 1
  name: x
  requested:
    channel-priority: strict
    channels:
    - name: c
      urls:
      - https://h/c/
    platforms:
      linux-64:
        specs:
        - a
";

const SEED_RECORD: &str = r#"{"name": "a", "version": "1", "build": "0", "build_number": 0,
"subdir": "linux-64", "depends": ["b >=1,<2|3.*"], "constrains": ["c"], "fn": "a-1-0.conda",
"url": "https://h/c/linux-64/a-1-0.conda", "channel": "https://h/c/"}"#;

/// Pieces that inputs are made of.
const PIECES: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "((((((((((((",
    "[[[[[[[[[[[[",
    "{{{{{{{{{{{{",
    "|",
    ",",
    ">=",
    "==",
    "!=",
    "~=",
    "=",
    "*",
    "^",
    "$",
    "'",
    "\"",
    " ",
    "a",
    "1.0",
    "version=",
    "when=",
    " and ",
    " or ",
    "not ",
    ";",
    "::",
    "+",
    "-",
    "!",
    ".",
    "\u{e9}",
    "\n",
    "\n  ",
    "- ",
    ": ",
    "&x ",
    "*x",
    "!!str ",
    "#",
    "|\n",
    ">-\n",
    "? ",
    "../",
    "/",
    "\\",
    "%2e",
    "\0",
    "\u{feff}",
    "99999999999999999999",
    "---\n",
    "<<: ",
    "linux-64",
    "https://h/c/",
    "sha256: ",
    "\t",
    "\r",
];

/// A generator of numbers that a seed determines: xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next()).unwrap_or_default() % limit.max(1)
    }

    fn piece(&mut self) -> &'static str {
        PIECES[self.below(PIECES.len())]
    }

    /// Pieces in any order; now and then one of them many times.
    fn pieces(&mut self) -> String {
        if self.below(20) == 0 {
            let times = 1 << self.below(14);
            return self.piece().repeat(times);
        }
        let count = 1 + self.below(60);
        (0..count).map(|_| self.piece()).collect()
    }

    /// The text with pieces in place of some of it.
    fn mutated(&mut self, seed: &str) -> String {
        let mut text: Vec<char> = seed.chars().collect();
        for _ in 0..=self.below(4) {
            let at = self.below(text.len());
            let end = (at + self.below(8)).min(text.len());
            let piece = if self.below(4) == 0 { self.pieces() } else { self.piece().to_owned() };
            text.splice(at..end, piece.chars());
        }
        text.into_iter().collect()
    }
}

fn spec(text: &str) {
    let options = ParseMatchSpecOptions::lenient().with_repodata_revision(RepodataRevision::V3);
    if record::check_match_spec(text).is_ok() {
        let _ = black_box(MatchSpec::from_str(text, options));
    }
    black_box(envlock_model::spec::parse_spec(text, Place::new("x", 1, 1)));
}

fn one_record(text: &str) {
    let Ok(record) = serde_json::from_str::<RepoDataRecord>(text) else { return };
    if record::check(&record).is_ok() {
        record.package_record.depends.iter().for_each(|text| spec(text));
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let target = arguments.next().ok_or("name a target")?;
    let count: u64 = arguments.next().ok_or("name a count")?.parse()?;
    let seed: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let mut random = Random(seed.max(1));
    let mut slowest = (Duration::ZERO, String::new());
    for _ in 0..count {
        let text = match target.as_str() {
            "spec" | "yaml" => random.pieces(),
            "record" => random.mutated(SEED_RECORD),
            "lock" => random.mutated(SEED_LOCK),
            _ => return Err(format!("no target is called `{target}`").into()),
        };
        let start = Instant::now();
        match target.as_str() {
            "spec" => spec(&text),
            "record" => one_record(&text),
            "lock" => drop(black_box(lock::read("envlock.lock", &text))),
            _ => drop(black_box(tree::read("x", &text, &LOCK))),
        }
        if start.elapsed() > slowest.0 {
            slowest = (start.elapsed(), text);
        }
    }
    let (time, text) = slowest;
    let start: String = text.chars().take(200).collect();
    println!("{count} inputs; the slowest took {time:?} and has {} bytes: {start:?}", text.len());
    Ok(())
}
