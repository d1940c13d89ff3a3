//! `/api/realtime/{sessions,rooms,presence,stats,refusals}`

use super::{
    super::connections::{Phone, refused_handshake},
    *,
};

const NOBODY: &str = "/api/realtime/sessions/0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn connections() {
    let api = Api::new(On::Embedded).await;
    let mut transcript = Transcript::new(&api);
    let admin = api.admin();
    transcript
        .get("no sessions", &admin, "/api/realtime/sessions")
        .await;
    transcript
        .get("no rooms", &admin, "/api/realtime/rooms")
        .await;
    transcript
        .get("no refusals", &admin, "/api/realtime/refusals")
        .await;
    refused_handshake(&api).await;
    transcript
        .get("one refusal", &admin, "/api/realtime/refusals")
        .await;
    let path = "/api/realtime/refusals?since=yesterday";
    transcript.get("since no time", &admin, path).await;
    let device = json!({ "device": "phone-1" });
    let phone = Phone::connect(&api, Role::Customer, "c1", device).await;
    let sessions = transcript
        .get("one session", &admin, "/api/realtime/sessions")
        .await;
    for (title, path) in [
        ("of a user", "/api/realtime/sessions?user=c2"),
        ("of no role", "/api/realtime/sessions?role=king"),
        ("in no room", "/api/realtime/sessions?room=nowhere"),
        ("rooms", "/api/realtime/rooms"),
        ("a page of rooms", "/api/realtime/rooms?limit=1"),
        ("a page of no rooms", "/api/realtime/rooms?limit=0"),
        ("presence", "/api/realtime/presence?user=c1,nobody"),
        ("presence of nobody", "/api/realtime/presence?user="),
    ] {
        transcript.get(title, &admin, path).await;
    }
    phone.refused_refresh().await;
    transcript
        .get("a refused refresh", &admin, "/api/realtime/refusals")
        .await;
    let id = sessions["sessions"][0]["id"].as_str().unwrap();
    let session = format!("/api/realtime/sessions/{id}");
    for title in ["ended", "ended again"] {
        let route = ("DELETE", session.as_str());
        transcript.send(title, &admin, route, Vec::new()).await;
    }
    transcript.check("connections");
}

/// The counters differ from run to run: each is shown as zero.
#[tokio::test]
async fn stats() {
    let api = Api::new(On::Embedded).await;
    let mut transcript = Transcript::new(&api);
    let route = ("GET", "/api/realtime/stats");
    let reply = transcript.ask(&api.admin(), route, Vec::new()).await;
    let (parts, body) = reply.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let text = without_counts(std::str::from_utf8(&bytes).unwrap());
    let head = (parts.status, parts.headers);
    transcript.note("of an admin", route, head, &text.into());
    transcript.check("stats");
}

/// Returns the text with every number that is the value of a member of `stats` as zero.
fn without_counts(text: &str) -> String {
    let (head, stats) = text.split_once("\"stats\":").unwrap();
    let mut members = stats.split(':');
    let mut zeroed = members.next().unwrap().to_owned();
    for member in members {
        let rest = member.trim_start_matches(|c: char| c.is_ascii_digit());
        let zero = if rest.len() < member.len() { "0" } else { "" };
        zeroed.extend([":", zero, rest]);
    }
    format!("{head}\"stats\":{zeroed}")
}

#[tokio::test]
async fn connections_of_others() {
    let api = Api::new(On::Embedded).await;
    let mut transcript = Transcript::new(&api);
    for (title, who) in [
        ("by a customer", api.customer()),
        ("by a backend", api.backend()),
    ] {
        for route in [
            ("GET", "/api/realtime/sessions"),
            ("GET", "/api/realtime/rooms"),
            ("GET", "/api/realtime/presence?user=c1"),
            ("GET", "/api/realtime/stats"),
            ("GET", "/api/realtime/refusals"),
            ("DELETE", NOBODY),
        ] {
            transcript.send(title, &who, route, Vec::new()).await;
        }
    }
    transcript.check("connections_refused");
}
