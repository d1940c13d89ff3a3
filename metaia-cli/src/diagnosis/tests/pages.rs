//! Answers by HTTP: refusals, pages, redirects.

use super::*;

#[test]
fn pages_of_a_proxy_name_the_proxy_and_its_trouble() {
    let nginx = [("server", "nginx/1.22.1"), ("content-type", "text/html")];
    let page = "<html>\r\n<head><title>Bad Gateway</title></head>\r\n</html>";
    for (status, cause, advice) in [
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
        (
            413,
            "nginx answered 413 Payload Too Large: the body is larger",
            "client_max_body_size",
        ),
        (426, "nginx answered 426 Upgrade Required", "WebSockets"),
    ] {
        check_reply(
            reply(status, &nginx, page),
            (Exit::Unreachable, cause, advice),
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
    let busy = problem(
        503,
        "too_many_handshakes",
        "Too many clients are connecting.",
    );
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
    let unknown = problem(503, "outcome_unknown", "The outcome is not known.");
    let expected = (Exit::Unreachable, "outcome_unknown", "before you repeat it");
    check_reply(reply(503, &[("retry-after", "1")], &unknown), expected);
    let record = problem(404, "not_found", "Not found.");
    check_reply(
        reply(404, &[], &record),
        (Exit::Failed, "HTTP 404 (not_found)", ""),
    );
    let route = problem(404, "not_found", "There is no such route.");
    check_reply(
        reply(404, &[], &route),
        (Exit::Unreachable, "no such route", "check --url"),
    );
    let forbidden = problem(403, "forbidden", "Not yours.");
    check_reply(
        reply(403, &[], &forbidden),
        (Exit::Denied, "HTTP 403 (forbidden): Not yours.", "role"),
    );
    check_at(
        &asked(Via::Rest),
        Fault::Reply(reply(403, &[], &forbidden)),
        &ProbeResult::Nothing,
        (Exit::Denied, "HTTP 403 (forbidden): Not yours.", "use --as"),
    );
    let engine_io = r#"{"code":0,"message":"Transport unknown"}"#;
    check_reply(
        reply(400, &[], engine_io),
        (Exit::Unreachable, "HTTP 400 (0): Transport unknown", ""),
    );
}

#[test]
fn another_json_api_is_no_metaia_server() {
    for body in [
        r#"{"statusCode":404,"message":"Cannot GET /livez"}"#,
        r#"{"message":"Not Found"}"#,
        r#"{"detail":"Not Found"}"#,
        r#"{"code":"not_found","detail":"There is no such route."}"#,
        r#"{"code":5,"message":"Not Found","details":[]}"#,
        r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"No."}"#,
        r#"{"type":"about:blank","status":400,"code":"not_found","detail":"No."}"#,
        "{}",
    ] {
        let expected = "the server answered 404 Not Found: another program answers";
        let expected = (Exit::Unreachable, expected, "check the address");
        check_reply(reply(404, &[], body), expected);
    }
    let gateway = r#"{"message":"Unauthorized"}"#;
    let expected = "the server answered 401 Unauthorized: it asks for credentials of its own";
    let expected = (Exit::Unauthenticated, expected, "not METAIA's");
    check_reply(reply(401, &[], gateway), expected);
    let gateway = r#"{"message":"Missing Authentication Token"}"#;
    let expected = "the server answered 403 Forbidden: it refuses the request";
    check_reply(
        reply(403, &[], gateway),
        (Exit::Denied, expected, "not METAIA's"),
    );
}

#[test]
fn wrong_fields_and_request_ids_are_shown() {
    let problem = r#"{"type":"about:blank","status":422,"code":"invalid_body",
        "detail":"The body is not an order.",
        "errors":[{"pointer":"/items/0/price","message":"must be positive"}]}"#;
    let cause = "HTTP 422 (invalid_body): The body is not an order.; \
                 /items/0/price must be positive";
    check_reply(reply(422, &[], problem), (Exit::Failed, cause, ""));
    let mentioned = r#"{"type":"about:blank","status":422,"code":"validation_failed",
        "detail":"/a: must be positive",
        "errors":[{"pointer":"/a","message":"must be positive"}]}"#;
    let found = diagnose(
        &asked(Via::Rest),
        &Fault::Reply(reply(422, &[], mentioned)),
        &ProbeResult::Nothing,
    );
    assert_eq!(
        found.cause,
        "HTTP 422 (validation_failed): /a: must be positive"
    );
    let internal = r#"{"type":"about:blank","title":"Internal","status":500,"detail":"Internal.",
        "code":"internal","requestId":"r1"}"#;
    check_reply(
        reply(500, &[], internal),
        (
            Exit::Failed,
            "HTTP 500 (internal): Internal.",
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
    let whole = reply(503, &[], &problem(503, "too_many_sessions", "Full."));
    assert_eq!(
        probes(&asked(Via::WebSocket), &Fault::Reply(cut.clone())),
        [Probe::Polling]
    );
    let expected = (Exit::Unreachable, "HTTP 503 (too_many_sessions): Full.", "");
    let probed = ProbeResult::Reply(whole);
    check_at(&asked(Via::WebSocket), Fault::Reply(cut), &probed, expected);
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
            Fault::Reply(moved),
            &ProbeResult::Nothing,
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
fn a_server_that_embeds_the_library_has_no_rest_interface() {
    let fault = || Fault::Reply(reply(404, &[], ""));
    let expected = (Exit::Unreachable, "no REST interface", "embeds the library");
    check_at(&asked(Via::Rest), fault(), &ProbeResult::Nothing, expected);
    let expected = (Exit::Unreachable, "there is no METAIA server", "--url");
    check_at(
        &asked(Via::Polling),
        fault(),
        &ProbeResult::Nothing,
        expected,
    );
}

#[test]
fn a_refusal_of_engine_io_says_what_to_do() {
    let moved = reply(400, &[], r#"{"code":1,"message":"Session ID unknown"}"#);
    let expected = (
        Exit::Unreachable,
        "HTTP 400 (1): Session ID unknown",
        "hash $remote_addr consistent;",
    );
    check_reply(moved, expected);
    let no_polling = Fault::Reply(reply(400, &[], r#"{"code":3,"message":"Bad request"}"#));
    let expected = (
        Exit::Unreachable,
        "HTTP 400 (3): Bad request",
        "METAIA_TRANSPORTS",
    );
    let nothing = ProbeResult::Nothing;
    check_at(&asked(Via::Polling), no_polling, &nothing, expected);
}

#[test]
fn sockets_that_are_not_passed_on_beside_rest_get_the_lines_of_nginx() {
    let page = Fault::Reply(reply(404, &[("server", "nginx")], "<html>"));
    let expected = (
        Exit::Unreachable,
        "/socket.io/ is not",
        "location /socket.io/ {",
    );
    let rest = ProbeResult::RestAnswers;
    check_at(&asked(Via::Polling), page, &rest, expected);
}

#[test]
fn a_limit_of_a_proxy_is_not_one_of_the_server() {
    let nginx = ("server", "nginx/1.22.1");
    let limited = reply(429, &[nginx], "<html>");
    let cause = "nginx answered 429 Too Many Requests: its limit on the rate";
    check_reply(limited, (Exit::Unreachable, cause, "limit_req"));
    let named = reply(429, &[nginx, ("retry-after", "3")], "<html>");
    check_reply(
        named,
        (
            Exit::Unreachable,
            cause,
            "try again in 3 s (Retry-After); the limit",
        ),
    );
}

#[test]
fn a_proxy_that_wants_a_certificate_of_the_client_is_named() {
    let nginx = [("server", "nginx/1.22.1")];
    let page = "<html><head><title>400 No required SSL certificate was sent</title></head>";
    for wants in [reply(400, &nginx, page), reply(496, &nginx, "")] {
        let expected = (
            Exit::Unreachable,
            "certificate of the client",
            "ssl_verify_client",
        );
        check_reply(wants, expected);
    }
}

#[test]
fn a_query_that_does_not_arrive_names_the_line_of_nginx() {
    for (code, text) in [
        (0, "Transport unknown"),
        (2, "Bad handshake method"),
        (5, "Unsupported protocol version"),
    ] {
        let body = format!(r#"{{"code":{code},"message":"{text}"}}"#);
        check_reply(
            reply(400, &[], &body),
            (Exit::Unreachable, text, "proxy_pass http://127.0.0.1:5000;"),
        );
    }
}
