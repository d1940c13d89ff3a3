//! Tokens, origins and clocks.

use super::*;

#[test]
fn a_wrong_origin_names_the_setting() {
    let body = &problem(403, "origin_not_allowed", "This origin is not allowed.");
    let asked = Asked {
        origin: Some("https://b.example".to_owned()),
        ..asked(Via::WebSocket)
    };
    let expected = (
        Exit::Denied,
        "origin_not_allowed",
        "https://b.example to CORS_ORIGINS",
    );
    let fault = Fault::Reply(reply(403, &[], body));
    check_at(&asked, fault, &ProbeResult::Nothing, expected);
}

#[test]
fn an_origin_with_a_slash_is_not_what_a_browser_sends() {
    let body = &problem(403, "origin_not_allowed", "This origin is not allowed.");
    let asked = Asked {
        origin: Some("https://b.example/".to_owned()),
        ..asked(Via::WebSocket)
    };
    let fault = Fault::Reply(reply(403, &[], body));
    let found = diagnose(&asked, &fault, &ProbeResult::Nothing);
    let advice = found.advice.unwrap();
    assert!(
        advice.ends_with("use --origin https://b.example"),
        "{advice}"
    );
}

/// The server's clock is 65 min ahead.
fn an_hour_ahead() -> HttpReply {
    reply(200, &[("date", "Tue, 14 Nov 2023 23:18:20 GMT")], "")
}

#[test]
fn a_refused_token_shows_a_wrong_clock() {
    let expired = || refused("token_expired");
    let cause = "; this machine's clock is 65 min behind the server's";
    check_at(
        &asked(Via::WebSocket),
        expired(),
        &ProbeResult::Reply(an_hour_ahead()),
        (Exit::Unauthenticated, cause, "set this machine's clock"),
    );
    let body = &problem(401, "token_expired", "The token expired.");
    let unauthorized = HttpReply {
        status: 401,
        body: body.to_owned(),
        ..an_hour_ahead()
    };
    check_reply(
        unauthorized,
        (Exit::Unauthenticated, "clock is 65 min behind", "clock"),
    );
    let supplied = Asked {
        token: TokenKind::Supplied(SuppliedBy::Option),
        ..asked(Via::WebSocket)
    };
    check_at(
        &supplied,
        expired(),
        &ProbeResult::Reply(an_hour_ahead()),
        (
            Exit::Unauthenticated,
            cause,
            "set this machine's clock if the token was minted by it",
        ),
    );
    let agreed = ProbeResult::Reply(reply(200, &[("date", "Tue, 14 Nov 2023 22:13:20 GMT")], ""));
    let expected = (
        Exit::Unauthenticated,
        "token_expired",
        "minted this token just now",
    );
    check_at(&asked(Via::WebSocket), expired(), &agreed, expected);
}

#[test]
fn a_token_that_was_minted_in_the_future_shows_a_wrong_clock() {
    let at = |date| ProbeResult::Reply(reply(200, &[("date", date)], ""));
    let ten_minutes_behind = at("Tue, 14 Nov 2023 22:03:20 GMT");
    let unauthorized = || refused("unauthorized");
    let cause = "unauthorized; this machine's clock is 10 min ahead of the server's";
    let expected = (Exit::Unauthenticated, cause, "set this machine's clock");
    check_at(
        &asked(Via::WebSocket),
        unauthorized(),
        &ten_minutes_behind,
        expected,
    );
    // Neither a small difference nor one to the other side is the reason.
    for other in [
        at("Tue, 14 Nov 2023 22:13:16 GMT"),
        ProbeResult::Reply(an_hour_ahead()),
    ] {
        let expected = (Exit::Unauthenticated, "unauthorized", "JWT_SECRET");
        check_at(&asked(Via::WebSocket), unauthorized(), &other, expected);
    }
    let supplied = Asked {
        token: TokenKind::Supplied(SuppliedBy::Option),
        ..asked(Via::WebSocket)
    };
    let expected = (Exit::Unauthenticated, "unauthorized", "a different secret");
    check_at(&supplied, unauthorized(), &ten_minutes_behind, expected);
}

#[test]
fn the_hint_for_a_token_depends_on_its_source() {
    let supplied = Asked {
        token: TokenKind::Supplied(SuppliedBy::Option),
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
        let refused = || refused(code);
        check(refused(), (exit, code, minted));
        check_at(
            &supplied,
            refused(),
            &ProbeResult::Nothing,
            (exit, code, other),
        );
    }
}

