//! The proof behind a judgement: what came, or did not, is all that could come.

use metaia_realtime::OrderId;
use metaia_realtime::client::Synced;

use crate::absence::Absence;
use crate::exit::{Exit, Failure};
use crate::expectation::{Expectation, Received};
use crate::verdict::{NotMet, Unmet, UnmetKind, unproven};
use crate::watcher::Watcher;

/// Refuses a judgement of which there is no proof: that nothing else was on its way, that all
/// was kept, and that the rooms were watched until the end.
pub(super) fn prove(
    watcher: &Watcher,
    expectation: &Expectation,
    orders: &[OrderId],
    fence: Result<&Synced, &Failure>,
    came: usize,
) -> Result<usize, NotMet> {
    let label = watcher.label();
    // A session that has ended has no fence, and may be expected to.
    if expectation.is_for_control() && !expectation.times.is_never() {
        return Ok(came);
    }
    let fence = fence.map_err(|failure| unproven(label, failure))?;
    if watcher.story().is_full() {
        let text = format!("{label} received too much to judge");
        return Err(NotMet::Unjudged(Failure::new(Exit::Failed, text)));
    }
    let mut rooms = orders.iter().map(|order| format!("order-{order}"));
    match rooms.find(|room| !fence.rooms.contains(room)) {
        Some(room) if expectation.times.is_never() => {
            let text = format!("{label} has left {room} meanwhile: nothing is proven of it");
            Err(Unmet::new(UnmetKind::Gap, text).into())
        }
        _ => Ok(came),
    }
}

/// Refuses an absence that proves nothing.
pub(super) fn refuse_vacuous(
    expectation: &Expectation,
    watchers: &[Watcher],
) -> Result<(), NotMet> {
    if !expectation.times.is_never() {
        return Ok(());
    }
    let stories = watchers.iter().map(Watcher::story);
    let received: Vec<Received> = stories
        .flat_map(|story| story.events_between(0, story.len()))
        .collect();
    let absence = Absence {
        event: expectation.event.as_deref(),
        has_condition: expectation.matches.is_some() || expectation.condition.is_some(),
        // The order exists.
        about: None,
    };
    absence
        .vacuous(&received)
        .map_or(Ok(()), |unmet| Err(unmet.into()))
}

/// Returns the judgement; an event that did not come may be on its way if there is no fence.
pub(super) fn without_fence(
    judged: Result<usize, NotMet>,
    label: &str,
    no_fence: Option<&Failure>,
) -> Result<usize, NotMet> {
    match (judged, no_fence) {
        (Err(NotMet::Unmet(unmet)), Some(failure)) if unmet.kind == UnmetKind::Missing => {
            Err(unproven(label, failure))
        }
        (judged, _) => judged,
    }
}
