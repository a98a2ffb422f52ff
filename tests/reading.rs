//! Every file that is read gets the same answer to the same fault.

use envlock_testkit::TestMirror;

use crate::support::{Lab, json};

/// A file, a command that reads it, and a line of it that may not be there twice.
struct File {
    name: &'static str,
    command: &'static [&'static str],
    line: &'static str,
    is_yaml: bool,
}

const FILES: [File; 6] = [
    File {
        name: "environment.yml",
        command: &["solve", "--check"],
        line: "name: other\n",
        is_yaml: true,
    },
    File {
        name: "envlock.lock",
        command: &["solve", "--check"],
        line: "version: 7\n",
        is_yaml: true,
    },
    File {
        name: "secrets.yml",
        command: &["secrets", "list"],
        line: "version: 1\n",
        is_yaml: true,
    },
    File {
        name: "cases.yml",
        command: &["policy", "test", "cases.yml"],
        line: "format: 1\n",
        is_yaml: true,
    },
    File { name: ".condarc", command: &["config"], line: "offline: false\n", is_yaml: true },
    File {
        name: "envlock.toml",
        command: &["config"],
        line: "no-origin = false\n",
        is_yaml: false,
    },
];

fn lab() -> Lab {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0");
    });
    let text = "name: x\nchannels: [conda-forge]\ndependencies: [app]\n";
    let lab = Lab::new(world, text);
    lab.project.write("secrets.yml", "version: 1\nneeds: {a: {engine: kv1, mount: kv, path: a}}\n");
    let cases = "format: 1\ncases:\n- policies: [{name: p, text: ''}]\n  \
                 request: {operation: read, path: a}\n  expect: {vault: {allowed: false}}\n";
    lab.project.write("cases.yml", cases);
    lab.project.write(".condarc", "offline: false\n");
    lab.project.write("envlock.toml", "no-origin = false\n");
    let condarc = lab.project.path(".condarc").display().to_string();
    let lab = lab.env("CONDARC", condarc);
    lab.solve(&[]).success();
    lab
}

fn bomb() -> String {
    let mut text = "x0: &x0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = vec![format!("*x{}", level - 1); 10].join(", ");
        text.push_str(&format!("x{level}: &x{level} [{below}]\n"));
    }
    text
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect()
}

#[test]
fn a_fault_in_any_file_has_the_same_code_and_a_place_and_ends_with_2() {
    let lab = lab();
    for File { name, command, line, is_yaml } in FILES {
        let path = lab.project.path(name);
        let good = std::fs::read_to_string(&path).unwrap();
        let with = |end: &str| format!("{good}{end}").into_bytes();
        let deep = if is_yaml { "deep: " } else { "deep = " }.to_owned() + &"[".repeat(5000);
        let mut faults = vec![
            ("duplicate-key", with(line)),
            ("syntax-error", with("# \0\n")),
            ("not-utf8", [good.as_bytes(), b"# \xff\n"].concat()),
            ("not-utf8", [utf16(&good, u16::to_le_bytes), vec![0x3d, 0xd8]].concat()),
            ("input-limit", with(&deep)),
        ];
        if is_yaml {
            faults.push(("second-document", with("---\nname: other\n")));
            faults.push(("input-limit", with(&bomb())));
        }
        for (code, bytes) in faults {
            std::fs::write(&path, bytes).unwrap();
            let output = lab.envlock(&[command, &["--format", "json"]].concat());
            assert_eq!(output.code, Some(2), "{name} {code}: {}{}", output.stdout, output.stderr);
            let finding = &json(&output.stdout)["findings"][0];
            assert_eq!(finding["code"], code, "{name}: {finding}");
            let place = &finding["place"];
            assert!(place["file"].as_str().unwrap().ends_with(name), "{place}");
            // The fault is after the good part, and the place says so.
            let lines = good.lines().count() as u64;
            assert!(place["line"].as_u64().unwrap() > lines, "{name} {code}: {place}");
            assert!(place["column"].as_u64().unwrap() > 0, "{place}");
        }
        std::fs::write(&path, good).unwrap();
    }
}

#[test]
fn a_byte_order_mark_and_utf16_are_read_in_every_file() {
    let lab = lab();
    for File { name, command, .. } in FILES {
        let path = lab.project.path(name);
        let good = std::fs::read_to_string(&path).unwrap();
        let before = lab.envlock(command);
        for bytes in [
            format!("\u{feff}{good}").into_bytes(),
            utf16(&good, u16::to_le_bytes),
            utf16(&good, u16::to_be_bytes),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let output = lab.envlock(command);
            assert_eq!(output.code, Some(0), "{name}: {}", output.stderr);
            assert_eq!(output.stdout, before.stdout, "{name}");
        }
        std::fs::write(&path, good).unwrap();
    }
}

#[test]
fn a_folder_in_the_place_of_a_file_is_called_one_and_ends_with_2() {
    let lab = lab();
    let folder = "a-folder";
    fs_err::create_dir(lab.project.path(folder)).unwrap();
    let refused = |args: &[&str], name: &str| {
        let output = lab.envlock(&[&["--format", "json"], args].concat());
        assert_eq!(output.code, Some(2), "{args:?}: {}{}", output.stdout, output.stderr);
        let finding = &json(&output.stdout)["findings"][0];
        assert_eq!(finding["code"], "not-a-file", "{args:?}: {finding}");
        let message = finding["message"].as_str().unwrap();
        assert!(message.ends_with(&format!("{name} is a folder, not a file")), "{message}");
        finding["help"].as_str().unwrap().to_owned()
    };
    for args in [
        &["solve", "-f", folder][..],
        &["solve", "--lock", folder],
        &["solve", "--check", "-f", folder],
        &["solve", "--check", "--lock", folder],
        &["install", "--lock", folder],
        &["fetch", "--lock", folder],
        &["bundle", "--lock", folder, "--output", "out"],
        &["verify", "--lock", folder],
        &["run", "--lock", folder, "true"],
        &["check-secrets", "--offline", "--lock", folder],
        &["check-secrets", "--offline", "--manifest", folder],
        &["secrets", "list", "--manifest", folder],
        &["policy", "generate", "--manifest", folder],
        &["policy", "lint", folder],
        &["policy", "test", folder],
        &["policy", "explain", "--policy", folder, "--path", "a", "--operation", "read"],
        &["doctor", "-f", folder],
    ] {
        assert_eq!(refused(args, folder), "name a file instead", "{args:?}");
    }
    // The file in it that was probably meant.
    let path = |name: &str| format!("{folder}/{name}");
    lab.project.write(path("environment.yml"), "dependencies: []\n");
    lab.project.write(path("envlock.lock"), "");
    let help = refused(&["solve", "-f", folder], folder);
    assert_eq!(help, "name the file in it: a-folder/environment.yml");
    let help = refused(&["install", "--lock", folder], folder);
    assert_eq!(help, "name the file in it: a-folder/envlock.lock");
    fs_err::remove_file(lab.project.path("envlock.toml")).unwrap();
    fs_err::create_dir(lab.project.path("envlock.toml")).unwrap();
    assert_eq!(refused(&["config"], "envlock.toml"), "make it a file, or move it away");
}
