use std::{
    io,
    sync::{Arc, Mutex},
};

use envlock_model::progress::{Notice, Outcome};
use indicatif::TermLike;
use unicode_width::UnicodeWidthStr as _;

use super::*;

/// A terminal that remembers what is written to it.
#[derive(Debug, Clone)]
struct Recorder {
    columns: u16,
    written: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    fn progress(columns: u16) -> (Self, Progress) {
        let recorder = Self { columns, written: Arc::default() };
        let layout = Layout { width: usize::from(columns), colour: false, whole: false };
        let target = ProgressDrawTarget::term_like(Box::new(recorder.clone()));
        (recorder, Progress::on(Mode::Bars(columns), layout, target))
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.written.lock().unwrap())
    }
}

impl TermLike for Recorder {
    fn width(&self) -> u16 {
        self.columns
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.written.lock().unwrap().push(text.to_owned());
        Ok(())
    }
    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

/// The phases with the most that they can sensibly have to do.
const PHASES: [(Phase, u64); 6] = [
    (Phase::Index, 999_990_000),
    (Phase::Solve, 12),
    (Phase::Download, 999_990_000_000),
    (Phase::Verify, 999_990_000_000),
    (Phase::Link, 999_999),
    (Phase::Compile, 999_999),
];

/// Work in every phase, with long names and large numbers.
fn work(progress: &Progress) {
    for (phase, units) in PHASES {
        progress.observe(Event::Expect { phase, units });
        progress.observe(Event::ExpectItems { phase, items: 99_999 });
        progress.observe(Event::Advance { phase, units: units - 1 });
        progress.observe(Event::Item { phase, name: "a-long-name-of-a-package-环境-".repeat(4) });
    }
    let text = "a word after another ".repeat(12);
    progress.observe(Event::Notice(Notice::ScriptMessage { package: "a".to_owned(), text }));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for columns in [20, 40, 60, 80, 200] {
        let (recorder, progress) = Recorder::progress(columns);
        work(&progress);
        for line in recorder.take().iter().flat_map(|text| text.lines()) {
            // A line that is drawn over another is filled up to the terminal's width.
            assert!(line.trim_end().width() <= usize::from(columns), "{columns}: {line:?}");
        }
    }
}

#[test]
fn a_phase_without_work_has_no_bar() {
    let (recorder, progress) = Recorder::progress(80);
    progress.observe(Event::Expect { phase: Phase::Verify, units: 0 });
    progress.observe(Event::Item { phase: Phase::Verify, name: "x".to_owned() });
    progress.observe(Event::Expect { phase: Phase::Download, units: 10 });
    let drawn = recorder.take().concat();
    assert!(drawn.contains("download") && !drawn.contains("verify"), "{drawn:?}");
}

#[test]
fn nothing_is_drawn_after_the_end() {
    let (recorder, progress) = Recorder::progress(80);
    work(&progress);
    progress.end();
    recorder.take();
    work(&progress);
    progress.observe(Event::Done(Outcome::Linked { packages: 1, files: 1 }));
    assert_eq!(recorder.take(), [""; 0]);
}

#[test]
fn a_terminal_shows_which_packages_are_fetched_and_how_many_are_left() {
    let (recorder, progress) = Recorder::progress(120);
    let phase = Phase::Download;
    progress.observe(Event::Expect { phase, units: 3_000_000 });
    progress.observe(Event::ExpectItems { phase, items: 3 });
    for name in ["numpy 1.24.3", "pip 24.0", "环境 1"] {
        progress.observe(Event::Item { phase, name: name.to_owned() });
    }
    progress.observe(Event::ItemDone { phase, name: "numpy 1.24.3".to_owned() });
    progress.observe(Event::Advance { phase, units: 1_000_000 });
    let drawn = recorder.take().concat();
    assert!(drawn.contains("0/3 packages") && drawn.contains("numpy 1.24.3"), "{drawn:?}");
    assert!(drawn.contains("1/3 packages") && drawn.contains("pip 24.0, 环境 1"), "{drawn:?}");
}

#[test]
fn a_rate_of_files_is_a_whole_number() {
    let (recorder, progress) = Recorder::progress(80);
    for _ in 0..50 {
        progress.observe(Event::Expect { phase: Phase::Link, units: 97 });
        progress.observe(Event::Advance { phase: Phase::Link, units: 97 });
    }
    let drawn = recorder.take();
    let rate = |text: &String| {
        let (before, _) = text.split_once("/s")?;
        before.rsplit(' ').next().map(str::to_owned)
    };
    let rates: Vec<_> = drawn.iter().filter_map(rate).collect();
    assert!(!rates.is_empty(), "{drawn:?}");
    assert!(rates.iter().all(|rate| rate.parse::<u64>().is_ok()), "{rates:?}");
}
