//! What goes on during long work, as data: one [`Event`], one [`Observer`].

/// A kind of long work, each with its own unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Indexes of channels are fetched; in bytes.
    Index,
    /// A set is searched; in platforms.
    Solve,
    /// Archives are fetched; in bytes.
    Download,
    /// Files in the package cache are compared with their digests; in bytes.
    Verify,
    /// Files are linked into the next prefix; in files.
    Link,
    /// Python sources are compiled; in files.
    Compile,
}

/// Something that happened during long work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// So many more units are expected in this phase. May come several times.
    Expect {
        /// The phase.
        phase: Phase,
        /// How many units more.
        units: u64,
    },
    /// So many units more are done.
    Advance {
        /// The phase.
        phase: Phase,
        /// How many units more.
        units: u64,
    },
    /// What is being worked on now, such as a package's name.
    Item {
        /// The phase.
        phase: Phase,
        /// A short name.
        name: String,
    },
    /// The phase is over, with one line about it for a log.
    Done {
        /// The phase.
        phase: Phase,
        /// For example `3 indexes, 4.1 MB`.
        summary: String,
    },
    /// Worth a line at once: a mirror that failed over, an installer that is waited for.
    Notice(String),
}

/// Whoever wants to know. Called from several threads at once.
pub trait Observer: Send + Sync {
    /// Takes note of one event; must not block for long.
    fn observe(&self, event: Event);
}

/// Looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn observe(&self, _: Event) {}
}
