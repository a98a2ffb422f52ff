//! The flags that `install` needs for a lock, so that a suggested command doesn't fail.

use envlock_model::{
    lock::{self, Lock, LockedPlatform},
    name,
};
use envlock_secrets::manifest::Manifest;
use rattler_conda_types::{GenericVirtualPackage, Subdir};

use crate::{
    Context, Project,
    inputs::{ResolutionInputs, resolve_inputs},
    install::check_virtual_packages,
    lock_credentials::overrides_from_lock,
};

/// The flags with which `install` accepts a lock on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstallFlags {
    /// `--without-pip`: the lock has a pip section that isn't resolved.
    pub without_pip: bool,
    /// `--frozen`: the lock differs from environment.yml, such as a lock of one of its platforms.
    pub frozen: bool,
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

    /// Returns the flags for a platform of a lock that matches environment.yml.
    pub(crate) fn for_platform(locked: &LockedPlatform) -> Self {
        Self { without_pip: locked.lacks_wheels(), frozen: false }
    }

    /// Adds the flag for a lock that doesn't match the project's environment.yml. Files that can't
    /// be read are an error of the command that needs them.
    #[must_use]
    pub(crate) fn with_staleness(
        self,
        project: &Project,
        lock: &Lock,
        context: &Context<'_>,
    ) -> Self {
        Self { frozen: is_stale(project, lock, context), ..self }
    }
}

fn is_stale(project: &Project, lock: &Lock, context: &Context<'_>) -> bool {
    let (Ok(Some(environment)), Ok(manifest)) =
        (project.optional_environment(), project.manifest())
    else {
        return false;
    };
    let overrides = overrides_from_lock(environment, lock);
    let sources = ResolutionInputs::new(project, context);
    let resolution = resolve_inputs(environment, &overrides, Some(lock), sources);
    let needs = manifest.map(Manifest::locked);
    resolution
        .inputs
        .is_ok_and(|resolved| !lock::changes(lock, &resolved.inputs, needs.as_ref()).is_empty())
}
