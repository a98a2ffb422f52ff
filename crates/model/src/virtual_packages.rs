//! The virtual packages of each platform, and the options that change them.
//!
//! The defaults don't depend on the machine that solves, so that a lock is the same everywhere.

use std::str::FromStr;

use archspec::cpu::Microarchitecture;
use rattler_conda_types::{
    GenericVirtualPackage, MatchSpec, Matches, PackageName, Subdir, Version, package::BuildString,
};

use crate::spec::Conditions;

/// Returns the default virtual packages of a platform.
///
/// The versions are those of the oldest systems that conda-forge supports: glibc 2.28 and
/// Linux 4.18 (RHEL 8), macOS 13. CUDA isn't a default.
pub fn defaults(platform: Subdir) -> Vec<GenericVirtualPackage> {
    let mut packages = Vec::new();
    let name = platform.as_str();
    if name.starts_with("linux-") {
        packages.push(make("__glibc", "2.28", "0"));
        packages.push(make("__linux", "4.18", "0"));
        packages.push(make("__unix", "0", "0"));
    } else if name.starts_with("osx-") {
        packages.push(make("__osx", "13.0", "0"));
        packages.push(make("__unix", "0", "0"));
    } else if name.starts_with("win-") {
        packages.push(make("__win", "0", "0"));
    }
    let architecture = match platform {
        Subdir::OsxArm64 => Some("m1"),
        Subdir::Linux64 | Subdir::Osx64 | Subdir::Win64 => Some("x86_64"),
        Subdir::LinuxAarch64 => Some("aarch64"),
        Subdir::WinArm64 => Some("arm64"),
        Subdir::LinuxPpc64le => Some("ppc64le"),
        Subdir::LinuxS390X => Some("s390x"),
        _ => None,
    };
    packages.extend(architecture.map(|architecture| make("__archspec", "1", architecture)));
    packages.sort();
    packages
}

/// The value of one `--virtual-package`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VirtualPackageSetting {
    /// `host`: the virtual packages of this machine.
    Host,
    /// `default`: the default virtual packages, even if the lock has others.
    Default,
    /// `__cuda=12.2`: this virtual package; or `__cuda=`: none with this name.
    Package(PackageName, Option<GenericVirtualPackage>),
}

/// Parses the value of `--virtual-package`: `__name=version[=build]`, `__name=`, `host` or
/// `default`.
pub fn parse(text: &str) -> Result<VirtualPackageSetting, InvalidVirtualPackage> {
    let invalid = || InvalidVirtualPackage::Form { text: text.to_owned() };
    match text {
        "host" => return Ok(VirtualPackageSetting::Host),
        "default" => return Ok(VirtualPackageSetting::Default),
        _ => {}
    }
    let (name, rest) = text.split_once('=').ok_or_else(invalid)?;
    if !name.starts_with("__") {
        return Err(invalid());
    }
    let name = PackageName::from_str(name).map_err(|_| invalid())?;
    let rest = rest.trim_start_matches('=');
    if rest.is_empty() {
        return Ok(VirtualPackageSetting::Package(name, None));
    }
    let (version, build) = rest.split_once('=').unwrap_or((rest, "0"));
    if !is_version(version) {
        return Err(invalid());
    }
    let version = Version::from_str(version).map_err(|_| invalid())?;
    let build_string = BuildString::from_str(build).map_err(|_| invalid())?;
    let package = GenericVirtualPackage { name: name.clone(), version, build_string };
    Ok(VirtualPackageSetting::Package(name, Some(package)))
}

/// Parses the values of all `--virtual-package` of a run. They must not contradict each other.
pub fn parse_all<'a>(
    texts: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<VirtualPackageSetting>, InvalidVirtualPackage> {
    let mut settings: Vec<(&str, VirtualPackageSetting)> = Vec::new();
    for text in texts {
        let setting = parse(text)?;
        let other = settings.iter().find(|(_, other)| match (other, &setting) {
            (VirtualPackageSetting::Package(name, _), VirtualPackageSetting::Package(other, _)) => {
                name == other
            }
            (VirtualPackageSetting::Package(..), _) | (_, VirtualPackageSetting::Package(..)) => {
                false
            }
            _ => true,
        });
        match other {
            Some((_, other)) if *other == setting => {}
            Some((first, _)) => {
                let (first, second) = ((*first).to_owned(), text.to_owned());
                return Err(InvalidVirtualPackage::Contradiction { first, second });
            }
            None => settings.push((text, setting)),
        }
    }
    Ok(settings.into_iter().map(|(_, setting)| setting).collect())
}

