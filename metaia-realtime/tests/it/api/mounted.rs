//! Mounting under a prefix: the service that the layer makes can be nested, a router that has the
//! layer cannot.

use axum::Router;
use metaia_realtime::{
    Realtime,
    client::{Client, ConnectError},
};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use tower_layer::Layer as _;

use crate::support::Anyone;

/// Serves `app` and connects a client to `path`.
async fn connect(app: Router, path: &str) -> Result<(), ConnectError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    TaskTracker::new().spawn(axum::serve(listener, app).into_future());
    let client = Client::builder(url).token("any").path(path);
    client.connect().await.map(drop)
}

async fn realtime() -> Realtime {
    let builder = Realtime::builder().authenticator(Anyone);
    builder.build().await.unwrap()
}

#[tokio::test]
async fn the_service_of_the_layer_is_served_under_a_prefix() {
    let service = realtime().await.layer().layer(Router::new());
    let app = Router::new().nest_service("/v1/rt", service);
    connect(app, "/v1/rt/socket.io/").await.unwrap();
}

#[tokio::test]
async fn a_nested_router_that_has_the_layer_answers_404() {
    let inner = Router::new().layer(realtime().await.layer());
    let app = Router::new().nest("/v1", inner);
    let refused = connect(app, "/v1/socket.io/").await;
    assert!(
        matches!(refused, Err(ConnectError::Http { status: 404, .. })),
        "{refused:?}"
    );
}
