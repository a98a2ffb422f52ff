//! From unpacked packages to a prefix: staged beside, put in place at once, verified, run
