//! TLS with rustls and ring, and the certificates that the operating system trusts.

use std::sync::OnceLock;

use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::ConfigVerifierExt as _;

use crate::client::error::ConnectError;

/// The configuration of every connection of the process. It is kept, since loading the system's
/// certificates takes milliseconds.
static CONFIG: OnceLock<ClientConfig> = OnceLock::new();

/// Returns the TLS configuration. If it is not `used`, it trusts no certificate and costs nothing.
pub(crate) fn config(used: bool) -> Result<ClientConfig, ConnectError> {
    install_provider();
    if !used {
        return Ok(ClientConfig::builder()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth());
    }
    if let Some(config) = CONFIG.get() {
        return Ok(config.clone());
    }
    let config = ClientConfig::with_platform_verifier()
        .map_err(|e| ConnectError::Unreachable(Box::new(e)))?;
    Ok(CONFIG.get_or_init(|| config).clone())
}

fn install_provider() {
    // An error means that the application has installed a provider of its own, which serves as
    // well.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
