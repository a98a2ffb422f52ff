//! Selects the form of a directory's page by the request's `Accept` (RFC 9110, 12.5.1; PEP 691).

use std::path::{Path, PathBuf};

/// The types of the simple API's pages and the files of each, the default first.
const TYPES: [(&str, &str); 3] = [
    ("text/html", "index.html"),
    ("application/vnd.pypi.simple.v1+json", "index.json"),
    ("application/vnd.pypi.simple.v1+html", "index.html"),
];

/// A page of a directory.
pub(super) struct Page {
    pub(super) path: PathBuf,
    pub(super) content_type: &'static str,
}

/// Whether a directory has a page in any form.
pub(super) fn has_page(directory: &Path) -> bool {
    TYPES.iter().any(|(_, name)| directory.join(name).is_file())
}

/// Returns the page of a directory in the form that the client prefers. If it wants none of the
/// forms that exist, it gets the first one, as from a mirror that serves files. `None` if there is
/// no page.
pub(super) fn page(directory: &Path, accept: Option<&str>) -> Option<Page> {
    let existing: Vec<_> =
        TYPES.iter().filter(|(_, name)| directory.join(name).is_file()).collect();
    let quality = |content_type: &str| accept.map_or(1000, |accept| quality(accept, content_type));
    // The first of the best: `max_by_key` would take the last.
    let best = existing.iter().rev().max_by_key(|(content_type, _)| quality(content_type))?;
    let (content_type, name) = if quality(best.0) == 0 { existing.first()? } else { best };
    Some(Page { path: directory.join(name), content_type })
}

/// Returns how much a client wants a type, in thousandths: that of the most specific range that
/// matches. 0 if none does.
fn quality(accept: &str, content_type: &str) -> u32 {
    let ranges = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let specificity = specificity(parts.next()?, content_type)?;
        let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        Some((specificity, thousandths(quality.unwrap_or("1"))))
    });
    ranges.max_by_key(|(specificity, _)| *specificity).map_or(0, |(_, quality)| quality)
}

/// Returns how specifically a range names the type; `None` if it doesn't.
fn specificity(range: &str, content_type: &str) -> Option<u8> {
    // The newest version of the API is the only one.
    let range = range.to_ascii_lowercase().replace(".simple.latest+", ".simple.v1+");
    let group = content_type.split('/').next().unwrap_or_default();
    match range.as_str() {
        "*/*" => Some(0),
        range if range == format!("{group}/*") => Some(1),
        range if range == content_type => Some(2),
        _ => None,
    }
}

/// Parses a quality of at most three decimals. One that can't be parsed counts as 1.
fn thousandths(quality: &str) -> u32 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let digits = format!("{whole}{fraction:0<3}");
    digits.parse().map_or(1000, |number: u32| number.min(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = "application/vnd.pypi.simple.v1+json";
    const HTML: &str = "application/vnd.pypi.simple.v1+html";

    fn chosen(files: &[&str], accept: Option<&str>) -> Option<(String, &'static str)> {
        let directory = tempfile::tempdir().unwrap();
        for name in files {
            fs_err::write(directory.path().join(name), "").unwrap();
        }
        assert_eq!(has_page(directory.path()), !files.is_empty());
        let page = page(directory.path(), accept)?;
        Some((page.path.file_name().unwrap().to_str().unwrap().to_owned(), page.content_type))
    }

    #[test]
    fn the_most_wanted_form_is_chosen_and_html_by_default() {
        let pip = format!("{JSON}, {HTML}; q=0.1, text/html; q=0.01");
        let latest = "application/vnd.pypi.simple.latest+json";
        for (accept, name, content_type) in [
            (None, "index.html", "text/html"),
            (Some("*/*"), "index.html", "text/html"),
            (Some("text/*"), "index.html", "text/html"),
            (Some("application/*"), "index.json", JSON),
            (Some(pip.as_str()), "index.json", JSON),
            (Some(JSON), "index.json", JSON),
            (Some(latest), "index.json", JSON),
            (Some(HTML), "index.html", HTML),
            (
                Some("application/vnd.pypi.simple.v1+json;q=0.2, text/html;q=0.25"),
                "index.html",
                "text/html",
            ),
            (Some("text/html;q=0, */*;q=0.1"), "index.json", JSON),
            (Some("*/*, text/html;q=0.5"), "index.json", JSON),
        ] {
            let found = chosen(&["index.html", "index.json"], accept);
            assert_eq!(found, Some((name.to_owned(), content_type)), "{accept:?}");
        }
    }

    #[test]
    fn the_form_that_exists_is_chosen_even_if_another_is_wanted() {
        let pip = format!("{JSON}, {HTML}; q=0.1, text/html; q=0.01");
        let html = Some(("index.html".to_owned(), HTML));
        assert_eq!(chosen(&["index.html"], Some(&pip)), html);
        let default = Some(("index.html".to_owned(), "text/html"));
        assert_eq!(chosen(&["index.html"], Some(JSON)), default);
        let json = Some(("index.json".to_owned(), JSON));
        assert_eq!(chosen(&["index.json"], Some("text/html")), json);
        assert_eq!(chosen(&["index.json"], None), json);
        assert_eq!(chosen(&[], Some("*/*")), None);
    }
}
