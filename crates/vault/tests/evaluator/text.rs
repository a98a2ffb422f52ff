//! Blocks in the notations that a server reads.

use serde_json::{Map, Value};

use crate::dice::Dice;
use crate::generate::Block;

/// The blocks as HCL or JSON, in one of several hands.
pub(crate) fn write(dice: &mut Dice, blocks: &[Block]) -> String {
    match dice.below(10) {
        0 => {
            let members: Vec<_> = blocks.iter().map(json_member).collect();
            format!("{{\"path\": {{{}}}}}", members.join(", "))
        }
        1 => {
            let items: Vec<_> = blocks.iter().map(|b| format!("{{{}}}", json_member(b))).collect();
            format!(" {{\n \"path\": [{}] }}\n", items.join(", "))
        }
        hand => {
            let mut out = dice.pick(&["", "", "# who\n", "// who\n", "/* who\n } */\n"]).to_owned();
            if dice.chance(5) {
                out.push_str("name = \"another\"\n");
            }
            out.extend(blocks.iter().map(|block| hcl(dice, block, hand)));
            if dice.chance(8) { out.replace('\n', "\r\n") } else { out }
        }
    }
}

/// A policy of one block as JSON.
pub(crate) fn json(block: &Block) -> String {
    format!("{{\"path\": {{{}}}}}", json_member(block))
}

fn json_member(block: &Block) -> String {
    let keys = block.keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
    format!("{}: {}", Value::from(block.pattern.as_str()), Value::Object(keys.collect()))
}

/// A block as HCL.
pub(crate) fn hcl(dice: &mut Dice, block: &Block, hand: usize) -> String {
    let pattern = quoted(dice, &block.pattern);
    let (end, margin) = if hand == 2 { ("\n", "\t") } else { ("\n", "  ") };
    let mut out = format!("path {pattern} {{{end}");
    for (key, value) in &block.keys {
        let value = match value {
            // A map may be written as a block, too.
            Value::Object(map) if dice.chance(40) => {
                out.push_str(&format!("{margin}{key} {}{end}", object(dice, map)));
                continue;
            }
            Value::Object(map) => object(dice, map),
            value => plain(dice, value),
        };
        let remark = if dice.chance(6) { " # so" } else { "" };
        out.push_str(&format!("{margin}{key} = {value}{remark}{end}"));
    }
    out.push_str("}\n");
    out
}

fn object(dice: &mut Dice, map: &Map<String, Value>) -> String {
    let members: Vec<_> = map
        .iter()
        .map(|(key, value)| format!("    \"{key}\" = {}\n", plain(dice, value)))
        .collect();
    format!("{{\n{}  }}", members.concat())
}

fn plain(dice: &mut Dice, value: &Value) -> String {
    match value {
        Value::String(text) => quoted(dice, text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| plain(dice, item)).collect();
            let comma = if !items.is_empty() && dice.chance(15) { "," } else { "" };
            let gap = if dice.chance(20) { ",\n    " } else { ", " };
            format!("[{}{comma}]", items.join(gap))
        }
        Value::Object(map) => object(dice, map),
        other => other.to_string(),
    }
}

/// In quotes, seldom with an escape that says the same.
fn quoted(dice: &mut Dice, text: &str) -> String {
    let plain = Value::from(text).to_string();
    if dice.chance(4) { plain.replacen('a', "\\u0061", 1) } else { plain }
}
