//! Why a text can't be read, as findings.

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

/// The code of what is wrong with a text: the same for every file.
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
