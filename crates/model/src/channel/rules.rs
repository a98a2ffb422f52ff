//! What the names of channels stand for.

use url::Url;

/// What the names of channels stand for. The default is conda's own, without any `.condarc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Where a name like `conda-forge` is looked for; ends in `/`.
    pub alias: Url,
    /// Where `pkgs/…` is looked for; ends in `/`.
    pub packages: Url,
    /// What `defaults` stands for, in order of priority.
    pub defaults: Vec<Url>,
    /// What `defaults` stands for in addition on Windows.
    pub defaults_on_windows: Vec<Url>,
}

impl Default for Rules {
    fn default() -> Self {
        let url = |text| Url::parse(text).expect("the address is a valid literal");
        Self {
            alias: url("https://conda.anaconda.org/"),
            packages: url("https://repo.anaconda.com/pkgs/"),
            defaults: vec![
                url("https://repo.anaconda.com/pkgs/main/"),
                url("https://repo.anaconda.com/pkgs/r/"),
            ],
            defaults_on_windows: vec![url("https://repo.anaconda.com/pkgs/msys2/")],
        }
    }
}
