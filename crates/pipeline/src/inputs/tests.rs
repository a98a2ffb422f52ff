use std::collections::BTreeMap;

use envlock_channel::{Settings, Sources};
use envlock_model::{
    lock::{self, Change, ChangeKind},
    spec,
};
use envlock_secrets::manifest::{Manifest, ManifestLocation};

use super::*;
use crate::{ProjectFiles, allowed_channels::policy_channels};

const ENVIRONMENT: &str = "\
name: demo
channels:
  - https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/conda-forge/
  - https://me:geheim@conda.lab.example/lab
dependencies:
  - python =3.10
  - https://other:geheim@conda.lab.example/own::tool
";

/// The inputs of the resolution, without a client.
struct TestInputs {
    project: Project,
    channel_config: ChannelConfig,
    variables: BTreeMap<String, String>,
    sources: Sources,
}

impl TestInputs {
    fn new(configuration: Configuration) -> Self {
        let files =
            ProjectFiles { environments: vec!["/p/environment.yml".into()], ..<_>::default() };
        Self {
            project: Project::new(files, configuration),
            channel_config: ChannelConfig::default(),
            variables: BTreeMap::new(),
            sources: Sources::new(Vec::new(), true),
        }
    }

    fn inputs(&self) -> ResolutionInputs<'_> {
        ResolutionInputs {
            folder: self.project.folder(),
            configuration: self.project.configuration(),
            channel_config: &self.channel_config,
            variables: &self.variables,
            sources: &self.sources,
            host: Subdir::Linux64,
            host_packages: &[],
        }
    }

    fn resolve_inputs(&self, environment: &Environment) -> Resolution {
        resolve_inputs(environment, &Overrides::default(), None, self.inputs())
    }
}

fn environment(text: &str) -> Environment {
    spec::parse("/p/environment.yml", text).expect("the test's own file")
}

fn client() -> Client {
    let folder = std::env::temp_dir().join("envlock-no-cache");
    Client::new(Settings::new(folder, "test")).expect("a client without a network")
}

#[test]
fn resolving_twice_gives_equal_values_and_needs_no_client() {
    let (world, environment) =
        (TestInputs::new(Configuration::default()), environment(ENVIRONMENT));
    let (first, second) = (world.resolve_inputs(&environment), world.resolve_inputs(&environment));
    assert_eq!(first.findings, second.findings);
    let (first, second) = (first.inputs.unwrap(), second.inputs.unwrap());
    assert_eq!(first.inputs, second.inputs);
    assert_eq!(first.places, second.places);
    assert_eq!(format!("{:?}", first.channel_urls), format!("{:?}", second.channel_urls));
    // Registered URLs don't change the next inputs.
    first.channel_urls.register(&client());
    let third = world.resolve_inputs(&environment).inputs.unwrap();
    assert_eq!(third.inputs, second.inputs);
}

#[test]
fn a_mirrors_url_is_mapped_to_its_origin_and_returned_for_the_client() {
    let world = TestInputs::new(Configuration::default());
    let resolved = world.resolve_inputs(&environment(ENVIRONMENT)).inputs.unwrap();
    let urls: Vec<_> = resolved.inputs.channels.iter().flat_map(|c| &c.urls).collect();
    assert_eq!(urls[0].as_str(), "https://conda.anaconda.org/conda-forge/");
    let debug = format!("{:?}", resolved.channel_urls);
    assert!(debug.contains("mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/conda-forge/"), "{debug}");
}

#[test]
fn a_credential_in_a_url_is_returned_by_its_channel_and_never_printed() {
    let world = TestInputs::new(Configuration::default());
    let resolved = world.resolve_inputs(&environment(ENVIRONMENT)).inputs.unwrap();
    let debug = format!("{resolved:?}");
    assert!(!debug.contains("geheim"), "{debug}");
    let urls = format!("{:?}", resolved.channel_urls);
    for channel in ["https://conda.lab.example/lab/", "https://conda.lab.example/own/"] {
        assert!(urls.contains(channel), "{urls}");
    }
}

#[test]
fn findings_before_an_error_are_kept() {
    let world = TestInputs::new(Configuration::default());
    let resolution = world.resolve_inputs(&environment("dependencies:\n  - ftp://x/y::z\n"));
    let codes: Vec<_> = resolution.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::ImplicitDefaults]);
    assert!(matches!(resolution.inputs, Err(InputsError::Channel { .. })));
}

#[test]
fn addresses_are_found_in_a_file_with_other_mistakes() {
    let text = "project.toml";
    let layer =
        envlock_config::parse_project_config(text, "forbid-channels = [\"defaults\"]\n").unwrap();
    let world = TestInputs::new(Configuration::from_layers(&[layer]));
    assert_eq!(policy_channels(world.project.configuration()).count(), 1);
    let text = "\
channels:
  - ftp://not/one
  - defaults
  - https://me:geheim@conda.lab.example/lab
dependencies: [python]
";
    let environment = environment(text);
    assert!(world.resolve_inputs(&environment).inputs.is_err());
    let lock = Lock::new(&inputs(&world), BTreeMap::new(), BTreeMap::new(), None);
    let urls = format!("{:?}", channel_urls(Some(&environment), &lock, world.inputs()));
    assert!(urls.contains("https://conda.lab.example/lab/"), "{urls}");
}

#[test]
fn a_need_that_the_lock_lacks_is_one_of_the_changes_of_the_lock() {
    let world = TestInputs::new(Configuration::default());
    let inputs = inputs(&world);
    let lock = Lock::new(&inputs, BTreeMap::new(), BTreeMap::new(), None);
    assert_eq!(lock::changes(&lock, &inputs, None), []);
    let text = "version: 1\nneeds:\n  db: {engine: kv2, mount: m, path: p, fields: {a: A}}\n";
    let manifest =
        Manifest::parse("secrets.yml", text, ManifestLocation::OwnFile).unwrap().unwrap();
    let changes = lock::changes(&lock, &inputs, Some(&manifest.locked()));
    assert!(
        matches!(changes.as_slice(), [Change { kind: ChangeKind::Need(_), .. }]),
        "{changes:?}"
    );
}

fn inputs(world: &TestInputs) -> LockInputs {
    let plain = environment("name: x\nchannels: [conda-forge]\ndependencies: [python]\n");
    world.resolve_inputs(&plain).inputs.unwrap().inputs
}
