//! What a platform of the lock is for PyPI: its environment markers and its wheel tags.

use rattler_conda_types::{Arch as CondaArch, GenericVirtualPackage, RepoDataRecord, Subdir};
use uv_pep508::{MarkerEnvironment, MarkerEnvironmentBuilder};
use uv_platform_tags::{Arch, Os, Platform, Tags, TagsOptions};

/// A platform with its Python, for which wheels are chosen.
#[derive(Debug, Clone)]
pub struct Target {
    /// The platform in conda's words.
    pub subdir: Subdir,
    pub(crate) markers: MarkerEnvironment,
    pub(crate) tags: Tags,
}

/// Why wheels can't be chosen for a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No Python is locked.
    #[error("the conda packages for {0} have no Python")]
    NoPython(Subdir),
    /// The Python isn't CPython.
    #[error("the Python for {platform} is {build}, and only CPython is supported")]
    OtherPython {
        /// The platform.
        platform: Subdir,
        /// The build of the record.
        build: String,
    },
    /// The version of Python isn't `major.minor.patch`.
    #[error("the version {version} of Python for {platform} can't be read")]
    PythonVersion {
        /// The platform.
        platform: Subdir,
        /// The version of the record.
        version: String,
    },
    /// There are no wheels for the platform.
    #[error("there are no wheels for {0}")]
    Platform(Subdir),
}

impl Target {
    /// Returns the target of a platform with these records and virtual packages.
    pub fn new(
        platform: Subdir,
        records: &[RepoDataRecord],
        virtual_packages: &[GenericVirtualPackage],
    ) -> Result<Self, TargetError> {
        let python = Python::find(platform, records)?;
        let system =
            System::of(platform, virtual_packages).ok_or(TargetError::Platform(platform))?;
        let markers = MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
            implementation_name: "cpython",
            implementation_version: &python.full,
            os_name: system.os_name,
            platform_machine: system.machine,
            platform_python_implementation: "CPython",
            // They are those of the machine that runs the environment, which isn't known.
            platform_release: "",
            platform_version: "",
            platform_system: system.name,
            python_full_version: &python.full,
            python_version: &format!("{}.{}", python.version.0, python.version.1),
            sys_platform: system.sys_platform,
        })
        .map_err(|_| TargetError::PythonVersion { platform, version: python.full.clone() })?;
        let tags = Tags::from_env(
            Platform::new(system.os, system.arch),
            python.version,
            "cpython",
            python.version,
            TagsOptions {
                manylinux_compatible: true,
                gil_disabled: python.is_free_threaded,
                debug_enabled: false,
                is_cross: true,
            },
        )
        .map_err(|_| TargetError::Platform(platform))?;
        Ok(Self { subdir: platform, markers, tags })
    }

    /// Returns the version of Python, such as 3.10.13.
    pub fn python_version(&self) -> String {
        self.markers.python_full_version().to_string()
    }
}

/// The Python of a platform.
struct Python {
    /// Major and minor version.
    version: (u8, u8),
    /// The whole version.
    full: String,
    is_free_threaded: bool,
}

impl Python {
    fn find(platform: Subdir, records: &[RepoDataRecord]) -> Result<Self, TargetError> {
        let named = |name: &str| {
            records
                .iter()
                .map(|record| &record.package_record)
                .find(|record| record.name.as_normalized() == name)
        };
        let record = named("python").ok_or(TargetError::NoPython(platform))?;
        if ["pypy", "graalpy"].iter().any(|other| record.build.as_str().contains(other)) {
            return Err(TargetError::OtherPython { platform, build: record.build.to_string() });
        }
        let full = record.version.to_string();
        let unreadable = || TargetError::PythonVersion { platform, version: full.clone() };
        let mut parts = full.split('.');
        let mut part =
            || parts.next().and_then(|part| part.parse::<u8>().ok()).ok_or_else(unreadable);
        let version = (part()?, part()?);
        let abi = named("python_abi").map(|record| record.build.as_str());
        let is_free_threaded = abi.is_some_and(|build| build.ends_with('t'));
        Ok(Self { version, full: full.clone(), is_free_threaded })
    }
}

/// The operating system and the processor, in the words of markers and tags.
struct System {
    os: Os,
    arch: Arch,
    os_name: &'static str,
    name: &'static str,
    sys_platform: &'static str,
    machine: &'static str,
}

