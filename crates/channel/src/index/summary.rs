//! Summarises an index, to compare it with the cached one.

use serde::Deserialize;

use super::listing::Listing;

/// The summary of an index.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct IndexSummary {
    /// The number of archives that it lists.
    pub(crate) records: usize,
    /// The timestamp of the newest archive, in seconds since 1970.
    pub(crate) newest: Option<u64>,
}

#[derive(Deserialize)]
struct Record {
    timestamp: Option<serde_json::Number>,
}

impl Record {
    /// Returns the timestamp in seconds: conda writes milliseconds, and earlier wrote seconds. A
    /// time after the year 9999 is ignored.
    fn seconds(&self) -> Option<u64> {
        const LAST: u64 = 253_402_300_799;
        let written = self.timestamp.as_ref()?.as_u64()?;
        let seconds = if written > LAST { written / 1000 } else { written };
        (seconds <= LAST).then_some(seconds)
    }
}

/// Summarises an index. Records without a timestamp that can be read are only counted.
pub(crate) fn summarize(listing: &Listing) -> IndexSummary {
    let seconds = |record: &str| serde_json::from_str::<Record>(record).ok()?.seconds();
    let newest = listing.archives().filter_map(|archive| seconds(archive.record)).max();
    IndexSummary { records: listing.len(), newest }
}

#[cfg(test)]
mod tests {
    use rattler_conda_types::Subdir;

    use super::*;

    #[test]
    fn the_summary_has_the_number_of_archives_and_the_newest_timestamp() {
        let json = r#"{"packages":{"a-1-0.tar.bz2":{"timestamp":1700000000}},
                "packages.conda":{"a-1-0.conda":{"timestamp":1600000000123},"b-1-0.conda":{}},
                "v3":{"conda":{"c-1-0":{"timestamp":99999999999999999},
                               "d-1-0":{"timestamp":"later"}}}}"#;
        let listing = Listing::read(json.to_owned(), Subdir::NoArch).expect("an index");
        let wanted = IndexSummary { records: 5, newest: Some(1_700_000_000) };
        assert_eq!(summarize(&listing), wanted);
    }
}
