//! Which refusals are kept, and what is shown of them.

use proptest::prelude::*;

use super::{
    ClientDescription, RecentRefusals,
    client::MAX_BYTES,
    ring::{COLLAPSE_MS, MAX_REFUSALS, MAX_REQUEST_REFUSALS, Prepared, RefusalRing},
};
use crate::{
    Identity, Role,
    auth::{AuthError, ProvenClaims},
    node::{AdmissionRefusal, Counters, HandshakeRefusal, ProtocolRefusal, TransportKind},
    presence::{RefusalView, RefusedRequest},
};

const CODES: [&str; 3] = ["token_expired", "origin_not_allowed", "draining"];

fn refusal(at: i64, code: &'static str, user_agent: &str) -> RefusalView {
    RefusalView {
        at,
        last_at: at,
        count: 1,
        code,
        event: None,
        transport: Some("websocket"),
        origin: None,
        user: None,
        role: None,
        user_agent: Some(user_agent.into()),
    }
}

fn add(ring: &mut RefusalRing, refusal: RefusalView) {
    ring.add(Prepared::new(refusal), MAX_REFUSALS);
}

/// Returns code, first time, last time and count of what is listed.
fn listed(ring: &RefusalRing, since: i64) -> Vec<(&'static str, i64, i64, u64)> {
    let refusals = ring.since(since).into_iter();
    refusals
        .map(|refusal| (refusal.code, refusal.at, refusal.last_at, refusal.count))
        .collect()
}

#[test]
fn equal_refusals_less_than_a_second_apart_are_one() {
    let mut ring = RefusalRing::default();
    for at in [0, 999, 1_998, 2_998] {
        add(&mut ring, refusal(at, "draining", "a"));
    }
    let expected = [("draining", 2_998, 2_998, 1), ("draining", 0, 1_998, 3)];
    assert_eq!(listed(&ring, 0), expected);
}

#[test]
fn refusals_that_differ_in_anything_are_several() {
    let like = |change: fn(&mut RefusalView)| {
        let mut changed = refusal(0, "forbidden", "a");
        change(&mut changed);
        changed
    };
    let mut ring = RefusalRing::default();
    let others = [
        like(|_| ()),
        like(|other| other.code = "draining"),
        like(|other| other.transport = Some("polling")),
        like(|other| other.transport = None),
        like(|other| other.origin = Some("https://a.example".into())),
        like(|other| other.user = Some("c1".parse().unwrap())),
        like(|other| other.role = Some(Role::Tailor)),
        like(|other| other.user_agent = Some("b".into())),
        like(|other| other.user_agent = None),
    ];
    for other in &others {
        add(&mut ring, other.clone());
    }
    assert_eq!(ring.since(0).len(), others.len());
}

#[test]
fn one_that_occurs_again_is_the_newest() {
    let mut ring = RefusalRing::default();
    add(&mut ring, refusal(0, "forbidden", "a"));
    add(&mut ring, refusal(1, "draining", "a"));
    add(&mut ring, refusal(2, "forbidden", "a"));
    let expected = [("forbidden", 0, 2, 2), ("draining", 1, 1, 1)];
    assert_eq!(listed(&ring, 0), expected);
    assert_eq!(listed(&ring, 2), expected[..1]);
    assert_eq!(listed(&ring, 3), []);
}

#[test]
fn the_oldest_goes_when_the_ring_is_full() {
    let mut ring = RefusalRing::default();
    for n in 0..MAX_REFUSALS + 7 {
        add(&mut ring, refusal(0, "draining", &n.to_string()));
    }
    let kept = ring.since(0);
    assert_eq!(kept.len(), MAX_REFUSALS);
    assert_eq!(kept.last().unwrap().user_agent.as_deref(), Some("7"));
}

