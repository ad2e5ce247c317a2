//! Where the logs of all workspaces end, as several nodes ask it of one database.

use std::collections::HashMap;

/// Where a workspace's log ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The sequence number of its last event.
    pub sequence: u64,
    /// The version of its configuration.
    pub config_version: u64,
}

/// The heads of all workspaces as of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heads {
    /// By the id of the workspace.
    pub by_workspace: HashMap<String, Head>,
}

impl Heads {
    /// Gives where the log of a workspace ends; at the beginning where there is no such workspace.
    pub fn of(&self, workspace: &str) -> Head {
        self.by_workspace.get(workspace).copied().unwrap_or_default()
    }
}

/// A workspace whose log has gone on by other nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedWorkspace {
    /// Its id.
    pub workspace: String,
    /// At least up to where.
    pub head: Head,
}
