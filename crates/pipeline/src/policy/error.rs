//! Errors of the policy commands.

use envlock_policy::PolicyError;
use envlock_policy::suite::SuiteError;
use envlock_report::{AsFindings, Code, Exit, Finding, Level, nearest};
use envlock_secrets::checks::{CheckError, described_namespace as described};

use crate::FileError;

/// Why a policy command failed.
#[derive(Debug, thiserror::Error)]
pub enum PolicyCommandError {
    /// A file can't be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The project has no secrets manifest.
    #[error(transparent)]
    Secrets(#[from] crate::check_secrets::SecretsError),
    /// The manifest has no such profile.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// A policy can't be parsed or evaluated.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A file of test cases can't be used.
    #[error(transparent)]
    TestSuite(#[from] SuiteError),
    /// A policy in this namespace can't grant what the profile requests.
    #[error(
        "a policy in {} grants nothing in {}, where the requests of profile {profile} are sent",
        described(uploaded),
        own.as_deref().map_or_else(|| "an unknown namespace".to_owned(), described)
    )]
    Namespace {
        /// The profile.
        profile: String,
        /// The namespace of its requests, if it is known.
        own: Option<String>,
        /// The namespace that the policy is uploaded to.
        uploaded: String,
    },
    /// No operation has this name.
    #[error("`{name}` is no operation")]
    Operation {
        /// The name as written.
        name: String,
        /// The known operations.
        known: Vec<&'static str>,
    },
}

impl AsFindings for PolicyCommandError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::File(error) => error.findings(),
            Self::Secrets(error) => error.findings(),
            Self::Check(error) => error.findings(),
            Self::Policy(error) => vec![error.finding()],
            Self::TestSuite(error) => error.findings(),
            Self::Namespace { .. } => {
                let help = "name the profile's namespace or one above it with \
                            `--policy-namespace`, and set the variable that the profile's \
                            `namespace:` reads";
                let finding = Finding::new(Code::PolicyNamespace, self.to_string());
                vec![finding.at_level(Level::Error).with_help(help)]
            }
            Self::Operation { name, known } => {
                let near = nearest(name, known.iter().copied());
                let help = near.map_or_else(
                    || format!("one of {}", known.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                vec![Finding::new(Code::UnknownOperation, self.to_string()).with_help(help)]
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::Secrets(error) => error.exit(),
            Self::Check(error) => error.exit(),
            Self::TestSuite(error) => error.exit(),
            Self::Policy(_) | Self::Namespace { .. } | Self::Operation { .. } => Exit::Usage,
        }
    }
}
