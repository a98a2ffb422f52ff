//! Converts the errors of reading a text to findings.

use envlock_text::{Fault, ReadError};

use crate::{AsFindings, Code, Exit, Finding};

impl From<&ReadError> for Finding {
    fn from(error: &ReadError) -> Self {
        let finding = Self::new(code(&error.fault), error.to_string()).at(error.place.clone());
        match error.fault.help() {
            Some(help) => finding.with_help(help),
            None => finding,
        }
    }
}

/// Returns the code of an error in a text. It is the same for every kind of file.
fn code(fault: &Fault) -> Code {
    match fault {
        Fault::NotText => Code::NotUtf8,
        Fault::TooLarge { .. }
        | Fault::LongLine(_)
        | Fault::TooDeep(_)
        | Fault::TooMany(_)
        | Fault::Repeated(..) => Code::InputLimit,
        Fault::ControlCharacter(_) | Fault::Syntax { .. } => Code::SyntaxError,
        Fault::SecondDocument => Code::SecondDocument,
        Fault::DuplicateKey { .. } => Code::DuplicateKey,
        Fault::KeyNotText(_) => Code::WrongType,
        Fault::MergeKey => Code::MergeKey,
        Fault::UnknownAlias => Code::UnknownAlias,
        Fault::UnknownTag(_) => Code::UnknownTag,
    }
}

impl AsFindings for ReadError {
    fn findings(&self) -> Vec<Finding> {
        vec![self.into()]
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}
