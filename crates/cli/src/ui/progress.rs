//! Long work on a terminal as bars, elsewhere as a line when a phase is over.

use std::{
    collections::BTreeMap,
    io::Write as _,
    sync::{Mutex, PoisonError},
};

use envlock_model::progress::{Event, Observer, Phase};
use envlock_report::one_line;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::Format;

/// Draws what goes on.
pub(crate) struct Progress {
    mode: Mode,
    all: MultiProgress,
    bars: Mutex<BTreeMap<Phase, ProgressBar>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Bars,
    Lines,
    Silent,
}

impl Progress {
    pub(crate) fn new(terminal: bool, quiet: bool, format: Format) -> Self {
        let mode = match (terminal, quiet, format) {
            (true, false, _) => Mode::Bars,
            (false, false, Format::Human) => Mode::Lines,
            (_, true, _) | (false, false, _) => Mode::Silent,
        };
        let target = match mode {
            Mode::Bars => ProgressDrawTarget::stderr_with_hz(12),
            Mode::Lines | Mode::Silent => ProgressDrawTarget::hidden(),
        };
        Self {
            mode,
            all: MultiProgress::with_draw_target(target),
            bars: Mutex::new(BTreeMap::new()),
        }
    }

    /// Takes the bars away, so that text can follow.
    pub(crate) fn clear(&self) {
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        for bar in std::mem::take(&mut *bars).into_values() {
            bar.finish_and_clear();
        }
        let _ = self.all.clear();
    }

    fn bar(&self, phase: Phase) -> ProgressBar {
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        bars.entry(phase)
            .or_insert_with(|| {
                let bar = self.all.add(ProgressBar::new(0).with_style(style(phase)));
                bar.set_prefix(title(phase));
                bar
            })
            .clone()
    }

    fn done(&self, phase: Phase, summary: &str) {
        {
            let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(bar) = bars.remove(&phase) {
                bar.finish_and_clear();
            }
        }
        self.say(&format!("{:>9}  {summary}", title(phase)));
    }

    fn say(&self, line: &str) {
        let line = one_line(line);
        match self.mode {
            Mode::Bars => {
                let _ = self.all.println(&line);
            }
            Mode::Lines => {
                let _ = writeln!(std::io::stderr().lock(), "{line}");
            }
            Mode::Silent => {}
        }
    }
}

impl Observer for Progress {
    fn observe(&self, event: Event) {
        match event {
            Event::Done { phase, summary } => self.done(phase, &summary),
            Event::Notice(line) => self.say(&format!("{:>9}  {line}", "note")),
            _ if self.mode != Mode::Bars => {}
            Event::Expect { phase, units } => self.bar(phase).inc_length(units),
            Event::Advance { phase, units } => self.bar(phase).inc(units),
            Event::Item { phase, name } => {
                self.bar(phase).set_message(one_line(&name).into_owned());
            }
        }
    }
}

fn title(phase: Phase) -> &'static str {
    match phase {
        Phase::Index => "index",
        Phase::Solve => "solve",
        Phase::Download => "download",
        Phase::Verify => "verify",
        Phase::Link => "link",
        Phase::Compile => "compile",
    }
}

fn style(phase: Phase) -> ProgressStyle {
    let counts = match phase {
        Phase::Index | Phase::Download | Phase::Verify => {
            "{decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec}"
        }
        Phase::Solve => "{pos}/{len} platforms",
        Phase::Link | Phase::Compile => "{pos}/{len} files {per_sec}",
    };
    let template = format!("{{prefix:>9}}  [{{bar:20}}] {counts} {{wide_msg}}");
    ProgressStyle::with_template(&template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}
