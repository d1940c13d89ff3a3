//! Silent lines, slow lines, and servers that do not agree.

use super::*;
use crate::diagnosis::time_used_up;

fn idle(held: u64, end: LineEnd) -> String {
    let mut facts = good();
    facts.wishes.idle = Some(ms(60_000));
    facts.idle = Some(HeldLine {
        held: ms(held),
        end,
        ping_interval: Some(ms(25_000)),
    });
    text(DoctorCheck::Idle, &facts)
}

fn lost(loss: LineLoss, again: Result<(), Fault>) -> LineEnd {
    LineEnd::Lost(LostLine {
        silence: ms(1_000),
        loss,
        again,
    })
}

fn cut() -> LineLoss {
    LineLoss::Cut("transport close".to_owned())
}

#[test]
fn a_line_that_answers_after_the_silence_was_held() {
    insta::assert_snapshot!(
        idle(20_000, LineEnd::Answered),
        @" ✓ idle       the line was held for 20.0 s"
    );
    insta::assert_snapshot!(idle(60_000, LineEnd::Answered), @r"
    ✓ idle       the line was held for 60.0 s; the server sends a ping every 25 s,
                 so no silence was longer
    ");
    insta::assert_snapshot!(text(DoctorCheck::Idle, &good()), @r"
    – idle       not asked for: --idle 60s holds a silent line, and finds what cuts
                 it
    ");
    let refused = LineEnd::WithoutFence(no_fence(Exit::Failed, "refused: unavailable"));
    insta::assert_snapshot!(idle(5_000, refused), @r"
    ✗ idle       the line was held for 5.0 s, and no fence came
                 the server gave no fence (rt:sync): refused: unavailable
                 → read the server's log: it may not be able to read its events
    ");
}

#[test]
fn a_line_that_is_lost_while_the_server_is_there_is_cut_by_something_between() {
    insta::assert_snapshot!(idle(1_004, lost(cut(), Ok(()))), @r"
    ✗ idle       the line was lost after 1.0 s
                 cut after 1.0 s of silence (transport close); the server sends a
                 ping only every 25 s
                 → something between cuts silent lines. In nginx, in the location
                   of /socket.io/:
                     proxy_read_timeout 75s;
                     proxy_send_timeout 75s;
                     proxy_buffering off;
                   in a load balancer: an idle timeout of 60 s or more
    ");
    insta::assert_snapshot!(idle(5_000, lost(LineLoss::Deaf, Ok(()))), @r"
    ✗ idle       the line was held for 5.0 s, and is dead
                 the line is not cut, and after 1.0 s of silence nothing passes;
                 the server accepts another connection
                 → something between, such as a firewall or a NAT, forgets silent
                   lines: give it an idle timeout of 60 s or more
    ");
}

#[test]
fn a_line_whose_server_is_gone_names_the_server() {
    let gone = Err(Fault::NothingListens);
    insta::assert_snapshot!(idle(2_000, lost(cut(), gone)), @r"
    ✗ idle       the line was lost after 2.0 s; connecting again failed
                 no program listens there (connection refused)
                 → check that the server is running, and that this is its address
    ");
    let frozen = Err(Fault::NoAnswer(ms(2_000)));
    insta::assert_snapshot!(idle(5_000, lost(LineLoss::Deaf, frozen)), @r"
    ✗ idle       the line was held for 5.0 s, and is dead; connecting again failed
                 no answer within 2 s
                 → the server may be stopped or busy, or a firewall drops the
                   packets; --timeout sets a longer limit
    ");
}

#[test]
fn a_session_that_the_server_ends_names_its_code() {
    insta::assert_snapshot!(idle(2_000, LineEnd::Ended("kicked".to_owned())), @r"
    ✗ idle       the server ended the session after 2.0 s
                 the server ended it: kicked (an admin or a backend ended it)
                 → find out who ended it, then run the command again
    ");
    insta::assert_snapshot!(idle(2_000, LineEnd::Ended("draining".to_owned())), @r"
    ✗ idle       the server ended the session after 2.0 s
                 the server ended it: draining (the server is shutting down)
                 → run the command again when the server is back
    ");
    let mut facts = good();
    facts.wishes.idle = Some(ms(5_000));
    for (code, exit) in [
        ("token_expired", Exit::Unauthenticated),
        ("token_revoked", Exit::Unauthenticated),
        ("kicked", Exit::Unreachable),
        ("of_a_newer_server", Exit::Unreachable),
    ] {
        facts.idle = Some(HeldLine {
            held: ms(3_000),
            end: LineEnd::Ended(code.to_owned()),
            ping_interval: None,
        });
        let finding = judge(DoctorCheck::Idle, &facts).unwrap();
        assert_eq!(finding.exit(), Some(exit), "{code}");
        assert!(text(DoctorCheck::Idle, &facts).contains(code), "{code}");
    }
}

/// Returns facts of a line on which each answer takes 1.4 s.
fn slow() -> Facts {
    with(|answers| {
        answers.livez.took = ms(1_400);
        answers.readyz.took = ms(1_400);
        answers.polled.opened.took = ms(1_400);
    })
}

#[test]
fn a_slow_line_is_to_blame_for_what_does_not_come_in_time() {
    let late = || Fault::NoAnswer(ms(2_000));
    let mut polled = slow();
    polled.handshakes.as_mut().unwrap().polled.kept = Err(late());
    insta::assert_snapshot!(text(DoctorCheck::Polling, &polled), @r"
    ✗ polling    handshake 200; a later request of the session failed
                 no answer within 2 s, on a slow line: a single answer takes 1.4 s
                 → the line or the server is slow: --timeout gives each step more
                   time, such as --timeout 60s
    ");
    let mut upgraded = slow();
    upgraded.handshakes.as_mut().unwrap().websocket = found(Err(late()));
    let said = text(DoctorCheck::WebSocket, &upgraded);
    assert!(said.contains("on a slow line"), "{said}");
    let mut signed_in = slow();
    signed_in.sign_ins = Some(vec![way(TokenIn::Header, Err(late()))]);
    let said = text(DoctorCheck::SignIn, &signed_in);
    assert!(said.contains("on a slow line"), "{said}");
    assert!(!said.contains("virus scanner"), "{said}");
}

#[test]
fn a_header_that_is_late_is_not_one_that_is_dropped() {
    let mut facts = good();
    let late = Err(Fault::TimeUsedUp(ms(300)));
    facts.sign_ins = Some(vec![
        way(TokenIn::Header, late),
        way(TokenIn::Payload, Ok(())),
    ]);
    for place in [TokenIn::Both, TokenIn::Payload] {
        facts.wishes.token_in = place;
        let said = text(DoctorCheck::SignIn, &facts);
        assert!(said.contains("the steps before took the rest"), "{said}");
        assert!(!said.contains("Authorization $http"), "{said}");
    }
}

#[test]
fn a_step_whose_time_others_took_says_so() {
    let mut facts = good();
    let used_up = || Err(Fault::TimeUsedUp(ms(100)));
    facts.sign_ins = Some(vec![
        way(TokenIn::Header, used_up()),
        way(TokenIn::Payload, used_up()),
    ]);
    insta::assert_snapshot!(text(DoctorCheck::SignIn, &facts), @r"
    ✗ sign in    Authorization header (phones): failed; payload (browsers): failed
                 no answer within 0.1 s: the steps before took the rest of the time
                 → the line or the server is slow: --timeout gives each step more
                   time, such as --timeout 60s
    ");
    let mut facts = good();
    facts.rooms = Some(Timed {
        value: Err(time_used_up(ms(100))),
        took: ms(100),
    });
    insta::assert_snapshot!(text(DoctorCheck::Rooms, &facts), @r"
    ✗ rooms      not live
                 no answer within 0.1 s: the steps before took the rest of the time
                 → the line or the server is slow: --timeout gives each step more
                   time, such as --timeout 60s
    ");
}

#[test]
fn servers_that_do_not_accept_the_same_tokens_are_told_from_a_proxy() {
    for places in [
        [TokenIn::Header, TokenIn::Payload],
        [TokenIn::Payload, TokenIn::Header],
    ] {
        let [refused_in, accepted_in] = places;
        let mut facts = good();
        let mut first = way(refused_in, Err(refused("unauthorized")));
        first.is_fickle = true;
        facts.sign_ins = Some(vec![first, way(accepted_in, Ok(()))]);
        facts.wishes.token_in = accepted_in;
        let said = text(DoctorCheck::SignIn, &facts);
        assert!(said.contains("once refused (unauthorized)"), "{said}");
        assert!(said.contains("the same JWT_SECRET"), "{said}");
        assert!(!said.contains("drops the Authorization"), "{said}");
        let finding = judge(DoctorCheck::SignIn, &facts).unwrap();
        assert_eq!(finding.exit(), Some(Exit::Unauthenticated));
        let said = text(DoctorCheck::Token, &facts);
        assert!(said.contains("one of the servers accepts it"), "{said}");
    }
}
