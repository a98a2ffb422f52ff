//! Solves and explains small channels, given as lines.

use std::collections::BTreeSet;

use envlock_model::{
    lock_inputs::{PlatformInputs, Priority, RequestedChannel},
    spec::parse_spec,
    virtual_packages,
};
use envlock_report::Place;
use proptest::prelude::*;
use rattler_conda_types::{
    PackageName, PackageRecord, RepoDataRecord, Subdir, VersionWithSource, package::BuildString,
};

use crate::{Problem, ReasonKind, Records, SolveError, UnsolvableReason, explain, solve};

mod explained;
mod patterns;

const ORIGIN: &str = "https://conda.anaconda.org";

/// The values that a problem borrows.
#[derive(Clone, Default)]
struct Channels {
    list: Vec<RequestedChannel>,
    records: Vec<(usize, Vec<RepoDataRecord>, Vec<RepoDataRecord>)>,
    inputs: PlatformInputs,
    locked: Vec<RepoDataRecord>,
}

/// `name version build | dependency; dependency`, of a channel.
fn record(channel: &str, line: &str) -> RepoDataRecord {
    let (head, depends) = line.split_once('|').unwrap_or((line, ""));
    let mut words = head.split_whitespace();
    let mut word = |otherwise| words.next().unwrap_or(otherwise).to_owned();
    let (name, version, build) = (word(""), word(""), word("0"));
    let number: VersionWithSource = version.parse().expect("a version");
    let file = format!("{name}-{version}-{build}.conda");
    let mut package = PackageRecord::new(
        PackageName::new_unchecked(name.as_str()),
        number,
        BuildString::new_unchecked(build.as_str()),
    );
    package.subdir = "linux-64".to_owned();
    package.sha256 = Some([1; 32].into());
    for text in depends.split(';').map(str::trim).filter(|text| !text.is_empty()) {
        match text.strip_prefix("constrains ") {
            Some(text) => package.constrains.push(text.to_owned()),
            None => package.depends.push(text.to_owned()),
        }
    }
    RepoDataRecord {
        package_record: package,
        identifier: file.parse().expect("an archive's name"),
        url: format!("{ORIGIN}/{channel}/linux-64/{file}").parse().expect("a URL"),
        channel: Some(format!("{ORIGIN}/{channel}/")),
    }
}

impl Channels {
    fn channel(mut self, name: &str, lines: &[&str]) -> Self {
        let records = lines.iter().map(|line| record(name, line)).collect();
        self.records.push((self.list.len(), records, Vec::new()));
        self.list.push(RequestedChannel {
            name: name.to_owned(),
            urls: vec![format!("{ORIGIN}/{name}/").parse().expect("a URL")],
            multi: false,
            only_for_specs: false,
        });
        self
    }

    /// Marks the last channel as named only in specs.
    fn only_for_specs(mut self) -> Self {
        self.list.last_mut().expect("there is a channel").only_for_specs = true;
        self
    }

    /// Adds a record without a sha256 to the last channel.
    fn without_sha256(mut self, line: &str) -> Self {
        let name = self.list.last().expect("there is a channel").name.clone();
        let mut record = record(&name, line);
        record.package_record.sha256 = None;
        self.records.last_mut().expect("there is a channel").2.push(record);
        self
    }

    fn ask(mut self, specs: &[&str]) -> Self {
        self.inputs.virtual_packages = virtual_packages::defaults(Subdir::Linux64);
        for (index, spec) in specs.iter().enumerate() {
            let line = u32::try_from(index + 1).expect("few lines");
            let (channel, rest) = match spec.split_once("::") {
                Some((channel, rest)) => (Some(channel.to_owned()), rest),
                None => (None, *spec),
            };
            let request = parse_spec(rest, Place::new("environment.yml", line, 1)).expect("a spec");
            self.inputs.requests.push(envlock_model::lock_inputs::RequestedSpec {
                text: (*spec).to_owned(),
                place: request.place.clone(),
                spec: request.spec,
                conditions: request.conditions,
                channel,
                subdir: None,
            });
        }
        self
    }

