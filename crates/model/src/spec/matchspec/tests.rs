use rattler_conda_types::{Subdir, Version};

use super::parse;

/// Whether a spec accepts a candidate: a version, or a version and a build.
fn accepts(spec: &str, candidate: &str) -> bool {
    let parts = parse(spec).unwrap_or_else(|e| panic!("{spec}: {}", e.reason));
    let (spec, conditions) = (parts.spec, parts.conditions);
    let (version, build) = candidate.split_once(' ').unwrap_or((candidate, "0"));
    let parsed: Version = version.parse().unwrap();
    spec.version.is_none_or(|v| v.matches(&parsed))
        && conditions.match_version(version)
        && spec.build.is_none_or(|b| b.matches(build))
}

/// Each case was compared with conda 24.7.
#[test]
fn a_spec_has_the_same_meaning_as_in_conda() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("x", &["0.1", "2 any"], &[]),
        ("x *", &["0.1", "2 any"], &[]),
        ("x=1.24.3", &["1.24.3", "1.24.3.1"], &["1.24.4", "1.24.30"]),
        ("x =1.2", &["1.2", "1.2.9", "1.2.4a0"], &["1.20", "1.3"]),
        ("x = 1.2", &["1.2.9"], &["1.3"]),
        ("x=1.2.*", &["1.2.9"], &["1.20"]),
        ("x 1.2*", &["1.2.9"], &["1.20"]),
        ("x 1.2", &["1.2", "1.2.0"], &["1.2.1"]),
        ("x==1.24.3", &["1.24.3", "1.24.3.0"], &["1.24.3.1"]),
        ("x ==1.2.*", &["1.2.9"], &["1.3"]),
        ("x==1.2.*|==2.0.*", &["1.2.9", "2.0"], &["1.3", "2.0.1"]),
        ("x=1.2=py_0", &["1.2 py_0"], &["1.2.1 py_0", "1.2 py_1"]),
        ("x==1.2=py_0", &["1.2 py_0"], &["1.2.1 py_0"]),
        ("x 1.2 py_0", &["1.2 py_0"], &["1.2.1 py_0"]),
        ("x >=1.2 , < 2.0 =py34_0", &["1.9 py34_0"], &["2.0 py34_0", "1.9 py35_0"]),
        ("x>=2.7.0=cuda12*", &["2.8 cuda126_h0"], &["2.6 cuda126_h0", "2.8 cpu_h0"]),
        ("x *=headless*", &["1 headless_h0"], &["1 qt6_h0"]),
        ("x=*=mkl", &["9 mkl"], &["9 openblas"]),
        ("x>=1,<2|>3", &["1", "1.9", "3.1"], &["2", "3"]),
        ("x~=5.0", &["5.0", "5.9"], &["6.0", "4.9"]),
        ("x~=1.2.3", &["1.2.9"], &["1.3"]),
        ("x!=1.2.*", &["1.3"], &["1.2", "1.2.9"]),
        ("x>=1.2,!=1.2.3", &["1.2.4"], &["1.2.3"]),
        ("x>1.2.*", &["1.2.1"], &["1.2"]),
        ("x>=1!1.2", &["1!1.2"], &["2024.1"]),
        ("x<3.0.0a0", &["2.9"], &["3.0.0a0", "3"]),
        ("x=2.0.0", &["2.0.0a0"], &["2.0.1"]),
        ("x[version='=1.2']", &["1.2.9"], &["1.3"]),
        ("x[version=1.2]", &["1.2"], &["1.2.1"]),
        (
            "x[version='(>=1.2,<1.3)|>=3', build=*_0]",
            &["1.2.9 py_0", "4 py_0"],
            &["2 py_0", "4 py_1"],
        ),
        ("x=1.2[version=2.0]", &["2.0"], &["1.2"]),
        ("x[fn=x-1.2-py_0.conda]", &["1.2 py_0"], &["1.2.1 py_0", "1.2 py_1"]),
        ("x[fn='x-1.2-py_0.tar.bz2']", &["1.2 py_0"], &["1.3 py_0"]),
    ];
    for (spec, yes, no) in cases {
        for candidate in *yes {
            assert!(accepts(spec, candidate), "{spec} accepts {candidate}");
        }
        for candidate in *no {
            assert!(!accepts(spec, candidate), "{spec} doesn't accept {candidate}");
        }
    }
}

