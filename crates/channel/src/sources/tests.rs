use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).expect("the test's own URL")
}

fn mirrors(texts: &[&str]) -> Vec<Mirror> {
    texts.iter().flat_map(|text| parse_mirror(text).expect("the test's own mirror")).collect()
}

fn asked(sources: &Sources, origin: &str) -> Vec<String> {
    sources.sources_for(&url(origin)).into_iter().map(|source| source.url.to_string()).collect()
}

#[test]
fn every_known_mirror_has_both_hosts_of_conda_and_of_pypi() {
    const HOSTS: [[&str; 2]; 2] =
        [["conda.anaconda.org", "repo.anaconda.com"], ["pypi.org", "files.pythonhosted.org"]];
    for (name, mirrors) in KNOWN_MIRRORS.iter() {
        let pairs: Vec<Vec<_>> = mirrors
            .chunks(2)
            .map(|pair| pair.iter().filter_map(|m| m.prefix.host_str()).collect())
            .collect();
        assert!(pairs.iter().all(|pair| HOSTS.iter().any(|hosts| pair == hosts)), "{name}");
        assert!(HOSTS.iter().all(|hosts| pairs.iter().any(|pair| pair == hosts)), "{name}");
        let is_folder = |m: &Mirror| m.url.path().ends_with('/') && m.url.scheme() == "https";
        assert!(mirrors.iter().all(is_folder), "{name}");
    }
}

#[test]
fn mirrors_of_one_prefix_are_asked_in_the_order_given_then_the_origin() {
    let sources = Sources::new(
        mirrors(&[
            "https://conda.anaconda.org/=http://b/",
            "https://conda.anaconda.org=http://a/x",
        ]),
        true,
    );
    assert_eq!(
        asked(&sources, "https://conda.anaconda.org/conda-forge/noarch/"),
        [
            "http://b/conda-forge/noarch/",
            "http://a/x/conda-forge/noarch/",
            "https://conda.anaconda.org/conda-forge/noarch/"
        ]
    );
}

#[test]
fn labels_of_two_mirrors_on_one_host_have_their_folders() {
    let sources = Sources::new(
        mirrors(&[
            "https://conda.anaconda.org/=http://h:81/one/t/secret/cloud/",
            "https://conda.anaconda.org/=http://h:81/two/",
            "https://conda.anaconda.org/=http://other/three/",
        ]),
        true,
    );
    let asked = sources.sources_for(&url("https://conda.anaconda.org/conda-forge/"));
    let labels: Vec<_> = asked.iter().map(|source| source.label.as_str()).collect();
    assert_eq!(labels, ["h:81/one/cloud", "h:81/two", "other", "conda.anaconda.org"]);
}

#[test]
fn the_longest_prefix_is_asked_first_and_a_prefix_ends_at_a_slash() {
    let sources = Sources::new(
        mirrors(&[
            "https://conda.anaconda.org/=http://all/",
            "https://conda.anaconda.org/conda-forge/=http://forge/",
            "https://conda.anaconda.org/conda/=http://other/",
        ]),
        false,
    );
    assert_eq!(
        asked(&sources, "https://conda.anaconda.org/conda-forge/a.conda"),
        ["http://forge/a.conda", "http://all/conda-forge/a.conda"]
    );
}

#[test]
fn without_origin_and_mirror_there_is_no_source_but_a_folder_is_its_own_source() {
    let sources = Sources::new(Vec::new(), false);
    assert!(asked(&sources, "https://conda.anaconda.org/conda-forge/").is_empty());
    assert_eq!(asked(&sources, "file:///ch/%E9%80%9A/"), ["file:///ch/%E9%80%9A/"]);
    let itself = Sources::new(mirrors(&["https://lab.example/=https://lab.example/"]), false);
    assert_eq!(asked(&itself, "https://lab.example/lab/"), ["https://lab.example/lab/"]);
}

#[test]
fn a_url_below_a_mirror_maps_to_its_origin_and_any_other_url_is_its_own_origin() {
    let sources =
        Sources::new(mirrors(&["https://conda.anaconda.org/=http://127.0.0.1:8000/c/"]), true);
    let origin = |text: &str| sources.origin_of(&url(text)).map(|url| url.to_string());
    assert_eq!(
        origin("http://127.0.0.1:8000/c/conda-forge/").as_deref(),
        Some("https://conda.anaconda.org/conda-forge/")
    );
    assert_eq!(
        origin("https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/pytorch/").as_deref(),
        Some("https://conda.anaconda.org/pytorch/")
    );
    assert_eq!(
        origin("https://mirrors.tuna.tsinghua.edu.cn/anaconda/pkgs/main/").as_deref(),
        Some("https://repo.anaconda.com/pkgs/main/")
    );
    assert_eq!(origin("https://lab.example/anaconda/cloud/pytorch/"), None);
}

#[test]
fn an_address_of_a_known_mirror_that_is_no_channel_of_a_public_host_has_no_origin() {
    let named = Sources::new(mirrors(&["tuna"]), true);
    for known in KNOWN_MIRRORS.values().flatten().filter(|mirror| is_anaconda(&mirror.prefix)) {
        for rest in ["", "conda-forge/", "pkgs/", "pkgs/conda-forge/noarch/", "miniconda/"] {
            let written = known.url.join(rest).expect("a URL");
            for mut sources in [Sources::new(Vec::new(), true), named.clone()] {
                assert_eq!(sources.register_mirror_url(&written), None, "{written}");
                assert_eq!(asked(&sources, written.as_str()), [written.as_str()]);
            }
        }
        for rest in ["pkgs/main/", "/pkgs/r/noarch/", "pkgs/mro-archive/"] {
            let written = url(&format!("{}{rest}", known.url));
            assert!(named.origin_of(&written).is_some(), "{written}");
        }
    }
    let own = mirrors(&["https://repo.anaconda.com/=http://lab.example/anaconda/"]);
    let sources = Sources::new(own, true);
    let other = url("http://lab.example/anaconda/other/");
    assert!(sources.origin_of(&other).is_some(), "a declared mirror serves what it declares");
}