/// Whether a text looks like a version. rattler accepts any word as a version.
pub fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// Parses one of conda's variables `CONDA_OVERRIDE_*`, named by the part after the prefix
/// (`CUDA`, `GLIBC`, …). An empty value means that the machine has no such virtual package.
/// `None` for a name that conda doesn't have.
pub fn conda_override(
    variable: &str,
    value: &str,
) -> Option<Result<VirtualPackageSetting, InvalidVirtualPackage>> {
    let name = match variable {
        "CUDA" => "__cuda",
        "GLIBC" => "__glibc",
        "LINUX" => "__linux",
        "OSX" => "__osx",
        "WIN" => "__win",
        "ARCHSPEC" if !value.is_empty() => return Some(parse(&format!("__archspec=1={value}"))),
        "ARCHSPEC" => "__archspec",
        _ => return None,
    };
    let invalid =
        || InvalidVirtualPackage::Form { text: format!("CONDA_OVERRIDE_{variable}={value}") };
    Some(parse(&format!("{name}={value}")).map_err(|_| invalid()))
}

/// Applies the settings to `base`, in their order. [`VirtualPackageSetting::Host`] and
/// [`VirtualPackageSetting::Default`] are ignored: the caller chooses `base` by them.
pub fn apply(
    base: Vec<GenericVirtualPackage>,
    settings: &[VirtualPackageSetting],
) -> Vec<GenericVirtualPackage> {
    let mut packages = base;
    for setting in settings {
        if let VirtualPackageSetting::Package(name, package) = setting {
            packages.retain(|other| other.name != *name);
            packages.extend(package.clone());
        }
    }
    packages.sort();
    packages
}

/// Lists the virtual packages of `locked` that differ from `expected`, such as `__cuda=12.2=0` or
/// `no __glibc`.
pub fn describe_differences(
    locked: &[GenericVirtualPackage],
    expected: &[GenericVirtualPackage],
) -> Vec<String> {
    let other =
        locked.iter().filter(|package| !expected.contains(package)).map(ToString::to_string);
    let missing = expected.iter().filter(|package| !locked.iter().any(|l| l.name == package.name));
    other.chain(missing.map(|package| format!("no {}", package.name.as_normalized()))).collect()
}

/// An invalid value of `--virtual-package`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidVirtualPackage {
    /// The value has another format.
    #[error(
        "`{text}` isn't a virtual package: write `__cuda=12.2`, `__cuda=` for none, `host` or `default`"
    )]
    Form {
        /// The value.
        text: String,
    },
    /// Two values contradict each other.
    #[error("`{first}` contradicts `{second}`: keep one of them")]
    Contradiction {
        /// The first value.
        first: String,
        /// The second value.
        second: String,
    },
}

/// Whether a machine with `package` meets a spec and its conditions.
///
/// The build of `__archspec` is the microarchitecture of the machine. It meets a spec for any
/// microarchitecture whose programs it runs: `x86_64_v3` runs those of `x86_64`.
pub(crate) fn meets(
    package: &GenericVirtualPackage,
    spec: &MatchSpec,
    conditions: &Conditions,
) -> bool {
    if !conditions.match_version(&package.version.to_string()) {
        return false;
    }
    if spec.matches(package) {
        return true;
    }
    if package.name.as_normalized() != "__archspec" {
        return false;
    }
    let host = Microarchitecture::known_targets().get(package.build_string.as_str());
    let ancestors = host.into_iter().flat_map(|host| host.ancestors());
    ancestors.filter_map(|ancestor| BuildString::from_str(ancestor.name()).ok()).any(
        |build_string| spec.matches(&GenericVirtualPackage { build_string, ..package.clone() }),
    )
}