/// Written by conda itself.
const VECTORS: &str = include_str!("conda_vectors.txt");

#[test]
fn versions_match_as_conda_itself_matches_them() {
    let lines = VECTORS.lines().filter(|line| !line.starts_with('#'));
    let rows: Vec<_> = lines.filter_map(|line| line.split_once(" :")).collect();
    let all: Vec<&str> = rows[0].1.split_whitespace().collect();
    let mut wrong = Vec::new();
    for (spec, versions) in rows {
        let expected: Vec<_> = versions.split_whitespace().collect();
        let text = if spec.starts_with('[') { format!("x{spec}") } else { format!("x {spec}") };
        let parts = parse(&text).unwrap_or_else(|e| panic!("{text}: {}", e.reason));
        for version in &all {
            let parsed: Version = version.parse().unwrap();
            let matches = parts.spec.version.as_ref().is_none_or(|spec| spec.matches(&parsed))
                && parts.conditions.match_version(version);
            if matches != expected.contains(version) {
                wrong.push(format!("{text}: {version}"));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn channel_and_subdir_are_separated_from_the_spec() {
    let cases = [
        ("conda-forge::x", Some("conda-forge"), None),
        ("conda-forge/noarch::x", Some("conda-forge"), Some("noarch")),
        ("pkgs/main::x>=1", Some("pkgs/main"), None),
        ("https://example.org:8080/a/b::x 1", Some("https://example.org:8080/a/b"), None),
        ("https://example.org/a/linux-64::x", Some("https://example.org/a"), Some("linux-64")),
        ("x[channel=a/b]", Some("a/b"), None),
        ("a::x[subdir=linux-64]", Some("a"), Some("linux-64")),
        ("::x", None, None),
    ];
    for (text, channel, subdir) in cases {
        let parts = parse(text).unwrap();
        assert_eq!(parts.channel.as_deref(), channel, "{text}");
        assert_eq!(parts.subdir.map(Subdir::as_str), subdir, "{text}");
        assert_eq!(parts.spec.name.to_string(), "x", "{text}");
        assert!(parts.spec.channel.is_none() && parts.spec.subdir.is_none(), "{text}");
    }
}

#[test]
fn fields_in_brackets_are_set_in_the_spec() {
    let md5 = "d41d8cd98f00b204e9800998ecf8427e";
    let text = format!("x[md5={md5}, build_number='>=2', license=MIT, license_family=MIT]");
    let spec = parse(&text).unwrap().spec;
    assert!(spec.md5.is_some() && spec.build_number.is_some());

    let url = "https://conda.anaconda.org/conda-forge/noarch/x-1-0.conda";
    let spec = parse(&format!("x[url='{url}', sha256={}]", "ab".repeat(32))).unwrap().spec;
    assert_eq!(spec.url.unwrap().as_str(), url);
    assert!(spec.sha256.is_some());

    let parts = parse("x[track_features='b a', license=MIT]").unwrap();
    assert_eq!(parts.conditions.keys().collect::<Vec<_>>(), ["license", "track_features"]);
    assert!(parts.spec.license.is_none() && parts.spec.track_features.is_none());
}

#[test]
fn a_license_is_compared_as_conda_compares_it() {
    let mit = |text: &str| {
        let conditions = parse(text).unwrap().conditions;
        let mut record = rattler_conda_types::PackageRecord::new(
            "x".parse().unwrap(),
            "1".parse::<rattler_conda_types::VersionWithSource>().unwrap(),
            "0".parse().unwrap(),
        );
        record.license = Some("MIT".to_owned());
        conditions.match_record(&record)
    };
    for text in ["x[license='^M.T$']", "x[license='^m.t$']", "x[license='mi*']", "x[license=MIT]"] {
        assert!(mit(text), "{text}");
    }
    for text in ["x[license='^M$']", "x[license='M.T']", "x[license='^None$']"] {
        assert!(!mit(text), "{text}");
    }
    let one = parse("x[build_number='=1']").unwrap().spec.build_number;
    assert_eq!(one, parse("x[build_number=1]").unwrap().spec.build_number);
}

#[test]
fn upper_case_names_are_the_same_package() {
    assert_eq!(parse("PyYAML >=5").unwrap().spec.name.to_string(), "pyyaml");
}

#[test]
fn every_error_has_its_offset() {
    let cases = [
        ("", 0, "this entry is empty"),
        (">=1.2", 0, "the name of a package is missing"),
        ("num*", 0, "is a pattern"),
        ("numpy@1", 5, "contains `@`"),
        ("numpy >=", 6, "no version follows `>=`"),
        ("numpy==", 5, "no version follows `==`"),
        ("numpy =>1", 6, "`=>` isn't an operator"),
        ("numpy >=1 <2", 6, "`,` (and) or `|` (or) is missing"),
        ("numpy >=1,<>2", 10, "`<>` isn't an operator"),
        ("numpy ^1.*$", 6, "is a regular expression"),
        (r"numpy ^1\.7$", 6, "is a regular expression"),
        ("^numpy.*$", 0, "is a regular expression"),
        (r"numpy[version='^1\.(7|8)$']", 15, "is a regular expression"),
        ("numpy ~=1.2.*", 8, "two or more parts"),
        ("numpy ~=1", 8, "two or more parts"),
        ("numpy=1..2", 6, "`1..2` isn't a version"),
        ("numpy (>=1)", 6, "parentheses"),
        ("numpy[version='>=1'", 5, "the brackets are malformed"),
        ("numpy[version='>=1', verison=2]", 21, "`verison` isn't a key"),
        ("numpy[md5=12]", 10, "`12` isn't a valid md5"),
        ("numpy[fn=numpy]", 9, "`numpy` isn't the name of an archive of numpy"),
        ("numpy[fn=scipy-1-0.conda]", 9, "isn't the name of an archive of numpy"),
        ("numpy[build=a, build=b]", 15, "the key `build` occurs twice"),
        ("numpy[subdir=linux64]", 6, "there is no subdir `linux64`"),
        ("a:b", 1, "a single `:`"),
        ("/tmp/numpy-1.24.3-py310_0.conda", 0, "this is the path of an archive"),
        ("https://example.org/numpy", 0, "this is a URL"),
        ("conda.anaconda.org/conda-forge/numpy", 0, "this is a URL"),
        ("127.0.0.1/numpy", 0, "this is a URL"),
        ("../pkgs/numpy", 0, "this is a URL"),
        ("/numpy", 0, "this is a URL"),
        ("numpy\\", 5, r"`numpy\` contains `\`"),
        (r"pkgs\numpy", 4, r"contains `\`"),
        ("num\0py", 3, r"`num\u{0}py` contains `\u{0}`"),
        ("numpy/1.2", 5, "contains `/`"),
        ("conda-forge/numpy", 11, "contains `/`"),
        (r"numpy \", 6, r"`\` isn't a version"),
        (r"numpy=1.2\", 6, r"`1.2\` isn't a version"),
        (r"numpy=1\.2", 6, "is a regular expression"),
        (r"numpy 1\.7.*", 6, "is a regular expression"),
        ("numpy[license='^(a$']", 15, "isn't a valid license"),
        ("https://u:p@example.org/numpy", 0, "a password or a token"),
        ("x[url='https://u:p@example.org/x-1-0.conda']", 2, "a password or a token"),
        ("${A}::{NAME}", 6, "`{NAME}` is a placeholder"),
    ];
    for (text, offset, message) in cases {
        let error = parse(text).unwrap_err();
        assert!(error.reason.to_string().contains(message), "{text}: {}", error.reason);
        assert_eq!(error.offset, offset, "{text}: {}", error.reason);
    }
}

#[test]
fn deep_or_long_texts_are_rejected_before_they_are_parsed() {
    let deep = format!("x[version='{}1{}']", "(".repeat(900), ")".repeat(900));
    assert!(parse(&deep).is_err());
    assert!(parse(&"x".repeat(100_000)).is_err());
}

#[test]
fn the_help_for_an_archive_has_the_spec_to_write() {
    let error = parse("https://example.org/linux-64/numpy-1.24.3-py310_0.conda").unwrap_err();
    assert!(error.reason.help().unwrap().contains("`numpy==1.24.3=py310_0`"));
}
