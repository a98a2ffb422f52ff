//! Parses the time of `--exclude-newer`: a date, a time, or a distance from now.

use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};

/// The longest distance in days: 100 years.
const MAX_DAYS: i64 = 36_525;

/// Parses `2026-06-30`, `2026-06-30T12:00:00Z`, `today`, `yesterday`, `7d`, `2w` or `12h`.
///
/// A date, and a distance of days or weeks, means the end of that day in UTC, so that a command
/// gives the same result all day. `None` if the text is something else or in the far past.
pub(crate) fn parse(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    if let Ok(date) = text.parse::<Date>() {
        return end_of_day(date);
    }
    let words = text.trim().to_lowercase();
    let days_ago = |days: i64| {
        let today = now.to_zoned(TimeZone::UTC).date();
        let days = (days <= MAX_DAYS).then(|| Span::new().try_days(days).ok())??;
        end_of_day(today.checked_sub(days).ok()?)
    };
    match words.as_str() {
        "today" => return days_ago(0),
        "yesterday" => return days_ago(1),
        _ => {}
    }
    let distance = words.strip_suffix(" ago").unwrap_or(&words);
    let digits = distance.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = distance.split_at(digits);
    let number: i64 = number.parse().ok()?;
    match unit.trim() {
        "h" | "hour" | "hours" => {
            let hours = (number <= MAX_DAYS * 24).then(|| Span::new().try_hours(number).ok())??;
            now.checked_sub(hours).ok()
        }
        "d" | "day" | "days" => days_ago(number),
        "w" | "week" | "weeks" => days_ago(number.checked_mul(7)?),
        _ => None,
    }
}

fn end_of_day(date: Date) -> Option<Timestamp> {
    date.at(23, 59, 59, 0).to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_times_and_distances_from_now_are_parsed() {
        let now: Timestamp = "2026-03-02T08:30:00Z".parse().expect("a time");
        for (text, time) in [
            ("2026-06-30", "2026-06-30T23:59:59Z"),
            ("2026-06-30T12:00:00Z", "2026-06-30T12:00:00Z"),
            ("2026-06-30T12:00:00+02:00", "2026-06-30T10:00:00Z"),
            ("today", "2026-03-02T23:59:59Z"),
            ("Yesterday", "2026-03-01T23:59:59Z"),
            ("7d", "2026-02-23T23:59:59Z"),
            ("7 days ago", "2026-02-23T23:59:59Z"),
            ("1 day", "2026-03-01T23:59:59Z"),
            ("0d", "2026-03-02T23:59:59Z"),
            ("2w", "2026-02-16T23:59:59Z"),
            ("2 weeks", "2026-02-16T23:59:59Z"),
            ("12h", "2026-03-01T20:30:00Z"),
        ] {
            assert_eq!(parse(text, now), time.parse().ok(), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let now: Timestamp = "2026-03-02T08:30:00Z".parse().expect("a time");
        for text in [
            "",
            "june",
            "7",
            "d",
            "-7d",
            "7m",
            "7.5d",
            "tomorrow",
            "99999999d",
            "9999999999999999999w",
        ] {
            assert_eq!(parse(text, now), None, "{text}");
        }
    }
}
