//! What the tests work with: a server of their own, tokens, requests, answers, and what a workspace can have.

pub mod answer;
pub mod bucket;
pub mod call;
pub mod client;
pub mod configuration;
pub mod curl;
pub mod forge;
pub mod http;
pub mod program;
pub mod relay;
pub mod server;
pub mod token;