impl System {
    fn of(platform: Subdir, virtual_packages: &[GenericVirtualPackage]) -> Option<Self> {
        let version = |name: &str| {
            let package =
                virtual_packages.iter().find(|package| package.name.as_normalized() == name)?;
            let text = package.version.to_string();
            let mut parts = text.split('.').map(|part| part.parse::<u16>().unwrap_or(0));
            Some((parts.next()?, parts.next().unwrap_or(0)))
        };
        let conda_arch = platform.arch()?;
        if platform.is_linux() {
            let (arch, machine) = match conda_arch {
                CondaArch::X86_64 => (Arch::X86_64, "x86_64"),
                CondaArch::X86 => (Arch::X86, "i686"),
                CondaArch::Aarch64 => (Arch::Aarch64, "aarch64"),
                CondaArch::Ppc64le => (Arch::Powerpc64Le, "ppc64le"),
                CondaArch::S390X => (Arch::S390X, "s390x"),
                CondaArch::ArmV7l => (Arch::Armv7L, "armv7l"),
                CondaArch::Riscv64 => (Arch::Riscv64, "riscv64"),
                _ => return None,
            };
            // Every Linux of conda has glibc.
            let (major, minor) = version("__glibc").unwrap_or((2, 17));
            return Some(Self {
                os: Os::Manylinux { major, minor },
                arch,
                os_name: "posix",
                name: "Linux",
                sys_platform: "linux",
                machine,
            });
        }
        if platform.is_osx() {
            let (arch, machine, first) = match conda_arch {
                CondaArch::X86_64 => (Arch::X86_64, "x86_64", (10, 13)),
                CondaArch::Arm64 => (Arch::Aarch64, "arm64", (11, 0)),
                _ => return None,
            };
            let (major, minor) =
                version("__osx").filter(|version| *version != (0, 0)).unwrap_or(first);
            return Some(Self {
                os: Os::Macos { major, minor },
                arch,
                os_name: "posix",
                name: "Darwin",
                sys_platform: "darwin",
                machine,
            });
        }
        if platform.is_windows() {
            let (arch, machine) = match conda_arch {
                CondaArch::X86_64 => (Arch::X86_64, "AMD64"),
                CondaArch::X86 => (Arch::X86, "x86"),
                CondaArch::Arm64 => (Arch::Aarch64, "ARM64"),
                _ => return None,
            };
            return Some(Self {
                os: Os::Windows,
                arch,
                os_name: "nt",
                name: "Windows",
                sys_platform: "win32",
                machine,
            });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use rattler_conda_types::package::BuildString;
    use rattler_conda_types::{PackageName, PackageRecord, Version};

    use super::*;

    fn record(name: &str, version: &str, build: &str) -> RepoDataRecord {
        let version: Version = version.parse().expect("a version");
        let file = format!("{name}-{version}-{build}.conda");
        let package_name = PackageName::new_unchecked(name);
        RepoDataRecord {
            package_record: PackageRecord::new(
                package_name,
                version,
                BuildString::new_unchecked(build),
            ),
            identifier: file.parse().expect("an archive's name"),
            url: format!("https://c.example/linux-64/{file}").parse().expect("a URL"),
            channel: None,
        }
    }

    fn target(platform: Subdir, version: &str) -> Target {
        let python = record("python", version, "h_0_cpython");
        Target::new(platform, &[python], &[]).expect("a target")
    }

    /// Whether a wheel with these tags fits.
    fn fits(target: &Target, tags: &str) -> bool {
        let name = format!("a-1-{tags}.whl");
        let wheel: uv_distribution_filename::WheelFilename = name.parse().expect("a wheel");
        wheel.is_compatible(&target.tags)
    }

    #[test]
    fn wheels_fit_the_platform_and_the_python_of_the_lock() {
        let linux = target(Subdir::Linux64, "3.10.13");
        assert!(fits(&linux, "cp310-cp310-manylinux_2_17_x86_64"));
        assert!(fits(&linux, "cp37-abi3-manylinux2014_x86_64") && fits(&linux, "py3-none-any"));
        assert!(!fits(&linux, "cp310-cp310-manylinux_2_28_x86_64"), "glibc is 2.17 by default");
        assert!(!fits(&linux, "cp311-cp311-manylinux_2_17_x86_64"));
        assert!(!fits(&linux, "cp310-cp310-musllinux_1_1_x86_64"));
        assert!(!fits(&linux, "cp310-cp310-win_amd64"));
        let mac = target(Subdir::OsxArm64, "3.10.13");
        assert!(fits(&mac, "cp310-cp310-macosx_11_0_arm64"));
        assert!(fits(&mac, "cp310-cp310-macosx_10_9_universal2"));
        assert!(!fits(&mac, "cp310-cp310-macosx_12_0_arm64"));
        let windows = target(Subdir::Win64, "3.12.1");
        assert!(fits(&windows, "cp312-cp312-win_amd64"));
        assert!(!fits(&windows, "cp312-cp312-win32"));
    }

    #[test]
    fn the_glibc_of_the_lock_decides() {
        let glibc: GenericVirtualPackage =
            serde_json::from_str("\"__glibc=2.28=0\"").expect("a virtual package");
        let python = record("python", "3.10.13", "h_0_cpython");
        let target = Target::new(Subdir::Linux64, &[python], &[glibc]).expect("a target");
        assert!(fits(&target, "cp310-cp310-manylinux_2_28_x86_64"));
        assert!(!fits(&target, "cp310-cp310-manylinux_2_34_x86_64"));
    }

    #[test]
    fn markers_are_those_of_the_platform() {
        let markers = target(Subdir::Win64, "3.10.13").markers;
        let text = (markers.sys_platform(), markers.platform_machine(), markers.os_name());
        assert_eq!(text, ("win32", "AMD64", "nt"));
        assert_eq!(markers.python_full_version().to_string(), "3.10.13");
    }

    #[test]
    fn without_cpython_there_is_no_target() {
        let none = Target::new(Subdir::Linux64, &[], &[]);
        assert_eq!(none.err(), Some(TargetError::NoPython(Subdir::Linux64)));
        let pypy = record("python", "3.9.18", "0_73_pypy");
        let refused = Target::new(Subdir::Linux64, &[pypy], &[]);
        assert!(matches!(refused, Err(TargetError::OtherPython { .. })));
    }

    #[test]
    fn a_free_threaded_python_takes_its_own_wheels() {
        let records =
            [record("python", "3.13.1", "h_0_cp313t"), record("python_abi", "3.13", "5_cp313t")];
        let target = Target::new(Subdir::Linux64, &records, &[]).expect("a target");
        assert!(fits(&target, "cp313-cp313t-manylinux_2_17_x86_64"));
        assert!(!fits(&target, "cp313-cp313-manylinux_2_17_x86_64"));
    }
}