#[test]
fn a_clock_that_is_set_back_joins_nothing() {
    let mut ring = RefusalRing::default();
    add(&mut ring, refusal(3_600_000, "draining", "a"));
    add(&mut ring, refusal(0, "draining", "a"));
    add(&mut ring, refusal(1, "draining", "a"));
    let expected = [("draining", 0, 1, 2), ("draining", 3_600_000, 3_600_000, 1)];
    assert_eq!(listed(&ring, 0), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Compares the ring with a list that is searched from its beginning.
    #[test]
    fn refusals_are_those_of_a_plain_list(
        steps in proptest::collection::vec((0_i64..900, 0..CODES.len(), 0..400_u32), 0..2_000),
        since in 0_i64..500_000,
    ) {
        let mut ring = RefusalRing::default();
        let mut list: Vec<RefusalView> = Vec::new();
        let mut now = 0;
        for (pause, code, client) in steps {
            // Most come close behind each other.
            now += if pause < 600 { 0 } else { pause };
            let added = refusal(now, CODES[code], &client.to_string());
            add(&mut ring, added.clone());
            let is_same = |kept: &RefusalView| {
                kept.is_like(&added) && now.abs_diff(kept.last_at) < COLLAPSE_MS
            };
            match list.iter().position(is_same) {
                Some(place) => {
                    let mut kept = list.remove(place);
                    kept.count += 1;
                    kept.last_at = now;
                    list.push(kept);
                }
                None => list.push(added),
            }
            if list.len() > MAX_REFUSALS {
                list.remove(0);
            }
        }
        list.retain(|kept| kept.last_at >= since);
        list.reverse();
        prop_assert_eq!(ring.since(since), list);
    }
}

proptest! {
    #[test]
    fn no_bytes_become_a_text_that_is_long_or_does_not_print(
        bytes in proptest::collection::vec(any::<u8>(), 0..2_000),
    ) {
        let shown = shown(&bytes);
        prop_assert!(shown.len() <= MAX_BYTES, "{} bytes", shown.len());
        let is_odd = |character: char| character.escape_debug().len() > 2;
        prop_assert!(!shown.chars().any(is_odd), "{shown}");
    }
}

fn shown(user_agent: &[u8]) -> Box<str> {
    ClientDescription::new(None, None, Some(user_agent))
        .shown_user_agent()
        .unwrap()
}

#[test]
fn texts_of_clients_are_shown_without_secrets() {
    for (sent, expected) in [
        ("Dart/3.1 (dart:io)", "Dart/3.1 (dart:io)"),
        ("", ""),
        ("https://a.example:8443", "https://a.example:8443"),
        ("https://a.example/?token=x y", "https://a.example/… y"),
        ("https://a.example#t=x", "https://a.example…"),
        ("https://u:secret@a.example", "https://a.example…"),
        ("https://u:eyJ0@a.example", "https://…"),
        ("https://a.example/eyJ0", "https://a.example/…"),
        ("App?next=https://a.example", "App…"),
        ("App eyJ.secret://x", "App …"),
        ("App eyJhbGciOiJIUzI1NiJ9.e30.x z", "App … z"),
        (
            "a\tb\u{1b}[31m\u{202e}\u{85}",
            "a\\tb\\u{1b}[31m\\u{202e}\\u{85}",
        ),
        ("héllo 日本", "héllo 日本"),
    ] {
        assert_eq!(&*shown(sent.as_bytes()), expected, "{sent:?}");
    }
    assert_eq!(&*shown(b"\xff!"), "\u{fffd}!");
    let long = shown("ä".repeat(1_000).as_bytes());
    assert!(long.ends_with("ä…") && long.len() > MAX_BYTES - 4, "{long}");
}

/// The text is cut before the `@` that shows what is a user.
#[test]
fn the_user_of_a_url_that_is_cut_is_not_shown() {
    let secret = "secret".repeat(50);
    let sent = format!("App https://u:{secret}@a.example");
    assert_eq!(&*shown(sent.as_bytes()), "App https://…");
}

/// Each kind of refusal that is counted is listed in the same call, whatever its code.
#[test]
fn what_is_counted_is_listed() {
    let counters = Counters::default();
    let client = || ClientDescription::over(TransportKind::Polling);
    for refusal in HandshakeRefusal::ALL {
        counters.refuse_handshake(*refusal, client());
    }
    for error in AuthError::ALL {
        counters.refuse_connect(*error, client(), ProvenClaims::default());
    }
    let identity = Identity::new("c1".parse().unwrap(), Role::Customer);
    for refusal in [
        AdmissionRefusal::Closed(HandshakeRefusal::CutOff),
        AdmissionRefusal::Disconnected,
        AdmissionRefusal::TooManyConnects,
    ] {
        counters.refuse_session(refusal, client(), Some(&identity));
    }
    let handshakes: u64 = counters.handshakes_refused.read().values().sum();
    let connects: u64 = counters.connects_refused.read().values().sum();
    let listed = counters.refusals.since(0);
    let sum: u64 = listed.iter().map(|refusal| refusal.count).sum();
    assert_eq!(sum, handshakes + connects);
    assert_eq!(counters.connects_refused.read()["unavailable"], 4);
    let of_user = listed.iter().filter(|one| one.user.is_some()).count();
    assert_eq!(of_user, 3);
    assert!(listed.iter().all(|one| one.transport == Some("polling")));

    counters.refuse_protocol(ProtocolRefusal::NoConnect, client());
    assert_eq!(counters.refusals.since(0)[0].code, "no_connect");
}

#[test]
fn many_threads_lose_no_refusal() {
    let recent = RecentRefusals::default();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    recent.add(refusal(5, "draining", "a"));
                }
            });
        }
    });
    assert_eq!(
        recent.since(0).iter().map(|one| one.count).sum::<u64>(),
        2_000
    );
}

