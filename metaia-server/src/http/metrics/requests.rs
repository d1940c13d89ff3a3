//! REST requests, counted and timed by route as it is written in the program: what callers put into
//! addresses is not in it.

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

/// From 1 ms to 10 s.
const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// What has no route.
const NONE: &str = "none";

/// The requests so far. A handle: clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Requests {
    answered: Family<Answered, Counter>,
    took: Family<Took, Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Took {
    route: String,
}

impl Default for Requests {
    fn default() -> Self {
        let took = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        Self {
            answered: Family::default(),
            took,
        }
    }
}

impl Requests {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "http_requests",
            "REST requests answered",
            self.answered.clone(),
        );
        let help = "How long REST requests took";
        registry.register_with_unit(
            "http_request_duration",
            help,
            Unit::Seconds,
            self.took.clone(),
        );
    }
}

/// Counts a request and its answer.
pub(crate) async fn count(
    State(requests): State<Requests>,
    request: Request,
    next: Next,
) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or(NONE, MatchedPath::as_str)
        .to_owned();
    let (method, begun) = (method(request.method()), Instant::now());
    let response = next.run(request).await;
    requests
        .took
        .get_or_create(&Took {
            route: route.clone(),
        })
        .observe(begun.elapsed().as_secs_f64());
    let status = class(response.status().as_u16());
    requests
        .answered
        .get_or_create(&Answered {
            method,
            route,
            status,
        })
        .inc();
    response
}

fn method(method: &Method) -> &'static str {
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

const fn class(status: u16) -> &'static str {
    match status {
        ..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}
