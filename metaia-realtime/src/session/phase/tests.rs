//! The transitions from each phase, and what they keep of what was known.

use super::{BeforeStart, Cursor, Intake, PendingReady, Phase};
use crate::{Position, session::ConnectRequest};
use serde_json::json;

/// A phase without what is known in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::session) enum PhaseName {
    AwaitingResume,
    NotBegun,
    Starting,
    CatchingUp,
    Resetting,
    Live,
}

use PhaseName::{AwaitingResume, CatchingUp, Live, NotBegun, Resetting, Starting};

impl Phase {
    pub(in crate::session) fn name(&self) -> PhaseName {
        match self {
            Self::AwaitingResume(_) => AwaitingResume,
            Self::NotBegun(_) => NotBegun,
            Self::Starting(_) => Starting,
            Self::CatchingUp(_) => CatchingUp,
            Self::Resetting(_) => Resetting,
            Self::Live(_) => Live,
        }
    }
}

fn position(n: u64) -> Position {
    format!("0000000000000001-00000000.{n}").parse().unwrap()
}

fn awaiting_resume() -> Phase {
    Phase::AwaitingResume(BeforeStart::default())
}

fn not_begun() -> Phase {
    Phase::NotBegun(BeforeStart::default())
}

fn starting() -> Phase {
    let mut phase = not_begun();
    phase.begin_start();
    phase
}

fn catching_up() -> Phase {
    let mut phase = starting();
    phase.complete_start(position(5), true);
    phase
}

fn resetting() -> Phase {
    let mut phase = catching_up();
    phase.lose_history();
    phase
}

fn live() -> Phase {
    let mut phase = catching_up();
    phase.go_live(7);
    phase
}

/// Checks that a transition leads from one phase to another one as `arrows` say, and that it leaves
/// a session in any other phase as it is.
#[track_caller]
fn check(transition: impl Fn(&mut Phase), arrows: &[(PhaseName, PhaseName)]) {
    let phases = [
        awaiting_resume,
        not_begun,
        starting,
        catching_up,
        resetting,
        live,
    ];
    for phase in phases {
        let mut reached = phase();
        transition(&mut reached);
        let from = phase().name();
        let arrow = arrows.iter().find(|arrow| arrow.0 == from);
        match arrow {
            Some((_, to)) => assert_eq!(reached.name(), *to, "from {from:?}"),
            None => assert_eq!(reached, phase()),
        }
    }
}

#[test]
fn the_start_goes_through_its_phases_in_order() {
    let resume = |phase: &mut Phase| phase.apply_resume(ConnectRequest::default(), None);
    check(resume, &[(AwaitingResume, NotBegun)]);
    check(Phase::stop_awaiting_resume, &[(AwaitingResume, NotBegun)]);
    check(|phase| drop(phase.begin_start()), &[(NotBegun, Starting)]);
    let complete_start = |phase: &mut Phase| _ = phase.complete_start(position(9), true);
    check(complete_start, &[(Starting, CatchingUp)]);
}

#[test]
fn only_a_session_that_catches_up_goes_live_and_only_a_live_one_falls_back() {
    check(|phase| _ = phase.go_live(9), &[(CatchingUp, Live)]);
    check(|phase| phase.fall_back(9), &[(Live, CatchingUp)]);
}

#[test]
fn a_lost_history_keeps_a_session_from_going_on_until_it_is_reset() {
    let lost = [
        // It stays where it is and remembers it.
        (AwaitingResume, AwaitingResume),
        (NotBegun, NotBegun),
        (Starting, Starting),
        (CatchingUp, Resetting),
        (Live, Resetting),
    ];
    check(Phase::lose_history, &lost);
    let reset = [
        (Starting, CatchingUp),
        (CatchingUp, CatchingUp),
        (Resetting, CatchingUp),
        (Live, CatchingUp),
    ];
    check(|phase| _ = phase.reset(position(1)), &reset);
}

