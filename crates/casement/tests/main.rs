//! The facts of the whole program, through its router and its command line.
//!
//! The contract is the truth here: each module is a part of it, each test a fact of it. `harness` holds the server that
//! a test gets for itself; nothing is shared between tests and nothing sleeps.

#[cfg(test)]
mod absorbed;
#[cfg(test)]
mod acme;
#[cfg(test)]
mod answers;
#[cfg(test)]
mod app_commands;
#[cfg(test)]
mod apps;
#[cfg(test)]
mod assignment;
#[cfg(test)]
mod attachment_bytes;
#[cfg(test)]
mod attachment_failures;
#[cfg(test)]
mod attachments;
#[cfg(test)]
mod authentication;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod backup_damage;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod comment_search;
#[cfg(test)]
mod comment_split;
#[cfg(test)]
mod comments;
#[cfg(test)]
mod compression;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod control;
#[cfg(test)]
mod create_case;
#[cfg(test)]
mod create_task;
#[cfg(test)]
mod custom_fields;
#[cfg(test)]
mod customers;
#[cfg(test)]
mod deadlines;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod explorer;
#[cfg(test)]
mod feedback;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod full_store;
#[cfg(test)]
mod greedy;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod json_bodies;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod list_filters;
#[cfg(test)]
mod list_oracle;
#[cfg(test)]
mod list_pages;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod merge;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod output;
#[cfg(test)]
mod plans;
#[cfg(test)]
#[path = "../../casement-store/tests/server.rs"]
#[cfg(test)]
mod postgres_server;
#[cfg(test)]
mod process;
#[cfg(test)]
mod purge_backups;
#[cfg(test)]
mod purge_races;
#[cfg(test)]
mod purged_files;
#[cfg(test)]
mod purged_links;
#[cfg(test)]
mod purges;
#[cfg(test)]
mod rates;
#[cfg(test)]
mod raw;
#[cfg(test)]
mod request_heads;
#[cfg(test)]
mod resources;
#[cfg(test)]
mod sameness;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod sealing;
#[cfg(test)]
mod searches;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod served;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod slow_bodies;
#[cfg(test)]
mod sockets;
#[cfg(test)]
mod stops;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod token_attacks;
#[cfg(test)]
mod traces;
#[cfg(test)]
mod undo;
#[cfg(test)]
mod update_keys;
#[cfg(test)]
mod update_values;
#[cfg(test)]
mod work_lists;
#[cfg(test)]
mod work_moves;
