//! Warns if an index is older or much smaller than the cached one. The index is used anyway.

use std::time::{Duration, UNIX_EPOCH};

use envlock_report::{Code, Finding};

use super::cache::CachedIndex;

/// Returns warnings about the index `now` compared with the cached index `before`. `name` is the
/// index's name in messages.
pub(crate) fn warnings(name: &str, before: &CachedIndex, now: &CachedIndex) -> Vec<Finding> {
    let mut warnings = Vec::new();
    if now.records * 2 < before.records {
        warnings.push(
            Finding::new(
                Code::IndexShrunk,
                format!(
                    "the index of {name} lists {} packages; the cached one lists {}",
                    now.records, before.records
                ),
            )
            .with_note(sources(before, now))
            .with_help("if packages are missing, name another source with `--mirror PREFIX=URL`"),
        );
    }
    if let (Some(then), Some(newest)) = (before.newest, now.newest)
        && newest < then
    {
        warnings.push(
            Finding::new(
                Code::IndexOlder,
                format!(
                    "the index of {name} is older than the cached one: its newest package is \
                     of {}, the cached one's is of {}",
                    date(newest),
                    date(then)
                ),
            )
            .with_note(sources(before, now))
            .with_help("wait until the mirror has caught up, or name another source first"),
        );
    }
    warnings
}

fn sources(before: &CachedIndex, now: &CachedIndex) -> String {
    format!("from: {}\ncached from: {}", now.source, before.source)
}

/// Formats a time in seconds since 1970, before the year 10000.
fn date(seconds: u64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::cache::Format;
    use crate::transport::Validators;

    fn stored(records: usize, newest: Option<u64>) -> CachedIndex {
        CachedIndex {
            source: "http://h/noarch/".into(),
            from_origin: false,
            format: Format::Zst,
            validators: Validators::default(),
            sha256: String::new(),
            size: 0,
            base_url: None,
            records,
            newest,
        }
    }

    #[test]
    fn an_index_with_less_than_half_of_the_packages_or_an_older_one_is_a_warning() {
        let codes = |before: &CachedIndex, now: &CachedIndex| -> Vec<&str> {
            warnings("c/noarch", before, now).iter().map(|warning| warning.code.as_str()).collect()
        };
        let before = stored(10, Some(1_700_000_000));
        assert_eq!(codes(&before, &stored(5, Some(1_700_000_000))), [""; 0]);
        assert_eq!(codes(&before, &stored(4, None)), ["index-shrunk"]);
        assert_eq!(codes(&before, &stored(11, Some(1_699_999_999))), ["index-older"]);
        assert_eq!(codes(&stored(1, None), &stored(0, None)), ["index-shrunk"]);
        let older = warnings("c/noarch", &before, &stored(10, Some(0))).remove(0);
        assert_eq!(
            older.message,
            "the index of c/noarch is older than the cached one: its newest package is of \
             Thu, 01 Jan 1970 00:00:00 GMT, the cached one's is of Tue, 14 Nov 2023 22:13:20 GMT"
        );
    }
}
