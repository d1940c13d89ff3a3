//! Reads HTTP answers to their end.

use reqwest::Response;
use reqwest::header::HeaderValue;

use crate::clock;
use crate::diagnosis::HttpReply;

/// The most bytes of an answer that are read.
const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// Reads an answer to its end.
pub(crate) async fn read_reply(response: Response) -> HttpReply {
    read_reply_up_to(response, MAX_BODY_BYTES).await
}

/// Reads an answer to its end, or until its body has this number of bytes.
pub(crate) async fn read_reply_up_to(mut response: Response, limit: usize) -> HttpReply {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    let headers = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?)));
    let mut reply = HttpReply {
        status: response.status().as_u16(),
        headers: headers.collect(),
        body: String::new(),
        is_complete: false,
        read_at: clock::unix_ms(),
    };
    let mut body = Vec::new();
    while body.len() < limit {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => {
                reply.is_complete = true;
                break;
            }
            Err(_) => break,
        }
    }
    reply.body = String::from_utf8_lossy(&body).into_owned();
    reply
}
