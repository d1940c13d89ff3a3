//! The lengths of secrets. Production refuses short ones; in development a notice names them.
//!
//! The length of `METAIA_CLUSTER_KEY` is checked where it is read, in every environment.

use super::{configuration::Config, problem::ConfigProblem};
use crate::auth::secrets::{MIN_JWT_SECRET_BYTES, MIN_SECRET_BYTES, Secret};

const GENERATE: &str = "openssl rand -hex 32 makes one";
const GENERATE_FOR_BOTH: &str = "openssl rand -hex 32 makes one; set it at the provider, too";
const ASK_PROVIDER: &str = "copy it from the provider's dashboard, where keys are made";

/// Returns a problem for each secret that is too short for production. It names the variable and
/// the cure, and never the text.
pub(super) fn short_secrets(config: &Config) -> Vec<ConfigProblem> {
    let razorpay = &config.razorpay;
    let jwt = MIN_JWT_SECRET_BYTES;
    let other = MIN_SECRET_BYTES;
    let single = [
        ("JWT_SECRET", &config.jwt_secret, jwt, GENERATE),
        ("METAIA_API_KEY", &config.api_key, other, GENERATE),
        (
            "RAZORPAY_KEY_SECRET",
            &razorpay.key_secret,
            other,
            ASK_PROVIDER,
        ),
        (
            "RAZORPAY_WEBHOOK_SECRET",
            &razorpay.webhook_secret,
            other,
            GENERATE_FOR_BOTH,
        ),
    ];
    let mut problems = Vec::new();
    for (name, secret, min, cure) in single {
        let length = secret.as_ref().and_then(|secret| short_length(secret, min));
        problems.extend(length.map(|length| {
            let reason = format!("has {length} bytes, production needs {min}: {cure}");
            ConfigProblem::new(name, reason)
        }));
    }
    problems.extend(
        config
            .jwt_secrets_old
            .iter()
            .enumerate()
            .filter_map(short_old_secret),
    );
    problems
}

/// Returns the problem of a secret that is being replaced. It is named by its place in the list.
fn short_old_secret((index, secret): (usize, &Secret)) -> Option<ConfigProblem> {
    let min = MIN_JWT_SECRET_BYTES;
    let length = short_length(secret, min)?;
    let number = index + 1;
    let reason = format!(
        "has {length} bytes in its secret number {number}, production needs {min}: remove that \
         secret, its tokens can be forged"
    );
    Some(ConfigProblem::new("JWT_SECRETS_OLD", reason))
}

/// Returns the length of a secret that is too short.
fn short_length(secret: &Secret, min: usize) -> Option<usize> {
    let length = secret.as_bytes().len();
    (length < min).then_some(length)
}

/// Returns one notice that lists all short secrets, for an environment in which they are accepted.
pub(super) fn notice(config: &Config) -> Option<String> {
    let problems = short_secrets(config);
    if problems.is_empty() {
        return None;
    }
    let lines = problems
        .iter()
        .map(|problem| format!("{} {}", problem.name, problem.reason));
    let lines = lines.collect::<Vec<_>>().join("; ");
    Some(format!("short secrets can be guessed: {lines}"))
}
