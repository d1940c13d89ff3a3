//! What production refuses: what would let strangers in, or sell for nothing.

use super::{Config, Origins, Problem};
use crate::auth::secrets::Secret;

const SHORTEST_SECRET: usize = 32;

pub(super) fn check(config: &Config) -> Vec<Problem> {
    [
        secret(config.jwt_secret.as_ref()),
        old_secrets(&config.jwt_secrets_old),
        origins(&config.origins),
        provider(config),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn secret(secret: Option<&Secret>) -> Option<Problem> {
    let what = match secret {
        None => "is not set; production needs one, of at least 32 bytes (openssl rand -hex 32)",
        Some(secret) if is_short(secret) => {
            "is too short for production: at least 32 bytes (openssl rand -hex 32)"
        }
        Some(_) => return None,
    };
    Some(Problem::new("JWT_SECRET", what))
}

fn old_secrets(secrets: &[Secret]) -> Option<Problem> {
    let what = "has a secret that is too short for production: at least 32 bytes";
    secrets
        .iter()
        .any(is_short)
        .then(|| Problem::new("JWT_SECRETS_OLD", what))
}

fn is_short(secret: &Secret) -> bool {
    secret.as_bytes().len() < SHORTEST_SECRET
}

fn origins(origins: &Origins) -> Option<Problem> {
    let what = "production needs the origins of your web apps, for example https://app.metaia.example; not *";
    (*origins == Origins::Any).then(|| Problem::new("CORS_ORIGINS", what))
}

fn provider(config: &Config) -> Option<Problem> {
    let what = match &config.razorpay.url {
        None => {
            "is not set: the built-in test provider takes no money; set https://api.razorpay.com"
        }
        Some(url) if url.starts_with("http:") => {
            "must be https in production: the key travels with each request"
        }
        Some(_) => return None,
    };
    Some(Problem::new("RAZORPAY_URL", what))
}
