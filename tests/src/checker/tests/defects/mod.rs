//! Defects to plant into a correct history. Each one chooses a place at random, and returns `None`
//! if the history has none.

mod clients;
mod deliveries;
mod publishing;
mod scene;
mod server;
mod timing;

use super::super::{History, Invariant};
use crate::fixtures::seeded_rng::SeededRng;
use Invariant::{
    AccessRespected, CleanEnd, DeliveredInTime, DurableBeforeAnswer, ExactlyOnce, NoLoss,
    NoPhantom, NothingLeaks, OncePerKey, OrderWithoutHoles, ReconnectedInTime,
};

/// A defect, and the invariant that must be reported for it.
pub(super) struct Defect {
    pub(super) name: &'static str,
    pub(super) breaks: Invariant,
    /// Other invariants that the defect may break as well.
    pub(super) also: &'static [Invariant],
    pub(super) plant: Plant,
}

type Plant = fn(&mut History, &mut SeededRng) -> Option<()>;

const fn defect(
    name: &'static str,
    breaks: Invariant,
    also: &'static [Invariant],
    plant: Plant,
) -> Defect {
    Defect {
        name,
        breaks,
        also,
        plant,
    }
}

pub(super) const DEFECTS: [Defect; 23] = [
    defect(
        "one delivery is dropped",
        OrderWithoutHoles,
        &[],
        deliveries::drop_one,
    ),
    defect(
        "two deliveries are swapped",
        OrderWithoutHoles,
        &[],
        deliveries::swap_two,
    ),
    defect(
        "a duplicate has another payload",
        ExactlyOnce,
        &[],
        deliveries::other_payload,
    ),
    defect(
        "two events at one position",
        ExactlyOnce,
        &[OrderWithoutHoles, NoPhantom, NoLoss, DurableBeforeAnswer],
        deliveries::same_position,
    ),
    defect(
        "an event that was never published",
        NoPhantom,
        &[],
        deliveries::phantom,
    ),
    defect(
        "a delivery to a wrong user",
        AccessRespected,
        &[OrderWithoutHoles],
        deliveries::wrong_user,
    ),
    defect(
        "a delivery long after the room was lost",
        AccessRespected,
        &[OrderWithoutHoles],
        deliveries::after_room,
    ),
    defect(
        "a delivery long after the token ended",
        AccessRespected,
        &[],
        deliveries::after_token,
    ),
    defect(
        "a delivery is three seconds late",
        DeliveredInTime,
        &[],
        timing::delayed,
    ),
    defect(
        "a client that receives nothing any more",
        DeliveredInTime,
        &[],
        timing::silenced,
    ),
    defect(
        "an acknowledged entry reaches no client",
        NoLoss,
        &[],
        publishing::lost,
    ),
    defect(
        "answered before the commit, then killed",
        DurableBeforeAnswer,
        &[],
        publishing::lost_by_a_crash,
    ),
    defect(
        "a write without a key acts twice",
        ExactlyOnce,
        &[OrderWithoutHoles],
        publishing::twice,
    ),
    defect(
        "a write with a key acts twice",
        OncePerKey,
        &[OrderWithoutHoles],
        publishing::twice_for_a_key,
    ),
    defect(
        "two orders for one key",
        OncePerKey,
        &[],
        publishing::two_answers,
    ),
    defect(
        "two nodes respond with one position",
        ExactlyOnce,
        &[NoLoss, DurableBeforeAnswer, OrderWithoutHoles],
        publishing::reused_position,
    ),
    defect(
        "an event of a refused write",
        NoPhantom,
        &[],
        publishing::refused,
    ),
    defect(
        "a replay is partial, with recovered: true",
        OrderWithoutHoles,
        &[],
        clients::partial_replay,
    ),
    defect(
        "a reset is not sent",
        OrderWithoutHoles,
        &[],
        clients::silent_reset,
    ),
    defect(
        "a client does not reconnect",
        ReconnectedInTime,
        &[OrderWithoutHoles],
        clients::never_reconnects,
    ),
    defect("descriptors leak", NothingLeaks, &[], server::leak),
    defect("the server ends with 1", CleanEnd, &[], server::exit_one),
    defect("the server panics", CleanEnd, &[], server::panic),
];
