//! Clocks, tokens, and what a session receives.

use serde_json::json;

use super::*;
use crate::diagnosis::diagnose;

fn signed_in(header: Result<(), Fault>, payload: Result<(), Fault>) -> Facts {
    let ways = [(TokenIn::Header, header), (TokenIn::Payload, payload)];
    let mut facts = good();
    facts.sign_ins = Some(ways.map(|(place, value)| way(place, value)).to_vec());
    facts
}

fn ahead(seconds: i64) -> Facts {
    let mut facts = good();
    let answers = facts.handshakes.as_mut().unwrap();
    let livez = answers.livez.value.as_mut().unwrap();
    livez.read_at += seconds * 1_000;
    facts
}

#[test]
fn a_clock_stops_a_client_only_if_its_token_is_refused_for_its_time() {
    let clock = |facts: &Facts| text(DoctorCheck::Clock, facts);
    insta::assert_snapshot!(
        clock(&good()),
        @" ✓ clock      this machine's clock agrees with the server's, to 2 s (Date)"
    );
    insta::assert_snapshot!(clock(&ahead(4)), @r"
    ✓ clock      this machine's clock is 4 s ahead of the server's (Date); the
                 leeway for tokens is 5 s
    ");
    insta::assert_snapshot!(clock(&ahead(600)), @r"
    ⚠ clock      this machine's clock is 10 min ahead of the server's (Date)
                 the leeway for tokens is 5 s: what one side signs is too early or
                 too late for the other
                 → set this machine's clock: the times in tokens are compared with
                   the server's clock
    ");
    let mut refused_token = ahead(600);
    let expired = || Err(refused("token_expired"));
    refused_token.sign_ins = signed_in(expired(), expired()).sign_ins;
    insta::assert_snapshot!(clock(&refused_token), @r"
    ✗ clock      this machine's clock is 10 min ahead of the server's (Date)
                 the leeway for tokens is 5 s: what one side signs is too early or
                 too late for the other
                 → set this machine's clock: the times in tokens are compared with
                   the server's clock
    ");
    let mut from_the_future = ahead(600);
    let unauthorized = || Err(refused("unauthorized"));
    from_the_future.sign_ins = signed_in(unauthorized(), unauthorized()).sign_ins;
    assert!(clock(&from_the_future).starts_with(" ⚠"));
    let token = sign("HS256", &json!({"iat": NOW_S, "exp": NOW_S + 3_600}));
    let by_the_server = (NOW_S - 600) * 1_000;
    let secrets = ["secret".to_owned()];
    from_the_future.token = Some(inspect(&PastedToken::read(&token), &secrets, by_the_server));
    assert!(clock(&from_the_future).starts_with(" ✗"));
    let mut unknown = ahead(600);
    unknown.sign_ins = None;
    assert_eq!(judge(DoctorCheck::Clock, &unknown), None);
    let mut undated = good();
    let answers = undated.handshakes.as_mut().unwrap();
    answers.livez.value.as_mut().unwrap().headers.clear();
    answers.readyz.value.as_mut().unwrap().headers.clear();
    answers
        .polled
        .opened
        .value
        .as_mut()
        .unwrap()
        .headers
        .clear();
    insta::assert_snapshot!(clock(&undated), @" – clock      not tried: no answer has a Date");
}

#[test]
fn a_token_is_judged_here_and_by_the_server() {
    let token = |facts: &Facts| text(DoctorCheck::Token, facts);
    insta::assert_snapshot!(token(&good()), @r"
    ✓ token      customer:c1, ends in 60 min by the server's clock; signature good
                 with JWT_SECRET; the server accepts it
    ");
    let unauthorized = || Err(refused("unauthorized"));
    let other_secret = signed_in(unauthorized(), unauthorized());
    insta::assert_snapshot!(token(&other_secret), @r"
    ✗ token      customer:c1, ends in 60 min by the server's clock; signature good
                 with JWT_SECRET: good with this folder's secret, refused by the
                 server: it has another one
                 the server refused the connection: unauthorized
                 → the server has another secret than this folder and environment:
                   run metaia where the server was started, or set JWT_SECRET
    ");
    let silent = signed_in(Err(Fault::Cut), Err(Fault::Cut));
    insta::assert_snapshot!(token(&silent), @r"
    ✓ token      customer:c1, ends in 60 min by the server's clock; signature good
                 with JWT_SECRET; the server did not judge it
    ");
    let forbidden = || Err(refused("forbidden"));
    let finding = judge(DoctorCheck::Token, &signed_in(forbidden(), forbidden()));
    assert_eq!(finding.unwrap().exit(), Some(Exit::Denied));
    let mut nobody = good();
    nobody.wishes.person = None;
    insta::assert_snapshot!(token(&nobody), @" – token      not asked for: give --as or --token");
}

#[test]
fn a_token_that_no_server_sees_is_judged_here_alone() {
    let mut facts = good();
    facts.name = Some(found(Err(Fault::UnknownName)));
    facts.handshakes = None;
    facts.sign_ins = None;
    insta::assert_snapshot!(text(DoctorCheck::Token, &facts), @r"
    ✓ token      customer:c1, ends in 60 min by this machine's clock; signature
                 good with JWT_SECRET; the server was not asked
    ");
    let actor = "customer:c1".parse().unwrap();
    let ttl = Duration::from_secs(60);
    let minted = mint(&actor, &"other".into(), ttl, Flaw::Expired, NOW_S * 1_000).unwrap();
    let secrets = ["secret".to_owned()];
    let pasted = PastedToken::read(&minted.token);
    facts.token = Some(inspect(&pasted, &secrets, NOW_S * 1_000));
    insta::assert_snapshot!(text(DoctorCheck::Token, &facts), @r"
    ✗ token      customer:c1, ended 3 min ago by this machine's clock; signed with
                 another secret than JWT_SECRET; the server was not asked
                 wrong signature: signed with another secret, or modified after
                 signing; expired 3 min ago
                 → `metaia token inspect` shows more
    ");
}

#[test]
fn a_token_of_a_public_key_is_left_to_the_server() {
    // {"alg":"RS256","kid":"k"} and {"sub":"c1","role":"customer","exp":1900000000}
    let token = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.\
                 eyJzdWIiOiJjMSIsInJvbGUiOiJjdXN0b21lciIsImV4cCI6MTkwMDAwMDAwMH0.c2ln";
    let mut facts = good();
    let secrets = ["secret".to_owned()];
    facts.token = Some(inspect(&PastedToken::read(token), &secrets, NOW_S * 1_000));
    let said = text(DoctorCheck::Token, &facts);
    assert!(
        said.contains("signed with RS256") && said.contains("the server accepts it"),
        "{said}"
    );
    assert!(!said.contains("signature good"), "{said}");
}

#[test]
fn each_way_to_sign_in_is_tried_on_its_own() {
    let sign_in = |facts: &Facts| text(DoctorCheck::SignIn, facts);
    insta::assert_snapshot!(
        sign_in(&good()),
        @" ✓ sign in    Authorization header (phones): 3 ms; payload (browsers): 3 ms"
    );
    let stripped = || signed_in(Err(refused("unauthorized")), Ok(()));
    insta::assert_snapshot!(sign_in(&stripped()), @r"
    ✗ sign in    Authorization header (phones): unauthorized; payload (browsers): 3
                 ms
                 the server refused the connection: unauthorized; it accepts the
                 same token in the payload: something between drops the
                 Authorization header
                 → the line that nginx needs:
                     proxy_set_header Authorization $http_authorization;
                   until then, send the token in the payload (auth.token), as
                   browsers do: --auth payload
    ");
    let mut browser = stripped();
    browser.wishes.token_in = TokenIn::Payload;
    assert!(sign_in(&browser).starts_with(" ⚠ "));
    let unauthorized = || Err(refused("unauthorized"));
    let both = signed_in(unauthorized(), unauthorized());
    insta::assert_snapshot!(
        sign_in(&both),
        @" – sign in    not tried: the token is refused in the header and in the payload"
    );
    insta::assert_snapshot!(
        text(DoctorCheck::Rooms, &both),
        @" – rooms      not tried: no session could be opened"
    );
    let cut = signed_in(Err(Fault::Cut), Err(Fault::Cut));
    insta::assert_snapshot!(sign_in(&cut), @r"
    ✗ sign in    Authorization header (phones): failed; payload (browsers): failed
                 the connection was closed before an answer came
                 → if the port expects TLS, use https://a.example:5000, or check
                   the port
    ");
    let mut no_transport = with(|answers| {
        answers.polled.opened = found(Err(Fault::Cut));
        answers.websocket = found(Err(Fault::Cut));
    });
    no_transport.wishes.transport = Some(Transport::WebSocket);
    insta::assert_snapshot!(
        sign_in(&no_transport),
        @" – sign in    not tried: the WebSocket failed"
    );
}

#[test]
fn a_session_becomes_live_and_receives() {
    let mut facts = good();
    insta::assert_snapshot!(
        text(DoctorCheck::Rooms, &facts),
        @" ✓ rooms      live in customer-room, user-c1, 3 ms"
    );
    insta::assert_snapshot!(
        text(DoctorCheck::Delivery, &facts),
        @" ✓ delivery   own event back in 9 ms, fence (rt:sync) in 2 ms"
    );
    let mut deliver = |fence, own_event| {
        facts.delivered = Some(Delivered { fence, own_event });
        text(DoctorCheck::Delivery, &facts)
    };
    let without_right = OwnEvent::NotSent("HTTP 403 (forbidden): Not yours.".to_owned());
    insta::assert_snapshot!(deliver(Ok(ms(0)), without_right), @r"
    ✓ delivery   fence (rt:sync) in <1 ms; no own event: HTTP 403 (forbidden): Not
                 yours.
    ");
    let lost = OwnEvent::Lost(not_delivered(ms(2_000)));
    insta::assert_snapshot!(deliver(Ok(ms(2)), lost), @r"
    ✗ delivery   fence (rt:sync) in 2 ms; the own event is missing
                 the server took an event for this session, and it did not come
                 within 2.0 s
                 → read the server's log: with several nodes, the one of this
                   session may not be notified
    ");
    let nginx = Fault::Reply(by_nginx(413));
    let by_nginx = diagnose(&wishes().asked, &nginx, &ProbeResult::Nothing);
    insta::assert_snapshot!(deliver(Ok(ms(2)), OwnEvent::Refused(by_nginx)), @r"
    ⚠ delivery   fence (rt:sync) in 2 ms; the own event was not taken
                 nginx answered 413 Payload Too Large: the body is larger than it
                 takes
                 → send a smaller body, or raise the limit there (nginx:
                   client_max_body_size); a METAIA server takes 64 KiB
    ");
    let refused = Err(no_fence(Exit::Failed, "refused: unavailable"));
    insta::assert_snapshot!(deliver(refused, OwnEvent::Back(ms(1))), @r"
    ✗ delivery   no fence
                 the server gave no fence (rt:sync): refused: unavailable
                 → read the server's log: it may not be able to read its events
    ");
    let mut not_live = good();
    not_live.rooms = Some(Timed {
        value: Err(not_ready(ms(2_000))),
        took: ms(2_000),
    });
    insta::assert_snapshot!(text(DoctorCheck::Rooms, &not_live), @r"
    ✗ rooms      not live
                 connected, and no rt:ready came within 2.0 s
                 → check that this is a METAIA server, and its log: it may not be
                   able to read its events. --timeout sets a longer limit
    ");
    insta::assert_snapshot!(
        text(DoctorCheck::Delivery, &not_live),
        @" – delivery   not tried: the session is not live"
    );
}

#[test]
fn the_name_of_an_event_is_compared_with_the_known_ones() {
    let event = |name: &str| {
        let mut facts = good();
        facts.wishes.event = Some(name.to_owned());
        text(DoctorCheck::Event, &facts)
    };
    insta::assert_snapshot!(
        event("order_update"),
        @" ✓ event      order_update is an event of the server"
    );
    insta::assert_snapshot!(event("newNotification"), @r#"
    ✗ event      newNotification
                 the server sends no event "newNotification": did you mean
                 new_notification?
                 → listen for new_notification in the client
    "#);
    insta::assert_snapshot!(event("stock_low"), @r#"
    ⚠ event      stock_low
                 the server itself sends no event "stock_low": it arrives only if a
                 backend emits it
                 → if no backend of yours emits it, look for its name in
                   docs/events.md
    "#);
}

#[test]
fn a_text_that_is_no_token_is_said_to_be_none() {
    let mut facts = good();
    let secrets = ["secret".to_owned()];
    facts.token = Some(inspect(
        &PastedToken::read("garbage"),
        &secrets,
        NOW_S * 1_000,
    ));
    let unauthorized = || Err(refused("unauthorized"));
    facts.sign_ins = signed_in(unauthorized(), unauthorized()).sign_ins;
    insta::assert_snapshot!(text(DoctorCheck::Token, &facts), @r"
    ✗ token      customer:c1: not a JWT: it is not three parts with dots between
                 them
                 the server refused the connection: unauthorized
                 → paste the whole token
    ");
    facts.sign_ins = None;
    facts.is_over = true;
    let said = text(DoctorCheck::Token, &facts);
    assert!(said.contains("paste the whole token"), "{said}");
    assert!(!said.contains("no secret is at hand"), "{said}");
}

#[test]
fn the_payload_is_not_advised_to_those_who_use_it() {
    let header_dropped = || signed_in(Err(refused("unauthorized")), Ok(()));
    let mut facts = header_dropped();
    assert!(text(DoctorCheck::SignIn, &facts).contains("--auth payload"));
    facts.wishes.token_in = TokenIn::Payload;
    let said = text(DoctorCheck::SignIn, &facts);
    assert!(said.contains("proxy_set_header Authorization"), "{said}");
    assert!(!said.contains("--auth payload"), "{said}");
}

/// Returns the report on a token with these claims and the header's algorithm, refused.
fn refused_token(algorithm: &str, change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut claims = json!({"userId": "c1", "role": "customer", "exp": NOW_S + 3_600});
    change(&mut claims);
    let token = sign(algorithm, &claims);
    let secrets = ["secret".to_owned()];
    let unauthorized = || Err(refused("unauthorized"));
    let mut facts = signed_in(unauthorized(), unauthorized());
    facts.wishes.asked.token = TokenKind::Supplied(SuppliedBy::Option);
    facts.token = Some(inspect(&PastedToken::read(&token), &secrets, NOW_S * 1_000));
    text(DoctorCheck::Token, &facts)
}

/// Signs the claims; not at all for the algorithm `none`.
fn sign(algorithm: &str, claims: &serde_json::Value) -> String {
    let signed = metaia_realtime::auth::sign_hs256(claims, "secret").unwrap();
    if algorithm == "HS256" {
        return signed;
    }
    let [_, body, _] = signed.split('.').collect::<Vec<_>>()[..] else {
        panic!("{signed}");
    };
    // {"alg":"none"}
    format!("eyJhbGciOiJub25lIn0.{body}.")
}

#[test]
fn the_cure_for_a_refused_token_is_that_of_its_flaw() {
    let not_yet = refused_token("HS256", |claims| claims["nbf"] = json!(NOW_S + 600));
    insta::assert_snapshot!(not_yet, @r"
    ✗ token      customer:c1, ends in 60 min by the server's clock; signature good
                 with JWT_SECRET: not valid until 10 min from now: check the clocks
                 the server refused the connection: unauthorized (the token is from
                 --token)
                 → use the token later, or a new one: the clock of the machine that
                   issued it may be ahead; `metaia token inspect` shows `nbf`
    ");
    let later = refused_token("HS256", |claims| claims["iat"] = json!(NOW_S + 600));
    insta::assert_snapshot!(later, @r"
    ✗ token      customer:c1, ends in 60 min by the server's clock; signature good
                 with JWT_SECRET: issued 10 min in the future: check the clocks
                 the server refused the connection: unauthorized (the token is from
                 --token)
                 → set the clock of the machine that issued the token, and write
                   `iat` in seconds; `metaia token inspect` shows it
    ");
    let endless = refused_token("HS256", |claims| {
        claims.as_object_mut().unwrap().remove("exp");
    });
    insta::assert_snapshot!(endless, @r"
    ✗ token      customer:c1; signature good with JWT_SECRET: no `exp`: a token
                 must expire
                 the server refused the connection: unauthorized (the token is from
                 --token)
                 → correct the claims in the program that issues the tokens;
                   `metaia token inspect` shows all of them
    ");
    let nobody = refused_token("HS256", |claims| claims["userId"] = json!("a b"));
    insta::assert_snapshot!(nobody, @r#"
    ✗ token      customer:c1, ends in 60 min by the server's clock; signature good
                 with JWT_SECRET: `userId` "a b": an id is 1 to 64 characters of
                 A-Z a-z 0-9 _ -
                 the server refused the connection: unauthorized (the token is from
                 --token)
                 → correct the claims in the program that issues the tokens;
                   `metaia token inspect` shows all of them
    "#);
    let unsigned = refused_token("none", |_| {});
    insta::assert_snapshot!(unsigned, @r"
    ✗ token      customer:c1, ends in 60 min by the server's clock; signature not
                 checked: it is not one by HS256: unsigned, since `alg` is none;
                 with a shared secret, the server accepts only HS256
                 the server refused the connection: unauthorized (the token is from
                 --token)
                 → the program that issues the tokens must sign them by HS256, with
                   the secret of the server; `metaia token inspect` shows the
                   header
    ");
    let good = refused_token("HS256", |_| {});
    assert!(good.contains("a different secret"), "{good}");
}
