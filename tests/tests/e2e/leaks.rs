//! Checks that the server releases everything that a client used after the client has left.

use futures_util::future::join_all;
use metaia_tests::checker::{Fact, Recorder, Resource, assert_correct};
use metaia_tests::clients::phone::Phone;
use metaia_tests::clients::way::{Reached, Way};
use metaia_tests::eventually::eventually;
use metaia_tests::faults::kernel::{descriptors, resident_kib};
use metaia_tests::server::{Server, Setup};

/// The number of clients in one wave, of every way in turn. Half of them disconnect with a
/// DISCONNECT packet.
const WAVE_SIZE: usize = 102;

async fn run_wave(server: &Server) {
    let opening = (0..WAVE_SIZE).map(async |member| {
        let way = Way::nth(member);
        let name = format!("c{member}");
        let phone = Phone::ready_as(&Reached::by(way, server), "customer", &name).await;
        (way, phone)
    });
    let phones = join_all(opening).await;
    for (index, (way, mut phone)) in phones.into_iter().enumerate() {
        if index % 2 == 0 {
            phone.send("41").await;
        }
        match way {
            // A client that no longer polls would be missed only after its heartbeat.
            Way::Polling => phone.leave().await,
            Way::WebSocket | Way::Upgraded => phone.drop_connection(),
        }
    }
}

fn sample(server: &Server, recorder: &Recorder) {
    let amounts = [
        (Resource::Descriptors, descriptors(server.pid())),
        (Resource::Memory, resident_kib(server.pid())),
    ];
    for (resource, amount) in amounts {
        recorder.note(Fact::Sampled { resource, amount });
    }
}

#[tokio::test]
async fn the_server_releases_everything_after_the_last_client() {
    let server = Setup::new()
        .env("METAIA_LIMITS", "handshakes_per_s=100000")
        .start()
        .await;
    let recorder = Recorder::new();
    recorder.note(Fact::Started);
    let idle = descriptors(server.pid());
    let back = async || (descriptors(server.pid()) <= idle + 1).then_some(());
    // The first wave fills the caches, which are kept on purpose.
    run_wave(&server).await;
    eventually("the first wave's descriptors to be released", back).await;
    sample(&server, &recorder);
    for _ in 0..5 {
        run_wave(&server).await;
        eventually("a wave's descriptors to be released", back).await;
    }
    eventually("all descriptors to be released", async || {
        (descriptors(server.pid()) <= idle).then_some(())
    })
    .await;
    sample(&server, &recorder);
    server.stop().await;
    assert_correct("waves of clients", &recorder.history());
}