    fn with<T>(&self, moved: &[&str], use_it: impl FnOnce(&Problem<'_>) -> T) -> T {
        let records: Vec<_> = self
            .records
            .iter()
            .map(|(channel, with_sha256, without_sha256)| {
                Records::new(*channel, with_sha256.clone(), without_sha256.clone())
            })
            .collect();
        let moved: BTreeSet<_> = moved.iter().map(|name| (*name).to_owned()).collect();
        use_it(&Problem {
            platform: Subdir::Linux64,
            channels: &self.list,
            inputs: &self.inputs,
            records: &records,
            locked: &self.locked,
            upgraded: &moved,
            priority: Priority::Strict,
            exclude_newer: None,
        })
    }

    /// `channel/name-version-build` of each, sorted by name.
    fn solved(&self) -> Vec<String> {
        self.with(&[], |problem| file_names(&solve(problem).expect("there is a solution").records))
    }

    fn fails(&self) -> bool {
        self.with(&[], |problem| matches!(solve(problem), Err(SolveError::NoSolution { .. })))
    }
}

fn file_names(records: &[RepoDataRecord]) -> Vec<String> {
    let file_names = |record: &RepoDataRecord| {
        let url = record.url.as_str().trim_start_matches(ORIGIN).trim_end_matches(".conda");
        url.trim_start_matches('/').replace("linux-64/", "")
    };
    records.iter().map(file_names).collect()
}

#[test]
fn the_first_channel_that_has_a_name_is_the_only_one() {
    let world = Channels::default().channel("a", &["x 1"]).channel("b", &["x 2", "y 1 | x"]);
    assert_eq!(world.clone().ask(&["y"]).solved(), ["a/x-1-0", "b/y-1-0"]);
    assert!(world.ask(&["x 2"]).fails());
}

#[test]
fn a_package_requested_from_a_channel_comes_only_from_there() {
    let world = Channels::default().channel("a", &["x 1"]).channel("b", &["x 2", "y 1 | x"]);
    assert_eq!(world.clone().ask(&["b::x", "y"]).solved(), ["b/x-2-0", "b/y-1-0"]);
    assert!(world.clone().ask(&["a::y"]).fails());
    assert!(world.ask(&["a::x", "b::x"]).fails(), "no record comes from both");
}

#[test]
fn a_part_of_a_multichannel_can_be_requested_by_its_name() {
    let mut world = Channels::default().channel("main", &["x 1"]).channel("r", &["x 2"]);
    let r = world.list.pop().expect("two channels");
    let main = world.list[0].clone();
    world.list[0].name = "defaults".to_owned();
    world.list[0].urls.extend(r.urls.clone());
    world.list[0].multi = true;
    world.records[1].0 = 0;
    for part in [main, r] {
        world.list.push(RequestedChannel { only_for_specs: true, ..part });
    }
    assert_eq!(world.clone().ask(&["x"]).solved(), ["r/x-2-0"]);
    assert_eq!(world.clone().ask(&["main::x"]).solved(), ["main/x-1-0"]);
    assert_eq!(world.clone().ask(&["r::x"]).solved(), ["r/x-2-0"]);
    assert_eq!(world.clone().ask(&["defaults::x", "main::x"]).solved(), ["main/x-1-0"]);
    assert!(world.ask(&["main::x", "r::x"]).fails());
}

#[test]
fn a_channel_that_only_specs_name_provides_their_packages_and_missing_dependencies() {
    let world = Channels::default()
        .channel("a", &["x 1"])
        .channel("b", &["x 2", "y 1 | x; z", "z 1"])
        .only_for_specs();
    assert_eq!(world.clone().ask(&["b::y"]).solved(), ["a/x-1-0", "b/y-1-0", "b/z-1-0"]);
    assert!(world.clone().ask(&["y"]).fails());
    assert!(world.ask(&["b::y", "z"]).fails(), "z is requested without that channel");
}

#[test]
fn locked_packages_stay_unless_they_are_upgraded() {
    let mut world =
        Channels::default().channel("a", &["x 1 | y", "x 2 | y", "y 1", "y 2"]).ask(&["x"]);
    world.locked = vec![record("a", "x 1 | y"), record("a", "y 1")];
    assert_eq!(world.solved(), ["a/x-1-0", "a/y-1-0"]);
    let moved = |names: &[&str]| {
        world.with(names, |problem| {
            file_names(&solve(problem).expect("there is a solution").records)
        })
    };
    assert_eq!(moved(&["x"]), ["a/x-2-0", "a/y-1-0"]);
    assert_eq!(moved(&["x", "y"]), ["a/x-2-0", "a/y-2-0"]);
}

#[test]
fn a_record_without_sha256_is_skipped_and_reported_if_it_would_have_been_chosen() {
    let world = Channels::default()
        .channel("a", &["x 2"])
        .without_sha256("x 1")
        .without_sha256("x 3")
        .ask(&["x"]);
    world.with(&[], |problem| {
        let solution = solve(problem).expect("there is a solution");
        assert_eq!(file_names(&solution.records), ["a/x-2-0"]);
        let [(wished, Some(chosen))] = &solution.skipped_without_sha256[..] else {
            panic!("{:?}", solution.skipped_without_sha256)
        };
        assert_eq!(file_names(&[wished.clone(), chosen.clone()]), ["a/x-3-0", "a/x-2-0"]);
    });
    let world = Channels::default().channel("a", &["x 2"]).without_sha256("x 1").ask(&["x"]);
    world.with(&[], |problem| {
        assert_eq!(solve(problem).expect("there is a solution").skipped_without_sha256, []);
    });
}

#[test]
fn every_reason_is_reported_once_with_its_line() {
    let world = Channels::default()
        .channel("a", &["x 1 | s 1.*", "y 1 | s 2.*", "s 1.0", "s 2.0", "v 1", "alone 1"])
        .ask(&["alone", "x", "nowhere", "y", "v 7"]);
    let names = ["x", "y", "s", "v", "alone"].map(|name| (name.to_owned(), vec![0]));
    let reasons = world.with(&[], |problem| explain(problem, &names.into_iter().collect()));
    let mut found: Vec<_> = reasons
        .iter()
        .map(|reason| reason.finding(1))
        .map(|finding| (finding.place.map(|place| place.line), finding.code.as_str()))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            (Some(2), "dependency-conflict"),
            (Some(3), "unknown-package"),
            (Some(5), "no-such-version")
        ]
    );
}

