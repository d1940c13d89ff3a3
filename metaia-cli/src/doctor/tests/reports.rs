//! The whole report at several widths, and what it says of hostile texts.

use proptest::prelude::*;

use super::*;
use crate::diagnosis::problem;
use crate::event_line::width;

/// Returns the facts of the worst case: the socket is not passed on, the token has ended.
fn bad() -> Facts {
    let mut facts = with(|answers| {
        let refusal = &problem(404, "origin_not_allowed", "This origin is not allowed.");
        answers.websocket = found(Err(Fault::Reply(by_nginx(400))));
        answers.polled.upgraded = Some(Err(Fault::Reply(by_nginx(400))));
        answers.certificate = Some(Certificate {
            days_left: 9,
            issuer: Some("R11".to_owned()),
        });
        answers.readyz = answered(404, refusal);
    });
    facts.wishes.asked.origin = Some("https://app.example".to_owned());
    facts.wishes.asked.token = TokenKind::Supplied(SuppliedBy::Option);
    facts.wishes.event = Some("newNotification".to_owned());
    let refusal = &problem(403, "origin_not_allowed", "This origin is not allowed.");
    facts.origin = Some(found(Err(Fault::Reply(reply(403, &[], refusal)))));
    facts.sign_ins = Some(vec![
        way(TokenIn::Header, Err(refused("token_expired"))),
        way(TokenIn::Payload, Err(refused("token_expired"))),
    ]);
    facts
}

fn report(facts: &Facts, columns: Option<usize>) -> String {
    let findings = all(facts);
    assert_eq!(findings.len(), DoctorCheck::ALL.len());
    let lines = findings.iter().map(|finding| {
        let line = FindingLine { finding, columns };
        line.text(Paint::PLAIN)
    });
    let mut lines: Vec<String> = lines.collect();
    lines.push(summary(&findings, columns, Paint::PLAIN));
    lines.join("\n")
}

