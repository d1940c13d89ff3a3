//! Engine.IO over long polling, written by hand, for requests that the official clients would not
//! send.

use serde_json::Value;

use crate::server::rest::{Api, ApiResponse};

/// A polling session.
#[derive(Debug)]
pub struct Polling {
    api: Api,
    path: String,
}

/// The path of a polling handshake.
pub const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";

impl Polling {
    /// Opens a session.
    pub async fn open(api: &Api) -> Self {
        let answer = api.get(HANDSHAKE).await;
        answer.ok(200);
        let open: Value = serde_json::from_str(&answer.text[1..]).expect("an open packet");
        let sid = open["sid"].as_str().expect("a session id");
        Self {
            api: api.clone(),
            path: format!("{HANDSHAKE}&sid={sid}"),
        }
    }

    /// Sends packets.
    pub async fn send(&self, packets: &str) -> ApiResponse {
        self.api
            .header("content-type", "text/plain;charset=UTF-8")
            .post_bytes(&self.path, packets)
            .await
    }

    /// Waits for packets.
    pub async fn receive(&self) -> ApiResponse {
        self.api.get(&self.path).await
    }
}
