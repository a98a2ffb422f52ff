//! Runs a file of policy unit tests whose policies are inline: what `fuzz/differential.py`
//! feeds its random cases to.

use std::collections::BTreeMap;
use std::process::ExitCode;

use envlock_secrets::suite::Suite;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program run by hand")]
fn main() -> ExitCode {
    let Some(file) = std::env::args().nth(1) else {
        eprintln!("usage: policy_test FILE");
        return ExitCode::from(2);
    };
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let suite = match Suite::parse(&file, &text) {
        Ok(suite) => suite,
        Err(error) => {
            eprintln!("{error:?}");
            return ExitCode::from(2);
        }
    };
    match suite.run(&BTreeMap::new(), jiff::Timestamp::now()) {
        Ok(result) => {
            println!("{}", result.to_text());
            ExitCode::from(u8::from(result.failed > 0))
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
