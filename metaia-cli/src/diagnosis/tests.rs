//! The table of cases: what was seen, and the cause, the cure and the exit code.

use std::time::Duration;

use super::trouble::CertificateFlaw;
use super::*;
use crate::exit::Exit;

pub(super) fn asked(via: Via) -> Asked {
    let path = match via {
        Via::Rest => "/api/orders",
        Via::WebSocket | Via::Polling => "/socket.io/",
    };
    Asked {
        base: "http://a.example".to_owned(),
        path: path.to_owned(),
        via,
        token: TokenKind::Minted,
        origin: None,
        has_own_certificates: false,
        proxy: None,
    }
}

fn by_tls() -> Asked {
    Asked {
        base: "https://a.example".to_owned(),
        ..asked(Via::WebSocket)
    }
}

fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> HttpReply {
    let headers = headers.iter();
    HttpReply {
        status,
        headers: headers
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: body.to_owned(),
        is_complete: true,
        read_at: 1_700_000_000_000,
    }
}

fn polling_works() -> SecondLook {
    SecondLook::Reply(reply(200, &[], r#"0{"sid":"a"}"#))
}

/// Checks the exit code, and that cause and cure contain these parts.
#[track_caller]
fn check_at(asked: &Asked, trouble: Trouble, second: &SecondLook, expected: (Exit, &str, &str)) {
    let found = diagnose(asked, &trouble, second);
    let (exit, cause, cure) = expected;
    assert_eq!(found.exit, exit, "{found:?}");
    assert!(found.cause.contains(cause), "{found:?}");
    let found_cure = found.cure.clone().unwrap_or_default();
    assert!(found_cure.contains(cure), "{found:?}");
    assert!(!found.cause.contains('<'), "{found:?}");
}

#[track_caller]
fn check(trouble: Trouble, expected: (Exit, &str, &str)) {
    check_at(
        &asked(Via::WebSocket),
        trouble,
        &SecondLook::Nothing,
        expected,
    );
}

/// The same answer means the same for sockets and REST.
#[track_caller]
fn check_reply(reply: HttpReply, expected: (Exit, &str, &str)) {
    for via in [Via::Rest, Via::WebSocket, Via::Polling] {
        let trouble = Trouble::Reply(reply.clone());
        check_at(&asked(via), trouble, &SecondLook::Nothing, expected);
    }
}

#[test]
fn an_address_without_a_server_is_no_connection() {
    let listens = "check that the server is running";
    check(
        Trouble::NothingListens,
        (Exit::Unreachable, "nobody listens", listens),
    );
    check(
        Trouble::UnknownName,
        (Exit::Unreachable, "no address", "spelling"),
    );
    let no_route = Trouble::NoRoute("No route to host (os error 113)".to_owned());
    check(no_route, (Exit::Unreachable, "No route to host", "VPN"));
}

#[test]
fn silence_is_a_time_out_for_sockets_and_rest() {
    for via in [Via::Rest, Via::WebSocket] {
        let silence = Trouble::NoAnswer(Duration::from_millis(1_500));
        let expected = (Exit::TimedOut, "within 1.5 s", "--timeout");
        check_at(&asked(via), silence, &SecondLook::Nothing, expected);
    }
}

#[test]
fn tls_at_a_plain_port_names_the_other_address() {
    let plain = "use http://a.example";
    for (second, cause) in [
        (SecondLook::SpeaksPlainHttp, "speaks plain HTTP"),
        (SecondLook::Nothing, "does not speak TLS"),
    ] {
        let expected = (Exit::Unreachable, cause, plain);
        check_at(&by_tls(), Trouble::NotTls, &second, expected);
    }
}

#[test]
fn plain_http_at_a_tls_port_names_the_other_address() {
    let expected = (Exit::Unreachable, "expects TLS", "use https://a.example");
    for trouble in [Trouble::Cut, Trouble::NotHttp] {
        check_at(
            &asked(Via::WebSocket),
            trouble,
            &SecondLook::SpeaksTls,
            expected,
        );
    }
    for body in [
        "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head>",
        "Client sent an HTTP request to an HTTPS server.\n",
        "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
    ] {
        check_reply(reply(400, &[("server", "nginx/1.22.1")], body), expected);
    }
}

#[test]
fn a_connection_that_is_cut_may_have_expected_tls() {
    check(
        Trouble::Cut,
        (Exit::Unreachable, "was closed", "https://a.example"),
    );
    check(
        Trouble::NotHttp,
        (Exit::Unreachable, "not HTTP", "https://a.example"),
    );
}

#[test]
fn a_websocket_that_is_not_passed_on_is_told_from_a_server_that_is_away() {
    let refused = Trouble::Reply(reply(400, &[], ""));
    let protocol = Trouble::Protocol("no Upgrade".to_owned());
    for trouble in [Trouble::Cut, protocol, refused] {
        let cause = "polling works, the WebSocket does not";
        let expected = (Exit::Unreachable, cause, "proxy_set_header Upgrade");
        check_at(&asked(Via::WebSocket), trouble, &polling_works(), expected);
    }
    let away = SecondLook::Reply(reply(502, &[("server", "nginx")], "<html>"));
    let expected = (Exit::Unreachable, "502 Bad Gateway", "proxy");
    check_at(&asked(Via::WebSocket), Trouble::Cut, &away, expected);
}

#[test]
fn pages_of_a_proxy_name_the_proxy_and_its_trouble() {
    let nginx = [("server", "nginx/1.22.1"), ("content-type", "text/html")];
    let page = "<html>\r\n<head><title>Bad Gateway</title></head>\r\n</html>";
    for (status, cause, cure) in [
        (
            404,
            "nginx answered 404 Not Found: there is no METAIA server",
            "--url",
        ),
        (
            502,
            "nginx answered 502 Bad Gateway: it cannot reach",
            "metaia-server runs",
        ),
        (
            503,
            "nginx answered 503 Service Unavailable",
            "metaia-server runs",
        ),
        (504, "nginx answered 504 Gateway Timeout", "overloaded"),
        (
            500,
            "nginx answered 500 Internal Server Error: Bad Gateway",
            "METAIA server",
        ),
        (
            200,
            "nginx answered 200 OK: the answer is not",
            "METAIA server",
        ),
        (426, "nginx answered 426 Upgrade Required", "WebSockets"),
    ] {
        check_reply(
            reply(status, &nginx, page),
            (Exit::Unreachable, cause, cure),
        );
    }
    let denied = (Exit::Denied, "nginx answered 403 Forbidden", "proxy");
    check_reply(reply(403, &nginx, page), denied);
    let unknown = (
        Exit::Unauthenticated,
        "nginx answered 401 Unauthorized",
        "--header",
    );
    check_reply(reply(401, &nginx, page), unknown);
}

#[test]
fn a_page_without_a_server_header_is_the_servers() {
    let teapot = reply(418, &[], "short and stout\n");
    let expected = "the server answered 418 I'm a teapot: short and stout";
    check_reply(teapot, (Exit::Unreachable, expected, ""));
    let silent = reply(999, &[], "");
    check_reply(
        silent,
        (Exit::Unreachable, "answered 999: it gave no reason", ""),
    );
}

#[test]
fn a_refusal_of_the_server_shows_its_code_and_text() {
    let problem = |code: &str, detail: &str| format!(r#"{{"code":"{code}","detail":"{detail}"}}"#);
    let busy = problem("too_many_handshakes", "Too many clients are connecting.");
    check_reply(
        reply(503, &[("retry-after", "2")], &busy),
        (
            Exit::Unreachable,
            "HTTP 503 (too_many_handshakes): Too many clients are connecting.",
            "try again in 2 s (Retry-After)",
        ),
    );
    let date = "Wed, 21 Oct 2015 07:28:00 GMT";
    check_reply(
        reply(503, &[("retry-after", date)], &busy),
        (Exit::Unreachable, "HTTP 503", date),
    );
    let record = problem("not_found", "Not found.");
    check_reply(
        reply(404, &[], &record),
        (Exit::Failed, "HTTP 404 (not_found)", ""),
    );
    let route = problem("not_found", "There is no such route.");
    check_reply(
        reply(404, &[], &route),
        (Exit::Unreachable, "no such route", "check --url"),
    );
    let forbidden = problem("forbidden", "Not yours.");
    check_reply(
        reply(403, &[], &forbidden),
        (Exit::Denied, "HTTP 403 (forbidden): Not yours.", "role"),
    );
    let engine_io = r#"{"code":"0","message":"Transport unknown"}"#;
    check_reply(
        reply(400, &[], engine_io),
        (Exit::Unreachable, "HTTP 400 (0): Transport unknown", ""),
    );
}

#[test]
fn wrong_fields_and_request_ids_are_shown() {
    let problem = r#"{"detail":"The body is not an order.","code":"invalid_body",
        "errors":[{"pointer":"/items/0/price","message":"must be positive"}]}"#;
    let cause = "HTTP 422 (invalid_body): The body is not an order.; \
                 /items/0/price must be positive";
    check_reply(reply(422, &[], problem), (Exit::Failed, cause, ""));
    let mentioned = r#"{"detail":"/a: must be positive",
        "errors":[{"pointer":"/a","message":"must be positive"}]}"#;
    let found = diagnose(
        &asked(Via::Rest),
        &Trouble::Reply(reply(422, &[], mentioned)),
        &SecondLook::Nothing,
    );
    assert_eq!(found.cause, "HTTP 422: /a: must be positive");
    let internal = r#"{"title":"Internal","code":"internal","requestId":"r1"}"#;
    check_reply(
        reply(500, &[], internal),
        (
            Exit::Failed,
            "HTTP 500 (internal): Internal",
            "request id r1",
        ),
    );
}

#[test]
fn a_body_whose_end_is_missing_is_taken_from_the_second_answer() {
    let cut = HttpReply {
        is_complete: false,
        ..reply(503, &[], r#"{"code":"too_ma"#)
    };
    let whole = reply(503, &[], r#"{"code":"too_many_sessions","detail":"Full."}"#);
    assert_eq!(
        looks(&asked(Via::WebSocket), &Trouble::Reply(cut.clone())),
        [Look::Polling]
    );
    let expected = (Exit::Unreachable, "HTTP 503 (too_many_sessions): Full.", "");
    let second = SecondLook::Reply(whole);
    check_at(
        &asked(Via::WebSocket),
        Trouble::Reply(cut),
        &second,
        expected,
    );
}

#[test]
fn a_redirect_names_its_target_for_sockets_and_rest() {
    for via in [Via::Rest, Via::WebSocket] {
        let location = format!("https://a.example{}", asked(via).path);
        let moved = reply(301, &[("location", &location)], "<html>");
        let expected = (
            Exit::Unreachable,
            location.as_str(),
            "--url https://a.example",
        );
        check_at(
            &asked(via),
            Trouble::Reply(moved),
            &SecondLook::Nothing,
            expected,
        );
    }
    check_reply(
        reply(302, &[("location", "/login")], ""),
        (
            Exit::Unreachable,
            "redirects to /login",
            "check the address",
        ),
    );
    check_reply(
        reply(307, &[], ""),
        (Exit::Unreachable, "a redirect without its target", ""),
    );
}

#[test]
fn a_wrong_origin_names_the_setting() {
    let body = r#"{"code":"origin_not_allowed","detail":"This origin is not allowed."}"#;
    let asked = Asked {
        origin: Some("https://b.example".to_owned()),
        ..asked(Via::WebSocket)
    };
    let expected = (
        Exit::Denied,
        "origin_not_allowed",
        "https://b.example to CORS_ORIGINS",
    );
    let trouble = Trouble::Reply(reply(403, &[], body));
    check_at(&asked, trouble, &SecondLook::Nothing, expected);
}

/// The server's clock is 65 min ahead.
fn an_hour_ahead() -> HttpReply {
    reply(200, &[("date", "Tue, 14 Nov 2023 23:18:20 GMT")], "")
}

#[test]
fn a_refused_token_shows_a_wrong_clock() {
    let expired = || Trouble::Refused("token_expired".to_owned());
    let cause = "token_expired; this machine's clock is 65 min behind the server's";
    check_at(
        &asked(Via::WebSocket),
        expired(),
        &SecondLook::Reply(an_hour_ahead()),
        (Exit::Unauthenticated, cause, "set this machine's clock"),
    );
    let body = r#"{"code":"token_expired","detail":"The token expired."}"#;
    let unauthorized = HttpReply {
        status: 401,
        body: body.to_owned(),
        ..an_hour_ahead()
    };
    check_reply(
        unauthorized,
        (Exit::Unauthenticated, "clock is 65 min behind", "clock"),
    );
    let agreed = SecondLook::Reply(reply(200, &[("date", "Tue, 14 Nov 2023 22:13:20 GMT")], ""));
    let expected = (
        Exit::Unauthenticated,
        "token_expired",
        "a new token was minted",
    );
    check_at(&asked(Via::WebSocket), expired(), &agreed, expected);
}

#[test]
fn the_hint_for_a_token_depends_on_its_source() {
    let supplied = Asked {
        token: TokenKind::Supplied,
        ..asked(Via::WebSocket)
    };
    for (code, exit, minted, other) in [
        (
            "token_expired",
            Exit::Unauthenticated,
            "clock",
            "metaia token mint",
        ),
        (
            "unauthorized",
            Exit::Unauthenticated,
            "JWT_SECRET",
            "metaia token inspect",
        ),
        ("forbidden", Exit::Denied, "role", "role"),
        ("too_many_sessions", Exit::Unauthenticated, "", ""),
    ] {
        let refused = || Trouble::Refused(code.to_owned());
        check(refused(), (exit, code, minted));
        check_at(
            &supplied,
            refused(),
            &SecondLook::Nothing,
            (exit, code, other),
        );
    }
}

#[test]
fn certificates_have_a_hint_each() {
    for (flaw, cause, cure) in [
        (CertificateFlaw::SelfSigned, "self-signed", "--cacert"),
        (
            CertificateFlaw::UnknownAuthority,
            "not trusted",
            "--insecure",
        ),
        (
            CertificateFlaw::OtherName(vec!["b.example".to_owned()]),
            "b.example",
            "a name of",
        ),
        (CertificateFlaw::Expired, "expired", "renew"),
        (CertificateFlaw::NotYetValid, "not valid yet", "clock"),
    ] {
        let expected = (Exit::Unreachable, cause, cure);
        check_at(
            &by_tls(),
            Trouble::Certificate(flaw),
            &SecondLook::Nothing,
            expected,
        );
    }
    let with_file = Asked {
        has_own_certificates: true,
        ..by_tls()
    };
    let expected = (
        Exit::Unreachable,
        "not trusted",
        "the file of --cacert contains neither",
    );
    let trouble = Trouble::Certificate(CertificateFlaw::UnknownAuthority);
    check_at(&with_file, trouble, &SecondLook::Nothing, expected);
}

#[test]
fn a_proxy_that_is_not_used_is_named() {
    let behind = Asked {
        proxy: Some("HTTPS_PROXY".to_owned()),
        ..by_tls()
    };
    let expected = (Exit::Unreachable, "nobody listens", "HTTPS_PROXY is set");
    check_at(
        &behind,
        Trouble::NothingListens,
        &SecondLook::Nothing,
        expected,
    );
}

#[test]
fn a_second_question_is_asked_only_if_it_can_help() {
    let plain = asked(Via::WebSocket);
    assert_eq!(looks(&plain, &Trouble::Cut), [Look::Tls, Look::Polling]);
    assert_eq!(looks(&by_tls(), &Trouble::NotTls), [Look::PlainHttp]);
    assert_eq!(looks(&asked(Via::Rest), &Trouble::Cut), [Look::Tls]);
    for trouble in [
        Trouble::NothingListens,
        Trouble::Refused("forbidden".to_owned()),
        Trouble::Reply(reply(503, &[], "{}")),
        Trouble::Reply(reply(301, &[], "")),
    ] {
        assert!(looks(&plain, &trouble).is_empty(), "{trouble:?}");
    }
    let by_rest = asked(Via::Rest);
    assert!(looks(&by_rest, &Trouble::Reply(reply(404, &[], ""))).is_empty());
}