/// The message and the help for each line that can't be met.
fn advised(world: &Channels) -> Vec<(String, String)> {
    let names = world.records.iter().flat_map(|(channel, records, _)| {
        let name = |record: &RepoDataRecord| record.package_record.name.as_normalized().to_owned();
        records.iter().map(move |record| (name(record), vec![*channel]))
    });
    let reasons = world.with(&[], |problem| explain(problem, &names.collect()));
    let findings = reasons.iter().map(|reason| reason.finding(1));
    findings.map(|f| (f.message, f.help.unwrap_or_default())).collect()
}

#[test]
fn a_version_that_an_indirect_dependency_excludes_is_not_suggested() {
    let world = Channels::default().channel(
        "a",
        &[
            "python 3.10 | abi 3.10.*",
            "python 3.11 | abi 3.11.*",
            "abi 3.10.0",
            "abi 3.11.0",
            "n 2.4 | abi 3.11.*",
            "n 1.20 | abi 3.10.*",
        ],
    );
    let file_names = advised(&world.ask(&["python 3.10", "n 2.3"]));
    let (message, help) = &file_names[0];
    assert_eq!(message, "there is no n 2.3; the nearest is 2.4");
    assert_eq!(help, "the nearest that fits the other lines is 1.20: write `n=1.20`");
}

#[test]
fn any_compatible_version_is_suggested_if_none_of_the_nearest_is_compatible() {
    let far = ["n 2.1 | gone", "n 2.2 | gone", "n 2.3 | gone", "n 2.4 | gone", "n 2.5 | gone"];
    let world = Channels::default().channel("a", &far).channel("b", &["x 1"]);
    assert_eq!(
        advised(&world.clone().ask(&["n 2.0", "x"]))[0].1,
        "no version of n fits the other lines: loosen one of these"
    );
    assert_eq!(
        advised(&world.clone().ask(&["n 2.0"]))[0].1,
        "no version of n can be used: each has a requirement that no record meets"
    );
    let mut world = world;
    world.records[0].1.push(record("a", "n 1.0"));
    assert_eq!(
        advised(&world.ask(&["n 2.0"]))[0].1,
        "one that fits the other lines is 1.0: write `n=1.0`"
    );
}

#[test]
fn a_version_that_only_priority_hides_is_suggested_with_the_flag() {
    let world = Channels::default().channel("a", &["n 1 | y 2", "y 1"]).channel("b", &["y 2"]);
    assert_eq!(
        advised(&world.ask(&["n 3"]))[0].1,
        "write `n=1` and solve with `--channel-priority flexible`"
    );
}

#[test]
fn all_suggestions_of_one_run_can_be_solved_together() {
    let world = Channels::default().channel(
        "a",
        &["x 2 | s 2.*", "x 1 | s 1.*", "y 2 | s 1.*", "y 1 | s 2.*", "s 1.0", "s 2.0"],
    );
    let file_names = advised(&world.ask(&["x 3", "y 3"]));
    let helps: Vec<_> = file_names.iter().map(|(_, help)| help.as_str()).collect();
    assert_eq!(helps, ["write `x=2`", "the nearest that fits the other lines is 1: write `y=1`"]);
}

#[test]
fn a_line_that_can_never_be_met_excludes_no_version() {
    let world = Channels::default().channel("a", &["n 1.25", "p 1.5.1 | n >=1.20,<2.0a0"]);
    let file_names = advised(&world.ask(&["n 1.24", "p 1.5.3"]));
    assert_eq!(file_names[1].0, "there is no p 1.5.3; the nearest is 1.5.1");
    assert_eq!(file_names[1].1, "write `p=1.5.1`");
}

