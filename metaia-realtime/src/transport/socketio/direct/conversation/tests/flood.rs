//! Clients that send more than the connection may take.

use super::*;

/// Writes a message again and again, cut anywhere.
struct Flood {
    message: Vec<u8>,
    offset: usize,
    sent: usize,
}

impl Flood {
    fn new(message: Vec<u8>) -> Self {
        Self {
            message,
            offset: 0,
            sent: 0,
        }
    }

    /// Writes until nothing is taken for 1 s.
    async fn run(&mut self, client: &mut DuplexStream) {
        let left = |flood: &Self| flood.message[flood.offset..].to_vec();
        while let Ok(written) = timeout(SECOND, client.write(&left(self))).await {
            let written = written.unwrap();
            self.offset = (self.offset + written) % self.message.len();
            self.sent += written;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn reading_pauses_while_writing_is_blocked() {
    let limits = Limits {
        write_stall: 1_000 * SECOND,
        ..limits()
    };
    let (mut conversation, mut client) = open(1_024, &limits).await;
    conversation
        .connection
        .send(frame(5_000), FrameKind::Packet);
    // Binary is dropped.
    let binary = [&[0x82, 0xfe, 0, 200, 0, 0, 0, 0][..], &[0; 200]].concat();
    let mut flood = Flood::new(binary);
    let flooding = async {
        flood.run(&mut client).await;
        let paused = 256 * 1_024..256 * 1_024 + READ_BYTES + 2_048;
        assert!(
            paused.contains(&flood.sent),
            "{} bytes were taken",
            flood.sent
        );
        let mut received = vec![0; 5_004];
        client.read_exact(&mut received).await.unwrap();
        let written = timeout(SECOND, client.write_all(&flood.message));
        written.await.unwrap().unwrap();
    };
    tokio::select! {
        heard = conversation.next() => panic!("{heard:?}"),
        () = flooding => {}
    }
}

/// A client that reads a little now and then could otherwise gather answers without end.
#[tokio::test(start_paused = true)]
async fn answers_that_are_not_taken_are_bounded() {
    let (mut conversation, mut client) = open(1_024, &limits()).await;
    let connection = Arc::clone(&conversation.connection);
    let connect = [&[0x81, 0x85, 0, 0, 0, 0][..], b"40/x,"].concat();
    let mut flood = Flood::new(connect);
    let mut most = 0;
    let flooding = async {
        for _ in 0..100 {
            flood.run(&mut client).await;
            most = most.max(connection.queued());
            client.read_exact(&mut [0; 700]).await.unwrap();
        }
    };
    let answering = async {
        loop {
            let heard = conversation.next().await;
            let Heard::Packet(ClientPacket::ConnectElsewhere(name)) = heard else {
                return heard;
            };
            conversation.send(&format!("44{name},{{}}"));
        }
    };
    tokio::select! {
        heard = answering => panic!("{heard:?}"),
        () = flooding => {}
    }
    assert!(most > 100 && most < 2_000, "{most} answers waited");
}
