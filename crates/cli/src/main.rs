//! envlock.
fn main() {}
