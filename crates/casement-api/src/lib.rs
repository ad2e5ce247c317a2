//! HTTP: routes, authentication and the API's description.
//!
//! A route reads the request into a command (by the wire), calls one use case (of the app) and writes the answer. It
//! knows neither the store nor the index, and decides nothing. Every answer that is not a success is a problem
//! document, also where the framework itself refuses a request.

pub mod acme;
pub mod activity;
pub mod address_rate;
pub mod answer;
pub mod api;
pub mod authentication;
pub mod body;
pub mod client;
pub mod compression;
pub mod connection;
pub mod control;
mod drain;
mod explorer;
mod framing;
pub mod gate;
mod head;
mod held;
pub mod limits;
mod list_parameters;
pub mod load;
pub mod measure;
pub mod metrics_page;
pub mod outbound;
mod parameters;
mod places;
mod query;
pub mod rate;
mod refusals;
mod room;
pub mod router;
pub mod routes;
pub mod server;
mod share;
mod sparse;
pub mod starting;
mod streams;
pub mod tls;
pub mod token;
pub mod traces;
pub mod unsent;
