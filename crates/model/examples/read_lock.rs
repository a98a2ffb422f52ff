//! Measures the time to read a lock, and the times of the steps: `cargo run --release -p
//! envlock-model --example read_lock -- envlock.lock`.

#![expect(clippy::print_stdout, reason = "it is a program for people")]

use std::hint::black_box;
use std::time::Instant;

use envlock_model::lock;
use envlock_text::{limits::LOCK, tree};
use rattler_lock::LockFile;

fn measure<T>(step: &str, run: impl Fn() -> T) {
    const TIMES: u32 = 10;
    let start = Instant::now();
    for _ in 0..TIMES {
        black_box(run());
    }
    println!("{step}: {:.1} ms", (start.elapsed() / TIMES).as_secs_f64() * 1000.0);
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("give the path of a lock")?;
    let text = std::fs::read_to_string(&file)?;
    println!("{file}: {} bytes", text.len());
    measure("envlock_text::tree", || tree::read_yaml(&file, &text, &LOCK));
    measure("serde_yaml", || serde_yaml::from_str::<serde_yaml::Value>(&text));
    measure("rattler_lock", || LockFile::from_str_with_base_directory(&text, None));
    measure("lock::read", || lock::read(&file, &text));
    Ok(())
}
