//! Patterns and keys that rattler reads in another way than conda.

use super::*;

#[test]
fn a_pattern_in_a_dependency_matches_the_versions_that_conda_matches() {
    let world = Channels::default().channel(
        "a",
        &[
            "certifi 2024.8.1.dev",
            "certifi 2024.8.2",
            "uses 1 | certifi *.dev",
            "spark 3.4.3+aws",
            "spark 3.4.4",
            "needs 1 | spark 3.4.*+aws",
            "low 1 | spark >=3.4*,<4.*",
            "none 1 | spark 9.*+aws",
            "not 1 | certifi *",
            "not 2 | certifi >2024.8.2.*",
        ],
    );
    assert_eq!(world.clone().ask(&["uses"]).solved(), ["a/certifi-2024.8.1.dev-0", "a/uses-1-0"]);
    assert_eq!(world.clone().ask(&["needs"]).solved(), ["a/needs-1-0", "a/spark-3.4.3+aws-0"]);
    assert_eq!(world.clone().ask(&["low"]).solved(), ["a/low-1-0", "a/spark-3.4.4-0"]);
    assert_eq!(world.clone().ask(&["not"]).solved(), ["a/certifi-2024.8.2-0", "a/not-1-0"]);
    assert!(world.ask(&["none"]).fails());
}

#[test]
fn a_pattern_in_a_request_matches_the_versions_that_conda_matches() {
    let world = Channels::default()
        .channel("a", &["x 3.4.3+aws", "x 3.4.4", "x 3", "x 2.7.1.2", "x 2.10.3"]);
    for (request, solved) in [
        ("x=3.4.*+aws", Some("a/x-3.4.3+aws-0")),
        ("x *.*", Some("a/x-3.4.4-0")),
        ("x ==2.7.*.*", Some("a/x-2.7.1.2-0")),
        ("x >=2.10*,<3", Some("a/x-2.10.3-0")),
        ("x 0.2.*.", None),
        ("x 9.*.*", None),
    ] {
        let world = world.clone().ask(&[request]);
        match solved {
            Some(solved) => assert_eq!(world.solved(), [solved], "{request}"),
            None => assert!(world.fails(), "{request}"),
        }
    }
}

#[test]
fn several_conditions_on_one_package_hold_together() {
    let world = Channels::default().channel("a", &["x 1.1.dev", "x 1.2.dev", "x 1.2"]);
    assert_eq!(world.clone().ask(&["x *.dev", "x 1.1.*"]).solved(), ["a/x-1.1.dev-0"]);
    assert_eq!(world.clone().ask(&["x *.dev", "x 1.*.*"]).solved(), ["a/x-1.2.dev-0"]);
    assert!(world.ask(&["x *.dev", "x ==1.2"]).fails());
}

#[test]
fn the_license_matches_without_case_and_with_patterns_and_the_features_exactly() {
    let mut world = Channels::default().channel("a", &["x 1", "x 2", "x 3"]);
    let records = &mut world.records[0].1;
    records[0].package_record.license = Some("MIT".to_owned());
    records[1].package_record.license = Some("GPL-3.0-only".to_owned());
    records[2].package_record.track_features = vec!["mkl".to_owned(), "fast".to_owned()];
    for (request, solved) in [
        ("x[license=mit]", Some("a/x-1-0")),
        ("x[license='M*']", Some("a/x-1-0")),
        ("x[license='gpl*']", Some("a/x-2-0")),
        ("x[license='GPL']", None),
        ("x[track_features='fast mkl']", Some("a/x-3-0")),
        ("x[track_features='mkl,fast']", Some("a/x-3-0")),
        ("x[track_features=mkl]", None),
    ] {
        let world = world.clone().ask(&[request]);
        match solved {
            Some(solved) => assert_eq!(world.solved(), [solved], "{request}"),
            None => assert!(world.fails(), "{request}"),
        }
    }
}

#[test]
fn an_assumed_microarchitecture_meets_those_whose_programs_it_runs() {
    let world = Channels::default().channel(
        "a",
        &[
            "x 1 | __archspec 1.* x86_64",
            "x 2 | __archspec 1.* x86_64_v3",
            "y 1 | __archspec 1.* x86_64",
        ],
    );
    assert_eq!(world.clone().ask(&["x", "y"]).solved(), ["a/x-1-0", "a/y-1-0"]);
    let mut world = world.ask(&["x", "y"]);
    let fast = virtual_packages::parse("__archspec=1=zen3").expect("a virtual package");
    world.inputs.virtual_packages = virtual_packages::apply(world.inputs.virtual_packages, &[fast]);
    assert_eq!(world.solved(), ["a/x-2-0", "a/y-1-0"]);
}

#[test]
fn a_solution_has_the_records_of_the_index_unchanged() {
    let world = Channels::default().channel("a", &["x 1.dev", "y 1 | x *.dev"]).ask(&["y"]);
    world.with(&[], |problem| {
        let solution = solve(problem).expect("there is a solution");
        assert_eq!(solution.records[1].package_record.depends, ["x *.dev"]);
    });
}
