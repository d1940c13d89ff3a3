//! The place of a key set, its issuer, and the audiences of its tokens.

use std::{error::Error, fmt, path::Path, sync::Arc, time::Duration};

use super::{
    document::KeyTable,
    file::KeyFile,
    freshness::RefreshTimes,
    http::{KeyHost, WithoutTls},
    loader::{JwksError, KeyLoader},
};

/// The place of a key set, with the issuer whose keys they are and the audiences of its tokens. The
/// module [`jwks`](super) says how it is used.
///
/// ```no_run
/// use metaia_realtime::{JwtAuthenticator, auth::jwks::JwksSource};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let source = JwksSource::url("https://login.example/.well-known/jwks.json")?
///     .issuer("https://login.example/")
///     .audience("metaia");
/// let authenticator = JwtAuthenticator::jwks(source).or_hs256("a secret of at least 32 bytes")?;
/// # drop(authenticator);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct JwksSource {
    pub(super) loader: Arc<dyn KeyLoader>,
    /// The keys of a file, which is read at once.
    pub(super) first: Option<KeyTable>,
    pub(super) issuer: Option<String>,
    pub(super) audiences: Vec<String>,
    pub(super) times: RefreshTimes,
}

impl JwksSource {
    /// Takes the keys from an address. It must begin with `https:`, or with `http:` if its host is
    /// this machine (a loopback address or `localhost`). Redirects to other hosts are not followed.
    ///
    /// The address is not asked yet: a host that is down does not keep a server from its start.
    ///
    /// # Errors
    /// Returns [`JwksError::Address`] if it is another text, and [`JwksError::Client`] if no HTTP
    /// client can be built.
    pub fn url(url: &str) -> Result<Self, JwksError> {
        Ok(Self::at(KeyHost::new(url, WithoutTls::LoopbackOnly)?))
    }

    /// Takes the keys from an address that may begin with `http:`, whatever its host is. One who
    /// can change the answer on its way can sign any token.
    ///
    /// # Errors
    /// As for [`url`](Self::url).
    pub fn url_without_tls(url: &str) -> Result<Self, JwksError> {
        Ok(Self::at(KeyHost::new(url, WithoutTls::AnyHost)?))
    }

    /// Takes the keys from a file. It is read now, and again when it has changed.
    ///
    /// # Errors
    /// Returns [`JwksError::File`] if it cannot be read, [`JwksError::TooLong`] if it has more than
    /// 1 MiB, and [`JwksError::Document`] if it has no key that can be used.
    pub fn file(path: impl AsRef<Path>) -> Result<Self, JwksError> {
        Self::file_if(path, |_| Ok::<(), JwksError>(()))
    }

    /// Takes the keys from a file that `check` accepts. It is asked now, and each time before the
    /// file is read again because it has changed: one who can write the file can sign any token.
    /// While it refuses, the keys that were loaded last stay in use, and the log says why. It may
    /// block.
    ///
    /// # Errors
    /// As for [`file`](Self::file), and [`JwksError::Untrusted`] if `check` refuses the file.
    ///
    /// ```
    /// use metaia_realtime::auth::jwks::{JwksError, JwksSource};
    ///
    /// let refused = JwksSource::file_if("keys.json", |_| Err("others can write it"));
    /// assert!(matches!(refused, Err(JwksError::Untrusted(_))));
    /// ```
    pub fn file_if<E>(
        path: impl AsRef<Path>,
        check: impl Fn(&Path) -> Result<(), E> + Send + Sync + 'static,
    ) -> Result<Self, JwksError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let check = Box::new(move |path: &Path| {
            let checked = check(path);
            checked.map_err(|error| JwksError::Untrusted(error.into()))
        });
        let (file, table) = KeyFile::open(path.as_ref(), check)?;
        Ok(Self {
            first: Some(table),
            ..Self::at(file)
        })
    }

    pub(super) fn at(loader: impl KeyLoader) -> Self {
        Self {
            loader: Arc::new(loader),
            first: None,
            issuer: None,
            audiences: Vec::new(),
            times: RefreshTimes::DEFAULT,
        }
    }

    /// Sets the issuer: these keys sign its tokens, those with this `iss`, and no others. Without
    /// an issuer they sign all tokens whose `iss` is not that of another source.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Adds an audience. With at least one, `aud` of a token must be one of them, or be a list with
    /// one of them.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Sets the time between two loads, 5 minutes by default. `Cache-Control: max-age` of the host
    /// may shorten it, but not below the time of [`ask_every`](Self::ask_every).
    pub const fn refresh_every(mut self, time: Duration) -> Self {
        self.times.refresh = time;
        self
    }

    /// Sets the least time between two loads that tokens with unknown keys ask for, 30 s by
    /// default.
    pub const fn ask_every(mut self, time: Duration) -> Self {
        self.times.ask = time;
        self
    }

    /// Sets the time for which the keys stay in use while they cannot be loaded again, 24 h by
    /// default.
    pub const fn keep_for(mut self, time: Duration) -> Self {
        self.times.keep = time;
        self
    }
}

impl fmt::Debug for JwksSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksSource")
            .field("place", &self.loader.place())
            .field("issuer", &self.issuer)
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}

/// Error of a second source for one issuer: it would not be known whose keys are asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two key sets have the same issuer, or both of them have none")]
pub struct DuplicateIssuer;
