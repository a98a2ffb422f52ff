//! The pages of the documentation: their blocks, links, headings and commands.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// Returns the root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A page and its text.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// The path in the repository, such as `docs/ci.md`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) lines: Vec<String>,
    /// The numbers of its lines in the page, without the fences.
    pub(crate) at: Range<usize>,
}

/// A command of a console block, with the output that the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The command with its continuation lines.
    pub(crate) command: String,
    pub(crate) output: Vec<String>,
    /// The numbers of the output's lines in the block.
    pub(crate) at: Range<usize>,
}

/// Reads all pages: README in both languages, the folder docs, and the guides of the repository.
pub(crate) fn pages() -> Vec<Page> {
    let mut paths: Vec<String> =
        ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md", "crates/README.md"]
            .map(str::to_owned)
            .to_vec();
    for folder in ["docs", "docs/zh"] {
        let mut inside: Vec<_> = fs_err::read_dir(root().join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| Path::new(name).extension().is_some_and(|ending| ending == "md"))
            .map(|name| format!("{folder}/{name}"))
            .collect();
        inside.sort();
        paths.extend(inside);
    }
    paths.iter().map(|path| Page::read(path)).collect()
}

impl Page {
    pub(crate) fn read(path: &str) -> Self {
        Self { path: path.to_owned(), text: fs_err::read_to_string(root().join(path)).unwrap() }
    }

    pub(crate) fn write(&self) {
        // Other tests can read it at the same time.
        let new = root().join(&self.path).with_extension("new");
        fs_err::write(&new, &self.text).unwrap();
        fs_err::rename(new, root().join(&self.path)).unwrap();
    }

    /// Returns the path of the page in the other language, if there is one.
    pub(crate) fn translation(&self) -> Option<String> {
        let path = match self.path.as_str() {
            "README.md" => "README.zh-CN.md".to_owned(),
            "README.zh-CN.md" => "README.md".to_owned(),
            path => match path.strip_prefix("docs/zh/") {
                Some(name) => format!("docs/{name}"),
                None => format!("docs/zh/{}", path.strip_prefix("docs/")?),
            },
        };
        root().join(&path).exists().then_some(path)
    }

    /// Returns the fenced blocks.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (number, line) in self.text.lines().enumerate() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(language), None) => {
                    let at = number + 1..number + 1;
                    open = Some(Block { language: language.to_owned(), lines: Vec::new(), at });
                }
                (Some(_), Some(block)) => {
                    block.at.end = number;
                    blocks.extend(open.take());
                }
                (None, Some(block)) => block.lines.push(line.to_owned()),
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a fence isn't closed", self.path);
        blocks
    }

    /// Returns the lines outside fences.
    pub(crate) fn prose(&self) -> Vec<&str> {
        let blocks = self.blocks();
        let is_prose = |number: &usize| {
            !blocks.iter().any(|block| block.at.start - 1 <= *number && *number <= block.at.end)
        };
        let lines = self.text.lines().enumerate();
        lines.filter(|(number, _)| is_prose(number)).map(|(_, line)| line).collect()
    }

    /// Returns the targets of its links.
    pub(crate) fn links(&self) -> Vec<String> {
        let prose = self.prose().join("\n");
        let targets = prose.split("](").skip(1);
        targets.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
    }

    /// Returns the anchors of its headings, as GitHub creates them.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let heading = |line: &&str| line.starts_with('#');
        let kept = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || c == ' ';
        let anchor = |line: &str| {
            let text = line.trim_start_matches('#').trim().to_lowercase();
            text.chars().filter(|c| kept(*c)).collect::<String>().replace(' ', "-")
        };
        self.prose().into_iter().filter(heading).map(anchor).collect()
    }

    /// Returns the structure, which must be the same in every language: the levels of the headings
    /// and the number of cells of each row of a table, in order.
    pub(crate) fn outline(&self) -> Vec<String> {
        let mark = |line: &str| match line.chars().next() {
            Some('#') => Some(line.chars().take_while(|c| *c == '#').collect()),
            Some('|') => Some(format!("{} cells", line.replace("\\|", "").matches('|').count())),
            _ => None,
        };
        self.prose().into_iter().filter_map(mark).collect()
    }

    /// Returns the code in its prose, without the backquotes.
    pub(crate) fn spans(&self) -> Vec<String> {
        let prose = self.prose().join("\n");
        let inside = prose.split('`').skip(1).step_by(2);
        inside.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    /// Replaces the lines of a block.
    pub(crate) fn replace(&mut self, block: &Block, lines: &[String]) {
        let mut all: Vec<_> = self.text.lines().map(str::to_owned).collect();
        all.splice(block.at.clone(), lines.iter().cloned());
        self.text = all.join("\n") + "\n";
    }
}

