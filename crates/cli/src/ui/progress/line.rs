//! The line of a phase on a terminal: as many of its parts as fit, each of them whole.

use std::time::Duration;

use envlock_model::progress::Phase;
use envlock_report::format_size;
use unicode_width::UnicodeWidthStr as _;

use super::text::title;

/// The items of a phase, such as packages.
#[derive(Debug, Default)]
pub(super) struct Items {
    expected: usize,
    done: usize,
    /// The items in work, in the order in which work on them began.
    in_work: Vec<String>,
}

impl Items {
    pub(super) fn expect(&mut self, items: usize) {
        self.expected += items;
    }

    pub(super) fn begin(&mut self, name: String) {
        // A phase that doesn't report the end of an item works on one at a time.
        if self.expected == 0 {
            self.in_work.clear();
        }
        self.in_work.push(name);
    }

    pub(super) fn end(&mut self, name: &str) {
        self.done += 1;
        if let Some(at) = self.in_work.iter().position(|other| other == name) {
            self.in_work.remove(at);
        }
    }
}

/// The state of a phase when its line is drawn.
pub(super) struct Snapshot<'a> {
    /// The units that are done, in the phase's unit.
    pub(super) done: u64,
    /// The units that are expected.
    pub(super) expected: u64,
    /// The units per second.
    pub(super) per_second: f64,
    /// The estimated time until the end.
    pub(super) left: Duration,
    pub(super) items: &'a Items,
}

/// The widest bar, in columns without its brackets.
const WIDEST_BAR: usize = 20;
const NARROWEST_BAR: usize = 5;

/// Terminals from this width on get the nouns of counts.
const ROOM_FOR_NOUNS: usize = 100;

