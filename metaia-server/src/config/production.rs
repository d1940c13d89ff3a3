//! The checks of production: it refuses settings that would let strangers in or take no money.

use super::{
    configuration::{Config, Origins},
    problem::ConfigProblem,
    short_secrets::short_secrets,
};

pub(super) fn check(config: &Config) -> Vec<ConfigProblem> {
    let checks = [
        missing_secret(config),
        origins(&config.origins),
        provider(config.razorpay.url.as_deref()),
    ];
    let mut problems = short_secrets(config);
    problems.extend(checks.into_iter().flatten());
    problems
}

fn missing_secret(config: &Config) -> Option<ConfigProblem> {
    if config.jwt_secret.is_some() || config.key_sets.are_given {
        return None;
    }
    let reason = "is not set; production needs one, of at least 32 bytes (openssl rand -hex 32), \
                  or JWKS_URL";
    Some(ConfigProblem::new("JWT_SECRET", reason))
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
