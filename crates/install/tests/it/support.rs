//! Unpacked packages made by hand, and the install of them.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

pub(crate) use envlock_install::Package;
use envlock_install::{InstallError, InstallSpec, Installed, Plan, apply, inspect, plan};
use envlock_model::progress::{Event, Notice, Observer};
use rattler_conda_types::{PackageRecord, RepoDataRecord, Subdir};
use rattler_digest::serde::SerializableHash;
use rattler_digest::{Sha256, compute_bytes_digest};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The build prefix that packages carry.
pub(crate) fn placeholder() -> String {
    format!("/home/builder/{}", "placehold_".repeat(24))
}

/// A cache of unpacked packages and a folder for prefixes, on the same disk.
pub(crate) struct TestCache {
    pub(crate) root: TempDir,
}

impl TestCache {
    pub(crate) fn new() -> Self {
        Self { root: tempfile::tempdir().expect("a temporary directory") }
    }

    pub(crate) fn prefix(&self, name: &str) -> PathBuf {
        self.root.path().join("envs").join(name)
    }

    /// Starts a package. `build` writes its `info/`.
    pub(crate) fn package(&self, name: &str, version: &str) -> Builder {
        let dir = self.root.path().join(format!("pkgs/{name}-{version}-0"));
        if dir.exists() {
            std::fs::remove_dir_all(&dir).expect("an old package");
        }
        Builder {
            dir,
            index: json!({
                "name": name, "version": version, "build": "0", "build_number": 0,
                "subdir": "linux-64", "depends": [],
            }),
            paths: Vec::new(),
            entry_points: Vec::new(),
        }
    }

    pub(crate) fn request(&self, name: &str, packages: Vec<Package>) -> Request {
        let records: Vec<_> = packages.iter().map(|package| package.record.clone()).collect();
        let urls: Vec<String> = records.iter().map(|record| record.url.to_string()).collect();
        let spec = InstallSpec {
            prefix: self.prefix(name),
            platform: Subdir::current().expect("a conda platform"),
            records,
            requested: BTreeMap::new(),
            requested_wheels: std::collections::BTreeSet::new(),
            variables: BTreeMap::new(),
            lock_digest: urls.join(" "),
            command: "envlock install".into(),
            time: "2026-11-23T18:30:12Z".parse().expect("a time"),
            envlock_version: "0.1.0".into(),
            replace: false,
            run_post_link_scripts: false,
            jobs: 2,
        };
        Request { spec, packages }
    }
}

/// The input of an install: a spec, and the unpacked packages.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) spec: InstallSpec,
    pub(crate) packages: Vec<Package>,
}

impl Request {
    /// The plan, as a dry run shows it.
    pub(crate) fn plan(&self) -> Result<Plan, InstallError> {
        plan(inspect(&self.spec)?, self.spec.clone())
    }

    /// Plans and carries the plan out.
    pub(crate) async fn install(&self, observer: &dyn Observer) -> Result<Installed, InstallError> {
        apply(self.plan()?, self.packages.clone(), observer).await
    }
}

impl Deref for Request {
    type Target = InstallSpec;

    fn deref(&self) -> &InstallSpec {
        &self.spec
    }
}

impl DerefMut for Request {
    fn deref_mut(&mut self) -> &mut InstallSpec {
        &mut self.spec
    }
}

/// A builder for an unpacked package.
pub(crate) struct Builder {
    pub(crate) dir: PathBuf,
    index: Value,
    paths: Vec<Value>,
    entry_points: Vec<String>,
}

impl Builder {
    pub(crate) fn depends(mut self, spec: &str) -> Self {
        self.index["depends"].as_array_mut().expect("a list").push(spec.into());
        self
    }

    pub(crate) fn noarch_python(mut self) -> Self {
        self.index["noarch"] = "python".into();
        self.index["subdir"] = "noarch".into();
        self
    }

