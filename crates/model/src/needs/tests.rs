//! Tests of the needs in a lock: reading, writing, and the places of mistakes.

use envlock_text::{limits::LOCK, tree};

use super::*;

const BLOCK: &str = "\
version: 1
needs:
  db:
    engine: database
    mount: database
    role: readonly
    ttl:
      min: 1h
  sign:
    engine: transit
    mount: transit
    key: release
    operations:
    - hmac
    - sign
    required:
      any_of: keys
    verify: offline
  token:
    engine: kv2
    mount: secret
    path: ml/hf
    capabilities:
    - list
    fields:
      token:
        env: HF_TOKEN
        as: file
    required: false
    why: gated models
profiles:
  prod:
    needs:
      token: required
    override:
      token:
        mount: prod
        path: hf
";

fn read(text: &str) -> Result<LockedNeeds, NeedsError> {
    let tree = tree::read_yaml("envlock.lock", text, &LOCK);
    LockedNeeds::read("envlock.lock", &tree.root.expect("YAML"))
}

#[test]
fn a_block_is_written_as_it_was_read() {
    let needs = read(BLOCK).expect("a block");
    assert_eq!(serde_yaml::to_string(&needs).expect("it can be written"), BLOCK);
}

#[test]
fn the_engine_of_a_need_determines_its_locator() {
    let needs = read(BLOCK).expect("a block").needs;
    assert_eq!(needs["db"].locator, Locator::Role("readonly".to_owned()));
    assert_eq!(needs["token"].location(), "secret/ml/hf");
    let signing: Vec<_> =
        needs["sign"].secret_requests().into_iter().map(|request| request.path).collect();
    assert_eq!(signing, ["transit/hmac/release", "transit/sign/release"]);
}

#[test]
fn every_mistake_has_its_place() {
    let mistakes = |from: &str, to: &str| {
        let text = BLOCK.replacen(from, to, 1);
        assert_ne!(text, BLOCK);
        match read(&text) {
            Err(NeedsError::Mistakes(mistakes)) => mistakes
                .into_iter()
                .map(|mistake| {
                    let place = mistake.place.expect("a place");
                    (mistake.code.as_str(), place.line, place.column)
                })
                .collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(mistakes("engine: kv2", "engine: kv3"), [("unknown-value", 20, 13)]);
    assert_eq!(mistakes("    why:", "    wy:"), [("unknown-key", 30, 5)]);
    assert_eq!(
        mistakes("path: ml/hf", "role: ml/hf"),
        [("missing-key", 20, 5), ("key-not-of-engine", 22, 5)]
    );
    assert_eq!(mistakes("path: ml/hf", "path: [a]"), [("wrong-type", 22, 11)]);
    assert_eq!(mistakes("- hmac", "- frob"), [("unknown-value", 14, 7)]);
    assert_eq!(mistakes("      token: required", "      tkn: required"), [("unknown-name", 32, 3)]);
    assert_eq!(mistakes("        path: hf", "        role: hf"), [("key-not-of-engine", 36, 7)]);
    assert_eq!(mistakes("version: 1", "version: one"), [("wrong-type", 1, 10)]);
    assert_eq!(mistakes("version: 1\n", ""), [("missing-key", 1, 1)]);
    for (text, column) in [("[]", 1), ("~", 1), ("x", 1)] {
        let Err(NeedsError::Mistakes(mistakes)) = read(text) else { panic!("{text}") };
        let place = mistakes[0].place.clone().expect("a place");
        assert_eq!((place.line, place.column), (1, column), "{text}");
    }
}

#[test]
fn another_version_has_a_separate_error() {
    let text = BLOCK.replacen("version: 1", "version: 2", 1);
    let place = envlock_text::Place::new("envlock.lock", 1, 10);
    assert_eq!(read(&text), Err(NeedsError::Version { place, found: 2 }));
}

#[test]
fn a_block_that_is_added_or_removed_is_one_change() {
    let needs = read(BLOCK).expect("a block");
    assert_eq!(changes(None, None), []);
    assert_eq!(changes(Some(&needs), Some(&needs)), []);
    let kinds = |changes: Vec<StaleNeed>| {
        changes.into_iter().map(|change| (change.need, change.kind)).collect::<Vec<_>>()
    };
    assert_eq!(kinds(changes(None, Some(&needs))), [(None, StaleNeedKind::Added)]);
    assert_eq!(kinds(changes(Some(&needs), None)), [(None, StaleNeedKind::Removed)]);
}

#[test]
fn a_changed_key_has_both_values() {
    let old = read(BLOCK).expect("a block");
    let new = read(&BLOCK.replacen("role: readonly", "role: writer", 1)).expect("a block");
    assert_eq!(
        changes(Some(&old), Some(&new)),
        [StaleNeed {
            need: Some("db".to_owned()),
            profile: None,
            kind: StaleNeedKind::Key {
                key: "role".to_owned(),
                locked: Some("readonly".to_owned()),
                declared: Some("writer".to_owned()),
            },
        }]
    );
    let reworded = read(&BLOCK.replacen("gated models", "models", 1)).expect("a block");
    assert_eq!(changes(Some(&old), Some(&reworded)), []);
}
