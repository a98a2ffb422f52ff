//! Numbers as people read them.

/// A size in bytes, for example `1.6 MB` (powers of ten, as package sites write them).
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    for (unit, name) in UNITS {
        // 999 950 bytes are 1.0 MB, not 1000.0 kB.
        if bytes >= unit - unit / 20_000 {
            let tenths = (bytes + unit / 20) / (unit / 10);
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} B")
}

/// `1 index`, `3 indexes`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A digest as records and people write it.
pub(crate) fn hex(digest: &[u8]) -> String {
    use std::fmt::Write;
    digest.iter().fold(String::with_capacity(digest.len() * 2), |mut text, byte| {
        // Writing to a string doesn't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_rounded_to_a_tenth_of_their_unit() {
        let all = [0, 999, 1_000, 1_249, 999_949, 999_950, 1_577_516, 2_000_000_000].map(size);
        assert_eq!(
            all,
            ["0 B", "999 B", "1.0 kB", "1.2 kB", "999.9 kB", "1.0 MB", "1.6 MB", "2.0 GB"]
        );
    }
}
