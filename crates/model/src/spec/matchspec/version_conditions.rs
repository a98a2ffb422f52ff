//! Version conditions that rattler has no form for, evaluated as conda evaluates them:
//! patterns such as `*.dev` and `3.4.*+aws`, and operators with a pattern such as `>=2.10*`.

use super::conda_version::CondaVersion;

/// The maximum number of parentheses that are read, since they are read by recursion.
const MAX_PARENTHESES: usize = 16;

/// The version part of a match spec: conditions that are joined by `,` (and) and `|` (or).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VersionConditions {
    text: String,
    tree: Tree,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Tree {
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Condition(Condition),
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    /// `*`
    Anything,
    /// A pattern of the text, such as `*.dev`.
    Pattern(String),
    /// An operator and a version.
    Compared(Operator, CondaVersion),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    StartsWith,
    NotStartsWith,
    Compatible,
}

impl VersionConditions {
    /// Reads conditions. `None` if conda refuses them, or if they contain a regular expression.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.bytes().filter(|byte| *byte == b'(').count() > MAX_PARENTHESES {
            return None;
        }
        let mut rest = text;
        let tree = alternatives(&mut rest)?;
        rest.is_empty().then(|| Self { text: text.to_owned(), tree })
    }

    /// Whether a version meets the conditions. `text` is the version as its record has it.
    pub(super) fn matches(&self, text: &str) -> bool {
        CondaVersion::parse(text).is_some_and(|version| self.tree.matches(text, &version))
    }

    /// Returns the conditions as they are written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

impl Tree {
    fn matches(&self, text: &str, version: &CondaVersion) -> bool {
        match self {
            Self::All(trees) => trees.iter().all(|tree| tree.matches(text, version)),
            Self::Any(trees) => trees.iter().any(|tree| tree.matches(text, version)),
            Self::Condition(condition) => condition.matches(text, version),
        }
    }
}

impl Condition {
    /// Reads a condition by the rules of `conda.models.version.VersionSpec.get_matcher`.
    fn parse(text: &str) -> Option<Self> {
        let end = text.find(|c| !"=!<>~".contains(c)).unwrap_or(text.len());
        let (operator, version) = text.split_at(end);
        if version.is_empty() || version.starts_with('^') || version.ends_with('$') {
            return None;
        }
        if operator.is_empty() {
            return Self::plain(version);
        }
        let (version, any_end) = match version.strip_suffix(".*") {
            Some(stem) => (stem, true),
            None => (version, false),
        };
        let operator = match (operator, any_end) {
            ("==", _) => Operator::Equal,
            ("!=", true) => Operator::NotStartsWith,
            ("!=", false) => Operator::NotEqual,
            ("<", _) => Operator::Less,
            ("<=", _) => Operator::LessEqual,
            (">", _) => Operator::Greater,
            (">=", _) => Operator::GreaterEqual,
            ("=", _) => Operator::StartsWith,
            ("~=", false) => Operator::Compatible,
            _ => return None,
        };
        Some(Self::Compared(operator, CondaVersion::parse(version)?))
    }

    fn plain(version: &str) -> Option<Self> {
        let stem = version.trim_end_matches('*');
        if version == "*" {
            return Some(Self::Anything);
        }
        if stem.contains('*') {
            return Some(Self::Pattern(version.to_owned()));
        }
        if stem == version {
            return Some(Self::Compared(Operator::Equal, CondaVersion::parse(version)?));
        }
        // Only the last `*` is the pattern. conda compares others with the version's text.
        let prefix = version[..version.len() - 1].trim_end_matches('.');
        Some(Self::Compared(Operator::StartsWith, CondaVersion::parse(prefix)?))
    }

    fn matches(&self, text: &str, version: &CondaVersion) -> bool {
        match self {
            Self::Anything => true,
            Self::Pattern(pattern) => matches_pattern(pattern, text),
            Self::Compared(operator, bound) => match operator {
                Operator::Equal => version.equals(bound),
                Operator::NotEqual => !version.equals(bound),
                Operator::Less => version < bound,
                Operator::LessEqual => version <= bound,
                Operator::Greater => version > bound,
                Operator::GreaterEqual => version >= bound,
                Operator::StartsWith => version.starts_with(bound),
                Operator::NotStartsWith => !version.starts_with(bound),
                Operator::Compatible => version.is_compatible_with(bound),
            },
        }
    }
}

/// Reads alternatives up to the end or a closing parenthesis. `,` binds more tightly than `|`.
fn alternatives(rest: &mut &str) -> Option<Tree> {
    let mut trees = vec![conjunction(rest)?];
    while let Some(behind) = rest.strip_prefix('|') {
        *rest = behind;
        trees.push(conjunction(rest)?);
    }
    Some(Tree::Any(trees))
}

fn conjunction(rest: &mut &str) -> Option<Tree> {
    let mut trees = vec![single(rest)?];
    while let Some(behind) = rest.strip_prefix(',') {
        *rest = behind;
        trees.push(single(rest)?);
    }
    Some(Tree::All(trees))
}

fn single(rest: &mut &str) -> Option<Tree> {
    *rest = rest.trim_start();
    if let Some(behind) = rest.strip_prefix('(') {
        *rest = behind;
        let tree = alternatives(rest)?;
        *rest = rest.strip_prefix(')')?.trim_start();
        return Some(tree);
    }
    let end = rest.find([',', '|', '(', ')']).unwrap_or(rest.len());
    let (condition, behind) = rest.split_at(end);
    *rest = behind;
    Condition::parse(condition.trim()).map(Tree::Condition)
}

/// Whether `pattern`, in which `*` means any text, matches all of `text`.
pub(super) fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}
