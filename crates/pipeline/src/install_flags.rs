//! The flags that `install` needs for a lock, so that a suggested command doesn't fail.

use envlock_model::{
    lock::{Lock, LockedPlatform},
    name,
};
use rattler_conda_types::{GenericVirtualPackage, Subdir};

use crate::install::check_virtual_packages;

/// The flags with which `install` accepts a lock on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstallFlags {
    /// `--without-pip`: the lock has a pip section.
    pub without_pip: bool,
}

impl InstallFlags {
    /// Returns the flags for an install into the default prefix; `None` if `install` refuses the
    /// lock whatever the flags, because its name can't be the name of a folder, it has no packages
    /// for the host, or the host lacks virtual packages.
    pub(crate) fn for_host(
        lock: &Lock,
        host: Subdir,
        host_packages: &[GenericVirtualPackage],
    ) -> Option<Self> {
        name::check(&lock.name).ok()?;
        let locked = lock.platforms.get(&host)?;
        check_virtual_packages(locked, host_packages).is_ok().then(|| Self::for_platform(locked))
    }

    /// Returns the flags for a platform of the lock.
    pub(crate) fn for_platform(locked: &LockedPlatform) -> Self {
        Self { without_pip: !locked.pip.is_empty() }
    }
}
