//! The targets of fuzzing: what reads text from outside, each with what must hold for any input.
//!
//! A target panics when something does not hold. The same functions run under the fuzzer and, with the committed corpus
//! and with each finding, as plain tests.

mod body;
mod date;
mod expression;
mod json;
mod list;
mod token;

/// What an input is handed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The body of createCase.
    CreateCase,
    /// The body of updateCase.
    UpdateCase,
    /// The body of createTask.
    CreateTask,
    /// The body of updateTask.
    UpdateTask,
    /// The body of getCases: the filter.
    GetCases,
    /// The body of getTasks.
    GetTasks,
    /// A date in a request.
    Date,
    /// A text of the query language.
    Expression,
    /// The token of a request.
    Token,
}

impl Target {
    /// All targets.
    pub const ALL: [Self; 9] = [
        Self::CreateCase,
        Self::UpdateCase,
        Self::CreateTask,
        Self::UpdateTask,
        Self::GetCases,
        Self::GetTasks,
        Self::Date,
        Self::Expression,
        Self::Token,
    ];

    /// The name on the command line, and of the corpus.
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateCase => "create-case",
            Self::UpdateCase => "update-case",
            Self::CreateTask => "create-task",
            Self::UpdateTask => "update-task",
            Self::GetCases => "get-cases",
            Self::GetTasks => "get-tasks",
            Self::Date => "date",
            Self::Expression => "expression",
            Self::Token => "token",
        }
    }

    /// Finds a target by its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.name() == name)
    }

    /// Whether its inputs are JSON objects.
    pub fn is_json(self) -> bool {
        match self {
            Self::CreateCase
            | Self::UpdateCase
            | Self::CreateTask
            | Self::UpdateTask
            | Self::GetCases
            | Self::GetTasks => true,
            Self::Date | Self::Expression | Self::Token => false,
        }
    }

    /// Hands an input to the target.
    ///
    /// # Panics
    /// When something does not hold that must hold for any input.
    pub fn check(self, input: &[u8]) {
        match self {
            Self::CreateCase => body::check_create_case(input),
            Self::UpdateCase => body::check_update_case(input),
            Self::CreateTask => body::check_create_task(input),
            Self::UpdateTask => body::check_update_task(input),
            Self::GetCases => list::check(input, casement_wire::spelling::Noun::Case),
            Self::GetTasks => list::check(input, casement_wire::spelling::Noun::Task),
            Self::Date => date::check(input),
            Self::Expression => expression::check(input),
            Self::Token => token::check(input),
        }
    }
}
