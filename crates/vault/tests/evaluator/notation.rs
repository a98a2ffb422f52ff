//! Writes blocks in the notations that a server accepts.

use serde_json::{Map, Value};

use crate::generate::Block;
use envlock_testkit::SeededRandom;

/// Writes the blocks as HCL or JSON, in one of several styles.
pub(crate) fn write(random: &mut SeededRandom, blocks: &[Block]) -> String {
    match random.below(10) {
        0 => {
            let members: Vec<_> = blocks.iter().map(json_member).collect();
            format!("{{\"path\": {{{}}}}}", members.join(", "))
        }
        1 => {
            let items: Vec<_> = blocks.iter().map(|b| format!("{{{}}}", json_member(b))).collect();
            format!(" {{\n \"path\": [{}] }}\n", items.join(", "))
        }
        hand => {
            let mut out =
                random.pick(&["", "", "# who\n", "// who\n", "/* who\n } */\n"]).to_owned();
            if random.chance(5) {
                out.push_str("name = \"another\"\n");
            }
            out.extend(blocks.iter().map(|block| hcl(random, block, hand)));
            if random.chance(8) { out.replace('\n', "\r\n") } else { out }
        }
    }
}

/// Writes a policy of one block as JSON.
pub(crate) fn json(block: &Block) -> String {
    format!("{{\"path\": {{{}}}}}", json_member(block))
}

fn json_member(block: &Block) -> String {
    let keys = block.keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
    format!("{}: {}", Value::from(block.pattern.as_str()), Value::Object(keys.collect()))
}

/// Writes a block as HCL.
pub(crate) fn hcl(random: &mut SeededRandom, block: &Block, hand: usize) -> String {
    let pattern = quoted(random, &block.pattern);
    let (end, margin) = if hand == 2 { ("\n", "\t") } else { ("\n", "  ") };
    let mut out = format!("path {pattern} {{{end}");
    for (key, value) in &block.keys {
        let value = match value {
            // A map may also be written as a block.
            Value::Object(map) if random.chance(40) => {
                out.push_str(&format!("{margin}{key} {}{end}", object(random, map)));
                continue;
            }
            Value::Object(map) => object(random, map),
            value => plain(random, value),
        };
        let remark = if random.chance(6) { " # so" } else { "" };
        out.push_str(&format!("{margin}{key} = {value}{remark}{end}"));
    }
    out.push_str("}\n");
    out
}

fn object(random: &mut SeededRandom, map: &Map<String, Value>) -> String {
    let members: Vec<_> = map
        .iter()
        .map(|(key, value)| format!("    \"{key}\" = {}\n", plain(random, value)))
        .collect();
    format!("{{\n{}  }}", members.concat())
}

fn plain(random: &mut SeededRandom, value: &Value) -> String {
    match value {
        Value::String(text) => quoted(random, text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| plain(random, item)).collect();
            let comma = if !items.is_empty() && random.chance(15) { "," } else { "" };
            let gap = if random.chance(20) { ",\n    " } else { ", " };
            format!("[{}{comma}]", items.join(gap))
        }
        Value::Object(map) => object(random, map),
        other => other.to_string(),
    }
}

/// Quotes a text, sometimes with an equivalent escape.
fn quoted(random: &mut SeededRandom, text: &str) -> String {
    let plain = Value::from(text).to_string();
    if random.chance(4) { plain.replacen('a', "\\u0061", 1) } else { plain }
}
