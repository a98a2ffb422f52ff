//! Writes path blocks.

use super::capability::{Capabilities, Capability};
use super::hcl_body::{HclBody, Item, Value, ValueKind};

/// Writes a path block of HCL.
pub fn path_block(path: &str, capabilities: Capabilities) -> String {
    format!("path {} {{\n  capabilities = {}\n}}\n", quoted(path), capabilities.to_hcl())
}

/// Writes a path block with the conditions of another one, which is `item`: all of its keys but for the
/// capabilities, their shorthand and a comment. Parameters are left out where no operation has any.
pub(crate) fn path_block_like(item: &Item, path: &str, capabilities: Capabilities) -> String {
    let with_parameters =
        [Capability::Create, Capability::Read, Capability::Update, Capability::Patch];
    let has_parameters = with_parameters.iter().any(|one| capabilities.contains(*one));
    let mut block = format!("path {} {{\n", quoted(path));
    line(&mut block, &format!("  capabilities = {}", capabilities.to_hcl()));
    if let ValueKind::Body(body) = &item.value.kind {
        let kept = body.items.iter().filter(|item| match item.name() {
            "capabilities" | "policy" | "comment" => false,
            "allowed_parameters" | "denied_parameters" | "required_parameters" => has_parameters,
            _ => true,
        });
        for item in kept {
            write_item(&mut block, item, 1);
        }
    }
    block + "}\n"
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn write_item(out: &mut String, item: &Item, depth: usize) {
    let indent = "  ".repeat(depth);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let key = match item.name() {
        key if !key.is_empty() && key.chars().all(plain) && depth == 1 => key.to_owned(),
        key => quoted(key),
    };
    let labels: String =
        item.keys[1..].iter().flat_map(|key| [" ".to_owned(), quoted(&key.text)]).collect();
    let sign = if labels.is_empty() { " =" } else { "" };
    line(out, &format!("{indent}{key}{labels}{sign} {}", value(&item.value, depth)));
}

fn value(value: &Value, depth: usize) -> String {
    match &value.kind {
        ValueKind::Text(text) => quoted(text),
        ValueKind::Number(text) => text.clone(),
        ValueKind::Bool(flag) => flag.to_string(),
        ValueKind::List(items) => {
            let items: Vec<_> = items.iter().map(|item| self::value(item, depth)).collect();
            format!("[{}]", items.join(", "))
        }
        ValueKind::Body(HclBody { items }) => {
            let mut out = "{\n".to_owned();
            for item in items {
                write_item(&mut out, item, depth + 1);
            }
            out + &"  ".repeat(depth) + "}"
        }
    }
}

/// Writes the blocks that grant or deny `capabilities` on the secret `below` a mount of kv2: lists
/// are served at `metadata/`, and everything else at `data/`.
pub fn kv2_path_blocks(mount: &str, below: &str, capabilities: Capabilities) -> String {
    let lists: Capabilities = [Capability::List, Capability::Scan].into_iter().collect();
    let data = capabilities.difference(lists);
    let metadata = capabilities.difference(data);
    let metadata = if data.contains_deny() { data } else { metadata };
    [("data", data), ("metadata", metadata)]
        .into_iter()
        .filter(|(_, capabilities)| !capabilities.is_empty())
        .map(|(part, capabilities)| path_block(&format!("{mount}/{part}/{below}"), capabilities))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Quotes a text for HCL. `${` is written as an escape, and so are control characters.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "\\u0024{");
    let escaped = text.chars().map(|c| match c {
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}
