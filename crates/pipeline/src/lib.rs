//! One use case a file: solve, check, install, verify, run, demo
