//! Messages of the tests themselves.

use std::io::{self, Write};

/// Writes a line to stderr directly, past the capture of the test harness.
pub(crate) fn tell(line: &str) {
    // An unwritable stderr is ignored.
    let _ = writeln!(io::stderr(), "{line}");
}