/// Returns the line of a phase, narrower than `columns`. Parts that don't fit are left out, the
/// least important first: bar, names, time left, rate, amount. No part is cut.
pub(super) fn line(phase: Phase, state: &Snapshot<'_>, columns: usize) -> String {
    // Some terminals break a line that fills their last column.
    let room = columns.saturating_sub(1);
    let title = format!("{:>9}", title(phase));
    let mut used = title.width();
    let mut fits = |part: Option<String>| {
        let part = part.filter(|part| used + 2 + part.width() <= room)?;
        used += 2 + part.width();
        Some(part)
    };
    let items = fits(items(phase, state, columns));
    let amount = fits(Some(amount(phase, state)));
    let rate = fits(rate(phase, state));
    let left = fits(time_left(state));
    let left_room = room.saturating_sub(used + 2);
    let next_to_bar = names(&state.items.in_work, left_room.saturating_sub(NARROWEST_BAR + 4));
    let names = next_to_bar.or_else(|| names(&state.items.in_work, left_room));
    used += names.as_ref().map_or(0, |names| 2 + names.width());
    // Two blanks and the brackets.
    let bar_room = room.saturating_sub(used + 4);
    let bar = (bar_room >= NARROWEST_BAR).then(|| bar(state, bar_room.min(WIDEST_BAR)));
    let parts = [Some(title), bar, items, amount, rate, left, names];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

fn bar(state: &Snapshot<'_>, width: usize) -> String {
    let done = u128::from(state.done.min(state.expected)) * width as u128;
    let filled = usize::try_from(done / u128::from(state.expected.max(1))).unwrap_or(width);
    let head = if filled < width { ">" } else { "" };
    let blank = width - filled - head.len();
    format!("[{}{head}{}]", "=".repeat(filled), " ".repeat(blank))
}

fn is_bytes(phase: Phase) -> bool {
    matches!(phase, Phase::Index | Phase::Download | Phase::Verify)
}

/// Formats the done and the expected number of packages. `None` if the phase doesn't count them.
fn items(phase: Phase, state: &Snapshot<'_>, columns: usize) -> Option<String> {
    let Items { expected, done, .. } = *state.items;
    let noun = match phase {
        _ if columns < ROOM_FOR_NOUNS => "",
        Phase::Index => " indexes",
        _ => " packages",
    };
    (expected > 0).then(|| format!("{done}/{expected}{noun}"))
}

/// Formats the done and the expected number of units.
fn amount(phase: Phase, state: &Snapshot<'_>) -> String {
    let Snapshot { done, expected, .. } = *state;
    match phase {
        _ if is_bytes(phase) => sizes(&format_size(done), &format_size(expected)),
        Phase::Solve => format!("{done}/{expected} platforms"),
        _ => format!("{done}/{expected} files"),
    }
}

/// Formats two sizes, with their unit once if it is the same: `12.3/45.6 MB`.
fn sizes(done: &str, expected: &str) -> String {
    match (done.split_once(' '), expected.split_once(' ')) {
        (Some((number, unit)), Some((_, other))) if unit == other => format!("{number}/{expected}"),
        _ => format!("{done}/{expected}"),
    }
}

fn rate(phase: Phase, state: &Snapshot<'_>) -> Option<String> {
    let per_second = state.per_second.max(0.0).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    let whole = per_second as u64;
    if phase == Phase::Solve || whole == 0 {
        return None;
    }
    Some(if is_bytes(phase) { format!("{}/s", format_size(whole)) } else { format!("{whole}/s") })
}

/// Formats the time left in one unit. `None` while it can't be estimated.
fn time_left(state: &Snapshot<'_>) -> Option<String> {
    let seconds = state.left.as_secs();
    if state.done == 0 || state.done >= state.expected || seconds == 0 {
        return None;
    }
    Some(match seconds {
        0..=119 => format!("{seconds} s left"),
        120..=7199 => format!("{} min left", seconds.div_ceil(60)),
        _ => format!("{} h left", seconds.div_ceil(3600)),
    })
}

/// Formats as many names as fit, the first ones first, and the number of the others. `None` if no
/// name fits.
fn names(names: &[String], room: usize) -> Option<String> {
    (1..=names.len()).rev().find_map(|shown| {
        let others = names.len() - shown;
        let mut text = names[..shown].join(", ");
        if others > 0 {
            text.push_str(&format!(" and {others} more"));
        }
        (text.width() <= room).then_some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(expected: usize, done: usize, in_work: &[&str]) -> Items {
        let in_work = in_work.iter().map(|name| (*name).to_owned()).collect();
        Items { expected, done, in_work }
    }

    fn download(items: &Items) -> Snapshot<'_> {
        Snapshot {
            done: 12_300_000,
            expected: 45_600_000,
            per_second: 2_100_000.0,
            left: Duration::from_secs(16),
            items,
        }
    }

    #[test]
    fn a_download_shows_its_packages_how_many_its_rate_and_the_time_left() {
        let items = items(12, 3, &["numpy 1.24.3", "pip 24.0"]);
        let drawn = |columns| line(Phase::Download, &download(&items), columns);
        let counts = "12.3/45.6 MB  2.1 MB/s  16 s left";
        let names = "numpy 1.24.3, pip 24.0";
        assert_eq!(
            drawn(120),
            format!(" download  [=====>              ]  3/12 packages  {counts}  {names}")
        );
        assert_eq!(drawn(80), format!(" download  3/12  {counts}  {names}"));
        assert_eq!(drawn(60), format!(" download  [=>   ]  3/12  {counts}"));
    }

    #[test]
    fn a_narrow_terminal_gets_fewer_parts_and_no_part_is_cut() {
        let all = items(12, 3, &["numpy 1.24.3"]);
        let whole = [80, 200].map(|columns| line(Phase::Download, &download(&all), columns));
        let parts: Vec<_> = whole.iter().flat_map(|line| line.split("  ")).map(str::trim).collect();
        for columns in 10..200 {
            let line = line(Phase::Download, &download(&all), columns);
            assert!(line.width() < columns, "{columns}: {line}");
            for part in line.split("  ").map(str::trim).filter(|part| !part.starts_with('[')) {
                assert!(parts.contains(&part), "{columns}: {part:?} of {line}");
            }
        }
        assert_eq!(line(Phase::Download, &download(&all), 32), " download  3/12  12.3/45.6 MB");
    }

    #[test]
    fn wide_characters_count_as_two_columns() {
        let all = items(1, 0, &["数据库凭据"]);
        for columns in 10..120 {
            assert!(line(Phase::Link, &download(&all), columns).width() < columns);
        }
    }

    #[test]
    fn without_a_count_of_items_the_last_one_that_began_is_shown() {
        let mut all = Items::default();
        all.begin("a".to_owned());
        all.begin("b".to_owned());
        assert!(line(Phase::Index, &download(&all), 80).ends_with("s left  b"));
    }

    #[test]
    fn the_time_left_has_one_unit() {
        let left = |seconds| {
            let items = Items::default();
            time_left(&Snapshot { left: Duration::from_secs(seconds), ..download(&items) })
        };
        assert_eq!(left(0), None);
        assert_eq!(left(119).as_deref(), Some("119 s left"));
        assert_eq!(left(120).as_deref(), Some("2 min left"));
        assert_eq!(left(7200).as_deref(), Some("2 h left"));
    }

    #[test]
    fn a_bar_is_full_only_at_the_end() {
        let items = Items::default();
        let drawn = |done| bar(&Snapshot { done, expected: 10, ..download(&items) }, 5);
        assert_eq!(drawn(0), "[>    ]");
        assert_eq!(drawn(9), "[====>]");
        assert_eq!(drawn(10), "[=====]");
        assert_eq!(drawn(11), "[=====]");
        let empty = Snapshot { done: 0, expected: 0, ..download(&items) };
        assert_eq!(bar(&empty, 5), "[>    ]");
    }
}