/// A list of more than 1,000 is not what the interface promises.
#[test]
fn a_flood_of_either_kind_leaves_the_other_its_part_of_1_000() {
    const CONNECTIONS: usize = MAX_REFUSALS - MAX_REQUEST_REFUSALS;
    let count = |recent: &RecentRefusals| {
        let listed = recent.since(0);
        let requests = listed.iter().filter(|it| it.code == "unauthorized");
        let requests = requests.count();
        (listed.len() - requests, requests)
    };
    let flood = |add: &dyn Fn(RefusalView), code: &'static str, count: i64| {
        for i in 0..count {
            add(refusal(i, code, &i.to_string()));
        }
    };
    let recent = RecentRefusals::default();
    let connect: &dyn Fn(RefusalView) = &|refusal| recent.add(refusal);
    let request: &dyn Fn(RefusalView) = &|refusal| recent.add_request(refusal);
    flood(connect, "draining", 3_000);
    assert_eq!(count(&recent), (MAX_REFUSALS, 0));
    flood(request, "unauthorized", 100);
    assert_eq!(count(&recent), (900, 100));
    flood(request, "unauthorized", 3_000);
    assert_eq!(count(&recent), (CONNECTIONS, MAX_REQUEST_REFUSALS));
    flood(connect, "forbidden", 3_000);
    assert_eq!(count(&recent), (CONNECTIONS, MAX_REQUEST_REFUSALS));
    let kept = recent.since(0);
    let last = kept.iter().rfind(|it| it.code == "forbidden").unwrap();
    assert_eq!(last.at, 3_000 - CONNECTIONS as i64, "the oldest ones go");
}

#[test]
fn refused_requests_take_no_place_of_connections() {
    let counters = Counters::default();
    let error = AuthError::Expired;
    counters.refuse_connect(error, ClientDescription::default(), ProvenClaims::default());
    for number in 0..2 * MAX_REFUSALS {
        let user_agent = format!("flood {number}");
        counters.refuse_request(RefusedRequest {
            code: "unauthorized",
            user_agent: Some(user_agent.as_bytes()),
            ..RefusedRequest::default()
        });
    }
    let listed = counters.refusals.since(0);
    let requests = listed.iter().filter(|it| it.transport == Some("rest"));
    assert_eq!(requests.count(), MAX_REQUEST_REFUSALS);
    assert_eq!(listed.len(), MAX_REQUEST_REFUSALS + 1);
    let times: Vec<i64> = listed.iter().map(|it| it.last_at).collect();
    assert!(
        times.is_sorted_by(|newer, older| newer >= older),
        "newest first"
    );
}

#[test]
fn equal_requests_are_one_and_show_no_secret() {
    let counters = Counters::default();
    for _ in 0..50 {
        counters.refuse_request(RefusedRequest {
            code: "token_expired",
            origin: Some(b"https://app.example/?token=secret"),
            user_agent: Some(b"app eyJhbGciOiJIUzI1NiJ9.e30.x \x1b[31m"),
            claims: ProvenClaims::default(),
        });
    }
    let listed = counters.refusals.since(0);
    assert_eq!((listed.len(), listed[0].count), (1, 50));
    assert_eq!(listed[0].origin.as_deref(), Some("https://app.example/…"));
    let user_agent = listed[0].user_agent.as_deref().unwrap();
    assert_eq!(user_agent, "app … \\u{1b}[31m");
}