#[test]
fn the_keys_in_brackets_are_reported_with_the_existing_values() {
    let mut world = Channels::default().channel("a", &["x 1 | y", "y 1"]);
    world.records[0].1[0].package_record.license = Some("BSD-3-Clause".to_owned());
    for (asked, notes) in [
        ("x[license=MIT]", vec!["license is BSD-3-Clause"]),
        ("x[build_number=7]", vec!["build_number is 0"]),
        ("x[track_features=f]", vec!["track_features is none"]),
        ("x >=1 zzz_*", vec!["build is 0"]),
    ] {
        let world = world.clone().ask(&[asked]);
        let reasons = world.with(&[], |problem| explain(problem, &crate::ChannelsByPackage::new()));
        let finding = reasons[0].finding(1);
        assert_eq!(finding.code, "no-such-build");
        assert_eq!(finding.notes, notes);
        let line = if asked.contains(">=1") { "x>=1" } else { "x" };
        assert_eq!(finding.help, Some(format!("write `{line}` for any build")));
    }
}

#[test]
fn a_subdir_that_is_never_searched_is_reported() {
    let mut world = Channels::default().channel("a", &["x 1"]).ask(&["x"]);
    world.inputs.requests[0].subdir = Some(Subdir::Win64);
    let file_names = advised(&world);
    assert_eq!(file_names[0].0, "no x of win-64 can be used on linux-64: it is in linux-64");
    assert_eq!(file_names[0].1, "write `x`");
}

/// A world with several answers to each request, whose order could matter.
fn tangled() -> Channels {
    Channels::default()
        .channel("a", &["p 1 x_0", "p 1 y_0", "q 1 x_0 | r", "q 1 y_0 | s", "t 1 | p; q"])
        .channel("b", &["r 1", "r 2", "s 1", "s 2 | r 1", "p 9", "u 1 | t; s"])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_requests_and_records_decides_nothing(
        requests in Just(vec!["p", "q", "t", "u", "s >=1", "p"]).prop_shuffle(),
        first in Just((0..5).collect::<Vec<usize>>()).prop_shuffle(),
        second in Just((0..6).collect::<Vec<usize>>()).prop_shuffle(),
        subdirs in Just(vec![0_usize, 1]).prop_shuffle(),
    ) {
        let expected = tangled().ask(&["p", "q", "t", "u", "s >=1"]).solved();
        let mut world = tangled();
        for (channel, order) in [first, second].into_iter().enumerate() {
            let records = &mut world.records[channel].1;
            *records = order.into_iter().map(|index| records[index].clone()).collect();
        }
        world.records = subdirs.into_iter().map(|index| world.records[index].clone()).collect();
        world.locked = Vec::new();
        prop_assert_eq!(world.ask(&requests).solved(), expected);
    }
}

#[test]
fn a_reason_names_its_lines_and_packages_as_data() {
    let world = Channels::default()
        .channel("a", &["x 1 | s 1.*", "y 1 | s 2.*", "s 1.0", "s 2.0"])
        .ask(&["x", "y", "s 7"]);
    let names = ["x", "y", "s"].map(|name| (name.to_owned(), vec![0]));
    let reasons = world.with(&[], |problem| explain(problem, &names.into_iter().collect()));
    let [conflict, version] = reasons.as_slice() else { panic!("{reasons:?}") };
    let lines: Vec<_> = conflict.requests.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(lines, ["x", "y"]);
    assert!(
        matches!(&conflict.kind, ReasonKind::Conflict { steps, solver_message: None, .. } if steps.len() == 2)
    );
    assert!(matches!(
        &version.kind,
        ReasonKind::NoSuchVersion { package, requested_version, versions, .. }
            if package == "s" && requested_version == "7" && versions.listed == ["2.0", "1.0"]
    ));
}

#[test]
fn equal_reasons_of_two_platforms_are_merged_and_name_them_only_if_a_third_differs() {
    let world = Channels::default().channel("a", &["x 1"]).ask(&["x 2"]);
    let names = crate::ChannelsByPackage::new();
    let of = |platform: Subdir| {
        world.with(&[], |problem| explain(&Problem { platform, ..*problem }, &names))
    };
    let all = [of(Subdir::Linux64), of(Subdir::OsxArm64)].concat();
    let merged = UnsolvableReason::merge(all);
    assert_eq!(merged.len(), 1);
    assert_eq!(merged[0].platforms, [Subdir::Linux64, Subdir::OsxArm64].into());
    let on = |asked: usize| merged[0].finding(asked).notes.last().cloned();
    assert!(on(2).is_some_and(|note| note.starts_with("versions")), "{:?}", on(2));
    assert_eq!(on(3).as_deref(), Some("on linux-64, on osx-arm64"));
}
