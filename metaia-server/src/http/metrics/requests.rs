//! Counts and durations of REST requests, by route as the program writes it: no label contains
//! text from a caller's address.

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use http::Method;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};
use tokio::time::Instant;

/// The buckets of the durations, in seconds: from 1 ms to 10 s.
const DURATION_BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// The label of requests without a route.
const NO_ROUTE: &str = "none";

/// The requests so far. A handle: all clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Requests {
    counts: Family<CountLabels, Counter>,
    durations: Family<DurationLabels, Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CountLabels {
    method: &'static str,
    route: String,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DurationLabels {
    route: String,
}

impl Default for Requests {
    fn default() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(DURATION_BUCKETS);
        Self {
            counts: Family::default(),
            durations: Family::new_with_constructor(histogram),
        }
    }
}

impl Requests {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "http_requests",
            "REST requests answered",
            self.counts.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "Duration of REST requests",
            Unit::Seconds,
            self.durations.clone(),
        );
    }
}

/// Counts a request and its duration.
pub(crate) async fn count(
    State(requests): State<Requests>,
    request: Request,
    next: Next,
) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or(NO_ROUTE, MatchedPath::as_str)
        .trim_end_matches('/')
        .to_owned();
    let method = method_label(request.method());
    let start = Instant::now();
    let response = next.run(request).await;
    let labels = DurationLabels {
        route: route.clone(),
    };
    let seconds = start.elapsed().as_secs_f64();
    requests.durations.get_or_create(&labels).observe(seconds);
    let labels = CountLabels {
        method,
        route,
        status: status_class(response.status().as_u16()),
    };
    requests.counts.get_or_create(&labels).inc();
    response
}

fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

const fn status_class(status: u16) -> &'static str {
    match status {
        ..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}
