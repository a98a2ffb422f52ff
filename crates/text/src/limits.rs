//! How much of each input is read. Every bound on a text is here.

/// The bounds of one kind of input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the text.
    pub bytes: usize,
    /// Levels of lists and maps.
    pub depth: usize,
    /// Values, with keys and what aliases repeat.
    pub values: usize,
    /// Bytes of one line.
    pub line: usize,
}

/// environment.yml and `.condarc`, which people write by hand.
///
/// The search for a comment reads its line once for each value on it, so lines are short.
pub const ENVIRONMENT: Limits =
    Limits { bytes: 16_000_000, depth: 32, values: 20_000, line: 10_000 };

/// secrets.yml, policies and policy tests.
///
/// The servers refuse a policy of more than about a mebibyte (the limit of a storage entry);
/// ten thousand rules need some more.
pub const MANIFEST: Limits =
    Limits { bytes: 8 * 1024 * 1024, depth: 64, values: 1_000_000, line: usize::MAX };

/// envlock.lock: a hundred platforms of a thousand packages.
pub const LOCK: Limits =
    Limits { bytes: 256_000_000, depth: 64, values: 20_000_000, line: usize::MAX };

/// Values that the anchors and aliases of one text may repeat, whatever the text is: a few
/// lines of aliases of aliases can stand for gigabytes.
pub const REPEATED_VALUES: usize = 20_000;

/// Bytes that the anchors and aliases of one text may repeat.
pub const REPEATED_BYTES: usize = 1_000_000;

/// Bytes of one match spec. The specs of public channels have at most 120.
pub const MATCH_SPEC_BYTES: usize = 2_000;

/// Levels of brackets in one match spec. The specs of public channels have one level; their
/// parser is recursive.
pub const MATCH_SPEC_DEPTH: usize = 8;

/// Match specs in one field of a record. Public channels have at most 400.
pub const RECORD_SPECS: usize = 10_000;

/// Bytes of a record's file name, and of each name in it. A name in a folder of Linux or macOS
/// has at most 255 bytes, and the folders of the cache add a digest of 64.
pub const RECORD_NAME: usize = 180;
