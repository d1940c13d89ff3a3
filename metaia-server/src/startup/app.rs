//! The construction of the server. Only this module sees all others.

use std::{error::Error, sync::Arc};

use axum::{Router, middleware::from_fn_with_state};
use metaia_realtime::{JwtAuthenticator, Realtime, RealtimeBuilder, doorbell::RedisDoorbell};
use tower::ServiceBuilder;

use crate::{
    auth::{
        key_guard::KeyGuard,
        policy::StoreAccess,
        request_auth::RequestAuth,
        secret_file::{self, SecretFileError},
        secrets::Secret,
    },
    config::{Config, Origins},
    http::{
        health,
        metrics::{self, Requests},
        middleware::{
            self,
            gate::{self, GateRecord},
        },
        openapi, routes,
    },
    payment::{HttpProvider, PaymentProvider, TestProvider, test_provider},
    services::{PaymentSettings, Services},
    startup::{
        data_dir, key_files,
        storage::{Description, Storage},
        telemetry::ProcessLog,
    },
    state::{AppState, Health},
    store::Store,
};

/// The parts of a running server, and the handles that end them.
pub(crate) struct App {
    pub(crate) router: Router,
    /// The router of the metrics listener.
    pub(crate) metrics: Router,
    pub(crate) realtime: Realtime,
    pub(crate) health: Health,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) description: Description,
}

/// Opens the storage and builds the server on it.
pub(crate) async fn build(
    config: &Config,
    log: &ProcessLog,
) -> Result<App, Box<dyn Error + Send + Sync>> {
    data_dir::prepare(config)?;
    let jwt_secret = jwt_secret(config)?;
    let payments = payments(config)?;
    let Storage {
        store,
        builder,
        description,
    } = Storage::open(config).await?;
    let authenticator = Arc::new(authenticator(config, jwt_secret.as_ref())?);
    let builder = builder.authenticator(Arc::clone(&authenticator));
    let realtime = build_realtime(config, builder, Arc::clone(&store)).await?;
    let services = Services::new(Arc::clone(&store), realtime.clone(), payments);
    let request_auth = RequestAuth::new(
        realtime.clone(),
        config.api_key.clone(),
        config.limits.rest_per_s,
    );
    let health = Health::new(Arc::clone(&store), realtime.clone());
    let key_guard = KeyGuard::new(config.trusted_proxies.clone()).listed_by(realtime.clone());
    let key_guard = Arc::new(key_guard);
    let state = AppState {
        request_auth: Arc::new(request_auth),
        key_guard: Arc::clone(&key_guard),
        health: health.clone(),
        services,
    };
    let requests = Requests::default();
    Ok(App {
        metrics: metrics::router(
            realtime.clone(),
            authenticator,
            state.services.clone(),
            key_guard,
            &requests,
            log.metrics(),
        ),
        router: router(state, &config.origins, requests),
        realtime,
        health,
        store,
        description,
    })
}

/// Returns the router of the REST interface.
fn router(state: AppState, origins: &Origins, requests: Requests) -> Router {
    let routes = routes::router()
        .merge(health::router())
        .merge(openapi::router());
    let record = GateRecord {
        guard: Arc::clone(&state.key_guard),
        auth: Arc::clone(&state.request_auth),
    };
    // Outside of the middleware, so that its refusals are counted, too.
    let counting = ServiceBuilder::new()
        .layer(from_fn_with_state(requests, metrics::count))
        .layer(from_fn_with_state(record, gate::record));
    middleware::around(routes, origins)
        .layer(counting)
        .with_state(state)
}

async fn build_realtime(
    config: &Config,
    builder: RealtimeBuilder,
    store: Arc<dyn Store>,
) -> Result<Realtime, Box<dyn Error + Send + Sync>> {
    let builder = builder
        .order_access(StoreAccess::new(store))
        .device_resume(config.device_resume)
        .limits(config.limits.realtime.clone())
        .transports(config.transports)
        .trusted_proxies(config.trusted_proxies.iter().copied())
        .token_in_query(config.token_in_query);
    let builder = match &config.origins {
        Origins::Any => builder,
        Origins::These(these) => builder.allowed_origins(these.iter().map(ToString::to_string)),
    };
    Ok(with_doorbell(builder, config)?.build().await?)
}

/// Adds the notifications between nodes, if they are configured.
fn with_doorbell(
    mut builder: RealtimeBuilder,
    config: &Config,
) -> Result<RealtimeBuilder, Box<dyn Error + Send + Sync>> {
    if let Some(key) = &config.cluster_key {
        builder = builder.cluster_key(key.clone());
    }
    if let Some(doorbell) = &config.doorbell {
        builder = builder.doorbell(RedisDoorbell::open(doorbell.url.expose())?);
    }
    Ok(builder)
}

/// Returns the secret that signs tokens, if the server accepts such ones.
fn jwt_secret(config: &Config) -> Result<Option<Secret>, SecretFileError> {
    if config.jwt_secret.is_some() || !config.makes_jwt_secret() {
        return Ok(config.jwt_secret.clone());
    }
    secret_file::read_or_generate(&config.data, secret_file::JWT).map(Some)
}

/// Returns the verifier of tokens. It accepts the secrets that are being replaced, and the keys of
/// the issuers that publish them.
fn authenticator(
    config: &Config,
    secret: Option<&Secret>,
) -> Result<JwtAuthenticator, Box<dyn Error + Send + Sync>> {
    let mut authenticator = JwtAuthenticator::without_keys();
    for secret in secret.into_iter().chain(&config.jwt_secrets_old) {
        authenticator = authenticator.or_hs256(secret.as_bytes())?;
    }
    for source in config
        .key_sets
        .sources(key_files::check(config.environment))?
    {
        authenticator = authenticator.or_jwks(source)?;
    }
    for audience in &config.key_sets.audiences {
        authenticator = authenticator.audience(audience);
    }
    // With key sets, the issuers are theirs.
    if !config.key_sets.are_given {
        for issuer in &config.key_sets.issuers {
            authenticator = authenticator.issuer(issuer);
        }
    }
    Ok(authenticator)
}

fn payments(config: &Config) -> Result<PaymentSettings, Box<dyn Error + Send + Sync>> {
    let razorpay = &config.razorpay;
    let key_secret = match &razorpay.key_secret {
        Some(secret) => secret.clone(),
        None => secret_file::read_or_generate(&config.data, secret_file::RAZORPAY)?,
    };
    let key_id = razorpay
        .key_id
        .clone()
        .unwrap_or_else(|| test_provider::KEY_ID.to_owned());
    let (provider, webhook_secret): (Arc<dyn PaymentProvider>, _) = match &razorpay.url {
        Some(url) => {
            let provider = HttpProvider::new(url, &key_id, &key_secret)?;
            (Arc::new(provider), razorpay.webhook_secret.clone())
        }
        // So that webhooks of the test provider can be signed without a second secret.
        None => {
            let secret = razorpay
                .webhook_secret
                .clone()
                .unwrap_or_else(|| key_secret.clone());
            (Arc::new(TestProvider), Some(secret))
        }
    };
    Ok(PaymentSettings {
        provider,
        key_id,
        key_secret,
        webhook_secret,
    })
}
