//! The routes that the server describes, so that a new one is not forgotten.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use super::probes::PROBES;
use crate::exit::Failure;
use crate::members::is_lacking;
use crate::rest::{Api, Body, Exchange};

/// The methods of an OpenAPI document.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The described routes, as `METHOD /path`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DescribedRoutes {
    routes: BTreeSet<String>,
}

impl DescribedRoutes {
    /// Asks the server.
    pub(super) async fn ask(api: &Api<'_>) -> Result<Self, Failure> {
        let exchange = Exchange {
            method: Method::GET,
            path: "/openapi.json",
            authority: None,
            headers: &[],
            body: Body::None,
        };
        let reply = api.exchange_patiently(exchange.clone()).await?;
        let document = serde_json::from_str(&reply.body).unwrap_or_default();
        if let Some(refusal) = api.refusal(&exchange, reply).await {
            let refusal = refusal.within("the server's routes cannot be read");
            return Err(refusal.hint("matrix needs a metaia-server, which has /openapi.json"));
        }
        Self::read(&document).ok_or_else(|| {
            is_lacking("object `paths` with routes at /openapi.json")
                .hint("matrix needs a metaia-server: check that this is the address of one")
        })
    }

    fn read(document: &Value) -> Option<Self> {
        let mut routes = BTreeSet::new();
        for (path, operations) in document["paths"].as_object()? {
            let methods = METHODS.iter().filter(|name| operations[**name].is_object());
            routes.extend(methods.map(|name| format!("{} {path}", name.to_uppercase())));
        }
        (!routes.is_empty()).then_some(Self { routes })
    }

    pub(super) fn has(&self, method: &str, route: &str) -> bool {
        self.routes.contains(&format!("{method} {route}"))
    }

    /// Returns the routes that the matrix has no request for.
    pub(super) fn not_exercised(&self) -> Vec<&str> {
        let exercised: BTreeSet<String> = PROBES
            .iter()
            .map(|probe| format!("{} {}", probe.method, probe.route))
            .collect();
        let others = self.routes.iter().map(String::as_str);
        others.filter(|route| !exercised.contains(*route)).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_route_without_a_request_is_named() {
        let document = json!({"paths": {
            "/api/orders": {"get": {}, "post": {}, "summary": "orders"},
            "/api/refunds/{id}": {"delete": {}},
        }});
        let routes = DescribedRoutes::read(&document).unwrap();
        assert!(routes.has("GET", "/api/orders"));
        assert!(!routes.has("PUT", "/api/orders"));
        assert_eq!(routes.not_exercised(), ["DELETE /api/refunds/{id}"]);
    }

    #[test]
    fn a_document_without_routes_is_none() {
        for document in [
            json!(null),
            json!([1]),
            json!({"paths": {}}),
            json!({"paths": {"/a": 1}}),
        ] {
            assert_eq!(DescribedRoutes::read(&document), None);
        }
    }
}
