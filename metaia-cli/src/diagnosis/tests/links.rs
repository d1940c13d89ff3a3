//! Connections: ports, TLS, certificates, WebSockets.

use std::time::Duration;

use super::super::fault::CertificateFlaw;
use super::*;

#[test]
fn an_address_without_a_server_is_no_connection() {
    let listens = "check that the server is running";
    check(
        Fault::NothingListens,
        (Exit::Unreachable, "no program listens", listens),
    );
    check(
        Fault::UnknownName,
        (Exit::Unreachable, "no address", "spelling"),
    );
    let no_route = Fault::NoRoute("No route to host (os error 113)".to_owned());
    check(no_route, (Exit::Unreachable, "No route to host", "VPN"));
}

#[test]
fn silence_is_a_time_out_for_sockets_and_rest() {
    for via in [Via::Rest, Via::WebSocket] {
        let silence = Fault::NoAnswer(Duration::from_millis(1_500));
        let expected = (Exit::TimedOut, "within 1.5 s", "--timeout");
        check_at(&asked(via), silence, &ProbeResult::Nothing, expected);
    }
}

#[test]
fn tls_at_a_plain_port_names_the_other_address() {
    let plain = "use http://a.example";
    for (probed, cause) in [
        (ProbeResult::SpeaksPlainHttp, "speaks plain HTTP"),
        (ProbeResult::Nothing, "does not speak TLS"),
    ] {
        let expected = (Exit::Unreachable, cause, plain);
        check_at(&by_tls(), Fault::NotTls, &probed, expected);
    }
}

