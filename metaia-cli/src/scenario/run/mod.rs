//! One run of one case of a scenario.

mod answers;
mod expecting;
mod payments;
mod person;
mod program;
mod program_output;
mod requests;
mod rounds;
mod sockets;
mod stepping;
mod vacuous;
mod world;

pub(crate) use world::World;
