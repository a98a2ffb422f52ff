//! `.pyc` files of noarch Python packages, as conda makes them, but the same bytes each time.
//!
//! conda compiles with time stamps: two installs of one lock differ in every `.pyc`. Here
//! they carry the hash of their source and are checked against it at import (PEP 552,
//! `checked-hash`): unchecked ones would silently ignore an edit in `site-packages`, which
//! people make to find a fault, and the check costs one read of a file that is small.
//! One process a package with sorted files and `PYTHONHASHSEED=0`, because the order of a
//! set and the references in a `.pyc` depend on what the process did before.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use envlock_model::progress::{Event, Observer, Outcome, Phase};
use rattler::install::PythonInfo;
use rattler_conda_types::prefix_record::{PathType, PathsEntry};
use rattler_digest::Sha256;
use serde::Deserialize;

use crate::error::{InstallError, IoContext};
use crate::install_spec::Uncompiled;
use crate::stage::Linked;

/// Reads the sources as JSON, answers with a line of JSON for each.
const SCRIPT: &str = include_str!("compile.py");

/// The first Python with hash-based `.pyc` files.
const FIRST_PYTHON: (u64, u64) = (3, 7);

/// The script's result for one source.
#[derive(Deserialize)]
struct Answer {
    source: PathBuf,
    pyc: Option<PathBuf>,
    error: Option<String>,
}