fn make(name: &str, version: &str, build: &str) -> GenericVirtualPackage {
    GenericVirtualPackage {
        name: PackageName::new_unchecked(name),
        version: Version::from_str(version).expect("the table has valid versions"),
        build_string: BuildString::new_unchecked(build),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(packages: &[GenericVirtualPackage]) -> Vec<String> {
        packages.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn no_platform_has_cuda_by_default() {
        for platform in [Subdir::Linux64, Subdir::OsxArm64, Subdir::Win64, Subdir::LinuxAarch64] {
            assert!(defaults(platform).iter().all(|p| p.name.as_normalized() != "__cuda"));
        }
        let cuda = parse("__cuda=12.2").expect("valid");
        let with = apply(defaults(Subdir::Linux64), &[cuda]);
        assert!(shown(&with).contains(&"__cuda=12.2=0".to_owned()));
    }

    #[test]
    fn an_empty_version_removes_a_virtual_package() {
        let none = parse("__glibc=").expect("valid");
        assert!(!shown(&apply(defaults(Subdir::Linux64), &[none])).join(" ").contains("__glibc"));
    }

    #[test]
    fn conda_overrides_set_the_same_packages() {
        let set = conda_override("CUDA", "11.8").expect("known").expect("valid");
        assert_eq!(set, parse("__cuda=11.8").expect("valid"));
        let arch = conda_override("ARCHSPEC", "zen3").expect("known").expect("valid");
        assert_eq!(shown(&apply(Vec::new(), &[arch])), ["__archspec=1=zen3"]);
        assert_eq!(conda_override("EXE", "x"), None);
    }

    #[test]
    fn an_invalid_value_is_rejected_with_the_valid_formats() {
        for wrong in ["cuda=12", "__cuda", "__cuda=a b", "__cuda=garbage", ""] {
            let message = parse(wrong).expect_err(wrong).to_string();
            assert!(message.contains("__cuda=12.2"), "{message}");
        }
    }

    #[test]
    fn a_variable_of_condas_with_a_word_as_version_is_rejected() {
        let error = conda_override("CUDA", "garbage").expect("known").expect_err("no version");
        assert!(error.to_string().starts_with("`CONDA_OVERRIDE_CUDA=garbage` isn't"), "{error}");
    }

    #[test]
    fn contradicting_settings_of_one_run_are_rejected() {
        for wrong in [["__cuda=1", "__cuda=2"], ["__cuda=", "__cuda=2"], ["host", "default"]] {
            let error = parse_all(wrong).expect_err(wrong[0]).to_string();
            assert!(error.contains(wrong[0]) && error.contains(wrong[1]), "{error}");
        }
        let both = parse_all(["host", "__cuda=1", "__cuda=1"]).expect("no contradiction");
        assert_eq!(both.len(), 2);
    }

    #[test]
    fn settings_are_the_differences_from_the_defaults() {
        let fixed = defaults(Subdir::Linux64);
        assert_eq!(describe_differences(&fixed, &fixed), [] as [&str; 0]);
        let set = parse_all(["__cuda=12.2", "__glibc="]).expect("valid");
        let set = apply(fixed.clone(), &set);
        assert_eq!(describe_differences(&set, &fixed), ["__cuda=12.2=0", "no __glibc"]);
    }

    #[test]
    fn a_machine_meets_the_microarchitectures_whose_programs_it_runs() {
        for (host, required, met) in [
            ("x86_64_v3", "x86_64", true),
            ("x86_64_v3", "x86_64_v2", true),
            ("x86_64_v3", "x86_64_v3", true),
            ("x86_64_v3", "x86_64_v4", false),
            ("zen3", "x86_64_v3", true),
            ("skylake", "haswell", true),
            ("x86_64", "x86_64_v2", false),
            ("x86_64", "aarch64", false),
            ("m2", "m1", true),
            ("0", "x86_64", false),
            ("never-heard-of", "x86_64", false),
            ("x86_64_v3", "*", true),
        ] {
            let host_package = make("__archspec", "1", host);
            let text = format!("__archspec 1.* {required}");
            let spec = crate::spec::RecordSpec::parse(&text).expect("a dependency");
            assert_eq!(spec.matches_virtual(&host_package), met, "{host} for {required}");
        }
        let glibc = make("__glibc", "2.28", "x86_64_v3");
        let spec = crate::spec::RecordSpec::parse("__glibc * x86_64").expect("a dependency");
        assert!(!spec.matches_virtual(&glibc));
    }
}
