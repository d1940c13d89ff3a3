//! The checks, each with its cause and its cure, and the whole report.

mod lines;
mod people;
mod reports;
mod routes;
mod transports;

use std::time::Duration;

use metaia_realtime::client::{TokenIn, Transport};

use super::facts::{Delivered, Facts, Found, Handshakes, OwnEvent, Polled, SignIn, Timed, Wishes};
use super::*;
use crate::diagnosis::{
    Asked, Fault, HttpReply, ProbeResult, SuppliedBy, TokenKind, Via, connect_fault, no_fence,
    not_delivered, not_ready,
};
use crate::exit::Exit;
use crate::printer::{Paint, Report as _};
use crate::token::{Flaw, PastedToken, inspect, mint};

const NOW_S: i64 = 1_700_000_000;
const DATE: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
const OPEN: &str = concat!(
    r#"0{"sid":"a","upgrades":["websocket"],"#,
    r#""pingInterval":25000,"pingTimeout":20000}"#,
);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn found<T>(value: Result<T, Fault>) -> Found<T> {
    Timed { value, took: ms(3) }
}

fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> HttpReply {
    let headers = [("date", DATE)].iter().chain(headers);
    HttpReply {
        status,
        headers: headers
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: body.to_owned(),
        is_complete: true,
        read_at: NOW_S * 1_000,
    }
}

fn answered(status: u16, body: &str) -> Found<HttpReply> {
    found(Ok(reply(status, &[], body)))
}

/// Returns an answer of nginx itself.
fn by_nginx(status: u16) -> HttpReply {
    reply(status, &[("server", "nginx/1.22.1")], "<html>")
}

fn refused(code: &str) -> Fault {
    let refused = metaia_realtime::client::ConnectError::Refused {
        message: code.to_owned(),
        data: None,
    };
    connect_fault(&refused, 0)
}

fn wishes() -> Wishes {
    Wishes {
        asked: Asked {
            base: "http://a.example:5000".to_owned(),
            path: String::new(),
            via: Via::Polling,
            token: TokenKind::Minted,
            has_token_in_header_alone: false,
            origin: None,
            has_own_certificates: false,
            proxy: None,
        },
        host: "a.example".to_owned(),
        port: 5000,
        transport: None,
        token_in: TokenIn::Both,
        person: Some("customer:c1".to_owned()),
        secret_from: Some("JWT_SECRET".to_owned()),
        event: None,
        idle: None,
    }
}

fn handshakes() -> Handshakes {
    Handshakes {
        livez: answered(200, r#"{"status":"alive"}"#),
        probed: ProbeResult::Nothing,
        readyz: answered(200, r#"{"status":"ready"}"#),
        has_rest: false,
        version: Some("0.1.0".to_owned()),
        nodes: None,
        certificate: None,
        polled: Polled {
            opened: answered(200, OPEN),
            kept: Ok(()),
            upgraded: Some(Ok(())),
        },
        websocket: found(Ok(OPEN.to_owned())),
        waited: None,
    }
}

fn way(place: TokenIn, value: Result<(), Fault>) -> SignIn {
    SignIn {
        place,
        is_fickle: false,
        transport: Transport::WebSocket,
        result: found(value),
    }
}

/// Returns the facts of a server at which everything is good.
fn good() -> Facts {
    let actor = "customer:c1".parse().unwrap();
    let minted = mint(
        &actor,
        &"secret".into(),
        Duration::from_secs(3_600),
        Flaw::None,
        NOW_S * 1_000,
    )
    .unwrap();
    let secrets = ["secret".to_owned()];
    let pasted = PastedToken::read(&minted.token);
    Facts {
        name: Some(found(Ok(vec!["203.0.113.7".parse().unwrap()]))),
        port: Some(found(Ok(()))),
        handshakes: Some(handshakes()),
        token: Some(inspect(&pasted, &secrets, NOW_S * 1_000)),
        sign_ins: Some(vec![
            way(TokenIn::Header, Ok(())),
            way(TokenIn::Payload, Ok(())),
        ]),
        rooms: Some(Timed {
            value: Ok(vec!["customer-room".to_owned(), "user-c1".to_owned()]),
            took: ms(3),
        }),
        delivered: Some(Delivered {
            fence: Ok(ms(2)),
            own_event: OwnEvent::Back(ms(9)),
        }),
        ..Facts::new(wishes())
    }
}

/// Returns the same facts with other answers.
fn with(change: impl FnOnce(&mut Handshakes)) -> Facts {
    let mut facts = good();
    change(facts.handshakes.as_mut().unwrap());
    facts
}

/// Returns the report on one check, on a terminal of 80 columns.
#[track_caller]
fn text(check: DoctorCheck, facts: &Facts) -> String {
    let finding = judge(check, facts).expect("a finding");
    let columns = Some(80);
    let line = FindingLine {
        finding: &finding,
        columns,
    };
    line.text(Paint::PLAIN)
}

fn all(facts: &Facts) -> Vec<Finding> {
    let checks = DoctorCheck::ALL.into_iter();
    checks.map_while(|check| judge(check, facts)).collect()
}
