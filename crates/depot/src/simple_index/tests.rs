//! Pages as their readers parse them. `testkit` reads them with pip.

use serde_json::{Value, json};

use super::*;

struct Fixture {
    root: tempfile::TempDir,
    index: SimpleIndex,
}

fn index(fill: impl FnOnce(&mut SimpleIndex)) -> Fixture {
    let root = tempfile::tempdir().unwrap();
    let mut index = SimpleIndex::new(root.path());
    fill(&mut index);
    index.write().unwrap();
    Fixture { root, index }
}

impl Fixture {
    fn text(&self, path: &str) -> String {
        fs_err::read_to_string(self.root.path().join(path)).unwrap()
    }

    fn json(&self, project: &str) -> Value {
        serde_json::from_str(&self.text(&format!("simple/{project}/index.json"))).unwrap()
    }

    /// The link on a project's page.
    fn link(&self, project: &str) -> String {
        let page = self.text(&format!("simple/{project}/index.html"));
        page.lines().find(|line| line.contains("<a ")).unwrap().trim().to_owned()
    }
}

fn wheel() -> Wheel {
    Wheel::new("Foo_Bar", "1.0").requires_python(">=3.8,<4").file("foo.py", "")
}

/// A page of one wheel, listed so.
fn listed(listing: Listing) -> (Fixture, BuiltDistribution) {
    let mut built = None;
    let fixture = index(|index| built = Some(index.add_wheel(&wheel(), listing).unwrap()));
    (fixture, built.unwrap())
}

#[test]
fn both_forms_tell_the_same_of_a_file() {
    let (fixture, built) = listed(Listing::new());
    let BuiltDistribution { file_name, sha256, size, metadata, path } = built;
    let url =
        format!("../../packages/{}/{}/{}/{file_name}", &sha256[..2], &sha256[2..4], &sha256[4..]);
    assert_eq!(path, fixture.root.path().join(url.strip_prefix("../../").unwrap()));
    let metadata_sha256 = hex::encode(
        rattler_digest::compute_bytes_digest::<rattler_digest::Sha256>(metadata.as_bytes()),
    );
    let file = json!({
        "filename": "foo_bar-1.0-py3-none-any.whl",
        "url": url,
        "hashes": { "sha256": sha256 },
        "requires-python": ">=3.8,<4",
        "size": size,
        "upload-time": "2023-11-14T22:13:20.000000Z",
        "yanked": false,
        "data-dist-info-metadata": { "sha256": metadata_sha256 },
        "core-metadata": { "sha256": metadata_sha256 },
    });
    let page = json!({
        "meta": { "api-version": "1.1" },
        "name": "foo-bar",
        "versions": ["1.0"],
        "files": [file],
    });
    assert_eq!(fixture.json("foo-bar"), page);
    let link = format!(
        "<a href=\"{url}#sha256={sha256}\" data-requires-python=\"&gt;=3.8,&lt;4\" \
         data-dist-info-metadata=\"sha256={metadata_sha256}\" \
         data-core-metadata=\"sha256={metadata_sha256}\">{file_name}</a><br />"
    );
    assert_eq!(fixture.link("foo-bar"), link);
    let beside = fixture.root.path().join(format!("{}.metadata", path.display()));
    assert_eq!(fs_err::read_to_string(beside).unwrap(), metadata);
}

#[test]
fn a_yanked_file_has_its_reason() {
    let (fixture, _) = listed(Listing::new().yanked("a \"bad\" <build>"));
    let yanked = "data-yanked=\"a &quot;bad&quot; &lt;build&gt;\"";
    assert!(fixture.link("foo-bar").contains(yanked));
    assert_eq!(fixture.json("foo-bar")["files"][0]["yanked"], "a \"bad\" <build>");
    let (fixture, _) = listed(Listing::new().yanked(""));
    assert!(fixture.link("foo-bar").contains("data-yanked=\"\""));
    assert_eq!(fixture.json("foo-bar")["files"][0]["yanked"], true);
}

#[test]
fn what_an_index_may_omit_is_omitted() {
    let listing = Listing::new()
        .without_hash()
        .without_size()
        .upload_time(None)
        .metadata(ListedMetadata::None)
        .requires_python(">=3.9");
    let (fixture, built) = listed(listing);
    let mut file = fixture.json("foo-bar")["files"][0].clone();
    let url = file["url"].take();
    assert_eq!(
        file,
        json!({
            "filename": built.file_name,
            "url": null,
            "hashes": {},
            "requires-python": ">=3.9",
            "yanked": false,
        })
    );
    let link = format!(
        "<a href=\"{}\" data-requires-python=\"&gt;=3.9\">{}</a><br />",
        url.as_str().unwrap(),
        built.file_name
    );
    assert_eq!(fixture.link("foo-bar"), link);
    assert!(!fs_err::exists(format!("{}.metadata", built.path.display())).unwrap());
}

