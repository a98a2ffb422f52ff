//! Versions as conda compares them: the rules of `conda.models.version.VersionOrder`.

use std::cmp::Ordering;

/// A version, split as conda splits it.
///
/// Unlike rattler's version it may contain `*`, which conda compares as text in `>=2.10*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CondaVersion {
    text: String,
    /// The epoch, then the segments.
    release: Vec<Segment>,
    /// The segments after `+`.
    local: Vec<Segment>,
}

type Segment = Vec<Part>;

/// A run of digits or of other characters. Text is less than every number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Text(String),
    /// A number without leading zeros: its length decides first.
    Number(usize, String),
    /// `post`, greater than every number.
    Post,
}

impl Part {
    fn zero() -> Self {
        Self::Number(0, String::new())
    }
}

impl CondaVersion {
    /// Splits a version. `None` if conda refuses it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lower = text.trim().to_lowercase();
        if lower.contains('-') && !lower.contains('_') {
            lower = lower.replace('-', "_");
        }
        let allowed = |c: char| matches!(c, '*' | '.' | '+' | '!' | '_' | '0'..='9' | 'a'..='z');
        if lower.is_empty() || !lower.chars().all(allowed) {
            return None;
        }
        let (epoch, rest) = lower.split_once('!').unwrap_or(("0", &lower));
        let (release, local) = match rest.split_once('+') {
            Some((release, local)) => (release, Some(local)),
            None => (rest, None),
        };
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(epoch) || rest.contains('!') || local.is_some_and(|local| local.contains('+'))
        {
            return None;
        }
        // A `_` at the end belongs to the last segment: `1.0.2_` is less than `1.0.2a`.
        let (body, end) = match release.strip_suffix('_') {
            Some(body) => (body, "_"),
            None => (release, ""),
        };
        let body = body.replace('_', ".") + end;
        let segments = std::iter::once(epoch).chain(body.split('.'));
        let release = segments.map(segment).collect::<Option<Vec<_>>>()?;
        let local = match local {
            Some(local) => {
                local.replace('_', ".").split('.').map(segment).collect::<Option<_>>()?
            }
            None => Vec::new(),
        };
        Some(Self { text: lower, release, local })
    }

    /// Whether the version begins with `prefix`, as in `prefix.*`.
    pub(super) fn starts_with(&self, prefix: &Self) -> bool {
        let (mine, theirs) = if prefix.local.is_empty() {
            (&self.release, &prefix.release)
        } else if compare(&self.release, &prefix.release) == Ordering::Equal {
            (&self.local, &prefix.local)
        } else {
            return false;
        };
        let Some((last, first)) = theirs.split_last() else { return true };
        if compare(&mine[..first.len().min(mine.len())], first) != Ordering::Equal {
            return false;
        }
        let empty = Vec::new();
        let segment = mine.get(first.len()).unwrap_or(&empty);
        let Some((part, parts)) = last.split_last() else { return true };
        if compare_segments(&segment[..parts.len().min(segment.len())], parts) != Ordering::Equal {
            return false;
        }
        let zero = Part::zero();
        match (segment.get(parts.len()).unwrap_or(&zero), part) {
            (Part::Text(mine), Part::Text(theirs)) => mine.starts_with(theirs.as_str()),
            (_, Part::Text(_)) => false,
            (mine, theirs) => mine == theirs,
        }
    }

    /// Whether the version meets `~=other`.
    pub(super) fn is_compatible_with(&self, other: &Self) -> bool {
        let (stem, _) = other.text.rsplit_once('.').unwrap_or_default();
        *self >= *other && Self::parse(stem).is_some_and(|stem| self.starts_with(&stem))
    }

    /// Whether conda compares the two as equal: `1.0` equals `1`.
    pub(super) fn equals(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for CondaVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let release = compare(&self.release, &other.release);
        Some(release.then_with(|| compare(&self.local, &other.local)))
    }
}

fn segment(text: &str) -> Option<Segment> {
    let kind = |c: char| (c.is_ascii_digit(), c == '*');
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| kind(c) != kind(first)).unwrap_or(rest.len());
        let (run, behind) = rest.split_at(end);
        parts.push(match run {
            "post" => Part::Post,
            "dev" => Part::Text("DEV".to_owned()),
            _ if first.is_ascii_digit() => {
                let digits = run.trim_start_matches('0');
                Part::Number(digits.len(), digits.to_owned())
            }
            _ => Part::Text(run.to_owned()),
        });
        rest = behind;
    }
    // A segment begins with a number, so that numbers are compared with numbers.
    if !matches!(parts.first()?, Part::Number(..)) {
        parts.insert(0, Part::zero());
    }
    Some(parts)
}

/// Compares lists of segments. A missing segment is empty.
fn compare(a: &[Segment], b: &[Segment]) -> Ordering {
    let empty = Vec::new();
    (0..a.len().max(b.len()))
        .map(|index| {
            compare_segments(a.get(index).unwrap_or(&empty), b.get(index).unwrap_or(&empty))
        })
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Compares two segments. A missing part is zero.
fn compare_segments(a: &[Part], b: &[Part]) -> Ordering {
    let zero = Part::zero();
    (0..a.len().max(b.len()))
        .map(|index| a.get(index).unwrap_or(&zero).cmp(b.get(index).unwrap_or(&zero)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}
