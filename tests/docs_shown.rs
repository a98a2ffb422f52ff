//! The documentation and the program: every command in a page is accepted, and what a page shows
//! is what the program prints.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use envlock_testkit::TestMirror;

use crate::support::Lab;
use crate::support::pages::{Block, Page, Shown, is_as_shown, masked, pages};
use crate::support::reader::Reader;

/// Replaces the program on `PATH`: runs it with the same words and `--help`, which fails if it
/// doesn't know a subcommand, a flag or a choice among them. What follows `--` isn't ours.
const WITH_HELP: &str = r#"#!/usr/bin/env bash
words=() is_added=
for word in "$@"; do
  if [ "$word" = -- ] && [ -z "$is_added" ]; then words+=(--help) is_added=1; fi
  words+=("$word")
done
[ -n "$is_added" ] || words+=(--help)
"$ENVLOCK" "${words[@]}" >/dev/null 2>"$HOME/why" && echo x >> "$HOME/accepted" ||
  echo "envlock $*: $(head -1 "$HOME/why")" >> "$HOME/refused"
"#;

/// The commands in the prose: `envlock solve`, or a subcommand with a flag, `solve --check`.
fn commands_in(spans: Vec<String>) -> Vec<String> {
    const SUBCOMMANDS: [&str; 7] =
        ["solve", "install", "run", "verify", "fetch", "bundle", "check-secrets"];
    let command = |span: String| {
        let (first, rest) = span.split_once(' ')?;
        let is_ours = first == "envlock";
        let has_flags = SUBCOMMANDS.contains(&first) && rest.starts_with('-');
        let can_be_typed = !span.contains(['…', '<', '|', '>']);
        match (is_ours, has_flags, can_be_typed) {
            (true, _, true) => Some(span),
            (false, true, true) => Some(format!("envlock {span}")),
            _ => None,
        }
    };
    spans.into_iter().filter_map(command).collect()
}

#[test]
fn every_command_in_a_page_is_one_that_the_program_accepts() {
    let reader = Reader::new();
    reader.tool("envlock", WITH_HELP);
    let mut commands = BTreeSet::new();
    for page in pages() {
        let shown = page.blocks().into_iter().filter(Block::is_console);
        let shown = shown.flat_map(|block| block.commands()).map(|shown| shown.command);
        commands.extend(shown.filter(|command| command.contains("envlock ")));
        // Older changes name commands as they were then.
        if page.path != "CHANGELOG.md" {
            commands.extend(commands_in(page.spans()));
        }
    }
    let mut script = "mkdir -p vault/policies .github/workflows\n".to_owned();
    for command in &commands {
        writeln!(script, "(\n{command}\n) >/dev/null 2>&1 </dev/null").unwrap();
    }
    reader.shell(reader.path(), &script);
    let noted = |name: &str| fs_err::read_to_string(reader.path().join(name)).unwrap_or_default();
    assert_eq!(noted("refused"), "");
    let accepted = noted("accepted").lines().count();
    assert!(accepted >= 40, "{accepted} of {}", commands.len());
}

/// A command of a page: the number of its block, its number in that block, and the command.
type Numbered = (usize, usize, Shown);

/// The commands of a page's console blocks.
fn commands_of(page: &Page) -> Vec<Numbered> {
    let blocks = page.blocks().into_iter().enumerate().filter(|(_, block)| block.is_console());
    blocks
        .flat_map(|(number, block)| {
            let commands = block.commands().into_iter().enumerate();
            commands.map(move |(at, shown)| (number, at, shown)).collect::<Vec<_>>()
        })
        .collect()
}

/// A reader who has typed the tutorial.
struct Reading {
    reader: Reader,
    /// Each command and what it printed.
    commands: Vec<(Numbered, Vec<String>)>,
}

/// None if the machine doesn't have the Python that the pages show.
static READING: LazyLock<Option<Reading>> = LazyLock::new(type_tutorial);

#[allow(clippy::print_stderr)]
fn type_tutorial() -> Option<Reading> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<_> = std::env::split_paths(&on_path).collect();
    let folders = envlock_depot::bin_directories(&on_path, std::env::home_dir().as_deref());
    let python = envlock_depot::Cpython::find(&folders, [3, 10]).ok();
    let Some(python) = python.filter(|python| python.is_requested_version) else {
        eprintln!("left out: the outputs in README and tutorial, which need a Python 3.10");
        return None;
    };
    let reader = Reader::new();
    reader.tool("envlock", "#!/bin/sh\nexec \"$ENVLOCK\" \"$@\"\n");
    std::os::unix::fs::symlink(&python.executable, reader.path().join("bin/python3.10")).unwrap();

    // A block that starts with the name of a file is saved as that file in the working folder.
    let page = Page::read("docs/tutorial.md");
    let files = page.blocks().into_iter().enumerate().filter_map(|(number, block)| {
        let text = block.lines.join("\n");
        let command = format!("cat > {} <<'END OF FILE'\n{text}\nEND OF FILE", block.file()?);
        Some((number, 0, Shown { command, output: Vec::new(), at: 0..0 }))
    });
    let mut all: Vec<_> = files.chain(commands_of(&page)).collect();
    all.sort_by_key(|(block, command, _)| (*block, *command));
    let printed = reader.run(reader.path(), all.iter().map(|(_, _, shown)| shown));
    assert_eq!(printed.len(), all.len(), "the shell ended early: {:?}", printed.last());
    let commands = all.into_iter().zip(printed);
    let commands = commands.filter(|((_, _, shown), _)| !shown.command.ends_with("END OF FILE"));
    Some(Reading { commands: commands.collect(), reader })
}