proptest::proptest! {
    #[test]
    fn a_mirror_url_maps_back_to_the_origin_it_was_made_from(path in "[^?#]{0,40}") {
        let sources = Sources::new(mirrors(&["https://conda.anaconda.org/=http://h:1/x/"]), false);
        let mut wanted = url("https://conda.anaconda.org/");
        wanted.set_path(&path);
        for source in sources.sources_for(&wanted) {
            proptest::prop_assert_eq!(sources.origin_of(&source.url), Some(wanted.clone()));
        }
    }

    #[test]
    fn parsing_a_mirror_never_panics(text in "\\PC{0,60}") {
        let _ = parse_mirror(&text).map_err(|error| error.findings());
        let _ = parse_mirror(&format!("https://a/={text}"));
    }
}

#[test]
fn a_known_mirror_that_was_written_as_a_channel_becomes_a_source() {
    let mut sources = Sources::new(Vec::new(), true);
    let written = url("https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/pytorch/");
    let origin = sources.register_mirror_url(&written).expect("a known mirror");
    assert_eq!(asked(&sources, origin.as_str()), [written.as_str(), origin.as_str()]);
    assert_eq!(sources.register_mirror_url(&url("https://lab.example/x/")), None);
}

#[test]
fn a_known_mirror_written_with_http_is_asked_with_https() {
    let mut sources = Sources::new(Vec::new(), true);
    let origin = sources.register_mirror_url(&url("http://mirrors.aliyun.com/anaconda/pkgs/main/"));
    let origin = origin.expect("a known mirror");
    assert_eq!(
        asked(&sources, origin.as_str()),
        ["https://mirrors.aliyun.com/anaconda/pkgs/main/", "https://repo.anaconda.com/pkgs/main/"]
    );
    assert_eq!(
        sources.register_mirror_url(&url("http://mirrors.aliyun.com:8080/anaconda/pkgs/main/")),
        None
    );
}

#[test]
fn an_alias_without_the_last_part_of_a_known_mirror_is_completed() {
    let complete = |text: &str| mirror_channels_below(&url(text)).map(|url| url.to_string());
    let cloud = "https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/";
    let found = complete("http://mirrors.tuna.tsinghua.edu.cn/anaconda");
    assert_eq!(found.as_deref(), Some(cloud));
    let packages = complete("https://mirrors.tuna.tsinghua.edu.cn/anaconda/pkgs/");
    assert_eq!(packages.as_deref(), Some(cloud));
    assert_eq!(complete(cloud), None);
    assert_eq!(complete("https://mirrors.tuna.tsinghua.edu.cn/"), None);
}

#[test]
fn an_earlier_group_is_asked_first_regardless_of_prefix_lengths() {
    let all = mirrors(&["https://conda.anaconda.org/=http://flag/"]);
    let mut sources = Sources::new(all, true);
    sources.append(mirrors(&["https://conda.anaconda.org/conda-forge/=http://file/cf/"]));
    assert_eq!(
        asked(&sources, "https://conda.anaconda.org/conda-forge/"),
        ["http://flag/conda-forge/", "http://file/cf/", "https://conda.anaconda.org/conda-forge/"]
    );
}

#[test]
fn a_disabled_origin_is_asked_only_as_a_declared_mirror_in_its_order() {
    let lab = url("https://conda.anaconda.org/lab");
    let mut sources = Sources::new(Vec::new(), true);
    sources.append(mirrors(&["https://conda.anaconda.org/lab/=http://corp/lab/"]));
    sources.disable_origin(&lab);
    assert_eq!(asked(&sources, "https://conda.anaconda.org/lab/"), ["http://corp/lab/"]);
    assert_eq!(
        asked(&sources, "https://conda.anaconda.org/labs/"),
        ["https://conda.anaconda.org/labs/"]
    );
    sources.append(mirrors(&["https://conda.anaconda.org/lab/=https://conda.anaconda.org/lab/"]));
    sources.append(mirrors(&["https://conda.anaconda.org/lab/=http://last/lab/"]));
    assert_eq!(
        asked(&sources, "https://conda.anaconda.org/lab/"),
        ["http://corp/lab/", "https://conda.anaconda.org/lab/", "http://last/lab/"]
    );
}

#[test]
fn the_error_of_a_malformed_mirror_has_the_nearest_name_or_an_example() {
    let error_and_help = |text: &str| {
        let error = parse_mirror(text).expect_err("a malformed mirror");
        assert_eq!(error.exit(), Exit::Usage);
        let finding = error.findings().remove(0);
        (finding.message, finding.help.unwrap_or_default())
    };
    assert!(error_and_help("tunna").1.contains("`--mirror tuna`"));
    assert!(
        error_and_help("https://mirrors.tuna.tsinghua.edu.cn/anaconda")
            .1
            .contains("`--mirror tuna`")
    );
    assert!(error_and_help("conda-forge=http://x/").0.contains("`conda-forge` isn't a URL"));
    assert!(
        error_and_help("https://a/=ftp://b/").0.contains("must begin with http:, https:, file:")
    );
    assert!(error_and_help("https://a/=http://b/?x=1").0.contains("query"));
    let (message, _) = error_and_help("https://a/=ftp://user:geheim@b/");
    assert!(!message.contains("geheim"), "{message}");
}
