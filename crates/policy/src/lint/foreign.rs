//! Lints for patterns in the notation of something else: URLs, placeholders of other tools, templates
//! without a value, alternatives, and regular expressions. The servers accept them, and they match
//! nothing.

use envlock_report::Code;

use super::{LintContext, Sink};
use crate::block::Block;
use crate::template;
use crate::write::path_block;

/// Reports the first such notation in the block's pattern. Returns whether there is one.
pub(super) fn check(block: &Block, context: &LintContext, sink: &mut Sink<'_>) -> bool {
    let pattern = block.pattern.as_str();
    let Some(found) = find(pattern) else { return false };
    // A path that a need requests has these characters in its name.
    if context.mounts.is_requested(pattern) {
        return false;
    }
    let fix = found.fixed.iter().filter(|fixed| !fixed.is_empty());
    let fix: Vec<_> = fix.map(|fixed| path_block(fixed, block.capabilities)).collect();
    let fix = Some(fix.join("\n")).filter(|fix| !fix.is_empty());
    sink.warn_with_fix(found.code, block, &found.message, &found.help, fix);
    true
}

/// A foreign notation in a pattern.
struct Notation {
    code: Code,
    message: String,
    help: String,
    /// The patterns that are meant, if that is certain.
    fixed: Vec<String>,
}

fn find(pattern: &str) -> Option<Notation> {
    url(pattern)
        .or_else(|| placeholder(pattern))
        .or_else(|| template_without_value(pattern))
        .or_else(|| alternatives(pattern))
        .or_else(|| regular_expression(pattern))
}

/// The start of a URL: `https://host/v1/`, or `v1/`.
fn url(pattern: &str) -> Option<Notation> {
    let bare = pattern.trim_start_matches('/');
    let path = match bare.split_once("://") {
        Some((_, rest)) => rest.split_once("/v1/").map_or("", |(_, path)| path),
        None => bare.strip_prefix("v1/")?,
    };
    let start = if bare.starts_with("v1/") { "v1/" } else { "an address" };
    let fixed = if path.is_empty() { Vec::new() } else { vec![path.to_owned()] };
    Some(Notation {
        code: Code::UrlInPattern,
        message: format!("begins with {start}, and never matches: a path begins after /v1/"),
        help: "write the path below /v1/, without the address".to_owned(),
        fixed,
    })
}

/// The brackets of placeholders of other tools.
const PLACEHOLDERS: [(&str, &str); 3] = [("${", "}"), ("<%", "%>"), ("<", ">")];

fn placeholder(pattern: &str) -> Option<Notation> {
    let text = PLACEHOLDERS.iter().find_map(|(open, close)| {
        let start = pattern.find(open)?;
        let length = pattern[start..].find(close)? + close.len();
        Some(&pattern[start..start + length])
    });
    let text = text.or_else(|| braces(pattern).find(|text| !text.contains(',')));
    let other = template::directives(pattern).find(|directive| directive.trim().starts_with('.'));
    let text = text.map(str::to_owned).or_else(|| Some(format!("{{{{{}}}}}", other?)))?;
    Some(Notation {
        code: Code::PlaceholderInPolicy,
        message: format!("contains \"{text}\", a placeholder that the servers don't fill in"),
        help: "fill it in before the upload; the servers fill in {{identity.…}}".to_owned(),
        fixed: Vec::new(),
    })
}

/// The texts in single braces, such as `{a,b}`.
fn braces(pattern: &str) -> impl Iterator<Item = &str> {
    let mut rest = pattern;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find('{')?;
            if let Some(template) = rest[start..].strip_prefix("{{") {
                rest = template.split_once("}}")?.1;
                continue;
            }
            let length = rest[start..].find('}')? + 1;
            let (found, after) = (&rest[start..start + length], &rest[start + length..]);
            rest = after;
            return Some(found);
        }
    })
}

/// A template that no identity gives a value.
fn template_without_value(pattern: &str) -> Option<Notation> {
    let directive = template::directives(pattern).find(|text| !template::has_value(text.trim()))?;
    let word = directive.trim();
    let corrected = word.replace("identity.entity.alias.", "identity.entity.aliases.");
    let corrected = corrected.replace("identity.group.", "identity.groups.");
    let (help, fixed) = if template::has_value(&corrected) {
        let fixed = pattern.replace(word, &corrected);
        (format!("write {{{{{corrected}}}}}"), vec![fixed])
    } else if word.ends_with("metadata") {
        (format!("name the key of the metadata: {{{{{word}.KEY}}}}"), Vec::new())
    } else {
        let known =
            "the templates are {{identity.entity.…}}, {{identity.groups.…}} and {{time.now}}";
        (known.to_owned(), Vec::new())
    };
    Some(Notation {
        code: Code::UnknownIdentityTemplate,
        message: format!(
            "contains {{{{{word}}}}}, which has no value for any identity, so the servers ignore \
             the block"
        ),
        help,
        fixed,
    })
}

/// The maximum number of patterns that alternatives are written out as.
const ALTERNATIVES: usize = 8;

/// `{a,b}` and `(a|b)`.
fn alternatives(pattern: &str) -> Option<Notation> {
    let text = braces(pattern).find(|text| text.contains(',')).or_else(|| {
        let start = pattern.find('(')?;
        let length = pattern[start..].find(')')? + 1;
        Some(&pattern[start..start + length]).filter(|text| text.contains('|'))
    })?;
    let inner = &text[1..text.len() - 1];
    let words: Vec<_> = inner.split(['|', ',']).map(str::trim).collect();
    let fixed = if words.len() <= ALTERNATIVES {
        words.iter().map(|word| pattern.replacen(text, word, 1)).collect()
    } else {
        Vec::new()
    };
    Some(Notation {
        code: Code::AlternativesInPattern,
        message: format!(
            "contains \"{text}\", which matches only these characters: patterns don't support alternatives"
        ),
        help: "write a block for each".to_owned(),
        fixed,
    })
}

/// Marks of regular expressions.
fn regular_expression(pattern: &str) -> Option<Notation> {
    let last = pattern.rsplit('/').next().unwrap_or_default();
    let inner = pattern.strip_suffix(last).unwrap_or_default();
    let class = pattern.find('[').is_some_and(|start| pattern[start..].contains(']'));
    let repeats = |segment: &str| matches!(segment, ".*" | ".+") || segment.contains(".*");
    let marked = class
        || pattern.starts_with('^')
        || pattern.ends_with('$')
        || pattern.contains('\\')
        || inner.split('/').any(repeats)
        || matches!(last, ".*" | ".+" | ".*$");
    if !marked {
        return None;
    }
    let anchored = pattern.trim_start_matches('^').trim_end_matches('$');
    let mut segments: Vec<&str> = anchored.split('/').collect();
    let end = segments.len() - 1;
    for (at, segment) in segments.iter_mut().enumerate() {
        match *segment {
            ".*" | ".+" if at == end => *segment = "*",
            "[^/]*" | "[^/]+" => *segment = "+",
            _ => {}
        }
    }
    let fixed = segments.join("/");
    Some(Notation {
        code: Code::RegularExpression,
        message: "looks like a regular expression, and the servers compare its characters"
            .to_owned(),
        help: "`+` matches one segment, and `*` at the end matches the rest".to_owned(),
        fixed: vec![fixed],
    })
}
