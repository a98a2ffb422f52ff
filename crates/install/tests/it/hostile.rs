//! Packages that try to leave the prefix are refused before anything is written.

use envlock_install::{InstallError, PathFault};
use envlock_report::{AsFindings, Exit};

use crate::support::{Package, TestCache, install};

/// The package and its fault; nothing may have been written, inside or outside.
fn refused(cache: &TestCache, packages: Vec<Package>) -> (String, String, PathFault) {
    let request = cache.request("env", packages);
    let error = install(&request).unwrap_err();
    assert_eq!(error.exit(), Exit::Findings, "{error}");
    assert!(!request.prefix.exists(), "nothing may be there");
    assert_eq!(crate::support::names(&cache.root.path().join("envs")), [".env~lock"]);
    match error {
        InstallError::UnsafePackage { package, path, fault } => (package, path, fault),
        other => panic!("{other}"),
    }
}

#[test]
fn a_path_that_climbs_out_is_refused() {
    let cache = TestCache::new();
    let evil = cache.package("evil", "1").listed("lib/../../../outside", "hardlink").build();
    let (package, path, fault) = refused(&cache, vec![evil]);
    assert_eq!((package.as_str(), path.as_str()), ("evil-1-0", "lib/../../../outside"));
    assert_eq!(fault, PathFault::ParentDir);
}

#[test]
fn an_absolute_path_is_refused() {
    let cache = TestCache::new();
    let target = cache.root.path().join("outside").display().to_string();
    let evil = cache.package("evil", "1").listed(&target, "hardlink").build();
    assert_eq!(refused(&cache, vec![evil]).2, PathFault::Absolute);
}

#[test]
fn a_noarch_path_that_climbs_out_of_site_packages_is_refused() {
    let cache = TestCache::new();
    let python = cache.package("python", "3.10.1").file("lib/python3.10/os.py", "").build();
    let evil = cache
        .package("evil", "1")
        .noarch_python()
        .listed("site-packages/../../../../x.py", "hardlink")
        .build();
    assert_eq!(refused(&cache, vec![python, evil]).2, PathFault::ParentDir);
}

#[test]
fn a_path_into_conda_meta_is_refused() {
    let cache = TestCache::new();
    let evil = cache.package("evil", "1").file("conda-meta/history", "x").build();
    assert_eq!(refused(&cache, vec![evil]).2, PathFault::CondaMeta);
}

#[test]
fn a_link_that_leads_out_is_refused() {
    for target in ["/etc", "../../..", "../.."] {
        let cache = TestCache::new();
        let evil = cache.package("evil", "1").link("lib/out", target).build();
        assert_eq!(
            refused(&cache, vec![evil]).2,
            PathFault::LinkOutsidePrefix(target.into()),
            "{target}"
        );
    }
}

#[test]
fn two_packages_whose_links_lead_out_together_are_refused() {
    let cache = TestCache::new();
    let up = cache.package("up", "1").link("a/b/up", "../..").build();
    let out = cache.package("out", "1").link("t", "a/b/up/../x").build();
    let (package, path, fault) = refused(&cache, vec![up, out]);
    assert_eq!((package.as_str(), path.as_str()), ("out-1-0", "t"));
    assert_eq!(fault, PathFault::LinkOutsidePrefix("a/b/up/../x".into()));
}

#[test]
fn a_path_through_another_packages_link_is_refused() {
    let cache = TestCache::new();
    let a = cache.package("a", "1").link("lib64", "lib").build();
    let b = cache.package("b", "1").file("lib64/x", "x").build();
    let fault = PathFault::BelowFile { through: "lib64".into(), owner: "a-1-0".into() };
    assert_eq!(refused(&cache, vec![a, b]).2, fault);
}

#[test]
fn a_path_through_its_own_link_in_the_cache_is_refused() {
    let cache = TestCache::new();
    let outside = cache.root.path().join("secret");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("key"), "k").unwrap();
    let builder = cache.package("evil", "1");
    std::fs::create_dir_all(&builder.dir).unwrap();
    std::os::unix::fs::symlink(&outside, builder.dir.join("share")).unwrap();
    let evil = builder.listed("share/key", "hardlink").build();
    assert_eq!(refused(&cache, vec![evil]).2, PathFault::SourceOutsidePackage);
}

#[test]
fn a_link_that_is_listed_as_a_file_is_judged_as_the_link_that_it_is() {
    let cache = TestCache::new();
    let builder = cache.package("evil", "1");
    std::fs::create_dir_all(&builder.dir).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", builder.dir.join("innocent")).unwrap();
    let evil = builder.listed("innocent", "hardlink").build();
    assert_eq!(refused(&cache, vec![evil]).2, PathFault::LinkOutsidePrefix("/etc/passwd".into()));
}

#[test]
fn entry_points_that_leave_bin_are_refused_by_the_packages_name() {
    for text in ["../evil = m:f", "/evil = m:f", "a/b = m:f", ". = m:f", "x = m:f(); import os"] {
        let cache = TestCache::new();
        let python = cache.package("python", "3.10.1").file("lib/python3.10/os.py", "").build();
        let evil = cache.package("evil", "1").noarch_python().entry_point(text).build();
        let (package, path, fault) = refused(&cache, vec![python, evil]);
        assert_eq!((package.as_str(), path.as_str()), ("evil-1-0", text));
        assert_eq!(fault, PathFault::EntryPoint);
    }
}

#[test]
fn a_directory_where_another_package_has_a_file_is_refused() {
    let cache = TestCache::new();
    let a = cache.package("a", "1").file("share/x", "x").build();
    let b = cache.package("b", "1").listed("share/x", "directory").build();
    assert_eq!(refused(&cache, vec![a, b]).2, PathFault::FileAndDirectory("a-1-0".into()));
}

#[test]
fn a_python_that_puts_site_packages_elsewhere_is_refused() {
    let cache = TestCache::new();
    let mut python = cache.package("python", "3.10.1").file("lib/python3.10/os.py", "").build();
    python.record.package_record.python_site_packages_path = Some("../../outside".into());
    let library = cache.package("lib", "1").noarch_python().file("site-packages/l.py", "").build();
    let (package, _, fault) = refused(&cache, vec![python, library]);
    assert_eq!((package.as_str(), fault), ("lib-1-0", PathFault::ParentDir));
}
