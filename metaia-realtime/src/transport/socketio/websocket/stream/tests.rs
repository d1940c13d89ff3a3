//! The stream between a client and the engine.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::*;
use crate::transport::guard::{Connection, GuardedIo};

const MAX_BYTES: usize = 1_000;

/// Both ends of a stream: the engine's, and the client's.
fn pair(link: &Arc<Link>) -> (EngineStream<DuplexStream>, DuplexStream) {
    let (ours, theirs) = duplex(64 * 1024);
    let stream = EngineStream::with_reader(
        ours,
        Arc::clone(link),
        FrameReader::new(MAX_BYTES),
        &limits(),
    );
    (stream, theirs)
}

fn limits() -> Limits {
    Limits {
        message_bytes: MAX_BYTES,
        ..Limits::default()
    }
}

fn link() -> Arc<Link> {
    Arc::new(Link::new(&Limits::default()))
}

async fn send(client: &mut DuplexStream, packets: &[&str]) {
    let mut frames = Vec::new();
    for packet in packets {
        append_client_text(&mut frames, packet);
    }
    client.write_all(&frames).await.unwrap();
}

/// Returns the packets that the engine can read now.
async fn read<S: AsyncRead + Unpin>(stream: &mut EngineStream<S>) -> Vec<String> {
    let mut reader = FrameReader::new(MAX_BYTES);
    let mut bytes = [0; 7];
    let mut packets = Vec::new();
    while let Some(Ok(count)) = futures_util::FutureExt::now_or_never(stream.read(&mut bytes)) {
        if count == 0 {
            packets.push("the end".to_owned());
            break;
        }
        reader.feed(&bytes[..count]);
        while let Some(Message::Text(packet)) = reader.next().unwrap() {
            packets.push(packet);
        }
    }
    packets
}

const EVENT: &str = r#"42["a"]"#;

#[tokio::test]
async fn the_end_waits_behind_the_packets_that_wait() {
    for ending in [&[EVENT, "41"][..], &[EVENT, "1"], &[EVENT, "40/x,", "3"]] {
        let link = link();
        let (mut stream, mut client) = pair(&link);
        send(&mut client, &["40"]).await;
        send(&mut client, ending).await;
        drop(client);
        let mut pongs = ending.to_vec();
        pongs.retain(|packet| *packet == "3");
        pongs.insert(0, "40");
        assert_eq!(read(&mut stream).await, pongs);
        link.membership.join();
        let mut passed = ending.to_vec();
        passed.retain(|packet| *packet != "3");
        passed.push("the end");
        assert_eq!(read(&mut stream).await, passed);
    }
}

#[tokio::test]
async fn a_close_frame_waits_behind_the_packets_that_wait() {
    let link = link();
    let (mut stream, mut client) = pair(&link);
    send(&mut client, &["40", EVENT]).await;
    let mut close = Vec::new();
    append_client_control(&mut close, Control::Close, &[]);
    client.write_all(&close).await.unwrap();
    assert_eq!(read(&mut stream).await, ["40"]);
    link.membership.join();
    let mut frames = Vec::new();
    stream.read_to_end(&mut frames).await.unwrap();
    let mut reader = FrameReader::new(MAX_BYTES);
    reader.feed(&frames);
    assert_eq!(reader.next(), Ok(Some(Message::Text(EVENT.to_owned()))));
    let close = Message::Control(Control::Close, Vec::new());
    assert_eq!(reader.next(), Ok(Some(close)));
}

#[tokio::test(start_paused = true)]
async fn packets_of_a_connection_that_has_ended_wait_for_a_time() {
    let link = link();
    let (mut stream, mut client) = pair(&link);
    send(&mut client, &["40", EVENT]).await;
    drop(client);
    assert_eq!(read(&mut stream).await, ["40"]);
    let ended = tokio::time::Instant::now();
    let mut frames = Vec::new();
    stream.read_to_end(&mut frames).await.unwrap();
    assert_eq!(frames, [0; 0]);
    let waited = ended.elapsed().as_secs();
    assert_eq!(waited, longest_wait(&limits()).as_secs());
}