    pub(crate) fn entry_point(mut self, text: &str) -> Self {
        self.entry_points.push(text.into());
        self
    }

    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        self.bytes(path, text.as_bytes(), None)
    }

    pub(crate) fn script(self, path: &str, text: &str) -> Self {
        let builder = self.file(path, text);
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(builder.dir.join(path), mode).expect("a mode");
        builder
    }

    /// With the build prefix in it; `mode` is `text` or `binary`.
    pub(crate) fn bytes(mut self, path: &str, bytes: &[u8], mode: Option<&str>) -> Self {
        let file = self.dir.join(path);
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("a directory");
        std::fs::write(file, bytes).expect("a file");
        let digest = compute_bytes_digest::<Sha256>(bytes);
        let mut entry = json!({
            "_path": path, "path_type": "hardlink", "sha256": SerializableHash::<Sha256>(digest),
            "size_in_bytes": bytes.len(),
        });
        if let Some(mode) = mode {
            entry["file_mode"] = mode.into();
            entry["prefix_placeholder"] = placeholder().into();
        }
        self.paths.push(entry);
        self
    }

    pub(crate) fn link(self, path: &str, target: &str) -> Self {
        let file = self.dir.join(path);
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("a directory");
        symlink(target, file).expect("a link");
        self.listed(path, "softlink")
    }

    /// Only in `paths.json`.
    pub(crate) fn listed(mut self, path: &str, path_type: &str) -> Self {
        self.paths.push(json!({ "_path": path, "path_type": path_type }));
        self
    }

    pub(crate) fn build(self) -> Package {
        let info = self.dir.join("info");
        std::fs::create_dir_all(&info).expect("a directory");
        let write = |name: &str, value: &Value| {
            std::fs::write(info.join(name), value.to_string()).expect("a file");
        };
        write("index.json", &self.index);
        write("paths.json", &json!({ "paths": self.paths, "paths_version": 1 }));
        write("about.json", &json!({}));
        if !self.entry_points.is_empty() {
            let noarch = json!({ "type": "python", "entry_points": self.entry_points });
            write("link.json", &json!({ "noarch": noarch, "package_metadata_version": 1 }));
        }
        let name = self.dir.file_name().expect("a name").to_string_lossy().into_owned();
        let subdir = self.index["subdir"].as_str().expect("a subdir");
        let record = RepoDataRecord {
            package_record: serde_json::from_value::<PackageRecord>(self.index.clone())
                .expect("a record"),
            identifier: format!("{name}.conda").parse().expect("an archive's name"),
            url: format!("https://conda.anaconda.org/conda-forge/{subdir}/{name}.conda")
                .parse()
                .expect("a URL"),
            channel: Some("https://conda.anaconda.org/conda-forge/".into()),
        };
        Package { record, dir: self.dir }
    }
}

/// Records the events.
#[derive(Default)]
pub(crate) struct Recorder(pub(crate) Mutex<Vec<Event>>);

impl Observer for Recorder {
    fn observe(&self, event: Event) {
        self.0.lock().expect("no panic").push(event);
    }
}

impl Recorder {
    pub(crate) fn notices(&self) -> Vec<Notice> {
        let events = self.0.lock().expect("no panic");
        events
            .iter()
            .filter_map(|event| match event {
                Event::Notice(notice) => Some(notice.clone()),
                _ => None,
            })
            .collect()
    }
}

pub(crate) fn install(request: &Request) -> Result<Installed, InstallError> {
    install_observed(request, &Recorder::default())
}

pub(crate) fn install_observed(
    request: &Request,
    recorder: &Recorder,
) -> Result<Installed, InstallError> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(request.install(recorder))
}

/// Every path below `folder` with its bytes or target, without `conda-meta` if with_scripts.
pub(crate) fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a directory") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(folder).expect("below").to_owned();
            if path.is_symlink() {
                let target = std::fs::read_link(&path).expect("a link");
                found.insert(name, target.into_os_string().into_encoded_bytes());
            } else if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(name, std::fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

/// The names in a directory.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
