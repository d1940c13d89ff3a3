//! Requests to the committer: each kind is a type of its own, with the type of its answer.

use metaia_realtime::mongo::Plan;

use super::{facts::Facts, wanted::WantedFacts};
use crate::store::CommitError;

/// A request to the committer.
///
/// The committer may plan a request several times. The id of an event that the store builds itself
/// is part of the request, so that every plan has the same event.
pub(in super::super) trait Ask: Send + Sync + 'static {
    /// The answer, if the request is carried out.
    type Answer: Send + 'static;

    /// Adds the facts that the request is decided by.
    fn want(&self, wanted: &mut WantedFacts);

    /// Decides the request, and drafts its changes in the facts.
    ///
    /// # Errors
    /// Returns the refusal. The caller then drops the draft.
    fn decide(&self, facts: &mut Facts) -> Result<Plan<Self::Answer>, CommitError>;
}

/// The result of a request. A refusal is a result, too: it does not fail the batch.
pub(in super::super) type AskResult<A> = Result<<A as Ask>::Answer, CommitError>;

/// Plans a request as if those before it were carried out. A refused request leaves no trace,
/// neither in the facts nor in the writes.
pub(in super::super) fn plan<A: Ask>(ask: &A, facts: &mut Facts) -> Plan<AskResult<A>> {
    match ask.decide(facts) {
        Ok(plan) => {
            facts.commit();
            plan.map(Ok)
        }
        Err(refusal) => {
            facts.roll_back();
            Plan::answer(Err(refusal))
        }
    }
}