impl Block {
    /// Returns the commands of a console block.
    pub(crate) fn commands(&self) -> Vec<Shown> {
        let mut commands: Vec<Shown> = Vec::new();
        for (number, line) in self.lines.iter().enumerate() {
            if let Some(command) = line.strip_prefix("$ ") {
                let at = number + 1..number + 1;
                commands.push(Shown { command: command.to_owned(), output: Vec::new(), at });
                continue;
            }
            let Some(last) = commands.last_mut() else { continue };
            if let Some(more) = line.strip_prefix("> ").filter(|_| last.output.is_empty()) {
                last.command.push('\n');
                last.command.push_str(more);
                last.at = number + 1..number + 1;
            } else {
                last.output.push(line.clone());
                last.at.end = number + 1;
            }
        }
        commands
    }

    pub(crate) fn is_console(&self) -> bool {
        self.language == "console"
    }

    /// Returns its lines without the text of comments, which can be translated.
    pub(crate) fn without_comments(&self) -> Vec<String> {
        let has_comments = ["console", "yaml", "toml", "hcl"].contains(&self.language.as_str());
        let cut = |line: &String| match line.find("# ") {
            Some(at) if has_comments && (at == 0 || line[..at].ends_with(' ')) => {
                line[..=at].to_owned()
            }
            _ => line.clone(),
        };
        self.lines.iter().map(cut).collect()
    }

    /// Returns the file whose text it is, if its first line is a comment with the name.
    pub(crate) fn file(&self) -> Option<&str> {
        let name = self.lines.first()?.strip_prefix("# ")?;
        (!self.is_console() && name.contains('.') && !name.contains(' ')).then_some(name)
    }
}

/// Whether `printed` equals the shown lines. A shown line `…` matches any lines.
pub(crate) fn is_as_shown(shown: &[String], printed: &[String]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first.trim() == "…" => {
            (0..=printed.len()).any(|skipped| is_as_shown(rest, &printed[skipped..]))
        }
        Some((first, rest)) => printed
            .split_first()
            .is_some_and(|(next, after)| first == next && is_as_shown(rest, after)),
    }
}

/// Masks the parts of a line that differ between machines: sizes, numbers of files and of
/// certificates, and the last part of Python's version. Columns aren't compared.
pub(crate) fn masked(line: &str) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    const COUNTED: [&str; 4] = ["file", "files", "certificate", "certificates"];
    let words: Vec<_> = line.split_whitespace().map(without_patch).collect();
    let plain = |word: &str| word.trim_end_matches(|c: char| !c.is_alphanumeric()).to_owned();
    let mask = |(number, word): (usize, &String)| {
        let is_number = word.starts_with(|c: char| c.is_ascii_digit());
        let next = words.get(number + 1).map(|next| plain(next)).unwrap_or_default();
        let is_counted = UNITS.contains(&next.as_str()) || COUNTED.contains(&next.as_str());
        match plain(word) {
            _ if is_number && is_counted => "N".to_owned(),
            unit if UNITS.contains(&unit.as_str()) => word.replace(&unit, "B"),
            _ => word.clone(),
        }
    };
    let indent = line.len() - line.trim_start().len();
    let words: Vec<_> = words.iter().enumerate().map(mask).collect();
    " ".repeat(indent) + &words.join(" ")
}

/// Masks the last part of Python's version: `3.10.N` for `3.10.13`.
fn without_patch(word: &str) -> String {
    let Some((before, after)) = word.split_once("3.10.") else { return word.to_owned() };
    let patch = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    if patch == 0 { word.to_owned() } else { format!("{before}3.10.N{}", &after[patch..]) }
}
