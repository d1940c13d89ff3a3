//! The durations that nodes over one log in MongoDB record.

use metaia_realtime::{
    Role,
    testing::{TestServer, eventually, mongod::Mongod},
};

use super::open_log;
use crate::support::{tick, ticks, user};

#[tokio::test(flavor = "multi_thread")]
async fn each_node_times_what_it_delivers_and_only_its_own_publishes() {
    let uri = Mongod::replica_set().uri_of_new_database();
    let here = open_log(&uri).await;
    let there = open_log(&uri).await;
    let here = TestServer::start(|builder| builder.log(here)).await;
    let there = TestServer::start(|builder| builder.log(there)).await;
    let (_near, mut near) = here.client(Role::Customer, "c1").await;
    let (_far, mut far) = there.client(Role::Customer, "c1").await;
    for i in 0..3 {
        tick(here.realtime(), user("c1"), i).await;
    }
    assert_eq!(ticks(&mut near, 3).await, [0, 1, 2]);
    assert_eq!(ticks(&mut far, 3).await, [0, 1, 2]);
    for (server, publishes) in [(&here, 3), (&there, 0)] {
        eventually("every write is recorded", || {
            let stats = server.realtime().stats();
            stats.commit_to_write["websocket"].count() == 3
        })
        .await;
        let stats = server.realtime().stats();
        assert_eq!(stats.publish_to_commit["mongodb"].count(), publishes);
    }
}
