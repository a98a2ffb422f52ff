//! Every code in the sources has its page, and every page its code.

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use support::OF_ASKING;

fn sources(folder: &Path, out: &mut String) {
    for entry in std::fs::read_dir(folder).expect("the folder of sources is there") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.parent().is_some_and(|parent| parent.ends_with("codes"))
        {
            out.push_str(&std::fs::read_to_string(&path).expect("sources are UTF-8"));
        }
    }
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let mut text = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
    let pages: BTreeSet<&str> = envlock_secrets::codes::all().map(|page| page.code).collect();
    for page in &pages {
        let used = text.contains(&format!("\"{page}\""));
        assert!(used || OF_ASKING.contains(page), "no code for the page {page}");
    }
    let makers = [
        "Diagnostic::error(",
        "Diagnostic::warning(",
        "Diagnostic::note(",
        ".mistake(",
        ".diagnostic(",
        ".warn(",
        ".warn_block(",
    ];
    for maker in makers {
        for (at, _) in text.match_indices(maker) {
            let rest = text[at + maker.len()..].trim_start();
            let Some(code) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
                continue;
            };
            assert!(pages.contains(code), "no page for the code {code}");
        }
    }
}
