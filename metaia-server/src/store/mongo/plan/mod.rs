//! Plans a batch: decides which requests are carried out, with their writes, events and answers.
//!
//! Planning is pure: it takes [`Facts`] and one request after the other, and decides each request
//! as if those before it were carried out. The conditions are those of
//! [`Write`](crate::store::Write), the same as in the embedded store; they hold because no two
//! batches are planned on the same state of the log. Every write has its condition in its filter
//! all the same, because other programs write here without a committer.

mod ask;
mod build;
mod changes;
mod claims;
mod facts;
mod layered;
mod notifications;
mod orders;
mod payments;
#[cfg(test)]
mod tests;
mod wanted;

pub(super) use ask::{Ask, AskResult, plan};
pub(super) use changes::CommitChange;
pub(super) use facts::Facts;
pub(super) use notifications::{MAX_MARKED, MarkAllRead, MarkRead};
pub(super) use orders::SetTailorStatus;
pub(super) use wanted::WantedFacts;
