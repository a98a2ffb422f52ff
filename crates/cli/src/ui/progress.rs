//! Long work on a terminal as bars, elsewhere as a line when a phase is over.

mod words;

use std::{
    collections::BTreeMap,
    io::Write as _,
    sync::{Mutex, MutexGuard, PoisonError},
};

use envlock_model::progress::{Event, Observer, Phase};
use envlock_report::{
    one_line,
    render::{self, Layout},
};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::flags::Format;
use words::title;

/// Draws what goes on.
pub(crate) struct Progress {
    layout: Layout,
    all: MultiProgress,
    /// Held while anything is drawn, so that nothing is drawn after the end.
    shown: Mutex<Shown>,
}

struct Shown {
    mode: Mode,
    bars: BTreeMap<Phase, ProgressBar>,
}

/// How what goes on is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// On a terminal of so many columns.
    Bars(u16),
    Lines,
    NoProgress,
}

impl Progress {
    pub(crate) fn new(terminal: Option<u16>, layout: Layout, quiet: bool, format: Format) -> Self {
        let mode = match (terminal, quiet, format) {
            (Some(columns), false, _) => Mode::Bars(columns),
            (None, false, Format::Human) => Mode::Lines,
            (_, true, _) | (None, false, _) => Mode::NoProgress,
        };
        Self::on(mode, layout, ProgressDrawTarget::stderr_with_hz(12))
    }

    fn on(mode: Mode, layout: Layout, terminal: ProgressDrawTarget) -> Self {
        let target = match mode {
            Mode::Bars(_) => terminal,
            Mode::Lines | Mode::NoProgress => ProgressDrawTarget::hidden(),
        };
        let shown = Mutex::new(Shown { mode, bars: BTreeMap::new() });
        Self { layout, all: MultiProgress::with_draw_target(target), shown }
    }

    /// Takes the bars away, so that text can follow.
    pub(crate) fn clear(&self) {
        self.clear_bars(&mut self.shown());
    }

    /// The same, and nothing is shown any more, whoever still works in the background.
    pub(crate) fn end(&self) {
        let mut shown = self.shown();
        self.clear_bars(&mut shown);
        shown.mode = Mode::NoProgress;
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clear_bars(&self, shown: &mut Shown) {
        for bar in std::mem::take(&mut shown.bars).into_values() {
            bar.finish_and_clear();
        }
        let _ = self.all.clear();
    }

    fn say(&self, shown: &Shown, title: &str, text: &str) {
        let first = format!("{title:>9}  ");
        let text = render::paragraph(&one_line(text), &first, &" ".repeat(11), self.layout.width);
        match shown.mode {
            Mode::Bars(_) => {
                let _ = self.all.println(text.trim_end());
            }
            Mode::Lines => {
                let _ = write!(std::io::stderr().lock(), "{text}");
            }
            Mode::NoProgress => {}
        }
    }

    /// The phase's bar: there from when something is to be done.
    fn bar<'a>(&self, shown: &'a mut Shown, phase: Phase, units: u64) -> Option<&'a ProgressBar> {
        let Mode::Bars(columns) = shown.mode else { return None };
        if units > 0 {
            shown.bars.entry(phase).or_insert_with(|| {
                let bar = ProgressBar::new(0).with_style(style(phase, columns));
                self.all.add(bar.with_prefix(title(phase)))
            });
        }
        shown.bars.get(&phase)
    }
}

impl Observer for Progress {
    fn observe(&self, event: Event) {
        let shown = &mut *self.shown();
        match event {
            Event::Done(outcome) => {
                let phase = outcome.phase();
                if let Some(bar) = shown.bars.remove(&phase) {
                    bar.finish_and_clear();
                }
                self.say(shown, title(phase), &words::outcome(outcome));
            }
            Event::Notice(notice) => self.say(shown, "note", &words::notice(&notice)),
            Event::Expect { phase, units } => {
                self.bar(shown, phase, units).inspect(|bar| bar.inc_length(units));
            }
            Event::Advance { phase, units } => {
                self.bar(shown, phase, units).inspect(|bar| bar.inc(units));
            }
            Event::Item { phase, name } => {
                let name = one_line(&name).into_owned();
                self.bar(shown, phase, 0).inspect(|bar| bar.set_message(name));
            }
        }
    }
}

/// As much as a line has room for: the counts take up to 32 columns with their rate.
fn style(phase: Phase, columns: u16) -> ProgressStyle {
    let (counts, rate) = match phase {
        Phase::Index | Phase::Download | Phase::Verify => {
            ("{decimal_bytes}/{decimal_total_bytes}", "{decimal_bytes_per_sec}")
        }
        Phase::Solve => ("{pos}/{len} platforms", ""),
        Phase::Link | Phase::Compile => ("{pos}/{len} files", "{files_per_sec}"),
    };
    let (bar, rate) = match columns {
        0..60 => (5, ""),
        60..80 => (10, rate),
        _ => (20, rate),
    };
    let template = format!("{{prefix:>9}}  [{{bar:{bar}}}] {counts} {rate} {{wide_msg}}");
    let whole_files = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
        let _ = write!(out, "{:.0}/s", state.per_sec());
    };
    ProgressStyle::with_template(&template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("files_per_sec", whole_files)
        .progress_chars("=> ")
}

#[cfg(test)]
mod tests;