#[test]
fn the_metadata_beside_a_file_may_be_other_than_the_files() {
    let other = bytes::Bytes::from("Name: other\n");
    for (metadata, is_other, has_other_hash) in [
        (ListedMetadata::OfTheWheel, false, false),
        (ListedMetadata::Other(other.clone()), true, true),
        (ListedMetadata::OtherThanItsHash(other.clone()), true, false),
    ] {
        let (fixture, built) = listed(Listing::new().metadata(metadata));
        let served = fs_err::read(format!("{}.metadata", built.path.display())).unwrap();
        assert_eq!(served == other, is_other);
        let hash = &fixture.json("foo-bar")["files"][0]["core-metadata"]["sha256"];
        let digest = |bytes: &[u8]| {
            hex::encode(rattler_digest::compute_bytes_digest::<rattler_digest::Sha256>(bytes))
        };
        let hashed = if has_other_hash { &other[..] } else { built.metadata.as_bytes() };
        assert_eq!(*hash, digest(hashed));
    }
    let (fixture, built) = listed(Listing::new().metadata(ListedMetadata::NotServed));
    assert!(fixture.link("foo-bar").contains("data-core-metadata=\"sha256="));
    assert!(!fs_err::exists(format!("{}.metadata", built.path.display())).unwrap());
    let (fixture, _) = listed(Listing::new().metadata(ListedMetadata::WithoutHash));
    assert!(fixture.link("foo-bar").contains("data-core-metadata=\"true\""));
    assert_eq!(fixture.json("foo-bar")["files"][0]["core-metadata"], true);
}

#[test]
fn files_can_be_on_another_host_and_their_paths_are_encoded() {
    let local = Wheel::new("torch", "2.0+cu118");
    let mut fixture = index(|index| {
        index.add_wheel(&local, Listing::new()).unwrap();
        index.set_address(FileAddress::Base("http://files.example/at/".to_owned()));
    });
    let url = fixture.json("torch")["files"][0]["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with("http://files.example/at/packages/"), "{url}");
    assert!(url.ends_with("/torch-2.0%2Bcu118-py3-none-any.whl"), "{url}");
    let exact = FileAddress::Exact("https://x.example/y.whl".to_owned());
    let name = "torch-2.0+cu118-py3-none-any.whl";
    fixture.index.relist(name, Listing::new().address(exact)).unwrap();
    fixture.index.write().unwrap();
    assert_eq!(fixture.json("torch")["files"][0]["url"], "https://x.example/y.whl");
}

#[test]
fn a_file_can_be_listed_anew_and_removed() {
    let (mut fixture, built) = listed(Listing::new());
    let unlisted = Listing::new().metadata(ListedMetadata::None).sha256("00");
    fixture.index.relist(&built.file_name, unlisted).unwrap();
    fixture.index.write().unwrap();
    assert_eq!(fixture.json("foo-bar")["files"][0]["hashes"]["sha256"], "00");
    assert!(!fs_err::exists(format!("{}.metadata", built.path.display())).unwrap());
    fixture.index.remove(&built.file_name);
    fixture.index.write().unwrap();
    assert_eq!(fixture.json("foo-bar")["files"], json!([]));
    assert!(built.path.exists());
    assert!(fixture.index.relist(&built.file_name, Listing::new()).is_err());
}

#[test]
fn a_form_that_is_no_longer_wanted_is_removed() {
    let (mut fixture, _) = listed(Listing::new());
    let exists = |fixture: &Fixture| {
        ["simple/foo-bar/index.html", "simple/foo-bar/index.json", "simple/index.json"]
            .map(|path| fixture.root.path().join(path).exists())
    };
    assert_eq!(exists(&fixture), [true, true, true]);
    fixture.index.set_forms(IndexForms::HTML);
    fixture.index.write().unwrap();
    assert_eq!(exists(&fixture), [true, false, false]);
    fixture.index.set_forms(IndexForms::JSON);
    fixture.index.write().unwrap();
    assert_eq!(exists(&fixture), [false, true, true]);
}

#[test]
fn projects_and_all_files_are_listed() {
    let fixture = index(|index| {
        index.add_wheel(&wheel(), Listing::new()).unwrap();
        index.add_sdist(&Sdist::new("foo.bar", "0.9"), Listing::new()).unwrap();
        index.add_file("zope", "1", "zope-1.zip", b"PK", Listing::new()).unwrap();
        index.add_project("Empty");
    });
    let root: Value = serde_json::from_str(&fixture.text("simple/index.json")).unwrap();
    assert_eq!(
        root["projects"],
        json!([{ "name": "empty" }, { "name": "foo-bar" }, { "name": "zope" }])
    );
    assert!(fixture.text("simple/index.html").contains("<a href=\"foo-bar/\">foo-bar</a>"));
    assert_eq!(fixture.json("foo-bar")["versions"], json!(["0.9", "1.0"]));
    let flat = fixture.text("find-links/index.html");
    let links: Vec<_> =
        flat.lines().filter(|line| line.contains("<a href=\"../packages/")).collect();
    assert_eq!(links.len(), 3);
}

#[test]
fn the_same_index_has_the_same_pages() {
    let (one, _) = listed(Listing::new());
    let (other, _) = listed(Listing::new());
    for page in ["simple/foo-bar/index.html", "simple/foo-bar/index.json", "find-links/index.html"]
    {
        assert_eq!(one.text(page), other.text(page));
    }
}
