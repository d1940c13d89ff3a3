//! Explains why a server was not reached or why it refused: maps a fault to its cause, the advice
//! and the exit code. There is one table for sockets and REST.
//!
//! Nothing here uses the network. One fault alone often has several causes: [`probes`] names the
//! further requests that tell them apart, and `probe.rs` sends them.

mod certificate;
mod clock;
mod engine_io;
mod errors;
mod fault;
mod finding;
mod gateway;
mod gave_up;
mod link;
mod page;
mod redirect;
mod refusal;
mod reply;
mod session;
mod table;
mod token;

#[cfg(test)]
mod tests;

pub(crate) use clock::{difference, server_ahead_ms};
pub(crate) use errors::{connect_fault, request_fault};
pub(crate) use fault::{Asked, Fault, Probe, ProbeResult, SuppliedBy, TokenKind, Via};
pub(crate) use finding::Diagnosis;
pub(crate) use gave_up::gave_up;
pub(crate) use link::{complains_about_plain_http, probes, upgrade_advice};
pub(crate) use reply::HttpReply;
#[cfg(test)]
pub(crate) use reply::problem;
pub(crate) use session::{
    cut_line, damaged_packet, deaf_line, ended_early, hidden_answer, no_fence, not_delivered,
    not_ready, slow_line, time_used_up,
};
pub(crate) use table::{diagnose, fault_text};
pub(crate) use token::{
    clock_advice, different_secrets, lacks_right, pass_authorization, refusal_exit,
};
