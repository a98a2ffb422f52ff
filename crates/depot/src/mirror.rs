//! The directory layout of the Tsinghua mirror.

use std::path::{Path, PathBuf};

use crate::Channel;

/// A tree in the mirror's layout: `anaconda/cloud/<channel>` and `anaconda/pkgs/<main|r|…>`.
#[derive(Debug, Clone)]
pub struct Mirror {
    root: PathBuf,
}

impl Mirror {
    /// Creates a mirror in `root`, the directory that a [`crate::Server`] serves.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Returns the directory that a server serves.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the directory of a channel: `conda-forge`, or `pkgs/main` for those of
    /// repo.anaconda.com.
    pub fn channel_dir(&self, name: &str) -> PathBuf {
        let anaconda = self.root.join("anaconda");
        if name.starts_with("pkgs/") {
            anaconda.join(name)
        } else {
            anaconda.join("cloud").join(name)
        }
    }

    /// Creates a channel in its directory.
    pub fn channel(&self, name: &str) -> Channel {
        Channel::new(self.channel_dir(name))
    }

    /// Returns the origins and their mirror URLs for the mirror at `url`, as `--mirror
    /// ORIGIN=MIRROR` takes them. All end with `/`.
    pub fn mirror_pairs(url: &str) -> [(&'static str, String); 2] {
        let url = url.trim_end_matches('/');
        [
            ("https://conda.anaconda.org/", format!("{url}/anaconda/cloud/")),
            ("https://repo.anaconda.com/", format!("{url}/anaconda/")),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_in_the_cloud_and_those_of_anaconda_under_pkgs() {
        let mirror = Mirror::new("root");
        assert_eq!(mirror.channel_dir("conda-forge"), Path::new("root/anaconda/cloud/conda-forge"));
        assert_eq!(mirror.channel_dir("pkgs/main"), Path::new("root/anaconda/pkgs/main"));
    }

    #[test]
    fn a_mirror_replaces_both_origins_with_one_slash_between() {
        let [cloud, anaconda] = Mirror::mirror_pairs("http://127.0.0.1:1/");
        assert_eq!(cloud.1, "http://127.0.0.1:1/anaconda/cloud/");
        assert_eq!(anaconda.1, "http://127.0.0.1:1/anaconda/");
    }
}
