//! Packages that try to leave the prefix are refused before anything is written.

use envlock_install::{Fault, InstallError};
use envlock_report::{AsFindings, Exit};

use crate::support::{Package, World, install};

/// The package and its fault; nothing may have been written, inside or outside.
fn refused(world: &World, packages: Vec<Package>) -> (String, String, Fault) {
    let wanted = world.wanted("env", packages);
    let error = install(&wanted).unwrap_err();
    assert_eq!(error.exit(), Exit::Findings, "{error}");
    assert!(!wanted.prefix.exists(), "nothing may be there");
    assert_eq!(crate::support::names(&world.root.path().join("envs")), [".env~lock"]);
    match error {
        InstallError::Refused { package, path, fault } => (package, path, fault),
        other => panic!("{other}"),
    }
}

#[test]
fn a_path_that_climbs_out_is_refused() {
    let world = World::new();
    let evil = world.package("evil", "1").listed("lib/../../../outside", "hardlink").done();
    let (package, path, fault) = refused(&world, vec![evil]);
    assert_eq!((package.as_str(), path.as_str()), ("evil-1-0", "lib/../../../outside"));
    assert_eq!(fault, Fault::Parent);
}

#[test]
fn an_absolute_path_is_refused() {
    let world = World::new();
    let target = world.root.path().join("outside").display().to_string();
    let evil = world.package("evil", "1").listed(&target, "hardlink").done();
    assert_eq!(refused(&world, vec![evil]).2, Fault::Absolute);
}

#[test]
fn a_noarch_path_that_climbs_out_of_site_packages_is_refused() {
    let world = World::new();
    let python = world.package("python", "3.10.1").file("lib/python3.10/os.py", "").done();
    let evil = world
        .package("evil", "1")
        .noarch_python()
        .listed("site-packages/../../../../x.py", "hardlink")
        .done();
    assert_eq!(refused(&world, vec![python, evil]).2, Fault::Parent);
}

#[test]
fn a_path_into_conda_meta_is_refused() {
    let world = World::new();
    let evil = world.package("evil", "1").file("conda-meta/history", "x").done();
    assert_eq!(refused(&world, vec![evil]).2, Fault::CondaMeta);
}

#[test]
fn a_link_that_leads_out_is_refused() {
    for target in ["/etc", "../../..", "../.."] {
        let world = World::new();
        let evil = world.package("evil", "1").link("lib/out", target).done();
        assert_eq!(refused(&world, vec![evil]).2, Fault::LinkEscapes(target.into()), "{target}");
    }
}

#[test]
fn two_packages_whose_links_lead_out_together_are_refused() {
    let world = World::new();
    let up = world.package("up", "1").link("a/b/up", "../..").done();
    let out = world.package("out", "1").link("t", "a/b/up/../x").done();
    let (package, path, fault) = refused(&world, vec![up, out]);
    assert_eq!((package.as_str(), path.as_str()), ("out-1-0", "t"));
    assert_eq!(fault, Fault::LinkEscapes("a/b/up/../x".into()));
}

#[test]
fn a_path_through_another_packages_link_is_refused() {
    let world = World::new();
    let a = world.package("a", "1").link("lib64", "lib").done();
    let b = world.package("b", "1").file("lib64/x", "x").done();
    let fault = Fault::Through { through: "lib64".into(), owner: "a-1-0".into() };
    assert_eq!(refused(&world, vec![a, b]).2, fault);
}

#[test]
fn a_path_through_its_own_link_in_the_cache_is_refused() {
    let world = World::new();
    let outside = world.root.path().join("secret");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("key"), "k").unwrap();
    let builder = world.package("evil", "1");
    std::fs::create_dir_all(&builder.dir).unwrap();
    std::os::unix::fs::symlink(&outside, builder.dir.join("share")).unwrap();
    let evil = builder.listed("share/key", "hardlink").done();
    assert_eq!(refused(&world, vec![evil]).2, Fault::SourceEscapes);
}

#[test]
fn a_link_that_is_listed_as_a_file_is_judged_as_the_link_that_it_is() {
    let world = World::new();
    let builder = world.package("evil", "1");
    std::fs::create_dir_all(&builder.dir).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", builder.dir.join("innocent")).unwrap();
    let evil = builder.listed("innocent", "hardlink").done();
    assert_eq!(refused(&world, vec![evil]).2, Fault::LinkEscapes("/etc/passwd".into()));
}

#[test]
fn entry_points_that_leave_bin_are_refused_by_the_packages_name() {
    for text in ["../evil = m:f", "/evil = m:f", "a/b = m:f", ". = m:f", "x = m:f(); import os"] {
        let world = World::new();
        let python = world.package("python", "3.10.1").file("lib/python3.10/os.py", "").done();
        let evil = world.package("evil", "1").noarch_python().entry_point(text).done();
        let (package, path, fault) = refused(&world, vec![python, evil]);
        assert_eq!((package.as_str(), path.as_str()), ("evil-1-0", text));
        assert_eq!(fault, Fault::EntryPoint);
    }
}

#[test]
fn a_directory_where_another_package_has_a_file_is_refused() {
    let world = World::new();
    let a = world.package("a", "1").file("share/x", "x").done();
    let b = world.package("b", "1").listed("share/x", "directory").done();
    assert_eq!(refused(&world, vec![a, b]).2, Fault::DirectoryAndFile("a-1-0".into()));
}

#[test]
fn a_python_that_puts_site_packages_elsewhere_is_refused() {
    let world = World::new();
    let mut python = world.package("python", "3.10.1").file("lib/python3.10/os.py", "").done();
    python.record.package_record.python_site_packages_path = Some("../../outside".into());
    let library = world.package("lib", "1").noarch_python().file("site-packages/l.py", "").done();
    let (package, _, fault) = refused(&world, vec![python, library]);
    assert_eq!((package.as_str(), fault), ("lib-1-0", Fault::Parent));
}
