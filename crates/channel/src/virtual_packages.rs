//! Detects this machine's virtual packages.

use std::collections::BTreeMap;

use envlock_report::{AsFindings, Code, Exit, Finding};
use rattler_conda_types::GenericVirtualPackage;
use rattler_virtual_packages::{
    AmdGpu, AmdGpuArch, Android, Archspec, Cuda, CudaArch, EnvOverride, Ios, LibC, Linux, Osx,
    Override, VirtualPackageOverrides, VirtualPackages, Windows,
};

/// Detects the virtual packages of this machine. `overrides` maps `CONDA_OVERRIDE_…` variables to
/// their values, as in conda: a version, or an empty text if the machine doesn't have it.
pub fn detect_virtual_packages(
    overrides: &BTreeMap<String, String>,
) -> Result<Vec<GenericVirtualPackage>, VirtualPackageError> {
    let mut chosen = VirtualPackageOverrides::default();
    chosen.win = read_override::<Windows>(overrides)?;
    chosen.osx = read_override::<Osx>(overrides)?;
    chosen.ios = read_override::<Ios>(overrides)?;
    chosen.android = read_override::<Android>(overrides)?;
    chosen.linux = read_override::<Linux>(overrides)?;
    chosen.libc = read_override::<LibC>(overrides)?;
    chosen.cuda = read_override::<Cuda>(overrides)?;
    chosen.cuda_arch = read_override::<CudaArch>(overrides)?;
    chosen.amdgpu = read_override::<AmdGpu>(overrides)?;
    chosen.amdgpu_arch = read_override::<AmdGpuArch>(overrides)?;
    chosen.archspec = read_override::<Archspec>(overrides)?;
    VirtualPackages::detect(&chosen, None)
        .map(|packages| packages.into_generic_virtual_packages().collect())
        .map_err(|error| VirtualPackageError::Detect(error.to_string()))
}

fn read_override<T: EnvOverride>(
    overrides: &BTreeMap<String, String>,
) -> Result<Option<Override>, VirtualPackageError> {
    let name = T::DEFAULT_ENV_NAME;
    let Some(value) = overrides.get(name) else { return Ok(None) };
    // Parsed here too, because the error of the detection doesn't name the variable.
    T::parse_version_opt(value).map_err(|error| VirtualPackageError::Override {
        name: name.to_owned(),
        value: value.clone(),
        reason: error.to_string(),
    })?;
    let is_malformed = T::DEFAULT_ENV_NAME != Archspec::DEFAULT_ENV_NAME
        && !value.is_empty()
        && !envlock_model::virtual_packages::is_version(value);
    if is_malformed {
        return Err(VirtualPackageError::Override {
            name: name.to_owned(),
            value: value.clone(),
            reason: "a version begins with a digit".to_owned(),
        });
    }
    Ok(Some(Override::String(value.clone())))
}

/// Why the virtual packages can't be detected.
#[derive(Debug, thiserror::Error)]
pub enum VirtualPackageError {
    /// A `CONDA_OVERRIDE_…` variable isn't a version.
    #[error("{name}={value} isn't a version: {reason}")]
    Override {
        /// The variable.
        name: String,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The detection failed.
    #[error("this machine's virtual packages can't be detected: {0}")]
    Detect(String),
}

impl AsFindings for VirtualPackageError {
    fn findings(&self) -> Vec<Finding> {
        vec![match self {
            Self::Override { name, .. } => Finding::new(Code::OverrideMalformed, self.to_string())
                .with_help(format!(
                    "for example `{name}=12.2`, or `{name}=` for a machine without it"
                )),
            Self::Detect(_) => Finding::new(Code::VirtualPackagesUndetected, self.to_string()),
        }]
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Override { .. } => Exit::Usage,
            Self::Detect(_) => Exit::Undetermined,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Result<Vec<String>, VirtualPackageError> {
        let overrides = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        Ok(detect_virtual_packages(&overrides)?
            .into_iter()
            .map(|package| package.to_string())
            .collect())
    }

    #[test]
    fn an_override_replaces_the_detected_version_and_an_empty_one_removes_the_package() {
        let cuda = with("CONDA_OVERRIDE_CUDA", "12.2").expect("a version");
        assert!(cuda.iter().any(|package| package.starts_with("__cuda=12.2")), "{cuda:?}");
        let none = with("CONDA_OVERRIDE_ARCHSPEC", "").expect("nothing is allowed");
        assert!(none.iter().all(|package| !package.starts_with("__archspec")), "{none:?}");
    }

    #[test]
    fn the_error_of_a_malformed_override_names_the_variable() {
        let error = with("CONDA_OVERRIDE_CUDA", "a b").expect_err("no version");
        assert!(
            error.to_string().starts_with("CONDA_OVERRIDE_CUDA=a b isn't a version"),
            "{error}"
        );
        assert_eq!(error.exit(), Exit::Usage);
    }
}