#[tokio::test]
async fn packets_of_a_connection_that_the_server_has_killed_do_not_wait() {
    let link = link();
    let (ours, mut client) = duplex(1_024);
    let permit = Arc::new(tokio::sync::Semaphore::new(1)).try_acquire_owned();
    let connection = Connection::new(([127, 0, 0, 1], 1).into());
    let guarded = GuardedIo::new(ours, connection.clone(), Duration::MAX, permit.unwrap());
    let mut stream = EngineStream::with_reader(
        guarded,
        Arc::clone(&link),
        FrameReader::new(MAX_BYTES),
        &limits(),
    );
    send(&mut client, &["40", EVENT]).await;
    drop(client);
    assert_eq!(read(&mut stream).await, ["40"]);
    let mut byte = [0];
    let kill = async { connection.kill() };
    // The first of the two is polled first, and must be woken.
    let (read, ()) = tokio::join!(stream.read(&mut byte), kill);
    assert!(read.is_err());
}

#[tokio::test]
async fn events_behind_connect_wait_and_pongs_do_not() {
    let link = link();
    let (mut stream, mut client) = pair(&link);
    send(
        &mut client,
        &["40", r#"42["a"]"#, "3", r#"42["\"b"]"#, "41", "40"],
    )
    .await;
    assert_eq!(read(&mut stream).await, ["40", "3"]);
    assert_eq!(link.progress().unwrap().pongs, 1);
    link.membership.join();
    let passed = [r#"42["a"]"#, r#"42["","\"b"]"#, "41"];
    assert_eq!(read(&mut stream).await, passed);
    link.membership.end();
    assert_eq!(read(&mut stream).await, [""; 0]);
    link.membership.settled(PacketKind::Connect).await;
    assert_eq!(read(&mut stream).await, ["40"]);
}

#[tokio::test]
async fn no_more_is_read_while_too_much_waits() {
    let link = link();
    let (mut stream, mut client) = pair(&link);
    let event = format!(r#"42["{}"]"#, "x".repeat(600));
    send(&mut client, &["40", &event, &event, &event, &event]).await;
    assert_eq!(read(&mut stream).await, ["40"]);
    assert_eq!(stream.waiting.len(), 2);
    link.membership.join();
    assert_eq!(read(&mut stream).await.len(), 4);
}

#[tokio::test]
async fn the_engine_is_shown_an_upgrade_that_the_client_has_been_through() {
    let link = link();
    let (ours, mut client) = duplex(1_024);
    let mut reader = FrameReader::new(MAX_BYTES);
    let mut behind = Vec::new();
    append_client_text(&mut behind, "3");
    reader.feed(&behind);
    let mut stream = EngineStream::upgraded(ours, link, reader, &limits());
    assert_eq!(read(&mut stream).await, ["2probe", "5", "3"]);
    stream.write_all(&server_text("3probe")).await.unwrap();
    stream.write_all(&server_text("2")).await.unwrap();
    let mut written = [0; 3];
    client.read_exact(&mut written).await.unwrap();
    assert_eq!(written.as_slice(), server_text("2"));
}

#[tokio::test]
async fn what_is_written_is_counted() {
    let link = link();
    let (mut stream, _client) = pair(&link);
    for packet in [r#"42["a"]"#, "2", "431[]"] {
        stream.write_all(&server_text(packet)).await.unwrap();
    }
    let progress = link.progress().unwrap();
    assert_eq!((progress.written, progress.pinged), (2, 1));
}

#[tokio::test]
async fn a_frame_that_is_not_allowed_closes_the_stream_with_its_code() {
    let (mut stream, mut client) = pair(&link());
    client.write_all(&server_text("unmasked")).await.unwrap();
    let mut frames = Vec::new();
    stream.read_to_end(&mut frames).await.unwrap();
    let mut reader = FrameReader::new(MAX_BYTES);
    reader.feed(&frames);
    let close = Message::Control(Control::Close, 1_002_u16.to_be_bytes().to_vec());
    assert_eq!(reader.next(), Ok(Some(close)));
}
