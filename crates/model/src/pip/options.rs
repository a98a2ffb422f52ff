//! The options of a requirements file: their names, and how they are written.

use std::ops::Range;

use envlock_report::{Code, nearest};

use super::problem::Problem;
use super::words::{Unfinished, Word, split};

/// An option that pip reads in a requirements file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    IndexUrl,
    ExtraIndexUrl,
    NoIndex,
    FindLinks,
    NoBinary,
    OnlyBinary,
    PreferBinary,
    Pre,
    AllReleases,
    OnlyFinal,
    TrustedHost,
    RequireHashes,
    NoRequireHashes,
    UseFeature,
    Requirement,
    Constraint,
    Editable,
    Hash,
    ConfigSettings,
}

use Flag as F;

/// The names of each option: long, short, whether it has a value.
const NAMES: [(Flag, &str, Option<char>, bool); 21] = [
    (F::IndexUrl, "--index-url", Some('i'), true),
    (F::IndexUrl, "--pypi-url", None, true),
    (F::ExtraIndexUrl, "--extra-index-url", None, true),
    (F::NoIndex, "--no-index", None, false),
    (F::FindLinks, "--find-links", Some('f'), true),
    (F::NoBinary, "--no-binary", None, true),
    (F::OnlyBinary, "--only-binary", None, true),
    (F::PreferBinary, "--prefer-binary", None, false),
    (F::Pre, "--pre", None, false),
    (F::AllReleases, "--all-releases", None, true),
    (F::OnlyFinal, "--only-final", None, true),
    (F::TrustedHost, "--trusted-host", None, true),
    (F::RequireHashes, "--require-hashes", None, false),
    (F::NoRequireHashes, "--no-require-hashes", None, false),
    (F::UseFeature, "--use-feature", None, true),
    (F::Requirement, "--requirement", Some('r'), true),
    (F::Constraint, "--constraint", Some('c'), true),
    (F::Editable, "--editable", Some('e'), true),
    (F::Hash, "--hash", None, true),
    (F::ConfigSettings, "--config-settings", Some('C'), true),
    (F::ConfigSettings, "--config-setting", None, true),
];

/// Options of `pip install` that it doesn't read in a file.
const OF_INSTALL: &str = "--abi --break-system-packages --build-constraint --cache-dir --cert \
    --check-build-dependencies --client-cert --compile --debug --default-timeout \
    --disable-pip-version-check --dry-run --exists-action --force-reinstall --group --help \
    --ignore-installed --ignore-requires-python --implementation --isolated --keyring-provider \
    --local-log --log --log-file --no-build-isolation --no-cache-dir --no-clean --no-color \
    --no-compile --no-dependencies --no-deps --no-input --no-python-version-warning --no-user \
    --no-warn-conflicts --no-warn-script-location --platform --prefix --progress-bar --proxy \
    --python --python-version --quiet --report --require-venv --require-virtualenv --retries \
    --root --root-user-action --source --src --target --timeout --upgrade --upgrade-strategy \
    --use-deprecated --use-pep517 --user --verbose -I -U -h -q -t -v";

/// Options that older releases of pip read in a file.
const OF_THE_PAST: [&str; 5] = [
    "--global-option",
    "--install-option",
    "--process-dependency-links",
    "--allow-external",
    "--build-option",
];

/// An option of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) flag: Flag,
    /// Where its name is in the line.
    pub(super) at: Range<usize>,
    /// The value. Empty if the option has none.
    pub(super) value: String,
    /// Where the value is in the line.
    pub(super) value_at: Range<usize>,
    /// Whether each byte of the value has the next offset, so that an offset in it is one in the
    /// line.
    pub(super) is_literal: bool,
}

/// The options of a line, and the parts that belong to none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) given: Vec<Given>,
    pub(super) rest: Vec<Range<usize>>,
}

impl Flag {
    /// Returns the name to show.
    pub(super) fn name(self) -> &'static str {
        NAMES.iter().find(|(flag, ..)| *flag == self).map_or("", |(_, name, ..)| name)
    }
}

/// Reads the options of a line from `start`, with the rules of Python's `optparse`: `--name=value`,
/// `--name value`, `-nvalue`, `-n value`, and unique beginnings of long names.
pub(super) fn read(line: &str, start: usize) -> Result<Options, Problem> {
    let words = split(line, start).map_err(|unfinished| {
        let (at, message, help) = match unfinished {
            Unfinished::Quote(at) => (at, "this quote isn't closed", "close it"),
            Unfinished::Escape(at) => (
                at,
                "nothing follows this `\\`",
                "remove it, or write the next line directly below",
            ),
        };
        Problem::error(Code::PipOption, at..at + 1, message, help)
    })?;
    let mut options = Options::default();
    let mut words = words.into_iter();
    let rest = |word: &Word, options: &mut Options| {
        let at = word.whole();
        match options.rest.last_mut().filter(|last| line[last.end..at.start].trim().is_empty()) {
            Some(last) => last.end = at.end,
            None => options.rest.push(at),
        }
    };
    while let Some(word) = words.next() {
        if word.text == "--" {
            words.for_each(|word| rest(&word, &mut options));
            break;
        }
        if !word.text.starts_with('-') || word.text == "-" {
            rest(&word, &mut options);
            continue;
        }
        options.given.push(option(&word, &mut words)?);
    }
    Ok(options)
}

