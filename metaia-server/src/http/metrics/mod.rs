//! `GET /metrics`, on a separate listener for the monitoring. By default the listener accepts
//! connections from this machine only.
//!
//! Every label has a fixed set of values: codes, roles, and routes as the program writes them. No
//! label contains a name, an id or an address of a user. `docs/operations.md` lists the metrics.

mod key_sets;
mod keys;
mod node;
mod payments;
mod process_log;
mod requests;
mod store;

use std::{future::pending, io, net::SocketAddr, sync::Arc};

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use http::header;
use metaia_realtime::{JwtAuthenticator, Realtime};
use prometheus_client::{encoding::text::encode, registry::Registry};
use tokio::net::TcpListener;

pub(crate) use process_log::LogMetrics;
pub(crate) use requests::{Requests, count};

use crate::{auth::key_guard::KeyGuard, http::problem::ApiError, services::Services};

/// The content type that Prometheus asks for.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// An address on which the server cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("METAIA_METRICS_ADDR: {address} cannot be used; choose another address, or off")]
pub(crate) struct AddressError {
    address: SocketAddr,
    source: io::Error,
}

/// Listens on the address, if one is given.
pub(crate) async fn listen(
    address: Option<SocketAddr>,
) -> Result<Option<TcpListener>, AddressError> {
    let Some(address) = address else {
        return Ok(None);
    };
    let listener = TcpListener::bind(address).await;
    listener
        .map(Some)
        .map_err(|source| AddressError { address, source })
}

/// Serves until the future is dropped. Without a listener, waits for ever.
pub(crate) async fn serve(listener: Option<TcpListener>, router: Router) -> io::Result<()> {
    match listener {
        Some(listener) => axum::serve(listener, router).await,
        None => pending().await,
    }
}

/// Returns the router of the metrics of a node, of its store and payments, of the wrong keys, of
/// the keys of issuers, of the requests to it and of its own log.
pub(crate) fn router(
    realtime: Realtime,
    authenticator: Arc<JwtAuthenticator>,
    services: Services,
    keys: Arc<KeyGuard>,
    requests: &Requests,
    log: LogMetrics,
) -> Router {
    let mut registry = Registry::with_prefix("metaia");
    registry.register_collector(Box::new(node::NodeMetrics(realtime)));
    registry.register_collector(Box::new(store::StoreMetrics(services.clone())));
    registry.register_collector(Box::new(payments::PaymentMetrics(services)));
    registry.register_collector(Box::new(keys::KeyMetrics(keys)));
    registry.register_collector(Box::new(key_sets::KeySetMetrics(authenticator)));
    requests.register(&mut registry);
    registry.register_collector(Box::new(log));
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(Arc::new(registry))
}