/// Compiles the packages of `linked` in `staging`, `jobs` at a time, adds the `.pyc` files
/// to their paths, and returns the sources without a `.pyc`.
pub(crate) fn compile(
    linked: &mut [Linked<'_>],
    staging: &Path,
    python: Option<&PythonInfo>,
    jobs: usize,
    observer: &dyn Observer,
) -> Result<Vec<Uncompiled>, InstallError> {
    let Some(python) = python else { return Ok(Vec::new()) };
    let mut work: Vec<(&mut Linked<'_>, Vec<PathBuf>)> = linked
        .iter_mut()
        .filter(|package| package.noarch_python)
        .map(|package| {
            let sources = sources(&package.paths, &python.site_packages_path);
            (package, sources)
        })
        .filter(|(_, sources)| !sources.is_empty())
        .collect();
    if work.is_empty() {
        return Ok(Vec::new());
    }
    let units = work.iter().map(|(_, sources)| sources.len() as u64).sum();
    observer.observe(Event::Expect { phase: Phase::Compile, units });
    observer.observe(Event::ExpectItems { phase: Phase::Compile, items: work.len() });
    work.reverse();
    let (queue, results) = (Mutex::new(work), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some((package, sources)) = lock(&queue).pop() {
                    let name = package.package.record.package_record.name.as_normalized();
                    let name = name.to_owned();
                    let result = compile_package(package, &sources, staging, python, observer);
                    observer.observe(Event::ItemDone { phase: Phase::Compile, name });
                    lock(&results).push(result);
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut uncompiled: Vec<Uncompiled> =
        results.into_iter().filter_map(Result::transpose).collect::<Result<_, _>>()?;
    uncompiled.sort_by(|a, b| a.package.cmp(&b.package));
    let left = uncompiled.iter().map(|left| left.files.len() as u64).sum::<u64>();
    let outcome = Outcome::Compiled { compiled: units - left, sources: units };
    observer.observe(Event::Done(outcome));
    Ok(uncompiled)
}

/// Locks a mutex. A thread that panicked has ended the scope with it: the value is never half
/// changed.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Returns the package's own sources below `site-packages`, sorted.
fn sources(paths: &[PathsEntry], site_packages: &Path) -> Vec<PathBuf> {
    let mut sources: Vec<PathBuf> = paths
        .iter()
        .filter(|entry| entry.path_type == PathType::HardLink)
        .map(|entry| entry.relative_path.clone())
        .filter(|path| path.starts_with(site_packages))
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    sources.sort();
    sources
}

/// Compiles one package. Sources that Python can't compile are returned and are no error: the
/// first import is only slower.
fn compile_package(
    package: &mut Linked<'_>,
    all: &[PathBuf],
    staging: &Path,
    python: &PythonInfo,
    observer: &dyn Observer,
) -> Result<Option<Uncompiled>, InstallError> {
    let name = package.package.record.package_record.name.as_normalized().to_owned();
    observer.observe(Event::Item { phase: Phase::Compile, name });
    // A `.pyc` file must not be written through a link of a package.
    let (sources, unsafe_sources): (Vec<_>, Vec<_>) =
        all.iter().cloned().partition(|source| has_plain_pycache(staging, source));
    let mut advance = || observer.observe(Event::Advance { phase: Phase::Compile, units: 1 });
    for _ in &unsafe_sources {
        advance();
    }
    let (answers, failure) = if python.short_version < FIRST_PYTHON {
        let (major, minor) = python.short_version;
        (Vec::new(), Some(format!("Python {major}.{minor} has no hash-based .pyc files")))
    } else {
        match run_script(staging, python, &sources, &mut advance) {
            Ok(answer) => answer,
            Err(error) => (Vec::new(), Some(error.to_string())),
        }
    };
    let mut reasons: Vec<(PathBuf, String)> = unsafe_sources
        .into_iter()
        .map(|source| (source, "its directory `__pycache__` is a link or a file".to_owned()))
        .collect();
    for answer in answers {
        match (answer.pyc, answer.error) {
            (Some(pyc), _) => record_pyc(package, staging, pyc)?,
            (None, error) => reasons.push((answer.source, error.unwrap_or_default())),
        }
    }
    if let Some(failure) = failure {
        let reason = failure;
        reasons = all.iter().map(|source| (source.clone(), reason.clone())).collect();
    }
    let Some((_, reason)) = reasons.first().cloned() else { return Ok(None) };
    Ok(Some(Uncompiled {
        package: package.package.display_name(),
        files: reasons.into_iter().map(|(source, _)| source).collect(),
        reason,
    }))
}

/// Whether the `.pyc` of a source goes to a directory and not through a link.
fn has_plain_pycache(staging: &Path, source: &Path) -> bool {
    let folder = staging.join(source.with_file_name("__pycache__"));
    std::fs::symlink_metadata(folder).map_or(true, |found| found.is_dir())
}

/// Runs the staged Python over the sources. The second value is the script's
/// failure, if it failed.
fn run_script(
    staging: &Path,
    python: &PythonInfo,
    sources: &[PathBuf],
    advance: &mut dyn FnMut(),
) -> std::io::Result<(Vec<Answer>, Option<String>)> {
    let mut command = Command::new(staging.join(python.path()));
    // -B: the standard library's own .pyc files aren't this package's. -s and -S: no code runs
    // but that of the package `python`. -I and -E would drop the hash seed, so the environment is emptied.
    command.args(["-B", "-s", "-S", "-W", "ignore", "-X", "utf8", "-c", SCRIPT]);
    command
        .current_dir(staging)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.env_clear().env("PYTHONHASHSEED", "0");
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // Whole before the first answer: the script reads to the end before it writes.
        let list = serde_json::to_vec(sources)?;
        // If Python ends without reading, its exit status is more informative than the broken pipe.
        stdin
            .write_all(&list)
            .or_else(|e| if e.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(e) })?;
    }
    let mut answers = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            answers.push(serde_json::from_str(&line?)?);
            advance();
        }
    }
    let output = child.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().last().unwrap_or_default();
    let failure = (!output.status.success()).then(|| format!("{} ({last})", output.status));
    Ok((answers, failure))
}

/// Records a `.pyc`, unless the package contains it.
fn record_pyc(package: &mut Linked<'_>, staging: &Path, pyc: PathBuf) -> Result<(), InstallError> {
    if package.paths.iter().any(|entry| entry.relative_path == pyc) {
        return Ok(());
    }
    let path = staging.join(&pyc);
    let digest = rattler_digest::compute_file_digest::<Sha256>(&path);
    let size = fs_err::metadata(&path).while_doing("read a compiled file")?.len();
    package.paths.push(PathsEntry {
        relative_path: pyc,
        original_path: None,
        path_type: PathType::PycFile,
        no_link: false,
        sha256: Some(digest.while_doing("read a compiled file")?),
        sha256_in_prefix: None,
        size_in_bytes: Some(size),
        file_mode: None,
        prefix_placeholder: None,
    });
    Ok(())
}
