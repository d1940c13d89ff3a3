//! The same tests over each transport.

use metaia_realtime::{
    Role,
    client::{Client, Transport, Updates},
    testing::TestServer,
};

/// Makes three tests of each function, one over each transport: `websocket::name`,
/// `upgraded::name`, and `polling::name`. The function takes the transport. Those after `not over
/// polling` get the first two.
macro_rules! on_each_transport {
    (
        #[$kind:meta]
        $($test:ident),+ $(,)?
        $(; not over polling: $($only:ident),+ $(,)?)?
    ) => {
        mod websocket {
            $(#[$kind] async fn $test() {
                super::$test(metaia_realtime::client::Transport::WebSocket).await;
            })+
            $($(#[$kind] async fn $only() {
                super::$only(metaia_realtime::client::Transport::WebSocket).await;
            })+)?
        }

        mod upgraded {
            $(#[$kind] async fn $test() {
                super::$test(metaia_realtime::client::Transport::Upgrade).await;
            })+
            $($(#[$kind] async fn $only() {
                super::$only(metaia_realtime::client::Transport::Upgrade).await;
            })+)?
        }

        mod polling {
            $(#[$kind] async fn $test() {
                super::$test(metaia_realtime::client::Transport::Polling).await;
            })+
        }
    };
}

pub(crate) use on_each_transport;

/// Every transport once.
pub(crate) const TRANSPORTS: [Transport; 3] =
    [Transport::WebSocket, Transport::Upgrade, Transport::Polling];

/// Connects a client over this transport.
pub(crate) async fn connect(
    server: &TestServer,
    transport: Transport,
    role: Role,
    user: &str,
) -> (Client, Updates) {
    let builder = server.client_builder(role, user).transport(transport);
    builder.connect().await.unwrap()
}