#[test]
fn plain_http_at_a_tls_port_names_the_other_address() {
    let expected = (Exit::Unreachable, "expects TLS", "use https://a.example");
    for fault in [Fault::Cut, Fault::NotHttp] {
        check_at(
            &asked(Via::WebSocket),
            fault,
            &ProbeResult::SpeaksTls,
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
        Fault::Cut,
        (Exit::Unreachable, "was closed", "https://a.example"),
    );
    check(
        Fault::NotHttp,
        (Exit::Unreachable, "not HTTP", "https://a.example"),
    );
}

#[test]
fn a_websocket_that_is_not_passed_on_is_told_from_a_server_that_is_away() {
    let refused = Fault::Reply(reply(400, &[], ""));
    let protocol = Fault::Protocol("no Upgrade".to_owned());
    for fault in [Fault::Cut, protocol, refused] {
        let cause = "polling works, the WebSocket does not";
        let expected = (Exit::Unreachable, cause, "proxy_set_header Upgrade");
        check_at(&asked(Via::WebSocket), fault, &polling_works(), expected);
    }
    let page = ProbeResult::Reply(reply(200, &[("server", "shop/2")], "<html>"));
    let old_http = Fault::Protocol("HTTP version must be 1.1 or higher".to_owned());
    let expected = (Exit::Unreachable, "shop answered 200 OK", "METAIA server");
    check_at(&asked(Via::WebSocket), old_http, &page, expected);
    let away = ProbeResult::Reply(reply(502, &[("server", "nginx")], "<html>"));
    let expected = (Exit::Unreachable, "502 Bad Gateway", "proxy");
    check_at(&asked(Via::WebSocket), Fault::Cut, &away, expected);
}

#[test]
fn certificates_have_a_hint_each() {
    for (flaw, cause, advice) in [
        (CertificateFlaw::SelfSigned, "self-signed", "--cacert"),
        (
            CertificateFlaw::UnknownAuthority,
            "not trusted",
            "--insecure",
        ),
        (
            CertificateFlaw::OtherSignature,
            "not signed by the trusted authority",
            "--cacert",
        ),
        (
            CertificateFlaw::Other("bad encoding".to_owned()),
            "bad encoding",
            "--cacert",
        ),
        (
            CertificateFlaw::OtherName(vec!["b.example".to_owned()]),
            "b.example",
            "a name of",
        ),
        (CertificateFlaw::Expired, "expired", "renew"),
        (CertificateFlaw::NotYetValid, "not valid yet", "clock"),
    ] {
        let expected = (Exit::Unreachable, cause, advice);
        check_at(
            &by_tls(),
            Fault::Certificate(flaw),
            &ProbeResult::Nothing,
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
    let fault = Fault::Certificate(CertificateFlaw::UnknownAuthority);
    check_at(&with_file, fault, &ProbeResult::Nothing, expected);
}

#[test]
fn a_proxy_that_is_not_used_is_named() {
    let behind = Asked {
        proxy: Some("HTTPS_PROXY".to_owned()),
        ..by_tls()
    };
    let expected = (
        Exit::Unreachable,
        "no program listens",
        "HTTPS_PROXY is set",
    );
    check_at(
        &behind,
        Fault::NothingListens,
        &ProbeResult::Nothing,
        expected,
    );
}

#[test]
fn a_failed_upgrade_names_the_lines_of_nginx_only_if_they_may_help() {
    for (reason, is_named) in [
        (r#"the server answered HTTP 400: {"code":3}"#, true),
        ("the server answered HTTP 426", true),
        ("the server answered HTTP 503: busy", false),
        ("the server answered HTTP 403", false),
        ("the server answered HTTP é", false),
        ("no answer within 5000 ms", false),
        ("", false),
    ] {
        assert_eq!(upgrade_advice(reason).is_some(), is_named, "{reason}");
    }
}

#[test]
fn a_probe_is_sent_only_if_it_can_help() {
    let plain = asked(Via::WebSocket);
    assert_eq!(probes(&plain, &Fault::Cut), [Probe::Tls, Probe::Polling]);
    assert_eq!(probes(&by_tls(), &Fault::NotTls), [Probe::PlainHttp]);
    assert_eq!(probes(&asked(Via::Rest), &Fault::Cut), [Probe::Tls]);
    for fault in [
        Fault::NothingListens,
        refused("forbidden"),
        Fault::Reply(reply(503, &[], "{}")),
        Fault::Reply(reply(301, &[], "")),
    ] {
        assert!(probes(&plain, &fault).is_empty(), "{fault:?}");
    }
    let by_rest = asked(Via::Rest);
    assert!(probes(&by_rest, &Fault::Reply(reply(404, &[], ""))).is_empty());
}

#[test]
fn a_websocket_without_frames_is_told_from_one_that_is_not_offered() {
    let silence = Fault::NoAnswer(Duration::from_secs(2));
    let expected = (Exit::TimedOut, "of the WebSocket nothing came", "frames");
    check_at(&asked(Via::WebSocket), silence, &polling_works(), expected);
    let alone = ProbeResult::Reply(reply(200, &[], r#"0{"sid":"a","upgrades":[]}"#));
    for fault in [Fault::Cut, Fault::Reply(reply(400, &[], ""))] {
        let expected = (
            Exit::Unreachable,
            "offers no WebSockets",
            "METAIA_TRANSPORTS",
        );
        check_at(&asked(Via::WebSocket), fault, &alone, expected);
    }
}

#[test]
fn a_websocket_that_is_cut_behind_its_101_is_told_from_one_that_is_not_passed_on() {
    assert_eq!(
        probes(&asked(Via::WebSocket), &Fault::CutWebSocket),
        [Probe::Polling]
    );
    for probed in [polling_works(), ProbeResult::Nothing] {
        let expected = (Exit::Unreachable, "opened (101), and then cut", "frames");
        check_at(
            &asked(Via::WebSocket),
            Fault::CutWebSocket,
            &probed,
            expected,
        );
    }
}

#[test]
fn a_step_without_time_names_the_option() {
    let used_up = Fault::TimeUsedUp(Duration::from_millis(100));
    check(
        used_up,
        (
            Exit::TimedOut,
            "within 0.1 s: the steps before",
            "--timeout 60s",
        ),
    );
}

#[test]
fn a_certificate_of_the_client_that_is_wanted_is_named() {
    let alert = Fault::Tls("received fatal alert: CertificateRequired".to_owned());
    let expected = (
        Exit::Unreachable,
        "certificate of the client",
        "ssl_verify_client",
    );
    check_at(&by_tls(), alert, &ProbeResult::Nothing, expected);
}
