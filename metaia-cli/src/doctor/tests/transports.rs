//! Polling and WebSockets.

use super::*;

fn polling(facts: &Facts) -> String {
    text(DoctorCheck::Polling, facts)
}

fn websocket(facts: &Facts) -> String {
    text(DoctorCheck::WebSocket, facts)
}

#[test]
fn polling_needs_a_session_that_stays_at_one_node() {
    insta::assert_snapshot!(
        polling(&good()),
        @" ✓ polling    handshake 200, upgrades offered: websocket, 3 ms"
    );
    let moved = with(|answers| {
        let unknown = r#"{"code":1,"message":"Session ID unknown"}"#;
        answers.polled.kept = Err(Fault::Reply(reply(400, &[], unknown)));
    });
    insta::assert_snapshot!(polling(&moved), @r#"
    ✗ polling    handshake 200; a later request of the session failed
                 HTTP 400 (1): Session ID unknown
                 → the proxy sends the requests of one session to several nodes, or
                   the node was started anew. Sticky sessions in nginx, in the
                   upstream of /socket.io/:
                     hash $remote_addr consistent;
                   or let clients use WebSockets alone: transports: ["websocket"],
                   --transport websocket
    "#);
    let off = || {
        with(|answers| {
            answers.polled.opened = answered(400, r#"{"code":3,"message":"Bad request"}"#);
        })
    };
    insta::assert_snapshot!(polling(&off()), @r#"
    ✗ polling    handshake 400
                 HTTP 400 (3): Bad request
                 → METAIA_TRANSPORTS of the server leaves polling out: use
                   WebSockets alone, by transports: ["websocket"] in the client,
                   --transport websocket of metaia
    "#);
    let mut alone = off();
    alone.wishes.transport = Some(Transport::WebSocket);
    insta::assert_snapshot!(
        polling(&alone).lines().next().unwrap(),
        @" ⚠ polling    handshake 400"
    );
}

#[test]
fn a_socket_that_is_not_passed_on_is_told_from_a_server_that_is_away() {
    let rest_alone = with(|answers| {
        answers.livez = found(Ok(by_nginx(404)));
        answers.has_rest = true;
        answers.polled.opened = found(Ok(by_nginx(404)));
        answers.websocket = found(Err(Fault::Reply(by_nginx(404))));
    });
    insta::assert_snapshot!(polling(&rest_alone), @r#"
    ✗ polling    handshake 404
                 nginx answered 404 Not Found: /api/ is passed on to a METAIA
                 server, and /socket.io/ is not
                 → the lines that nginx needs, with the address of the server:
                     location /socket.io/ {
                       proxy_pass http://127.0.0.1:5000;
                       proxy_http_version 1.1;
                       proxy_set_header Upgrade $http_upgrade;
                       proxy_set_header Connection "upgrade";
                     }
    "#);
    assert!(websocket(&rest_alone).contains("location /socket.io/"));
    let down = with(|answers| answers.polled.opened = found(Ok(by_nginx(502))));
    insta::assert_snapshot!(polling(&down), @r"
    ✗ polling    handshake 502
                 nginx answered 502 Bad Gateway: it cannot reach the server behind
                 it
                 → check that metaia-server runs, and that the proxy has its
                   address
    ");
}

#[test]
fn a_websocket_opens_directly_and_by_an_upgrade() {
    insta::assert_snapshot!(
        websocket(&good()),
        @" ✓ websocket  handshake 101; a polling session upgrades to it, 3 ms"
    );
    let not_upgraded = with(|answers| {
        answers.polled.upgraded = Some(Err(Fault::NoAnswer(ms(2_000))));
    });
    insta::assert_snapshot!(websocket(&not_upgraded), @r"
    ⚠ websocket  handshake 101; the upgrade of a polling session failed: no answer
                 within 2 s
                 clients that begin with polling stay with it, and lose nothing
                 → something between opens WebSockets and does not pass their
                   frames on, such as a proxy that buffers or a virus scanner: let
                   it pass them; until then, use --transport polling
    ");
    let untried = with(|answers| answers.polled.upgraded = None);
    let said = websocket(&untried);
    assert!(
        said.contains("the upgrade of a polling session was not tried"),
        "{said}"
    );
    let alone = with(|answers| {
        answers.polled.upgraded = None;
        answers.polled.opened = found(Ok(by_nginx(404)));
    });
    insta::assert_snapshot!(
        websocket(&alone),
        @" ✓ websocket  handshake 101; no polling session to upgrade, 3 ms"
    );
}

#[test]
fn a_websocket_that_is_not_passed_on_names_the_lines_of_nginx() {
    let stripped = || with(|answers| answers.websocket = found(Err(Fault::Reply(by_nginx(400)))));
    insta::assert_snapshot!(websocket(&stripped()), @r#"
    ✗ websocket  handshake 400 by nginx
                 polling works, the WebSocket does not: something between does not
                 pass "Upgrade" on
                 → the lines that nginx needs:
                     proxy_http_version 1.1;
                     proxy_set_header Upgrade $http_upgrade;
                     proxy_set_header Connection "upgrade";
                   until then, use --transport polling
    "#);
    let mut polls = stripped();
    polls.wishes.transport = Some(Transport::Polling);
    assert!(websocket(&polls).starts_with(" ⚠ "));
    let off = with(|answers| {
        answers.polled.opened = answered(200, &OPEN.replace("\"websocket\"", ""));
        answers.websocket = found(Err(Fault::Reply(reply(400, &[], "{}"))));
    });
    insta::assert_snapshot!(websocket(&off), @r"
    ✗ websocket  handshake 400 by the server
                 the server offers no WebSockets: polling works
                 → METAIA_TRANSPORTS of the server leaves websocket out; until
                   then, use --transport polling
    ");
    assert!(polling(&off).contains("no upgrade offered"));
}

#[test]
fn an_answer_that_opens_no_session_is_a_problem() {
    let damaged = with(|answers| {
        answers.polled.opened = answered(200, &OPEN.replace("sid", "SID"));
        answers.polled.upgraded = None;
    });
    insta::assert_snapshot!(polling(&damaged), @r"
    ✗ polling    handshake 200, which opens no session
                 the packet that opens the session is damaged: missing field `sid`
                 → something between changes the bodies of answers, such as
                   sub_filter of nginx: let those of /socket.io/ pass unchanged
    ");
    assert_eq!(damaged.working_transport(), Some(Transport::WebSocket));
}

#[test]
fn a_websocket_that_is_opened_in_vain_is_not_one_that_is_not_passed_on() {
    let cut = with(|answers| answers.websocket = found(Err(Fault::CutWebSocket)));
    insta::assert_snapshot!(websocket(&cut), @r"
    ✗ websocket  handshake 101
                 polling works, the WebSocket does not: it is opened (101), and
                 then cut
                 → something between opens WebSockets and cuts them, such as a
                   proxy or a virus scanner: let it pass their frames; until then,
                   use --transport polling
    ");
}
