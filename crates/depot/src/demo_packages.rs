//! The demo's packages in addition to Python. Each shows one feature of an installer.

use rattler_conda_types::Subdir;

use crate::Package;

/// `greet` (noarch Python with a console script), `greet-data` (noarch, plain files), and
/// `tinybin` for one platform (the prefix in a text and inside a binary).
///
/// `greet [NAME]` depends on the other two and on Python, and prints what it found of them.
pub fn demo_packages(subdir: Subdir) -> [Package; 3] {
    [greet(), greet_data(), tinybin(subdir)]
}

fn greet() -> Package {
    Package::new("greet", "1.0.0")
        .build("pyhd_0")
        .noarch_python()
        .depends(["python >=3.6", "greet-data >=1.0,<2", "tinybin"])
        .entry_point("greet = greet:main")
        .file("site-packages/greet/__init__.py", GREET)
        .file(
            "site-packages/greet-1.0.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: greet\nVersion: 1.0.0\n",
        )
        .file("site-packages/greet-1.0.0.dist-info/INSTALLER", "conda\n")
        .file(
            "site-packages/greet-1.0.0.dist-info/entry_points.txt",
            "[console_scripts]\ngreet = greet:main\n",
        )
}

const GREET: &str = r#""""Greets, and tells which prefix the packages beside it were linked into."""
import os
import sys


def words():
    path = os.path.join(sys.prefix, "share", "greet", "words.txt")
    with open(path, encoding="utf-8") as lines:
        return [line.strip() for line in lines]


def prefix_of_tinybin():
    """The C string after the mark in the binary, as a program in C would read it."""
    with open(os.path.join(sys.prefix, "lib", "tinybin.bin"), "rb") as file:
        return file.read().split(b"prefix=", 1)[1].split(b"\0", 1)[0].decode()


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else "world"
    for word in words():
        print(word + ", " + name + "!")
    print("Python " + sys.version.split()[0] + " in " + sys.prefix)
    print("tinybin in " + prefix_of_tinybin())


if __name__ == "__main__":
    main()
"#;

fn greet_data() -> Package {
    Package::new("greet-data", "1.2.0")
        .build("h0_0")
        .noarch_generic()
        .file("share/greet/words.txt", "Hello\n你好\nこんにちは\n안녕하세요\n")
}

fn tinybin(subdir: Subdir) -> Package {
    Package::new("tinybin", "0.1.0")
        .build("h0_0")
        .subdir(subdir)
        .prefix_binary("lib/tinybin.bin", b"\x00\x01TINYBIN\x00prefix=", b"\x00\x02end")
        .prefix_text("etc/tinybin.conf", "prefix = {PREFIX}\n")
        .prefix_text("bin/tinybin", "#!/bin/sh\nexec cat '{PREFIX}/etc/tinybin.conf'\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Channel, Format, IndexFormats};

    #[test]
    fn the_samples_make_a_channel_that_needs_only_python() {
        let root = tempfile::tempdir().unwrap();
        let mut channel = Channel::new(root.path());
        let built: Vec<_> = demo_packages(Subdir::LinuxAarch64)
            .iter()
            .map(|package| channel.add(package, Format::Conda).unwrap())
            .collect();
        channel.write_index(IndexFormats::ALL).unwrap();
        let names: Vec<_> =
            built.iter().map(|built| built.record["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["greet", "greet-data", "tinybin"]);
        assert_eq!(built[2].record["subdir"], "linux-aarch64");
        let depends = built[0].record["depends"].as_array().unwrap();
        let unknown: Vec<_> = depends
            .iter()
            .filter_map(|spec| spec.as_str()?.split(' ').next())
            .filter(|name| !names.contains(name))
            .collect();
        assert_eq!(unknown, ["python"]);
    }

    /// With the placeholder still in it: what the installer changes is the installer's test.
    #[test]
    #[cfg(target_os = "linux")]
    fn greet_reads_what_the_other_packages_bring() {
        let root = tempfile::tempdir().unwrap();
        for package in demo_packages(Subdir::Linux64) {
            let built = package.write(root.path(), Format::Conda).unwrap();
            rattler_package_streaming::fs::extract(&built.path, root.path()).unwrap();
        }
        let script = "import sys; sys.prefix = sys.argv.pop(1); import greet; greet.main()";
        let output = std::process::Command::new("/usr/bin/python3")
            .args(["-c", script])
            .args([root.path().as_os_str(), "我".as_ref()])
            .env("PYTHONPATH", root.path().join("site-packages"))
            .env("PYTHONIOENCODING", "utf-8")
            .output();
        let Ok(output) = output else { return };
        let said = String::from_utf8(output.stdout).unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(said.starts_with("Hello, 我!\n你好, 我!\n"), "{said}{complaint}");
        assert!(said.ends_with(&format!("tinybin in {}\n", crate::PLACEHOLDER)), "{said}");
    }
}
