//! Why an operation on an app failed.

use crate::error::AppError;

/// One fault of what an operator asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFault {
    /// What is at fault.
    pub input: Input,
    /// What is wrong with it.
    pub message: String,
}

/// What an operator gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The name of an app.
    Name,
    /// The streams that it reaches.
    Streams,
    /// Its public key.
    PublicKey,
    /// How long the former key stays good.
    Grace,
}

/// Why an operation on an app failed.
#[derive(Debug, thiserror::Error)]
pub enum JwtAppError {
    /// What was asked for is not usable; all faults.
    #[error("the input has faults")]
    Invalid(Vec<InputFault>),
    /// There is no such app.
    #[error("there is no such app")]
    NotFound,
    /// The app is not in a state for it.
    #[error("{0}")]
    Conflict(String),
    /// The store could not do it.
    #[error(transparent)]
    App(#[from] AppError),
}

impl JwtAppError {
    /// Refuses one input.
    pub fn input(input: Input, message: impl Into<String>) -> Self {
        Self::Invalid(vec![InputFault { input, message: message.into() }])
    }
}
