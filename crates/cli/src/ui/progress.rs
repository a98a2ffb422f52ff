//! Shows progress: on a terminal as one line per phase that is redrawn, elsewhere as a line at
//! the end of a phase.

mod line;
mod text;

use std::{
    collections::BTreeMap,
    io::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use envlock_model::progress::{Event, Observer, Phase};
use envlock_report::{
    one_line,
    render::{self, Layout},
};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use self::line::{Items, Snapshot};
use crate::flags::Format;
use text::title;

/// Shows progress.
pub(crate) struct Progress {
    layout: Layout,
    all: MultiProgress,
    /// Locked while anything is drawn, so that nothing is drawn after the end.
    shown: Mutex<Shown>,
}

struct Shown {
    mode: Mode,
    bars: BTreeMap<Phase, Bar>,
}

/// The line of one phase.
struct Bar {
    bar: ProgressBar,
    items: Arc<Mutex<Items>>,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// As redrawn lines, on a terminal of this many columns.
    Bars(u16),
    /// As a line at the end of each phase.
    Lines,
    /// Not at all.
    Silent,
}

impl Progress {
    /// Shows progress on a terminal of `terminal` columns that can redraw a line; `None` if
    /// standard error is no such terminal.
    pub(crate) fn new(terminal: Option<u16>, layout: Layout, quiet: bool, format: Format) -> Self {
        let mode = match (terminal, quiet, format) {
            (Some(columns), false, _) => Mode::Bars(columns),
            (None, false, Format::Human) => Mode::Lines,
            (_, true, _) | (None, false, _) => Mode::Silent,
        };
        Self::on(mode, layout, ProgressDrawTarget::stderr_with_hz(12))
    }

    fn on(mode: Mode, layout: Layout, terminal: ProgressDrawTarget) -> Self {
        let target = match mode {
            Mode::Bars(_) => terminal,
            Mode::Lines | Mode::Silent => ProgressDrawTarget::hidden(),
        };
        let shown = Mutex::new(Shown { mode, bars: BTreeMap::new() });
        Self { layout, all: MultiProgress::with_draw_target(target), shown }
    }

    /// Removes the bars, so that text can follow.
    pub(crate) fn clear(&self) {
        self.clear_bars(&mut self.shown());
    }

    /// Removes the bars. Shows nothing from then on.
    pub(crate) fn end(&self) {
        let mut shown = self.shown();
        self.clear_bars(&mut shown);
        shown.mode = Mode::Silent;
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        lock(&self.shown)
    }

    fn clear_bars(&self, shown: &mut Shown) {
        for bar in std::mem::take(&mut shown.bars).into_values() {
            bar.bar.finish_and_clear();
        }
        let _ = self.all.clear();
    }

    fn print(&self, shown: &Shown, title: &str, text: &str) {
        let first = format!("{title:>9}  ");
        let text = render::paragraph(&one_line(text), &first, &" ".repeat(11), self.layout.width);
        match shown.mode {
            Mode::Bars(_) => {
                let _ = self.all.println(text.trim_end());
            }
            Mode::Lines => {
                let _ = write!(std::io::stderr().lock(), "{text}");
            }
            Mode::Silent => {}
        }
    }

    /// Returns the phase's bar. It is made when work is expected.
    fn bar<'a>(&self, shown: &'a mut Shown, phase: Phase, units: u64) -> Option<&'a Bar> {
        let Mode::Bars(columns) = shown.mode else { return None };
        if units > 0 {
            shown.bars.entry(phase).or_insert_with(|| {
                let items = Arc::default();
                let bar = ProgressBar::new(0).with_style(style(phase, columns, &items));
                Bar { bar: self.all.add(bar), items }
            });
        }
        shown.bars.get(&phase)
    }

    /// Changes the items of a phase, and makes its bar if `items` more are expected.
    fn change_items(
        &self,
        shown: &mut Shown,
        phase: Phase,
        items: usize,
        change: impl FnOnce(&mut Items),
    ) {
        if let Some(bar) = self.bar(shown, phase, items as u64) {
            change(&mut lock(&bar.items));
            bar.bar.tick();
        }
    }
}

impl Observer for Progress {
    fn observe(&self, event: Event) {
        let shown = &mut *self.shown();
        match event {
            Event::Done(outcome) => {
                let phase = outcome.phase();
                if let Some(bar) = shown.bars.remove(&phase) {
                    bar.bar.finish_and_clear();
                }
                self.print(shown, title(phase), &text::outcome(outcome));
            }
            Event::Notice(notice) => self.print(shown, "note", &text::notice(&notice)),
            Event::Expect { phase, units } => {
                self.bar(shown, phase, units).inspect(|bar| bar.bar.inc_length(units));
            }
            Event::Advance { phase, units } => {
                self.bar(shown, phase, units).inspect(|bar| bar.bar.inc(units));
            }
            Event::ExpectItems { phase, items } => {
                self.change_items(shown, phase, items, |all| all.expect(items));
            }
            Event::Item { phase, name } => {
                let name = one_line(&name).into_owned();
                self.change_items(shown, phase, 0, |all| all.begin(name));
            }
            Event::ItemDone { phase, name } => {
                let name = one_line(&name).into_owned();
                self.change_items(shown, phase, 0, |all| all.end(&name));
            }
        }
    }
}

fn style(phase: Phase, columns: u16, items: &Arc<Mutex<Items>>) -> ProgressStyle {
    let items = Arc::clone(items);
    let draw = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        let snapshot = Snapshot {
            done: state.pos(),
            expected: state.len().unwrap_or_default(),
            per_second: state.per_sec(),
            left: state.eta(),
            items: &lock(&items),
        };
        let _ = out.write_str(&line::line(phase, &snapshot, columns.into()));
    };
    ProgressStyle::with_template("{line}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("line", draw)
}

/// Locks a mutex, also after a panic: a thread that panics doesn't leave a half-changed value.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
