//! Many phones that only count events, so that a thousand of them fit into one test.

use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio::task::JoinSet;

use crate::clients::phone::Phone;
use crate::fixtures::token::token;
use crate::server::Listening;

/// The number of phones that connect at the same time.
const MAX_CONNECTING: usize = 50;

/// Connected phones, each of another user.
#[derive(Debug)]
pub struct Crowd {
    counting: JoinSet<Vec<u64>>,
}

impl Crowd {
    /// Connects `size` customers. Each one is read until it has received `event` `times` times.
    pub async fn connect(
        server: &impl Listening,
        size: usize,
        event: &'static str,
        times: usize,
    ) -> Self {
        let connecting = stream::iter(0..size).map(async |member| {
            let user = format!("crowd{member}");
            Phone::ready_with(server, &json!({"token": token("customer", &user)})).await
        });
        let phones: Vec<_> = connecting.buffer_unordered(MAX_CONNECTING).collect().await;
        let counting = phones
            .into_iter()
            .map(|phone| count(phone, event, times))
            .collect();
        Self { counting }
    }

    /// Returns the numbers `n` of each phone's events, in order of arrival.
    pub async fn numbers(self) -> Vec<Vec<u64>> {
        self.counting.join_all().await
    }
}

/// Reads the number after `"n":` in each packet, without parsing the whole event.
async fn count(mut phone: Phone, event: &str, times: usize) -> Vec<u64> {
    let start = format!("42[\"{event}\"");
    let mut numbers = Vec::new();
    while numbers.len() < times {
        let Some(packet) = phone.packet().await else {
            break;
        };
        if packet.starts_with(&start) {
            numbers.extend(number(&packet));
        }
    }
    numbers
}

fn number(packet: &str) -> Option<u64> {
    let (_, rest) = packet.split_once("\"n\":")?;
    rest.split(|end: char| !end.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}
