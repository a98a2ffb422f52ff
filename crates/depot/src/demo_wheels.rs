//! The demo's wheels, for its line under `pip:`.

use crate::Wheel;

/// `greet-pip` (a module with a console script) and `greet-pip-words`, on which it depends.
///
/// `greet-pip [NAME]` greets with the other wheel's word and tells the versions of both.
pub fn demo_wheels() -> [Wheel; 2] {
    [greet_pip(), greet_pip_words()]
}

fn greet_pip() -> Wheel {
    Wheel::new("greet-pip", "1.0.0")
        .requires_python(">=3.8")
        .requires_dist(["greet-pip-words>=1.0,<2"])
        .metadata_field("Summary", "Greets with a word of greet-pip-words")
        .console_script("greet-pip = greetpip:main")
        .file("greetpip/__init__.py", GREETPIP)
}

const GREETPIP: &str = r#""""Greets with a word of another wheel."""
import sys
from importlib.metadata import version

from greetpip_words import WORD


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else "world"
    print(WORD + ", " + name + "!")
    for project in ("greet-pip", "greet-pip-words"):
        print(project + " " + version(project) + " in " + sys.prefix)


if __name__ == "__main__":
    main()
"#;

fn greet_pip_words() -> Wheel {
    Wheel::new("greet-pip-words", "1.1.0")
        .requires_python(">=3.8")
        .metadata_field("Summary", "A word for greet-pip")
        .file("greetpip_words.py", "WORD = \"Servus\"\n")
}
