//! The checks of `metaia doctor`: turns what was found at a server into findings, each with its
//! cause and its cure.
//!
//! Nothing here uses the network: `commands/doctor/` collects the [`Facts`], and asks [`judge`] for
//! each check as soon as its facts are there. The causes and cures of what goes wrong on the way to
//! the server are those of the diagnosis, so that every command says the same about the same fault.

mod answers;
mod certificate;
mod check;
mod clock;
mod facts;
mod finding;
mod idle;
mod judge;
mod open_packet;
mod report;
mod route;
mod session;
mod slow_line;
mod sockets;
#[cfg(test)]
mod tests;
mod token;
mod token_cure;

pub(crate) use certificate::Certificate;
pub(crate) use check::DoctorCheck;
pub(crate) use facts::{
    Delivered, Facts, Found, Handshakes, HeldLine, LineEnd, LineLoss, LostLine, OriginAnswer,
    OwnEvent, Polled, SignIn, Timed, Wishes,
};
pub(crate) use finding::Finding;
pub(crate) use idle::session_ended;
pub(crate) use judge::judge;
pub(crate) use open_packet::open_packet_flaw;
pub(crate) use report::{FindingLine, Findings, summary};
