//! Progress of long work as data. Libraries send [`Event`]s to an [`Observer`], and only the
//! CLI converts them to text.

use std::path::PathBuf;

use rattler_conda_types::Subdir;

/// A kind of long work. Each has its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Fetching repodata; in bytes.
    Index,
    /// Solving; in platforms.
    Solve,
    /// Fetching archives; in bytes.
    Download,
    /// Comparing files with their digests; in bytes.
    Verify,
    /// Linking files into the staging directory; in files.
    Link,
    /// Compiling Python sources; in files.
    Compile,
}

/// Something that happened during long work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// More units are expected in a phase. Can be sent several times.
    Expect {
        /// The phase.
        phase: Phase,
        /// How many more units.
        units: u64,
    },
    /// More units are done.
    Advance {
        /// The phase.
        phase: Phase,
        /// How many more units.
        units: u64,
    },
    /// More items, such as packages, are expected in a phase. Can be sent several times.
    ExpectItems {
        /// The phase.
        phase: Phase,
        /// How many more items.
        items: usize,
    },
    /// Work on an item has begun.
    Item {
        /// The phase.
        phase: Phase,
        /// The item's name, such as a package's name and version.
        name: String,
    },
    /// Work on an item has ended. Sent only in phases with [`Event::ExpectItems`].
    ItemDone {
        /// The phase.
        phase: Phase,
        /// The item's name, as in [`Event::Item`].
        name: String,
    },
    /// A phase has ended.
    Done(Outcome),
    /// The user should read something at once.
    Notice(Notice),
}

/// What a phase did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// [`Phase::Index`].
    Indexes {
        /// How many indexes are known now.
        indexes: usize,
        /// How many bytes were fetched for them.
        bytes: u64,
    },
    /// [`Phase::Solve`].
    Solved {
        /// How many packages all platforms have together.
        packages: usize,
    },
    /// [`Phase::Download`].
    Downloaded {
        /// How many archives were fetched.
        packages: usize,
        /// Their size, in bytes.
        bytes: u64,
    },
    /// [`Phase::Verify`] of the package cache.
    CacheVerified {
        /// How many packages were in the cache.
        packages: usize,
        /// The size of their files, in bytes.
        bytes: u64,
    },
    /// [`Phase::Verify`] of a prefix.
    PrefixVerified {
        /// How many paths the records have.
        files: usize,
        /// How many of them differ.
        different: usize,
        /// How many files no record has.
        untracked: usize,
    },
    /// [`Phase::Link`].
    Linked {
        /// How many packages.
        packages: usize,
        /// How many files.
        files: usize,
    },
    /// [`Phase::Compile`].
    Compiled {
        /// How many sources have a `.pyc` file now.
        compiled: u64,
        /// How many sources there are.
        sources: u64,
    },
}

impl Outcome {
    /// Returns the phase that has ended.
    pub fn phase(&self) -> Phase {
        match self {
            Self::Indexes { .. } => Phase::Index,
            Self::Solved { .. } => Phase::Solve,
            Self::Downloaded { .. } => Phase::Download,
            Self::CacheVerified { .. } | Self::PrefixVerified { .. } => Phase::Verify,
            Self::Linked { .. } => Phase::Link,
            Self::Compiled { .. } => Phase::Compile,
        }
    }
}

/// Something that the user should read at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A source failed and another one is asked.
    SourceFailed {
        /// What was requested.
        file: RequestedFile,
        /// The source's URL without credentials.
        source: String,
        /// The source error.
        reason: String,
        /// The source that is asked next.
        next: String,
    },
    /// A package in the cache is damaged and is fetched again.
    DamagedPackage {
        /// The name of its archive.
        file: String,
        /// The first difference that was found.
        reason: String,
    },
    /// Another process installs into the prefix and is waited for.
    WaitingForInstaller {
        /// The prefix.
        prefix: PathBuf,
        /// The other process, if it can be read who it is.
        installer: Option<Installer>,
    },
    /// The file system has no locks, so that another install can't be detected.
    NoFileLocks {
        /// The directory of the prefix.
        folder: PathBuf,
    },
    /// The prefix changed after the install was planned; it was planned again.
    PlannedAgain {
        /// The prefix.
        prefix: PathBuf,
    },
    /// What a killed install left was cleaned up.
    Recovered {
        /// The prefix.
        prefix: PathBuf,
        /// What was done.
        recovery: Recovery,
    },
    /// A directory or file that isn't needed any more can't be removed.
    NotRemoved {
        /// Its path.
        path: PathBuf,
        /// What the operating system says.
        reason: String,
    },
    /// A post-link script left a message for the user.
    ScriptMessage {
        /// The name of its package.
        package: String,
        /// The message.
        text: String,
    },
    /// An older environment at `NAME~previous` has files or changes of the user: it was renamed
    /// instead of removed.
    PreviousKept {
        /// Its former path.
        from: PathBuf,
        /// Its path.
        to: PathBuf,
    },
    /// The environment of a killed install has files that no package has: it was renamed instead of
    /// removed.
    UnfinishedKept {
        /// Its path.
        to: PathBuf,
    },
    /// What the lock doesn't have was moved aside with the previous environment.
    MovedAside {
        /// How many files no record has.
        files: usize,
        /// How many packages another tool installed.
        packages: usize,
        /// Where the previous environment is.
        previous: PathBuf,
    },
}

/// A file that was requested from a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestedFile {
    /// The repodata of a subdir.
    Index {
        /// The channel's name.
        channel: String,
        /// The subdir.
        subdir: Subdir,
    },
    /// A package's archive, by its file name.
    Archive(String),
}

/// A process that installs into a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installer {
    /// Its process number.
    pub pid: u32,
    /// Its command line.
    pub command: String,
    /// When it began, as RFC 3339 text.
    pub since: String,
}

/// How a killed install was recovered from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// Its last step was completed.
    Completed,
    /// Its staging directories were removed.
    StagingRemoved,
    /// Its post-link scripts were running: the previous environment is in place again.
    PreviousRestored,
}

/// Receives events. Called from several threads at once.
pub trait Observer: Send + Sync {
    /// Receives one event. It must not block for long.
    fn observe(&self, event: Event);
}

/// Ignores all events.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Observer for NoProgress {
    fn observe(&self, _: Event) {}
}
