//! The rows after the tailor was replaced, and the times that the change took.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::cell::CellValue;
use super::events::{ROOM_EVENT_ROW, StoryMark, emit_to_room};
use super::grid::AccessRow;
use super::probes::READ_ORDER;
use super::requests;
use super::sockets::{Sockets, join};
use super::stage::{Company, Stage};
use super::subject::Subject;
use crate::context::Context;
use crate::exit::Failure;
use crate::expectation::Received;
use crate::rest::Api;
use crate::watcher::Watcher;

const REPLACED: &str = "After the tailor was replaced by the other";

/// The time between two attempts of the new tailor to join.
const JOIN_PAUSE: Duration = Duration::from_millis(10);

/// The times from the request that replaces the tailor. `None` if it did not happen in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct AccessTimes {
    /// Until the old tailor was told that the room is lost.
    pub(super) lost: Option<Duration>,
    /// Until the new tailor could join.
    pub(super) gained: Option<Duration>,
}

/// Replaces the tailor, and measures.
pub(super) async fn measure(
    stage: &Stage,
    company: &Company,
    sockets: &Sockets,
    within: Duration,
    api: &Api<'_>,
    context: &Context,
) -> Result<(Vec<AccessRow>, AccessTimes), Failure> {
    let mark = StoryMark::now(sockets);
    let began = Instant::now();
    let new = json!({"tailor": company.user(Subject::OtherTailor)});
    let admin = company.authority(Subject::Admin)?;
    let old = sockets.watcher(Subject::Tailor);
    let since = old.map(|old| old.story().now()).unwrap_or_default();
    stage.assign(&new, admin, api).await?;
    let lost = async { loss(old?, &stage.order, since, within).await };
    let gained = async {
        let new = sockets.watcher(Subject::OtherTailor)?;
        gain(new, stage, began, within, context).await
    };
    let (lost, gained) = tokio::join!(lost, gained);
    let times = AccessTimes { lost, gained };
    let id = emit_to_room(stage, company, api).await?;
    sockets.fence().await?;
    let mut rows = vec![
        mark.row(sockets, REPLACED, "rt:room_left", |event| {
            is_loss(event, &stage.order)
        }),
        mark.row(sockets, REPLACED, "order_update", |event| {
            event.event == "order_update" && event.concerns(&stage.order)
        }),
        mark.row(sockets, REPLACED, ROOM_EVENT_ROW, |event| {
            event.id.as_deref() == Some(&id)
        }),
    ];
    let name = "join the order's room";
    rows.push(sockets.join(REPLACED, name, &stage.order, context).await);
    rows.push(requests::row(&READ_ORDER, REPLACED, stage, company, api).await?);
    Ok((rows, times))
}

fn is_loss(event: &Received, order: &str) -> bool {
    event.event == "rt:room_left" && event.concerns(order)
}

/// Waits until a person is told that the room is lost. Returns the time since `since`, which is
/// counted like the times of the person's story.
async fn loss(old: &Watcher, order: &str, since: Duration, within: Duration) -> Option<Duration> {
    let told = || {
        let events = old.story().events_between(0, old.story().len());
        let told = events.into_iter().find(|event| is_loss(event, order));
        told.map(|event| event.at.saturating_sub(since))
    };
    let deadline = since + within;
    old.story().wait_until(deadline, || told().is_some()).await;
    told().filter(|took| *took <= within)
}

/// Joins until the server allows it. Returns the time since `began`.
async fn gain(
    new: &Watcher,
    stage: &Stage,
    began: Instant,
    within: Duration,
    context: &Context,
) -> Option<Duration> {
    loop {
        let joined = join(new.client(), &stage.order, context).await;
        let took = began.elapsed();
        if joined == CellValue::Allowed && took <= within {
            return Some(took);
        }
        if took > within {
            return None;
        }
        tokio::time::sleep(JOIN_PAUSE).await;
    }
}
