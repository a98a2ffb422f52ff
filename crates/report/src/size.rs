//! Formats sizes in bytes.

use humansize::{DECIMAL, FormatSizeOptions, SizeFormatter};

/// Formats a size in bytes with its unit and at most one decimal, such as `1.6 MB`. Units are
/// powers of ten, as on package sites.
pub fn format_size(bytes: u64) -> String {
    let options = FormatSizeOptions::from(DECIMAL).decimal_places(1);
    SizeFormatter::new(round(bytes), options).to_string()
}

/// Rounds to four digits. Without this, 999 950 bytes would be `1000 kB`.
fn round(bytes: u64) -> u64 {
    let mut unit = 1;
    while bytes / unit >= 10_000 {
        unit *= 10;
    }
    (bytes / unit + u64::from(bytes % unit >= unit.div_ceil(2) && unit > 1)).saturating_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::format_size;

    #[test]
    fn sizes_are_rounded_to_a_tenth_of_their_unit() {
        let all = [
            0,
            999,
            1_000,
            1_249,
            999_949,
            999_950,
            1_577_516,
            4_120_000,
            253_000_000,
            2_000_000_000,
            1_500_000_000_000_000,
            u64::MAX,
        ];
        assert_eq!(
            all.map(format_size),
            [
                "0 B", "999 B", "1 kB", "1.2 kB", "999.9 kB", "1 MB", "1.6 MB", "4.1 MB", "253 MB",
                "2 GB", "1.5 PB", "18.4 EB"
            ]
        );
    }
}
