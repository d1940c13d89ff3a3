//! Reads HTTP answers to their end.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::HeaderValue;

use crate::clock;
use crate::diagnosis::{Fault, HttpReply};

/// The most bytes of an answer that are read.
const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// Returns whether an answer was not read to its end because it is too large.
pub(crate) fn is_too_large(reply: &HttpReply) -> bool {
    // A character that is replaced has at least as many bytes as what it replaces.
    !reply.is_complete && reply.body.len() > MAX_BODY_BYTES
}

/// Reads an answer to its end. `timeout` is the time limit of its client.
///
/// # Errors
/// A fault if the end does not come in time. An answer that is cut off is one without its end.
pub(crate) async fn read_reply(response: Response, timeout: Duration) -> Result<HttpReply, Fault> {
    let (reply, error) = read(response, MAX_BODY_BYTES).await;
    match error {
        Some(error) if error.is_timeout() => Err(Fault::NoAnswer(timeout)),
        _ => Ok(reply),
    }
}

/// Reads an answer to its end, or until its body has more than this number of bytes. `timeout` is
/// the time limit of its client.
///
/// # Errors
/// A fault if neither comes in time. An answer that is cut off is one without its end.
pub(crate) async fn read_reply_up_to(
    response: Response,
    limit: usize,
    timeout: Duration,
) -> Result<HttpReply, Fault> {
    let (reply, error) = read(response, limit).await;
    match error {
        Some(error) if error.is_timeout() => Err(Fault::EndlessBody {
            status: reply.status,
            limit: timeout,
        }),
        _ => Ok(reply),
    }
}

/// Reads an answer, and returns the error that ended it.
async fn read(mut response: Response, limit: usize) -> (HttpReply, Option<reqwest::Error>) {
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
    let mut ended_by = None;
    while body.len() <= limit {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => {
                reply.is_complete = true;
                break;
            }
            Err(error) => {
                ended_by = Some(error);
                break;
            }
        }
    }
    reply.body = String::from_utf8_lossy(&body).into_owned();
    (reply, ended_by)
}

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::http;

    use super::*;

    async fn read(bytes: usize, limit: usize) -> HttpReply {
        let response = http::Response::new("x".repeat(bytes));
        let timeout = Duration::from_secs(2);
        let reply = read_reply_up_to(Response::from(response), limit, timeout).await;
        reply.unwrap()
    }

    #[tokio::test]
    async fn an_answer_is_read_up_to_its_limit() {
        let whole = read(8, 8).await;
        assert_eq!((whole.is_complete, whole.body.len()), (true, 8));
        assert!(!read(9, 8).await.is_complete);
    }

    #[tokio::test]
    async fn an_answer_that_is_too_large_is_told_from_one_that_was_cut() {
        let large = read(MAX_BODY_BYTES + 1, MAX_BODY_BYTES).await;
        assert!(is_too_large(&large));
        let whole = read(MAX_BODY_BYTES, MAX_BODY_BYTES).await;
        assert!(!is_too_large(&whole));
        let cut = HttpReply {
            is_complete: false,
            ..read(1, 8).await
        };
        assert!(!is_too_large(&cut));
    }
}
