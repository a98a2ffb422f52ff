//! How long it takes to read a lock, and its parts: `cargo run --release -p envlock-model
//! --example read_lock -- envlock.lock`.

#![expect(clippy::print_stdout, reason = "it is a program for people")]

use std::hint::black_box;
use std::time::Instant;

use envlock_model::lock;
use envlock_text::{limits::LOCK, tree};
use rattler_lock::LockFile;

fn measured<T>(what: &str, run: impl Fn() -> T) {
    const TIMES: u32 = 10;
    let start = Instant::now();
    for _ in 0..TIMES {
        black_box(run());
    }
    println!("{what}: {:.1} ms", (start.elapsed() / TIMES).as_secs_f64() * 1000.0);
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("name a lock")?;
    let text = std::fs::read_to_string(&file)?;
    println!("{file}: {} bytes", text.len());
    measured("our tree", || tree::read_yaml(&file, &text, &LOCK));
    measured("a tree of serde_yaml", || serde_yaml::from_str::<serde_yaml::Value>(&text));
    measured("rattler_lock", || LockFile::from_str_with_base_directory(&text, None));
    measured("lock::read", || lock::read(&file, &text));
    Ok(())
}
