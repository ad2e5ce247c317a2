//! The limits of JSON bodies. Going past one is a 400.

/// Levels of arrays and objects in a body.
pub const JSON_DEPTH_MAX: usize = 32;
/// Values in a body: scalars, arrays and objects.
pub const JSON_VALUES_MAX: usize = 10_000;
/// Faults of the JSON itself that one answer lists.
pub const JSON_FAULTS_MAX: usize = 100;
/// Values in a configuration document, which holds the whole configuration of a workspace.
pub const CONFIGURATION_VALUES_MAX: usize = 200_000;
