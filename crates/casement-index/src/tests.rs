//! Every path of the engine against a plain scan, with blocks and chunks so small that a few hundred documents cross all
//! their seams.

mod answers;
pub(crate) mod places;
mod snapshots;
pub(crate) mod world;
