//! The whole server put together: the only module that sees all others.

use std::{error::Error, sync::Arc};

use axum::{Router, middleware::from_fn_with_state};
use metaia_realtime::{JwtAuthenticator, Realtime, RealtimeBuilder, doorbell::RedisDoorbell};

use crate::{
    auth::{policy::StoreAccess, request_auth::Gate, secret_file, secrets::Secret},
    config::{Config, Origins},
    http::{
        health::{self, Health},
        metrics::{self, Requests},
        middleware, openapi, routes,
    },
    payment::{HttpProvider, PaymentProvider, TestProvider, test_provider},
    services::{PaymentSettings, Services},
    startup::{
        data_dir as data,
        storage::{Description, Ground},
    },
    state::AppState,
    store::Store,
};

/// Everything that runs, and what is needed to end it.
pub(crate) struct App {
    pub(crate) router: Router,
    /// For the listener of metrics.
    pub(crate) metrics: Router,
    pub(crate) realtime: Realtime,
    pub(crate) health: Health,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) described: Description,
}

/// Opens the store and builds everything on it.
pub(crate) async fn build(config: &Config) -> Result<App, Box<dyn Error + Send + Sync>> {
    data::prepare(&config.data)?;
    let jwt = match &config.jwt_secret {
        Some(secret) => secret.clone(),
        None => secret_file::read_or_make(&config.data, secret_file::JWT)?,
    };
    let payments = payments(config)?;
    let Ground {
        store,
        builder,
        described,
    } = Ground::of(config).await?;
    let realtime = realtime(config, &jwt, builder, Arc::clone(&store)).await?;
    let services = Services::new(Arc::clone(&store), realtime.clone(), payments);
    let gate = Gate::new(
        authenticator(config, &jwt)?,
        config.api_key.clone(),
        config.limits.rest_per_s,
    );
    let health = Health::new(Arc::clone(&store));
    let state = AppState {
        gate: Arc::new(gate),
        health: health.clone(),
        services,
    };
    let requests = Requests::default();
    let metrics = metrics::router(realtime.clone(), &requests);
    let router = router(state, &config.origins, requests);
    Ok(App {
        router,
        metrics,
        realtime,
        health,
        store,
        described,
    })
}

/// The REST interface.
fn router(state: AppState, origins: &Origins, requests: Requests) -> Router {
    let routes = routes::router()
        .merge(health::router())
        .merge(openapi::router());
    let counted =
        middleware::around(routes, origins).layer(from_fn_with_state(requests, metrics::count));
    counted.with_state(state)
}

async fn realtime(
    config: &Config,
    jwt: &Secret,
    ground: RealtimeBuilder,
    store: Arc<dyn Store>,
) -> Result<Realtime, Box<dyn Error + Send + Sync>> {
    let builder = ground
        .authenticator(authenticator(config, jwt)?)
        .order_access(StoreAccess::new(store))
        .device_resume(config.device_resume)
        .limits(config.limits.realtime.clone())
        .transports(config.transports)
        .token_in_query(config.token_in_query);
    let builder = match &config.origins {
        Origins::Any => builder,
        Origins::These(these) => builder.allowed_origins(these),
    };
    Ok(with_doorbell(builder, config)?.build().await?)
}

/// How this node and others wake each other, where that was configured.
fn with_doorbell(
    builder: RealtimeBuilder,
    config: &Config,
) -> Result<RealtimeBuilder, Box<dyn Error + Send + Sync>> {
    let builder = match &config.cluster_key {
        Some(key) => builder.cluster_key(key.clone()),
        None => builder,
    };
    Ok(match &config.doorbell {
        Some(doorbell) => builder.doorbell(RedisDoorbell::open(doorbell.url.expose())?),
        None => builder,
    })
}

fn authenticator(
    config: &Config,
    jwt: &Secret,
) -> Result<JwtAuthenticator, Box<dyn Error + Send + Sync>> {
    let newest = JwtAuthenticator::hs256(jwt.as_bytes())?;
    let mut old = config.jwt_secrets_old.iter();
    Ok(old.try_fold(newest, |authenticator, secret| {
        authenticator.or_hs256(secret.as_bytes())
    })?)
}

fn payments(config: &Config) -> Result<PaymentSettings, Box<dyn Error + Send + Sync>> {
    let razorpay = &config.razorpay;
    let key_secret = match &razorpay.key_secret {
        Some(secret) => secret.clone(),
        None => secret_file::read_or_make(&config.data, secret_file::RAZORPAY)?,
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
        // The test provider's webhooks can be signed without another secret.
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
