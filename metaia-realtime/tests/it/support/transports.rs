//! The same tests over each transport.

use metaia_realtime::{
    Role,
    client::{Client, Transport, Updates},
    testing::TestServer,
};

/// Makes a test of each function over one transport, in a module of its name.
macro_rules! over_transport {
    ($module:ident, $transport:ident, #[$kind:meta] $($test:ident),+) => {
        mod $module {
            $(
                #[$kind]
                async fn $test() {
                    super::$test(metaia_realtime::client::Transport::$transport).await;
                }
            )+
        }
    };
}

/// Makes three tests of each function, one over each transport: `websocket::name`,
/// `upgraded::name`, and `polling::name`. The function takes the transport. Those after `not over
/// polling` get the first two.
macro_rules! on_each_transport {
    (
        #[$kind:meta]
        $($test:ident),+ $(,)?
        $(; not over polling: $($only:ident),+ $(,)?)?
    ) => {
        crate::support::over_transport!(websocket, WebSocket, #[$kind] $($test),+ $(, $($only),+)?);
        crate::support::over_transport!(upgraded, Upgrade, #[$kind] $($test),+ $(, $($only),+)?);
        crate::support::over_transport!(polling, Polling, #[$kind] $($test),+);
    };
}

/// Makes two tests of each function: for a connection that begins as a WebSocket, and for one that
/// is upgraded.
macro_rules! on_each_websocket {
    (#[$kind:meta] $($test:ident),+ $(,)?) => {
        crate::support::over_transport!(websocket, WebSocket, #[$kind] $($test),+);
        crate::support::over_transport!(upgraded, Upgrade, #[$kind] $($test),+);
    };
}

pub(crate) use {on_each_transport, on_each_websocket, over_transport};

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
