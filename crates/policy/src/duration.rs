//! Parses durations as the servers do, into nanoseconds.

use super::hcl_body::{Value, ValueKind, integer, is_float};

const SECOND: f64 = 1e9;

/// Parses `300`, `"300"`, `"1d"`, `"1h30m"`, `""` (zero). `None` where a server rejects the value.
pub(super) fn nanoseconds(value: &Value) -> Option<i64> {
    match &value.kind {
        ValueKind::Number(text) if is_float(text) => {
            float(text.parse::<f64>().ok()?.trunc() * SECOND)
        }
        ValueKind::Number(text) => integer(text)?.checked_mul(1_000_000_000),
        ValueKind::Text(text) => of_text(text),
        _ => None,
    }
}

/// The whole seconds of a duration.
pub(super) fn seconds(text: &str) -> Option<i64> {
    of_text(text).map(|nanoseconds| nanoseconds / 1_000_000_000)
}

fn of_text(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    if let Ok(seconds) = text.parse::<i64>() {
        return seconds.checked_mul(1_000_000_000);
    }
    if let Some(days) = text.strip_suffix('d') {
        return days.parse::<i64>().ok()?.checked_mul(86_400 * 1_000_000_000);
    }
    units(text)
}

/// Parses Go's notation: numbers with units, such as `1h30m`.
fn units(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let amount: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "h" => 3600.0 * SECOND,
            "m" => 60.0 * SECOND,
            "s" => SECOND,
            "ms" => 1e6,
            "us" | "µs" | "μs" => 1e3,
            "ns" => 1.0,
            _ => return None,
        };
        total += amount * unit;
        rest = &rest[end..];
    }
    float(sign * total)
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn float(nanoseconds: f64) -> Option<i64> {
    (nanoseconds.abs() < 9.2e18).then_some(nanoseconds as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation_of_the_servers_is_accepted() {
        let minute = Some(60_000_000_000);
        for text in ["60", "60s", "1m", "0.5m30s", "60000ms"] {
            assert_eq!(of_text(text), minute, "{text}");
        }
        assert_eq!(of_text("1d"), Some(86_400_000_000_000));
        for text in ["1w", "abc", "1.5", "m", "1h2", "99999999999d", "1..5s", " 60 ", " "] {
            assert_eq!(of_text(text), None, "{text}");
        }
    }
}