async fn metrics(State(registry): State<Arc<Registry>>) -> Result<impl IntoResponse, ApiError> {
    let mut text = String::new();
    encode(&mut text, &registry).map_err(ApiError::internal)?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::testing::{On, World};
    use http_body_util::BodyExt as _;
    use metaia_realtime::{Role, auth::jwks::JwksSource};
    use std::collections::BTreeSet;
    use tower::ServiceExt as _;

    async fn scraped(router: Router) -> String {
        let request = http::Request::get("/metrics")
            .body(axum::body::Body::empty())
            .unwrap();
        let answer = router.oneshot(request).await.unwrap();
        assert_eq!(
            (answer.status(), &answer.headers()["content-type"]),
            (http::StatusCode::OK, &OPEN_METRICS.parse().unwrap())
        );
        String::from_utf8(
            answer
                .into_body()
                .collect()
                .await
                .unwrap()
                .to_bytes()
                .to_vec(),
        )
        .unwrap()
    }

    async fn metrics_text() -> String {
        let world = World::new(On::Embedded).await;
        let requests = Requests::default();
        let realtime = world.realtime.clone();
        realtime
            .send_to_user(
                &"secret-0".parse().unwrap(),
                ("hello", serde_json::json!({})),
            )
            .await
            .unwrap();
        let routes = Router::new().route("/orders/{id}", get(|| async { "an order" }));
        let routes = routes.layer(axum::middleware::from_fn_with_state(
            requests.clone(),
            count,
        ));
        for path in ["/orders/secret-1", "/orders/secret-2", "/secret-3"] {
            let request = http::Request::get(path)
                .body(axum::body::Body::empty())
                .unwrap();
            routes.clone().oneshot(request).await.unwrap();
        }
        let keys = Arc::default();
        let authenticator = Arc::new(JwtAuthenticator::without_keys());
        let services = world.services.clone();
        let log = LogMetrics::default();
        scraped(router(
            realtime,
            authenticator,
            services,
            keys,
            &requests,
            log,
        ))
        .await
    }

    #[tokio::test]
    async fn metrics_count_what_happened_and_name_no_user() {
        let text = metrics_text().await;
        for line in [
            "metaia_sessions{role=\"tailor\"} 0",
            "metaia_appended_entries_total 1",
            "metaia_log_head_entries 1",
            "metaia_session_ends_total{code=\"kicked\"} 0",
            "metaia_http_requests_total{method=\"GET\",route=\"/orders/{id}\",status=\"2xx\"} 2",
            "metaia_http_requests_total{method=\"GET\",route=\"none\",status=\"4xx\"} 1",
            "metaia_http_request_duration_seconds_count{route=\"/orders/{id}\"} 2",
            "metaia_publish_to_commit_seconds_count{log=\"sqlite\"} 1",
            "metaia_publish_to_commit_seconds_bucket{le=\"+Inf\",log=\"sqlite\"} 1",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is not in\n{text}"
            );
        }
        assert!(!text.contains("secret-"), "{text}");
        assert_eq!(text.matches("metaia_sessions{").count(), Role::ALL.len());
    }

    /// Prometheus takes a histogram only if no bucket is less than the one before.
    #[tokio::test]
    async fn the_buckets_of_a_histogram_rise_to_its_count() {
        let text = metrics_text().await;
        let of_publishes = text
            .lines()
            .filter_map(|line| line.strip_prefix("metaia_publish_to_commit_seconds_bucket{le="));
        let buckets: Vec<u64> = of_publishes
            .map(|bucket| bucket.rsplit(' ').next().unwrap().parse().unwrap())
            .collect();
        assert!(buckets.is_sorted(), "{buckets:?}");
        assert_eq!((buckets.len(), buckets.last()), (20, Some(&1)));
    }

    /// Dashboards and alerts depend on every name and label, also of series that stay at zero.
    #[tokio::test]
    async fn the_metrics_of_a_new_node_are_these() {
        let world = World::new(On::Embedded).await;
        let services = world.services.clone();
        let router = router(
            world.realtime.clone(),
            Arc::new(JwtAuthenticator::without_keys()),
            services,
            Arc::default(),
            &Requests::default(),
            LogMetrics::default(),
        );
        let text = scraped(router).await;
        let lines: Vec<String> = text.lines().map(without_changing_values).collect();
        let expected: Vec<&str> = include_str!("new_node.txt").lines().collect();
        assert_eq!(lines, expected, "{text}");
    }

    #[tokio::test]
    async fn key_sets_are_named_by_their_number() {
        let world = World::new(On::Embedded).await;
        let authenticator = JwtAuthenticator::without_keys();
        // Nothing listens there.
        let sources = ["one", "two"].map(|key| {
            let address = format!("http://127.0.0.1:1/keys?key=secret-{key}");
            let source = JwksSource::url(&address).unwrap();
            source.issuer(format!("https://secret-{key}.example/"))
        });
        let authenticator = sources
            .into_iter()
            .fold(authenticator, |all, source| all.or_jwks(source).unwrap());
        authenticator.wait_for_keys().await.unwrap_err();
        let router = router(
            world.realtime.clone(),
            Arc::new(authenticator),
            world.services.clone(),
            Arc::default(),
            &Requests::default(),
            LogMetrics::default(),
        );
        let text = scraped(router).await;
        for line in [
            "metaia_key_set_load_errors_total{key_set=\"1\"} 1",
            "metaia_key_set_age_seconds{key_set=\"1\"} 0",
            "metaia_key_set_age_seconds{key_set=\"2\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        assert!(!text.contains("secret-"), "{text}");
    }

    /// Replaces the version and the time of the start.
    fn without_changing_values(line: &str) -> String {
        match line.split_once(' ') {
            Some(("metaia_start_time_seconds", _)) => "metaia_start_time_seconds T".to_owned(),
            _ => line.replace(env!("CARGO_PKG_VERSION"), "V"),
        }
    }

    #[tokio::test]
    async fn the_documentation_lists_exactly_these_metrics() {
        let text = metrics_text().await;
        let names = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
        let types: BTreeSet<String> = names.map(str::to_owned).collect();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md");
        let documented = std::fs::read_to_string(path).unwrap();
        let rows = documented
            .lines()
            .filter_map(|line| line.strip_prefix("| `metaia_"));
        let names = rows.filter_map(|rest| rest.split(['{', '`']).next());
        let named: BTreeSet<String> = names
            .map(|name| format!("metaia_{}", name.trim_end_matches("_total")))
            .collect();
        assert_eq!(types, named);
    }

    #[tokio::test]
    async fn an_address_in_use_is_named_with_its_setting() {
        let taken = listen(Some(([127, 0, 0, 1], 0).into()))
            .await
            .unwrap()
            .unwrap();
        let error = listen(Some(taken.local_addr().unwrap())).await.unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("METAIA_METRICS_ADDR: 127.0.0.1:"),
            "{error}"
        );
        assert!(listen(None).await.unwrap().is_none());
    }
}
