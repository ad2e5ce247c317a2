//! The tests of the rules from outside: tables and properties over the decisions of contract sections 3 to 11.
//!
//! `world` holds what the tests decide about; `documents` makes random documents and is shared with the wire's tests.

#[cfg(test)]
mod assignment;
#[cfg(test)]
mod comments;
#[cfg(test)]
mod configure;
#[cfg(test)]
mod configure_fields;
#[cfg(test)]
mod create_case;
#[cfg(test)]
mod create_task;
#[cfg(test)]
mod dates;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod due;
#[cfg(test)]
mod fields;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod list;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod relations;
#[cfg(test)]
mod rich_text;
#[cfg(test)]
mod template_versions;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod update_case;
#[cfg(test)]
mod update_task;
#[cfg(test)]
mod world;
