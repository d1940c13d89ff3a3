//! The checks of production: it refuses settings that would let strangers in or take no money.

use super::{
    configuration::{Config, Origins},
    problem::ConfigProblem,
};
use crate::auth::secrets::Secret;

const MIN_SECRET_BYTES: usize = 32;

pub(super) fn check(config: &Config) -> Vec<ConfigProblem> {
    let checks = [
        secret(config.jwt_secret.as_ref()),
        old_secrets(&config.jwt_secrets_old),
        origins(&config.origins),
        provider(config.razorpay.url.as_deref()),
    ];
    checks.into_iter().flatten().collect()
}

fn secret(secret: Option<&Secret>) -> Option<ConfigProblem> {
    let reason = match secret {
        None => "is not set; production needs one, of at least 32 bytes (openssl rand -hex 32)",
        Some(secret) if is_short(secret) => {
            "is too short for production: at least 32 bytes (openssl rand -hex 32)"
        }
        Some(_) => return None,
    };
    Some(ConfigProblem::new("JWT_SECRET", reason))
}

fn old_secrets(secrets: &[Secret]) -> Option<ConfigProblem> {
    if !secrets.iter().any(is_short) {
        return None;
    }
    let reason = "has a secret that is too short for production: at least 32 bytes";
    Some(ConfigProblem::new("JWT_SECRETS_OLD", reason))
}

fn is_short(secret: &Secret) -> bool {
    secret.as_bytes().len() < MIN_SECRET_BYTES
}

fn origins(origins: &Origins) -> Option<ConfigProblem> {
    if *origins != Origins::Any {
        return None;
    }
    let reason = "must be the origins of your web apps in production, for example \
                  https://app.metaia.example, not *";
    Some(ConfigProblem::new("CORS_ORIGINS", reason))
}

fn provider(url: Option<&str>) -> Option<ConfigProblem> {
    let reason = match url {
        None => {
            "is not set: the built-in test provider takes no money; set https://api.razorpay.com"
        }
        Some(url) if url.starts_with("http:") => {
            "must be https in production: every request carries the key"
        }
        Some(_) => return None,
    };
    Some(ConfigProblem::new("RAZORPAY_URL", reason))
}