#[test]
fn a_history_that_is_lost_before_the_start_leads_to_a_reset_after_it() {
    let mut phase = awaiting_resume();
    phase.lose_history();
    phase.stop_awaiting_resume();
    phase.begin_start();
    phase.complete_start(position(5), true);
    assert_eq!(phase.name(), Resetting);
    // A reset by which the start is completed is that reset.
    let mut phase = starting();
    phase.lose_history();
    phase.reset(position(5));
    assert_eq!(phase.name(), CatchingUp);
}

#[test]
fn events_wait_until_there_is_a_cursor_but_for_the_awaited_resume() {
    assert_eq!(awaiting_resume().intake(), Intake::OnlyResume);
    for phase in [not_begun(), starting()] {
        assert_eq!(phase.intake(), Intake::Nothing);
    }
    for phase in [catching_up(), resetting(), live()] {
        assert_eq!(phase.intake(), Intake::Everything);
    }
}

#[test]
fn a_paused_session_does_not_go_live() {
    let mut phase = live();
    phase.pause_for_join(9);
    assert!(!phase.may_replay());
    assert_eq!(phase.go_live(9), None);
    assert_eq!(phase.name(), CatchingUp);
    phase.lose_history();
    phase.reset(position(1));
    assert!(!phase.may_replay(), "a reset does not end the pause");
    phase.end_join_pause();
    phase.go_live(9);
    assert_eq!(phase.name(), Live);
}

#[test]
fn ready_is_to_be_sent_once_after_the_start_and_once_after_each_reset() {
    let mut phase = catching_up();
    phase.replay(6);
    phase.replay(8);
    let first = PendingReady {
        recovered: true,
        replayed: 2,
        resume_ack: None,
    };
    assert_eq!(phase.go_live(8), Some(first));
    phase.fall_back(9);
    phase.replay(10);
    assert_eq!(phase.go_live(10), None);
    phase.reset(position(20));
    assert_eq!(phase.go_live(20), Some(PendingReady::default()));
}

#[test]
fn a_resume_is_acknowledged_once_also_after_a_reset() {
    let mut phase = awaiting_resume();
    phase.apply_resume(ConnectRequest::default(), Some(3));
    phase.begin_start();
    phase.complete_start(position(5), true);
    phase.replay(6);
    phase.lose_history();
    phase.reset(position(1));
    let ready = PendingReady {
        resume_ack: Some(3),
        ..PendingReady::default()
    };
    assert_eq!(phase.go_live(1), Some(ready));
    phase.lose_history();
    phase.reset(position(1));
    assert_eq!(phase.go_live(1), Some(PendingReady::default()));
}

#[test]
fn a_resume_adds_to_what_the_client_asked_for_at_connect() {
    let request =
        ConnectRequest::read(&json!({ "since": "0000000000000000-00000000.5", "orders": ["a"] }));
    let mut phase = Phase::AwaitingResume(BeforeStart::new(request, None));
    phase.apply_resume(ConnectRequest::read(&json!({ "orders": ["b"] })), Some(1));
    let request = phase.begin_start().unwrap();
    assert!(request.since.is_some_and(|since| since.is_ok()));
    assert_eq!(request.orders.len(), 2);
}

#[test]
fn the_cursor_only_moves_forward_but_for_a_reset() {
    let mut phase = catching_up();
    phase.advance_to(3);
    assert_eq!(phase.cursor(), Some(Cursor::at(position(5))));
    phase.go_live(8);
    phase.advance_to(9);
    phase.fall_back(4);
    assert_eq!(phase.cursor(), Some(Cursor::at(position(9))));
    phase.lose_history();
    phase.advance_to(12);
    assert_eq!(
        phase.cursor(),
        Some(Cursor::at(position(9))),
        "the cursor of a history that is gone stays"
    );
    phase.reset(position(2));
    assert_eq!(phase.cursor(), Some(Cursor::at(position(2))));
}
