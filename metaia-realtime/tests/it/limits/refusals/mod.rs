//! The list of refusals names everything that keeps a client from connecting.

mod connects;
mod handshakes;

use metaia_realtime::{
    presence::RefusalView,
    testing::{TestServer, eventually},
};

/// Waits until the refusals have these codes, the newest first, and returns them. A client that
/// polls once more after its end is left out.
async fn expect(server: &TestServer, codes: &[&str]) -> Vec<RefusalView> {
    let list = || {
        let mut listed = server.realtime().refusals(0);
        listed.retain(|refusal| refusal.code != "unknown_session");
        listed
    };
    eventually(&format!("{codes:?}"), || {
        let listed = list();
        listed
            .iter()
            .map(|refusal| refusal.code)
            .eq(codes.iter().copied())
    })
    .await;
    list()
}
