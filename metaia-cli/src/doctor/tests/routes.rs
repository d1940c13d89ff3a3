//! The name, the port, the server, the origin.

use super::*;
use crate::diagnosis::problem;

#[test]
fn a_name_shows_its_addresses() {
    let mut facts = good();
    insta::assert_snapshot!(
        text(DoctorCheck::Name, &facts),
        @" ✓ name       a.example → 203.0.113.7, 3 ms"
    );
    let many = (1..=6).map(|n| format!("203.0.113.{n}").parse().unwrap());
    facts.name = Some(found(Ok(many.collect())));
    insta::assert_snapshot!(text(DoctorCheck::Name, &facts), @r"
    ✓ name       a.example → 203.0.113.1, 203.0.113.2, 203.0.113.3, 203.0.113.4 and
                 2 more, 3 ms
    ");
    facts.wishes.host = "[::1]".to_owned();
    insta::assert_snapshot!(
        text(DoctorCheck::Name, &facts),
        @" ✓ name       ::1 is an address, 3 ms"
    );
    facts.name = Some(found(Err(Fault::UnknownName)));
    insta::assert_snapshot!(text(DoctorCheck::Name, &facts), @r"
    ✗ name       [::1]
                 this name has no address
                 → check the spelling of the host; a VPN may be needed to resolve
                   it
    ");
    insta::assert_snapshot!(
        text(DoctorCheck::Delivery, &facts),
        @" – delivery   not tried: name failed"
    );
}

#[test]
fn a_port_is_open_and_speaks_what_the_address_says() {
    let port = |facts: &Facts| text(DoctorCheck::Port, facts);
    let certificate = |days_left| {
        with(|answers| {
            let issuer = Some("R11".to_owned());
            answers.certificate = Some(Certificate { days_left, issuer });
        })
    };
    insta::assert_snapshot!(port(&good()), @" ✓ port       port 5000 is open, 3 ms");
    insta::assert_snapshot!(
        port(&certificate(61)),
        @" ✓ port       port 5000 is open; certificate good for 61 days (R11), 3 ms"
    );
    insta::assert_snapshot!(port(&certificate(13)), @r"
    ⚠ port       port 5000 is open; certificate good for 13 days (R11)
                 the server's certificate ends soon: then no client connects
                 → renew it
    ");
    insta::assert_snapshot!(port(&certificate(-1)), @r"
    ⚠ port       port 5000 is open; certificate has expired (R11)
                 no client connects that verifies the certificate
                 → renew it
    ");
    let mut closed = good();
    closed.port = Some(found(Err(Fault::NoAnswer(ms(2_000)))));
    insta::assert_snapshot!(port(&closed), @r"
    ✗ port       port 5000
                 no answer within 2 s
                 → the server may be stopped or busy, or a firewall drops the
                   packets; --timeout sets a longer limit
    ");
    let tls = with(|answers| {
        answers.livez = found(Err(Fault::Cut));
        answers.polled.opened = found(Err(Fault::Cut));
        answers.probed = ProbeResult::SpeaksTls;
    });
    insta::assert_snapshot!(port(&tls), @r"
    ✗ port       port 5000
                 that port expects TLS, and was asked by plain HTTP
                 → use https://a.example:5000
    ");
}

#[test]
fn a_port_whose_sockets_answer_is_good_whatever_livez_does() {
    let facts = with(|answers| answers.livez = found(Err(Fault::Cut)));
    insta::assert_snapshot!(
        text(DoctorCheck::Port, &facts),
        @" ✓ port       port 5000 is open, 3 ms"
    );
    insta::assert_snapshot!(text(DoctorCheck::Server, &facts), @r"
    ✗ server     /livez
                 the connection was closed before an answer came
                 → if the port expects TLS, use https://a.example:5000, or check
                   the port
    ");
}

#[test]
fn a_server_says_what_it_is() {
    let server = |facts: &Facts| text(DoctorCheck::Server, facts);
    insta::assert_snapshot!(
        server(&with(|answers| answers.nodes = Some(2))),
        @" ✓ server     /livez 200, /readyz 200, version 0.1.0, 2 nodes, 3 ms"
    );
    let hidden = with(|answers| answers.readyz = found(Ok(by_nginx(404))));
    insta::assert_snapshot!(
        server(&hidden),
        @" ✓ server     /livez 200, /readyz is not passed on, version 0.1.0, 3 ms"
    );
    let embedded = with(|answers| answers.livez = answered(404, ""));
    insta::assert_snapshot!(server(&embedded), @r"
    ✓ server     /livez 404: no REST interface of metaia-server, as of a server
                 that embeds the library, 3 ms
    ");
    let behind = with(|answers| {
        answers.livez = found(Ok(by_nginx(404)));
        answers.has_rest = true;
    });
    insta::assert_snapshot!(
        server(&behind),
        @" ✓ server     /livez is not passed on; /api/ is METAIA's, version 0.1.0, 3 ms"
    );
    let leaving = &problem(503, "not_ready", "The server is shutting down.");
    let leaving = with(|answers| {
        answers.readyz = found(Ok(reply(503, &[("retry-after", "1")], leaving)));
        answers.waited = Some(ms(2_000));
    });
    insta::assert_snapshot!(server(&leaving), @r"
    ✗ server     /livez 200, /readyz 503, version 0.1.0 (asked again after 2.0 s)
                 HTTP 503 (not_ready): The server is shutting down.
                 → try again in 1 s (Retry-After)
    ");
    let other = with(|answers| {
        answers.livez = found(Ok(by_nginx(404)));
        answers.polled.opened = found(Ok(by_nginx(404)));
        answers.websocket = found(Err(Fault::Reply(by_nginx(404))));
    });
    insta::assert_snapshot!(server(&other), @r"
    ✗ server     /livez 404
                 nginx answered 404 Not Found: there is no METAIA server at this
                 address
                 → check the address: a path that comes before /socket.io/ and
                   /api/ is part of --url
    ");
    let limited = with(|answers| answers.livez = found(Ok(by_nginx(429))));
    insta::assert_snapshot!(server(&limited), @r"
    ⚠ server     /livez 429
                 nginx answered 429 Too Many Requests: its limit on the rate of
                 requests was reached
                 → the limit is not METAIA's: raise it there for /socket.io/ and
                   /api/ (nginx: limit_req, its rate and burst)
    ");
    let limited = with(|answers| {
        answers.livez = found(Ok(by_nginx(429)));
        answers.has_rest = true;
    });
    assert!(server(&limited).contains("its limit on the rate"));
    let silent = with(|answers| answers.livez = found(Err(Fault::NoAnswer(ms(2_000)))));
    insta::assert_snapshot!(server(&silent), @r"
    ✗ server     /livez
                 no answer within 2 s
                 → the server may be stopped or busy, or a firewall drops the
                   packets; --timeout sets a longer limit
    ");
}

#[test]
fn an_origin_is_accepted_or_refused_by_somebody() {
    let asked = |result: Result<OriginAnswer, Fault>| {
        let mut facts = good();
        facts.wishes.asked.origin = Some("https://b.example".to_owned());
        facts.origin = Some(found(result));
        text(DoctorCheck::Origin, &facts)
    };
    let accepted = |allowed: Option<&str>| OriginAnswer {
        via: Via::Polling,
        allowed: allowed.map(str::to_owned),
    };
    insta::assert_snapshot!(
        asked(Ok(accepted(Some("https://b.example")))),
        @" ✓ origin     https://b.example is accepted, 3 ms"
    );
    insta::assert_snapshot!(asked(Ok(accepted(None))), @r#"
    ✗ origin     https://b.example is accepted, and a page of it cannot read the
                 answer
                 the answer has no Access-Control-Allow-Origin: a browser does not
                 let the page read it, so that it never connects
                 → something between removes this header, replaces it or adds
                   another one: let that of the server pass; until then,
                   transports: ["websocket"] in the client
    "#);
    let twice = accepted(Some("https://b.example, *"));
    assert!(asked(Ok(twice)).contains("of the answer is https://b.example, *"));
    let by_websocket = OriginAnswer {
        via: Via::WebSocket,
        allowed: None,
    };
    assert!(asked(Ok(by_websocket)).starts_with(" ✓ "));
    let body = &problem(403, "origin_not_allowed", "This origin is not allowed.");
    let by_server = Fault::Reply(reply(403, &[], body));
    insta::assert_snapshot!(asked(Err(by_server)), @r"
    ✗ origin     https://b.example → 403 by the METAIA server
                 HTTP 403 (origin_not_allowed): This origin is not allowed.
                 → add https://b.example to CORS_ORIGINS of the server
    ");
    insta::assert_snapshot!(asked(Err(Fault::Reply(by_nginx(403)))), @r"
    ✗ origin     https://b.example → 403 by nginx
                 nginx answered 403 Forbidden: it refuses the request
                 → the answer is not METAIA's: the proxy or a firewall refused it
    ");
    insta::assert_snapshot!(
        text(DoctorCheck::Origin, &good()),
        @" – origin     not asked for: --origin URL sends one, as a browser does"
    );
}

#[test]
fn a_server_of_another_version_is_a_warning() {
    let of = |version: &str| with(|answers| answers.version = Some(version.to_owned()));
    insta::assert_snapshot!(text(DoctorCheck::Server, &of("9.9.9")), @r"
    ⚠ server     /livez 200, /readyz 200, version 9.9.9
                 this metaia is 0.1.0: what it asks for, and what it understands,
                 may differ
                 → use the metaia of version 9.9.9, or a server of version 0.1.0
    ");
    for (version, is_warned_of) in [
        ("0.1.0", false),
        ("0.1.99", false),
        ("0.2.0", true),
        ("0.10.0", true),
        ("1.1.0", true),
        ("0.1", false),
        ("", true),
        ("x", true),
    ] {
        let said = text(DoctorCheck::Server, &of(version));
        assert_eq!(said.contains('⚠'), is_warned_of, "{said}");
    }
}
