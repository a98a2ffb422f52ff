//! Why a text can't be read, told.

use envlock_text::{ReadError, redact};

use crate::{Code, Exit, Explain, Finding};

impl Explain for ReadError {
    fn findings(&self) -> Vec<Finding> {
        let code = match self {
            Self::NotUtf8(_) => Code::NotUtf8,
            Self::TooLarge { .. } | Self::TooDeep(_) | Self::TooMany(_) => Code::InputLimit,
            Self::Alias(_) => Code::YamlAlias,
            Self::Syntax { .. } => Code::Syntax,
        };
        vec![Finding::new(code, redact(&self.to_string())).at(self.place().clone())]
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}
