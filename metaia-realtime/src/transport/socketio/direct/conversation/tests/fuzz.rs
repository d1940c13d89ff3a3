//! Whole connections, fuzzed.

use super::*;
use crate::transport::socketio::fuzz::{
    input::{cut, stream},
    run,
};

/// The most frames that may wait: a pong, and a close frame.
const MOST_QUEUED: usize = 2;

/// Lets a client send these pieces and then the end of its stream. Returns what is heard of it, and
/// the first byte of the last frame that is written.
async fn serve(pieces: &[&[u8]]) -> (Vec<Heard>, Option<u8>) {
    let (mut conversation, mut client) = open(1 << 20, &limits()).await;
    let sending = async {
        for piece in pieces {
            // The server may have gone.
            client.write_all(piece).await.ok();
            tokio::task::yield_now().await;
        }
        client.shutdown().await.ok();
    };
    let hearing = async {
        let mut heard = Vec::new();
        loop {
            heard.push(conversation.next().await);
            assert!(conversation.connection.queued() <= MOST_QUEUED);
            if let Some(Heard::Lost(lost)) = heard.last() {
                if *lost == Lost::Closed {
                    conversation.finish_writing(SECOND).await;
                }
                return heard;
            }
        }
    };
    let ((), heard) = tokio::join!(sending, hearing);
    drop(conversation);
    let mut written = Vec::new();
    client.read_to_end(&mut written).await.unwrap();
    (heard, last_frame(&written))
}

/// Returns the first byte of the last frame. All of them are short.
fn last_frame(mut frames: &[u8]) -> Option<u8> {
    let mut last = None;
    while let [first, length, behind @ ..] = frames {
        last = Some(*first);
        frames = &behind[usize::from(*length)..];
    }
    last
}

#[test]
fn a_connection_is_heard_alike_however_its_bytes_are_cut() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    run(|rng| {
        let bytes = stream(rng);
        let pieces = cut(rng, &bytes);
        let (whole, cut) =
            runtime.block_on(async { (serve(&[&bytes]).await, serve(&pieces).await) });
        assert_eq!(cut.0, whole.0);
        let is_closed = whole.0.last() == Some(&Heard::Lost(Lost::Closed));
        assert_eq!(whole.1 == Some(0x88), is_closed);
        assert_eq!(cut.1 == Some(0x88), is_closed);
    });
}