/// Compares what a page shows with what was printed. With `ENVLOCK_UPDATE_DOCS=1` writes what
/// was printed into the page and its translation.
fn compare(path: &str, commands: &[(Numbered, Vec<String>)]) {
    static WRITING: Mutex<()> = Mutex::new(());
    let mut differing = Vec::new();
    let mut differences = String::new();
    for (numbered, printed) in commands {
        let (block, _, shown) = numbered;
        let [ours, theirs] = [&shown.output, printed].map(|lines| {
            let lines = lines.iter().map(|line| masked(line));
            lines.filter(|line| !line.is_empty()).collect::<Vec<_>>()
        });
        if !is_as_shown(&ours, &theirs) {
            let command = &shown.command;
            let printed_text = printed.join("\n");
            writeln!(differences, "{path}, block {block}: $ {command}\n{printed_text}\n").unwrap();
            differing.push((numbered, printed));
        }
    }
    if std::env::var_os("ENVLOCK_UPDATE_DOCS").is_none_or(|set| set != "1") {
        assert_eq!(
            differences, "",
            "run again with ENVLOCK_UPDATE_DOCS=1 to write it into the page"
        );
    }
    let _one_at_a_time = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let page = Page::read(path);
    let other = page.translation().map(|path| Page::read(&path));
    for mut page in [Some(page), other].into_iter().flatten() {
        // From the end, so that the numbers of what comes before stay.
        for ((block, command, _), printed) in differing.iter().rev() {
            let block = page.blocks()[*block].clone();
            let shown = block.commands()[*command].clone();
            assert!(
                !shown.output.iter().any(|line| line == "…"),
                "update this output by hand: {differences}"
            );
            let mut lines = block.lines.clone();
            lines.splice(shown.at, printed.iter().cloned());
            page.replace(&block, &lines);
        }
        page.write();
    }
}

#[test]
fn the_tutorial_prints_what_it_shows() {
    let Some(reading) = &*READING else { return };
    compare("docs/tutorial.md", &reading.commands);
}

#[test]
fn the_readme_shows_what_the_demo_prints() {
    let Some(reading) = &*READING else { return };
    let (_, printed) = &reading.commands[0];
    // The demo names its server, which a reader doesn't need.
    let without_mirror = |line: &String| match line.split_once(" --mirror ") {
        Some((before, behind)) => {
            let behind = behind.split_once(" --no-origin").map_or("", |(_, behind)| behind);
            format!("{before}{behind}")
        }
        None => line.clone(),
    };
    let printed: Vec<_> = printed.iter().map(without_mirror).collect();
    let of = |command: &str| {
        let from = printed.iter().position(|line| line.strip_prefix("$ ") == Some(command))? + 1;
        let lines = printed[from..].iter().take_while(|line| !line.starts_with("$ "));
        let mut lines: Vec<_> = lines.cloned().collect();
        // The demo leaves a line free before the next command.
        lines.pop_if(|line| line.is_empty());
        Some(lines)
    };
    // The demo prints its closing words behind the output of its last command.
    let is_last = |shown: &Shown| shown.command.contains(" check-secrets ");
    let shown = commands_of(&Page::read("README.md")).into_iter();
    let shown = shown.filter(|(_, _, shown)| shown.command.starts_with("envlock "));
    let shown = shown.filter(|(_, _, shown)| !is_last(shown));
    let commands: Vec<_> = shown
        .map(|numbered| {
            let command = &numbered.2.command;
            let output = of(command).unwrap_or_else(|| panic!("the demo doesn't run {command}"));
            (numbered, output)
        })
        .collect();
    assert!(commands.len() >= 4, "{commands:?}");
    compare("README.md", &commands);
}

#[test]
fn the_other_pages_show_what_is_printed_in_the_demos_folder() {
    const WITHOUT_A_SERVER: [&str; 4] = [
        "envlock solve --check",
        "envlock check-secrets --offline",
        "envlock secrets list",
        "envlock explain",
    ];
    let Some(reading) = &*READING else { return };
    let demo = reading.reader.path().join("envlock-demo");
    for path in ["README.md", "docs/ci.md", "docs/secrets.md"] {
        let mut commands = commands_of(&Page::read(path));
        commands.retain(|(_, _, shown)| {
            WITHOUT_A_SERVER.iter().any(|start| shown.command.starts_with(start))
        });
        assert!(!commands.is_empty(), "{path}");
        let printed = reading.reader.run(&demo, commands.iter().map(|(_, _, shown)| shown));
        compare(path, &commands.into_iter().zip(printed).collect::<Vec<_>>());
    }
}

#[test]
fn the_page_on_mirrors_shows_what_doctor_prints() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.add("zlib 1.3 h0_0");
    });
    let lab = Lab::new(world, "channels: [conda-forge]\ndependencies: [zlib]\n");
    let url = lab.world.url();
    let host = url.trim_start_matches("http://");
    let printed = lab.with_mirrors("doctor", &[]).success();
    let printed = printed
        .replace(host, "mirrors.tuna.tsinghua.edu.cn")
        .replace(&lab.project.cache().display().to_string(), "/home/you/.cache/envlock")
        .replace(&lab.project.root().display().to_string(), "/home/you/project");
    let page = Page::read("docs/mirrors.md");
    let is_doctor = |shown: &Shown| shown.command == "envlock doctor";
    let shown = commands_of(&page).into_iter().find(|(_, _, shown)| is_doctor(shown)).unwrap().2;
    // Another host and other folders break the lines at other words.
    let words = |text: &str| masked(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    assert_eq!(words(&shown.output.join("\n")), words(&printed), "{printed}");
}