fn option(word: &Word, words: &mut impl Iterator<Item = Word>) -> Result<Given, Problem> {
    let text = word.text.as_str();
    let (name, value_start) = if text.starts_with("--") {
        text.split_once('=').map_or((text, None), |(name, _)| (name, Some(name.len() + 1)))
    } else {
        let end = text.char_indices().nth(2).map(|(at, _)| at);
        (&text[..end.unwrap_or(text.len())], end)
    };
    let at = word.in_line(0..name.len());
    let (flag, takes_value) = find(name)
        .map_err(|(message, help)| Problem::error(Code::PipOption, at.clone(), message, help))?;
    let given = |value: &str, value_at: Range<usize>| Given {
        flag,
        at: at.clone(),
        is_literal: value_at.len() == value.len(),
        value: value.to_owned(),
        value_at,
    };
    match (takes_value, value_start) {
        (false, None) => Ok(given("", at.end..at.end)),
        (false, Some(_)) => Err(Problem::error(
            Code::PipOption,
            at.clone(),
            format!("`{name}` takes no value"),
            format!("write `{name}` alone"),
        )),
        (true, Some(start)) => Ok(given(&text[start..], word.in_line(start..text.len()))),
        (true, None) => match words.next() {
            Some(value) => Ok(given(&value.text, value.inner())),
            None => Err(Problem::error(
                Code::PipOption,
                at.clone(),
                format!("`{name}` has no value"),
                format!("write it like `{}`", example(flag)),
            )),
        },
    }
}

/// Finds an option by its name, or returns a message and a help text.
fn find(name: &str) -> Result<(Flag, bool), (String, String)> {
    let short = |short: &Option<char>| {
        short.is_some_and(|short| name.strip_prefix('-').is_some_and(|n| n.chars().eq([short])))
    };
    let exact = NAMES.iter().find(|(_, long, s, _)| *long == name || short(s));
    if let Some((flag, _, _, takes_value)) = exact {
        return Ok((*flag, *takes_value));
    }
    let mut begin = NAMES.iter().filter(|(_, long, ..)| name.len() > 2 && long.starts_with(name));
    match (begin.next(), begin.next()) {
        (Some((flag, _, _, takes_value)), None) => return Ok((*flag, *takes_value)),
        (Some((flag, _, _, takes_value)), Some((other, ..))) if flag == other => {
            return Ok((*flag, *takes_value));
        }
        (Some((_, one, ..)), Some((_, two, ..))) => {
            let message = format!("`{name}` can be `{one}` and `{two}`");
            return Err((message, "write the whole name".to_owned()));
        }
        _ => {}
    }
    if OF_INSTALL.split_whitespace().any(|known| known == name) {
        let message = format!("`{name}` is an option of `pip install`, and not of its files");
        return Err((message, "remove it; envlock decides where and how to install".to_owned()));
    }
    if OF_THE_PAST.contains(&name) {
        let message = format!("`{name}` is no longer read by pip");
        let help = "remove it, or pass the setting to the build with `--config-settings=KEY=VALUE`";
        return Err((message, help.to_owned()));
    }
    let help = match nearest(name, NAMES.iter().map(|(_, long, ..)| *long)) {
        Some(known) => format!("did you mean `{known}`?"),
        None => "the options are --index-url, --extra-index-url, --no-index, --find-links, \
                 --no-binary, --only-binary, --prefer-binary, --pre, -r, -c and -e"
            .to_owned(),
    };
    Err((format!("pip has no option `{name}`"), help))
}

/// Returns how an option with a value is written.
pub(super) fn example(flag: Flag) -> &'static str {
    match flag {
        F::IndexUrl => "--index-url https://pypi.org/simple",
        F::ExtraIndexUrl => "--extra-index-url https://example.org/simple",
        F::FindLinks => "--find-links ./wheels",
        F::NoBinary => "--no-binary NAME",
        F::OnlyBinary => "--only-binary NAME",
        F::AllReleases => "--all-releases NAME",
        F::OnlyFinal => "--only-final NAME",
        F::TrustedHost => "--trusted-host example.org",
        F::UseFeature => "--use-feature FEATURE",
        F::Requirement => "-r requirements.txt",
        F::Constraint => "-c constraints.txt",
        F::Editable => "-e .",
        F::Hash => "--hash=sha256:<64 hexadecimal digits>",
        F::ConfigSettings => "--config-settings=KEY=VALUE",
        F::NoIndex | F::PreferBinary | F::Pre | F::RequireHashes | F::NoRequireHashes => "",
    }
}
