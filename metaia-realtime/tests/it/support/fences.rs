//! `rt:sync`, as a raw client sends it.

use metaia_realtime::{Realtime, Role, client::Transport, testing::TestServer};
use serde_json::{Value, json};

use super::{number, raw_client::RawClient, tick, user};

/// Sends `rt:sync`, which is to be answered under this id.
pub(crate) async fn sync(socket: &mut RawClient<'_>, id: u32) {
    socket.send(format!(r#"42{id}["rt:sync",{{}}]"#)).await;
}

/// Returns the answer with this id, and the ticks that came before it.
pub(crate) async fn synced(socket: &mut RawClient<'_>, id: u32) -> (Value, Vec<u64>) {
    let mut ticks = Vec::new();
    loop {
        let packet = socket.next().await.expect("an answer");
        if let Some(answer) = packet.strip_prefix(&format!("43{id}")) {
            let [answer]: [Value; 1] = serde_json::from_str(answer).unwrap();
            return (answer, ticks);
        }
        let tick = packet.strip_prefix(r#"42["tick","#);
        let tick = tick.and_then(|data| data.strip_suffix(']'));
        ticks.extend(tick.map(|data| number(&serde_json::from_str(data).unwrap())));
    }
}

/// Checks that a client of `server` has each event of `publisher`, which may be another node, when
/// a fence is answered that was requested after it.
pub(crate) async fn check_fences(publisher: &Realtime, server: &TestServer) {
    let who = (Role::Customer, "c1");
    let transport = Transport::WebSocket;
    let mut socket = RawClient::connect_until_ready(server, transport, who, json!({})).await;
    for i in 0..30 {
        let at = tick(publisher, user("c1"), i.into()).await;
        sync(&mut socket, i).await;
        let (answer, ticks) = synced(&mut socket, i).await;
        assert_eq!(ticks, [u64::from(i)]);
        assert_eq!(answer["status"], "ok", "{answer}");
        assert_eq!(answer["at"], at, "{answer}");
    }
}
