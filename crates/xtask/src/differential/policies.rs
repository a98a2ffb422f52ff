//! Random policies around the requests of a manifest.

use envlock_policy::{ApiRequest, Operation};
use envlock_testkit::SeededRandom;

/// A request that the policies are about, with the names of its parameters.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) request: ApiRequest,
    pub(super) parameters: Vec<&'static str>,
}

/// Writes a policy whose patterns match the targets, or almost.
pub(super) fn policy(random: &mut SeededRandom, targets: &[Target]) -> String {
    let blocks = 1 + random.below(4);
    let mut text = String::new();
    for _ in 0..blocks {
        let target = &targets[random.below(targets.len())];
        text.push_str(&block(random, target));
    }
    text
}

fn block(random: &mut SeededRandom, target: &Target) -> String {
    let mut text = format!("path \"{}\" {{\n", pattern(random, &target.request));
    text.push_str(&format!("  capabilities = [{}]\n", quoted(&capabilities(random, target))));
    if !target.parameters.is_empty() {
        for (key, percent) in [("allowed_parameters", 22), ("denied_parameters", 12)] {
            if random.chance(percent) {
                text.push_str(&format!("  {key} = {{\n{}  }}\n", parameters(random, target)));
            }
        }
        if random.chance(10) {
            let name = random.pick(&target.parameters);
            text.push_str(&format!("  required_parameters = [\"{name}\"]\n"));
        }
    }
    for (key, ttl) in [("min_wrapping_ttl", "1m"), ("max_wrapping_ttl", "2m")] {
        if random.chance(4) {
            text.push_str(&format!("  {key} = \"{ttl}\"\n"));
        }
    }
    text + "}\n"
}

fn capabilities(random: &mut SeededRandom, target: &Target) -> Vec<&'static str> {
    let wanted = match target.request.operation {
        Operation::Read => "read",
        Operation::List => "list",
        Operation::Create => "create",
        Operation::Delete => "delete",
        Operation::Patch => "patch",
        _ => "update",
    };
    let mut words: Vec<_> = ["read", "list", "create", "update", "delete", "patch"]
        .into_iter()
        .filter(|word| random.chance(if *word == wanted { 85 } else { 30 }))
        .collect();
    let token = target.request.path.starts_with("auth/token/");
    if random.chance(if token { 40 } else { 4 }) {
        words.push("sudo");
    }
    if words.is_empty() || random.chance(6) {
        words.push("deny");
    }
    words
}

fn parameters(random: &mut SeededRandom, target: &Target) -> String {
    let values = ["u", "aGVsbG8=", "a.example.com", "*.example.com", "ubuntu", "1h", "*", "x", ""];
    let mut lines = Vec::new();
    let mut names = vec!["*", "x"];
    for _ in 0..3 {
        names.extend(&target.parameters);
    }
    for _ in 0..=random.below(3) {
        let name = random.pick(&names);
        let some = if random.chance(65) { 0 } else { 1 + random.below(2) };
        let values: Vec<_> = (0..some).map(|_| random.pick(&values)).collect();
        let name = if random.chance(8) { name.to_uppercase() } else { name.to_owned() };
        let line = format!("    \"{name}\" = [{}]\n", quoted(&values));
        // A name twice is refused by some servers.
        if !lines.iter().any(|(known, _): &(String, String)| known.eq_ignore_ascii_case(&name)) {
            lines.push((name, line));
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

/// A pattern that matches the request's path, or almost.
fn pattern(random: &mut SeededRandom, request: &ApiRequest) -> String {
    let path = request.path.as_str();
    let mut segments: Vec<_> = path.split('/').map(str::to_owned).collect();
    match random.below(14) {
        0..=3 => path.to_owned(),
        4 => format!("{}/", path.trim_end_matches('/')),
        5 => path.trim_end_matches('/').to_owned(),
        6..=9 => {
            let keep = 1 + random.below(segments.len());
            segments.truncate(keep);
            let cut = segments.join("/");
            if keep < path.split('/').count() && random.chance(60) {
                format!("{cut}/*")
            } else {
                let keep = cut.len().saturating_sub(random.below(2));
                format!("{}*", &cut[..keep])
            }
        }
        10..=12 => {
            let at = random.below(segments.len());
            "+".clone_into(&mut segments[at]);
            if random.chance(40) {
                segments.truncate(at + 1);
                segments.push("*".to_owned());
            }
            segments.join("/")
        }
        _ => "*".to_owned(),
    }
}
