//! The limits on texts from outside. Every limit on a text is in this file.

/// The limits of one kind of input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The size of the text in bytes.
    pub bytes: usize,
    /// The depth of nested lists and mappings.
    pub depth: usize,
    /// The number of values. Keys and copies by aliases count.
    pub values: usize,
    /// The size of one line in bytes.
    pub line: usize,
}

/// The limits of environment.yml and `.condarc`, which people write by hand.
///
/// The search for a comment reads its line once for each value on it, so lines must be short.
pub const ENVIRONMENT: Limits =
    Limits { bytes: 16_000_000, depth: 32, values: 20_000, line: 10_000 };

/// The limits of secrets.yml, policies and policy tests.
///
/// The servers reject a policy of more than about a mebibyte (the limit of a storage entry).
/// A manifest of ten thousand rules is larger than that.
pub const MANIFEST: Limits =
    Limits { bytes: 8 * 1024 * 1024, depth: 64, values: 1_000_000, line: usize::MAX };

/// The limits of envlock.lock: enough for a hundred platforms of a thousand packages.
pub const LOCK: Limits =
    Limits { bytes: 256_000_000, depth: 64, values: 20_000_000, line: usize::MAX };

/// The number of values that the anchors and aliases of any text may repeat. Without a limit,
/// a few lines of aliases of aliases expand to gigabytes.
pub const REPEATED_VALUES: usize = 20_000;

/// The number of bytes that the anchors and aliases of any text may repeat.
pub const REPEATED_BYTES: usize = 1_000_000;

/// The number of contradictions of a lock that are reported.
pub const LOCK_CONTRADICTIONS: usize = 100;

/// The number of brackets that one line of YAML may open and not close. No usual text has so many.
pub const OPEN_BRACKETS: usize = 1_000;

/// The size of one match spec in bytes. The specs of public channels have at most 120.
pub const MATCH_SPEC_BYTES: usize = 2_000;

/// The depth of nested brackets in one match spec. The specs of public channels have one level.
/// There is a limit because the parser is recursive.
pub const MATCH_SPEC_DEPTH: usize = 8;

/// The number of `,` and `|` in one match spec. The specs of public channels have at most 12. There
/// is a limit because the parser takes quadratic time: 50 ms for a thousand.
pub const MATCH_SPEC_OPERATORS: usize = 200;

/// The limits of a requirements file of pip, whose lines are long where they list hashes.
pub const REQUIREMENTS: Limits =
    Limits { bytes: 4_000_000, depth: 1, values: 20_000, line: 10_000 };

/// The size in bytes of one line of pip, with its continuations: 500 hashes.
pub const PIP_LINE_BYTES: usize = 50_000;

/// The number of lines of pip in all sections and the files that they include.
pub const PIP_LINES: usize = 20_000;

/// The number of times that `-r` and `-c` include a file.
pub const PIP_INCLUDES: usize = 100;

/// The depth of files that include files.
pub const PIP_INCLUDE_DEPTH: usize = 16;

/// The number of comparisons in one marker of pip. Tools that export markers write at most 40.
pub const PIP_MARKER_TERMS: usize = 64;

/// The number of `in`, `not in` and `extra` in one marker of pip. The time to read a marker doubles
/// with each.
pub const PIP_MARKER_SETS: usize = 8;

/// The depth of nested parentheses in one marker of pip: its parser is recursive.
pub const PIP_MARKER_DEPTH: usize = 16;

/// The number of lines for one package that are compared with each other.
pub const PIP_SAME_NAME: usize = 50;

/// The number of match specs in one field of a record. Public channels have at most 400.
pub const RECORD_SPECS: usize = 10_000;

/// The size of a record's file name in bytes, and of each part of it. Linux and macOS allow 255
/// bytes, and the folders of the cache add a digest of 64.
pub const RECORD_NAME: usize = 180;

/// The size of an unpacked index in bytes: several times conda-forge's largest.
pub const INDEX_BYTES: u64 = 2 << 30;

/// How many times larger than its compressed form an index may be, above [`INDEX_RATIO_FROM`].
/// Half of an index is digests, so indexes of public channels compress to about a seventh.
pub const INDEX_RATIO: u64 = 50;

/// The size in bytes up to which an unpacked index may have any ratio.
pub const INDEX_RATIO_FROM: u64 = 32_000_000;

/// The size in bytes of an archive whose size the lock doesn't have. The largest public packages
/// have about 5 GB.
pub const ARCHIVE_BYTES: u64 = 20_000_000_000;

/// The number of bytes that any archive may unpack to.
pub const UNPACKED_BYTES: u64 = 2_000_000_000;

/// The size of a page of a PyPI index, and of a wheel's metadata, in bytes. The largest page of the
/// public index has about 20 MB.
pub const PYPI_PAGE_BYTES: u64 = 64 << 20;
/// How many times larger than its archive a package may be, above [`UNPACKED_BYTES`]. Text
/// compresses to about a twentieth.
pub const UNPACKED_RATIO: u64 = 200;

/// The number of files, folders and links in one archive. The largest public packages have about
/// 100 000.
pub const UNPACKED_ENTRIES: usize = 2_000_000;

/// The size of one path in an archive in bytes: what Linux accepts.
pub const UNPACKED_PATH: usize = 4_096;

/// The size of a credential store, such as `.netrc`, in bytes.
pub const CREDENTIAL_STORE_BYTES: u64 = 4_000_000;
/// The size of a file of certificates or keys in bytes. The certificates that a machine trusts have
/// about 200 000.
pub const CERTIFICATES_BYTES: u64 = 16_000_000;

/// The number of needs in a secrets manifest.
pub const NEEDS: usize = 2000;

/// The number of profiles in a secrets manifest.
pub const PROFILES: usize = 200;

/// The number of policies in a secrets manifest, and of its exceptions.
pub const POLICIES: usize = 2000;

/// The number of needs of all profiles together, and of policies that all profiles together
/// attach: each of them is
/// checked.
pub const NEEDS_OF_PROFILES: usize = 20_000;

/// The number of path blocks of a profile's policies multiplied by its requests, for all profiles
/// together: each block may decide each request. Ten thousand blocks and two thousand requests are
/// within it.
pub const BLOCKS_AND_REQUESTS: usize = 20_000_000;

/// The size of all policies of a secrets manifest together, in bytes.
pub const POLICY_BYTES: usize = 64 * 1024 * 1024;

/// The size of a message or of a note in bytes. A message can repeat a part of an input.
pub const FINDING_BYTES: usize = 10_000;

/// The size of a list in a note in bytes: ten thousand names.
pub const LIST_BYTES: usize = 1_000_000;
