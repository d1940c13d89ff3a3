//! The routes as a client sees them: requests in, statuses and codes out.

mod access_table;
mod changed_once;
mod connections;
mod forms;
mod golden;
mod idempotency;
mod injection;
mod junk;
mod lists;
mod orders;
mod others;
mod overtaken;
mod payment_attempts;
mod payment_deliveries;
mod payments;
mod positions;
mod revoke;

use std::{num::NonZeroU32, sync::Arc};

use axum::{Router, body::Body, extract::FromRef};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use metaia_realtime::{Role, auth::sign_hs256};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{
    auth::{key_guard::KeyGuard, request_auth::RequestAuth, secrets::Secret},
    services::{
        Services,
        testing::{JWT_SECRET, On, World, on_both_stores},
    },
};

const API_KEY: &str = "an api key of the tests";

#[derive(Clone)]
struct TestState {
    services: Services,
    request_auth: Arc<RequestAuth>,
    key_guard: Arc<KeyGuard>,
}

impl TestState {
    fn over(world: &World, per_s: NonZeroU32) -> Self {
        let api_key = Some(Secret::from(API_KEY));
        let request_auth = RequestAuth::new(world.realtime.clone(), api_key, per_s);
        Self {
            services: world.services.clone(),
            request_auth: Arc::new(request_auth),
            key_guard: Arc::default(),
        }
    }
}

impl FromRef<TestState> for Services {
    fn from_ref(state: &TestState) -> Self {
        state.services.clone()
    }
}

impl FromRef<TestState> for Arc<RequestAuth> {
    fn from_ref(state: &TestState) -> Self {
        Self::clone(&state.request_auth)
    }
}

impl FromRef<TestState> for Arc<KeyGuard> {
    fn from_ref(state: &TestState) -> Self {
        Self::clone(&state.key_guard)
    }
}

/// The API on a world of its own.
struct Api {
    world: World,
    router: Router,
}

/// A client with its credentials.
#[derive(Clone)]
struct As<'a> {
    api: &'a Api,
    headers: HeaderMap,
}

/// The answer of the server.
#[derive(Debug)]
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    /// The body, as text and as JSON.
    text: String,
    body: Value,
}

impl Api {
    async fn new(on: On) -> Self {
        Self::over(World::new(on).await)
    }

    fn over(world: World) -> Self {
        Self::with_rate(world, NonZeroU32::MAX)
    }

    /// Returns the API with a limit of requests per second of each user.
    fn with_rate(world: World, per_s: NonZeroU32) -> Self {
        Self {
            router: super::router().with_state(TestState::over(&world, per_s)),
            world,
        }
    }

    fn nobody(&self) -> As<'_> {
        As {
            api: self,
            headers: HeaderMap::new(),
        }
    }

    fn user(&self, role: Role, user: &str) -> As<'_> {
        self.nobody()
            .with("authorization", &format!("Bearer {}", token(role, user)))
    }

    fn customer(&self) -> As<'_> {
        self.user(Role::Customer, "c1")
    }

    fn admin(&self) -> As<'_> {
        self.user(Role::Admin, "a1")
    }

    fn backend(&self) -> As<'_> {
        self.nobody().with("x-api-key", API_KEY)
    }

    /// Places an order of `c1`, and returns it with its path.
    async fn order(&self) -> (Value, String) {
        let order = self.customer().post("/api/orders", order()).await.data(201)["order"].take();
        let path = format!("/api/orders/{}", order["_id"].as_str().unwrap());
        (order, path)
    }
}

impl As<'_> {
    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, Vec::new()).await
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        self.send("POST", path, body.to_string().into_bytes()).await
    }

    async fn put(&self, path: &str, body: Value) -> Reply {
        self.send("PUT", path, body.to_string().into_bytes()).await
    }

    async fn send(&self, method: &str, path: &str, body: Vec<u8>) -> Reply {
        let request = self.request(method, path, body);
        Reply::of(self.api.router.clone(), request).await
    }

    fn request(&self, method: &str, path: &str, body: Vec<u8>) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::from(body))
            .unwrap();
        request
            .headers_mut()
            .insert("content-type", "application/json".parse().unwrap());
        request.headers_mut().extend(self.headers.clone());
        request
    }
}

impl Reply {
    /// Returns the answer of a node to a request.
    async fn of(router: Router, request: Request<Body>) -> Self {
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
        }
    }

    #[track_caller]
    fn data(&self, status: u16) -> Value {
        assert_eq!(
            (self.status.as_u16(), self.body["status"].as_str()),
            (status, Some("success")),
            "{self:?}"
        );
        self.body["data"].clone()
    }

    #[track_caller]
    fn refused(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status.as_u16(), self.body["code"].as_str()),
            (status, Some(code)),
            "{self:?}"
        );
    }

    /// Checks for 422 with this pointer first.
    #[track_caller]
    fn refused_at(&self, pointer: &str) {
        self.refused(422, "validation_failed");
        assert_eq!(self.body["errors"][0]["pointer"], pointer, "{self:?}");
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }
}

fn token(role: Role, user: &str) -> String {
    let claims = json!({ "userId": user, "role": role, "exp": u32::MAX });
    sign_hs256(&claims, JWT_SECRET).unwrap()
}

/// Returns the body of a new order.
fn order() -> Value {
    json!({ "items": [{ "garment": "shirt", "quantity": 2, "price": 45_000 }] })
}