#[test]
fn a_report_without_problems() {
    insta::assert_snapshot!(report(&good(), Some(90)), @r"
     ✓ name       a.example → 203.0.113.7, 3 ms
     ✓ port       port 5000 is open, 3 ms
     ✓ server     /livez 200, /readyz 200, version 0.1.0, 3 ms
     ✓ polling    handshake 200, upgrades offered: websocket, 3 ms
     ✓ websocket  handshake 101; a polling session upgrades to it, 3 ms
     – origin     not asked for: --origin URL sends one, as a browser does
     ✓ clock      this machine's clock agrees with the server's, to 2 s (Date)
     ✓ token      customer:c1, ends in 60 min by the server's clock; signature good with
                  JWT_SECRET; the server accepts it
     ✓ sign in    Authorization header (phones): 3 ms; payload (browsers): 3 ms
     ✓ rooms      live in customer-room, user-c1, 3 ms
     ✓ delivery   own event back in 9 ms, fence (rt:sync) in 2 ms
     – event      not asked for: --event NAME looks for a misspelt name
     – idle       not asked for: --idle 60s holds a silent line, and finds what cuts it
    no problem found, no warnings
    ");
}

#[test]
fn a_report_at_80_columns() {
    insta::assert_snapshot!(report(&bad(), Some(80)), @r#"
     ✓ name       a.example → 203.0.113.7, 3 ms
     ⚠ port       port 5000 is open; certificate good for 9 days (R11)
                  the server's certificate ends soon: then no client connects
                  → renew it
     ✓ server     /livez 200, /readyz is not passed on, version 0.1.0, 3 ms
     ✓ polling    handshake 200, upgrades offered: websocket, 3 ms
     ✗ websocket  handshake 400 by nginx
                  polling works, the WebSocket does not: something between does not
                  pass "Upgrade" on
                  → the lines that nginx needs:
                      proxy_http_version 1.1;
                      proxy_set_header Upgrade $http_upgrade;
                      proxy_set_header Connection "upgrade";
                    until then, use --transport polling
     ✗ origin     https://app.example → 403 by the METAIA server
                  HTTP 403 (origin_not_allowed): This origin is not allowed.
                  → add https://app.example to CORS_ORIGINS of the server
     ✓ clock      this machine's clock agrees with the server's, to 2 s (Date)
     ✗ token      customer:c1, ends in 60 min by the server's clock; signature good
                  with JWT_SECRET
                  the server refused the connection: token_expired (the token is
                  from --token)
                  → mint a new one with `metaia token mint`, or use --as
     – sign in    not tried: the token is refused in the header and in the payload
     – rooms      not tried: no session could be opened
     – delivery   not tried: no session could be opened
     ✗ event      newNotification
                  the server sends no event "newNotification": did you mean
                  new_notification?
                  → listen for new_notification in the client
     – idle       not asked for: --idle 60s holds a silent line, and finds what cuts
                  it
    4 problems, 1 warning. The first one that stops this client: websocket. Exit 3
    "#);
}

#[test]
fn a_report_at_120_columns() {
    insta::assert_snapshot!(report(&bad(), Some(120)), @r#"
 ✓ name       a.example → 203.0.113.7, 3 ms
 ⚠ port       port 5000 is open; certificate good for 9 days (R11)
              the server's certificate ends soon: then no client connects
              → renew it
 ✓ server     /livez 200, /readyz is not passed on, version 0.1.0, 3 ms
 ✓ polling    handshake 200, upgrades offered: websocket, 3 ms
 ✗ websocket  handshake 400 by nginx
              polling works, the WebSocket does not: something between does not pass "Upgrade" on
              → the lines that nginx needs:
                  proxy_http_version 1.1;
                  proxy_set_header Upgrade $http_upgrade;
                  proxy_set_header Connection "upgrade";
                until then, use --transport polling
 ✗ origin     https://app.example → 403 by the METAIA server
              HTTP 403 (origin_not_allowed): This origin is not allowed.
              → add https://app.example to CORS_ORIGINS of the server
 ✓ clock      this machine's clock agrees with the server's, to 2 s (Date)
 ✗ token      customer:c1, ends in 60 min by the server's clock; signature good with JWT_SECRET
              the server refused the connection: token_expired (the token is from --token)
              → mint a new one with `metaia token mint`, or use --as
 – sign in    not tried: the token is refused in the header and in the payload
 – rooms      not tried: no session could be opened
 – delivery   not tried: no session could be opened
 ✗ event      newNotification
              the server sends no event "newNotification": did you mean new_notification?
              → listen for new_notification in the client
 – idle       not asked for: --idle 60s holds a silent line, and finds what cuts it
4 problems, 1 warning. The first one that stops this client: websocket. Exit 3
"#);
}

#[test]
fn a_report_at_20_columns() {
    let report = report(&bad(), Some(20));
    assert!(report.lines().count() > 50, "{report}");
    for line in report.lines() {
        assert!(width(line) <= 20, "{line:?}");
    }
    insta::assert_snapshot!(report.lines().take(10).collect::<Vec<_>>().join("\n"), @r"
    ✓ name
      a.example →
      203.0.113.7, 3 ms
    ⚠ port
      port 5000 is
      open; certificate
      good for 9 days
      (R11)
      the server's
      certificate ends
    ");
}

#[test]
fn a_finding_for_programs_has_six_members() {
    let facts = bad();
    let json = |check| {
        let finding = judge(check, &facts).unwrap();
        serde_json::to_string_pretty(&finding).unwrap()
    };
    insta::assert_snapshot!(json(DoctorCheck::Name), @r#"
    {
      "id": "doctor.name",
      "ok": true,
      "found": "a.example → 203.0.113.7",
      "cause": null,
      "fix": null,
      "ms": 3
    }
    "#);
    insta::assert_snapshot!(json(DoctorCheck::Origin), @r#"
    {
      "id": "doctor.origin",
      "ok": false,
      "found": "https://app.example → 403 by the METAIA server",
      "cause": "HTTP 403 (origin_not_allowed): This origin is not allowed.",
      "fix": "add https://app.example to CORS_ORIGINS of the server",
      "ms": 3
    }
    "#);
    insta::assert_snapshot!(json(DoctorCheck::Rooms), @r#"
    {
      "id": "doctor.rooms",
      "ok": null,
      "found": "not tried: no session could be opened",
      "cause": null,
      "fix": null,
      "ms": null
    }
    "#);
    let warning = json(DoctorCheck::Port);
    assert!(warning.contains(r#""ok": true"#), "{warning}");
    assert!(warning.contains(r#""fix": "renew it""#), "{warning}");
}

#[test]
fn what_is_not_known_yet_is_not_reported() {
    let mut facts = good();
    facts.handshakes = None;
    facts.sign_ins = None;
    facts.rooms = None;
    facts.delivered = None;
    assert_eq!(all(&facts).len(), 1);
    facts.is_over = true;
    let report = report(&facts, None);
    assert!(
        report.contains("server     not tried: interrupted"),
        "{report}"
    );
    assert!(
        report.ends_with("interrupted: no problem until then, no warnings"),
        "{report}"
    );
}

#[test]
fn the_first_problem_decides_the_exit_code() {
    let exits: Vec<u8> = all(&bad())
        .iter()
        .filter_map(Finding::exit)
        .map(|exit| exit as u8)
        .collect();
    assert_eq!(exits, [3, 5, 4, 6]);
}

#[test]
fn a_text_of_a_server_neither_acts_on_the_terminal_nor_fills_it() {
    let title = format!(
        "<title>\u{1b}]0;x\u{7}\u{202e}{}</title>",
        "x".repeat(10_000)
    );
    let facts = with(|answers| {
        answers.livez = found(Ok(reply(500, &[("server", "\u{1b}[31m")], &title)));
        answers.polled.opened = answers.livez.clone();
        answers.websocket = found(Err(Fault::Protocol("\u{9b}2J\n".repeat(5_000))));
    });
    let report = report(&facts, Some(80));
    assert!(report.len() < 8_000, "{}", report.len());
    let acts = |c: char| c.is_control() && c != '\n';
    assert!(!report.contains(acts), "{report:?}");
    assert!(!report.contains('\u{202e}'), "{report:?}");
}

proptest! {
    #[test]
    fn no_answer_panics_and_no_line_is_too_wide(
        status in 100_u16..600,
        body in "\\PC{0,80}|0\\{.{0,40}\\}|\\{\"code\":.{0,20}\\}",
        columns in 24_usize..130,
    ) {
        let facts = with(|answers| {
            answers.livez = answered(status, &body);
            answers.readyz = answered(status, &body);
            answers.polled.opened = answered(status, &body);
            answers.websocket = found(Err(Fault::Reply(reply(status, &[], &body))));
        });
        for finding in all(&facts) {
            let line = FindingLine { finding: &finding, columns: Some(columns) };
            for line in line.text(Paint::PLAIN).lines() {
                prop_assert!(width(line) <= columns, "{line:?}");
            }
        }
    }
}
