use crate::PolicyError;

impl PolicyError {
    /// `code` is your own word for what went wrong (`settings` is the SDK's), `message` tells the author more.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}
