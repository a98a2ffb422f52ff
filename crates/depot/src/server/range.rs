//! Parses a `Range` (RFC 9110, 14.1.2).

use std::ops::Range;

/// The part of a body that a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The whole body: the header can't be read, or has several ranges.
    Whole,
    /// These bytes.
    Bytes(Range<usize>),
    /// Bytes that the body doesn't have.
    Unsatisfiable,
}

/// Returns the part of a body of this length.
pub(super) fn part(header: &str, length: usize) -> Part {
    parsed(header, length).unwrap_or(Part::Whole)
}

fn parsed(header: &str, length: usize) -> Option<Part> {
    let (first, last) = header.trim().strip_prefix("bytes=")?.split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    let range = if first.is_empty() {
        length.saturating_sub(last.parse().ok()?)..length
    } else {
        let first: usize = first.parse().ok()?;
        let last = if last.is_empty() { usize::MAX } else { last.parse().ok()? };
        if last < first {
            return None;
        }
        first..last.saturating_add(1).min(length)
    };
    Some(if range.is_empty() { Part::Unsatisfiable } else { Part::Bytes(range) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_selects_bytes_that_exist() {
        for (header, expected) in [
            ("bytes=0-3", Part::Bytes(0..4)),
            ("bytes=4-", Part::Bytes(4..10)),
            ("bytes=8-100", Part::Bytes(8..10)),
            ("bytes=-3", Part::Bytes(7..10)),
            ("bytes=-100", Part::Bytes(0..10)),
            ("bytes=0-18446744073709551615", Part::Bytes(0..10)),
            ("bytes=10-", Part::Unsatisfiable),
            ("bytes=12-13", Part::Unsatisfiable),
            ("bytes=-0", Part::Unsatisfiable),
        ] {
            assert_eq!(part(header, 10), expected, "{header}");
        }
    }

    #[test]
    fn what_is_no_single_range_selects_everything() {
        for header in ["bytes=0-1,3-4", "bytes=5-4", "bytes=", "bytes=-", "bytes=a-b", "lines=0-1"]
        {
            assert_eq!(part(header, 10), Part::Whole, "{header}");
        }
    }

    #[test]
    fn an_empty_body_has_no_range() {
        assert_eq!(part("bytes=0-", 0), Part::Unsatisfiable);
    }
}
