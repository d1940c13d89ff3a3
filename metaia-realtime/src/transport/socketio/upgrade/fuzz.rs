//! The WebSocket of an upgrade before the client has switched, fuzzed.

use std::sync::{Arc, Weak};

use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

use super::probe::UpgradeAttempt;
use crate::{
    Limits,
    transport::socketio::{
        fuzz::{
            input::{MAX_MESSAGE, cut, message, stream},
            run,
        },
        handshake::OpeningHandshake,
        link::{Link, PollingSession},
    },
};

/// The result of an attempt.
#[derive(Debug, PartialEq, Eq)]
struct Attempted {
    has_switched: bool,
    /// The bytes that the server has written.
    written: Vec<u8>,
}

/// Returns the packets of an upgrade, often disturbed.
fn upgrade(rng: &mut StdRng) -> Vec<u8> {
    let mut bytes = Vec::new();
    for packet in ["2probe", "5"] {
        if rng.random_bool(0.15) {
            bytes.extend(stream(rng));
        }
        let packet = match rng.random_range(0..20) {
            0 => ["2", "5", "2probe", "6", "3probe", ""]
                .choose(rng)
                .copied()
                .unwrap_or_default(),
            _ => packet,
        };
        bytes.extend(message(rng, 1, packet.as_bytes()));
    }
    bytes.extend(message(rng, 1, b"behind"));
    bytes
}

/// Lets a client send these pieces and then the end of its stream.
async fn attempt(pieces: &[&[u8]]) -> Attempted {
    let polling = PollingSession::new(Weak::new(), "sid");
    let link = Arc::new(Link::new(
        &Limits::default(),
        polling,
        OpeningHandshake::default(),
    ));
    let attempt = UpgradeAttempt::begin(&link).unwrap();
    let (mut ours, mut client) = duplex(1 << 16);
    let probing = async move { attempt.probe(&mut ours, MAX_MESSAGE).await.is_some() };
    let sending = async {
        for piece in pieces {
            // The server may have gone.
            client.write_all(piece).await.ok();
            tokio::task::yield_now().await;
        }
        client.shutdown().await.ok();
        let mut written = Vec::new();
        client.read_to_end(&mut written).await.ok();
        written
    };
    let (has_switched, written) = tokio::join!(probing, sending);
    assert_eq!(link.upgrade.has_switched(), has_switched);
    assert!(has_switched || UpgradeAttempt::begin(&link).is_some());
    Attempted {
        has_switched,
        written,
    }
}

#[test]
fn an_upgrade_ends_alike_however_it_is_cut() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let mut switched = 0;
    run(|rng| {
        let bytes = upgrade(rng);
        let (whole, pieces) = runtime.block_on(async {
            let pieces = cut(rng, &bytes);
            (attempt(&[&bytes]).await, attempt(&pieces).await)
        });
        assert_eq!(pieces, whole);
        switched += u64::from(whole.has_switched);
    });
    assert!(switched > 0);
}