#[test]
fn a_refused_token_names_its_place() {
    let body = &problem(401, "token_expired", "The token expired.");
    for (by, place) in [
        (SuppliedBy::Option, "(the token is from --token)"),
        (
            SuppliedBy::File,
            "(the token is from the file of --token-file)",
        ),
        (SuppliedBy::Environment, "(the token is from METAIA_TOKEN)"),
        (
            SuppliedBy::DotEnv,
            "(the token is from METAIA_TOKEN in .env)",
        ),
    ] {
        let asked = Asked {
            token: TokenKind::Supplied(by),
            ..asked(Via::WebSocket)
        };
        for fault in [
            refused("token_expired"),
            refused("unauthorized"),
            refused("forbidden"),
            Fault::Reply(reply(401, &[], body)),
            Fault::Reply(reply(403, &[], &problem(403, "forbidden", "Not you."))),
        ] {
            let found = diagnose(&asked, &fault, &ProbeResult::Nothing);
            assert!(found.cause.contains(place), "{found:?}");
        }
    }
    let minted = diagnose(
        &asked(Via::WebSocket),
        &refused("token_expired"),
        &ProbeResult::Nothing,
    );
    assert!(!minted.cause.contains("is from"), "{minted:?}");
}

#[test]
fn a_token_that_was_in_the_header_alone_may_have_been_dropped() {
    let by_header = Asked {
        has_token_in_header_alone: true,
        ..asked(Via::WebSocket)
    };
    let advice = |asked: &Asked, fault| {
        let found = diagnose(asked, &fault, &ProbeResult::Nothing);
        found.advice.unwrap_or_default()
    };
    let unauthorized = || refused("unauthorized");
    let body = &problem(401, "unauthorized", "The token is missing or not valid.");
    let by_rest = Fault::Reply(reply(401, &[], body));
    let by_key = Asked {
        token: TokenKind::None,
        ..asked(Via::Rest)
    };
    for (advice, is_named) in [
        (advice(&asked(Via::Rest), by_rest.clone()), true),
        (advice(&by_header, unauthorized()), true),
        (advice(&asked(Via::WebSocket), unauthorized()), false),
        (advice(&by_key, by_rest), false),
        (advice(&by_header, refused("token_expired")), false),
    ] {
        assert_eq!(
            advice.contains("drops the Authorization header"),
            is_named,
            "{advice}"
        );
    }
}

#[test]
fn a_request_without_credentials_is_told_apart_from_one_with_a_wrong_key() {
    let body = &problem(401, "unauthorized", "The token is missing or not valid.");
    let advice = |token| {
        let asked = Asked {
            token,
            ..asked(Via::Rest)
        };
        let fault = Fault::Reply(reply(401, &[], body));
        diagnose(&asked, &fault, &ProbeResult::Nothing).advice
    };
    assert_eq!(
        advice(TokenKind::ApiKey).as_deref(),
        Some("the server does not know this API key")
    );
    assert_eq!(
        advice(TokenKind::None).as_deref(),
        Some("the request has no credentials: use --as or --token")
    );
}

#[test]
fn a_token_that_is_accepted_in_the_payload_was_dropped_from_the_header() {
    let by_header = Asked {
        has_token_in_header_alone: true,
        ..asked(Via::WebSocket)
    };
    let accepted = ProbeResult::AcceptedInPayload;
    let expected = (
        Exit::Unauthenticated,
        "something between drops the Authorization header",
        "proxy_set_header Authorization $http_authorization;",
    );
    check_at(&by_header, refused("unauthorized"), &accepted, expected);
    let expected = (Exit::Unauthenticated, "token_expired", "clock");
    check_at(&by_header, refused("token_expired"), &accepted, expected);
}

#[test]
fn what_is_no_origin_is_not_advised_to_be_allowed() {
    let body = &problem(403, "origin_not_allowed", "This origin is not allowed.");
    for (origin, advice) in [
        ("good.example", "such as https://app.example"),
        ("https://good.example/shop", "such as https://app.example"),
        ("good.example/", "such as https://app.example"),
        ("https://*.example", "such as https://app.example"),
        ("null", "serve the page by HTTP"),
        (
            "capacitor://localhost",
            "add capacitor://localhost to CORS_ORIGINS",
        ),
        (
            "http://localhost:3000",
            "add http://localhost:3000 to CORS_ORIGINS",
        ),
    ] {
        let from_page = Asked {
            origin: Some(origin.to_owned()),
            ..asked(Via::Polling)
        };
        let fault = Fault::Reply(reply(403, &[], body));
        let nothing = ProbeResult::Nothing;
        let found = diagnose(&from_page, &fault, &nothing);
        assert!(found.advice.unwrap().contains(advice), "{origin}");
    }
}
