//! Where the database is, as text that an operator wrote.

use std::time::Duration;

use mongodb::options::{ClientOptions, ReadPreference, SelectionCriteria};

use super::{Options, handle::APP};

/// The database, where the text names none.
const DATABASE: &str = "metaia";

/// Connections that are open at once, unless somebody says otherwise.
const POOL: u32 = 32;

const SELECTION: Duration = Duration::from_secs(3);
const CONNECT: Duration = Duration::from_secs(2);
/// How often the driver looks who is there: what is gone is noticed soon.
const LOOK: Duration = Duration::from_secs(2);

/// Why a text does not say where a MongoDB is. It says nothing of what stood there: there may be a
/// password in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// It is something else altogether.
    #[error("it begins with neither `mongodb://` nor `mongodb+srv://`")]
    Scheme,
    /// A part of it cannot be read.
    #[error(
        "it is not `mongodb://[user:password@]host[:port][,host[:port]…]/[database][?option=value&…]`, with all \
         special characters of user and password percent-encoded, or has an option that there is not"
    )]
    Malformed,
    /// The hosts behind a `mongodb+srv://` could not be looked up: that may be otherwise later.
    #[error("the hosts behind the `mongodb+srv://` name cannot be looked up")]
    Unresolved,
}

/// What the text says, and what it leaves open.
pub(super) async fn parse(uri: &str, options: Options) -> Result<ClientOptions, UriError> {
    let srv = uri.starts_with("mongodb+srv://");
    if !srv && !uri.starts_with("mongodb://") {
        return Err(UriError::Scheme);
    }
    let parsed = mongodb::options::ConnectionString::parse(uri).map_err(|_| UriError::Malformed)?;
    let failed = |_| {
        if srv {
            UriError::Unresolved
        } else {
            UriError::Malformed
        }
    };
    let mut client = ClientOptions::parse(parsed).await.map_err(failed)?;
    client.app_name.get_or_insert_with(|| APP.to_owned());
    client.server_selection_timeout.get_or_insert(SELECTION);
    client.connect_timeout.get_or_insert(CONNECT);
    client.heartbeat_freq.get_or_insert(LOOK);
    client.max_pool_size = options.pool.or(client.max_pool_size).or(Some(POOL));
    client
        .default_database
        .get_or_insert_with(|| DATABASE.to_owned());
    // Elsewhere there are no transactions, and what is read may be old: no matter what is said.
    client.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    Ok(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parsed(uri: &str) -> Result<ClientOptions, UriError> {
        parse(uri, Options::default()).await
    }

    #[tokio::test]
    async fn what_is_left_open_has_bounds() {
        let client = parsed("mongodb://localhost").await.unwrap();
        assert_eq!(client.default_database.as_deref(), Some("metaia"));
        assert_eq!(client.max_pool_size, Some(32));
        assert_eq!(
            client.server_selection_timeout,
            Some(Duration::from_secs(3))
        );
    }

    #[tokio::test]
    async fn what_is_said_counts() {
        let uri = "mongodb://localhost/shop?maxPoolSize=7&serverSelectionTimeoutMS=900";
        let client = parsed(uri).await.unwrap();
        assert_eq!(client.default_database.as_deref(), Some("shop"));
        assert_eq!(client.max_pool_size, Some(7));
        assert_eq!(
            client.server_selection_timeout,
            Some(Duration::from_millis(900))
        );
        let asked = parse(uri, Options::default().pool(9)).await.unwrap();
        assert_eq!(asked.max_pool_size, Some(9));
    }

    #[tokio::test]
    async fn it_is_always_the_primary_that_is_asked() {
        let client = parsed("mongodb://localhost/?readPreference=secondaryPreferred")
            .await
            .unwrap();
        let primary = SelectionCriteria::ReadPreference(ReadPreference::Primary);
        assert_eq!(client.selection_criteria, Some(primary));
    }

    #[tokio::test]
    async fn a_wrong_one_is_refused_without_repeating_it() {
        for uri in [
            "mongodb://u:s3cret@",
            "mongodb://u:s3/cret@host/db",
            "mongodb://u:s3cret@ho st:1x/db",
            "mongodb://u:s3cret@@host",
            "mongodb://host:s3cret/db",
            "mongodb://u:s3cret@host/db?nothing",
            "mongodb://u:s3cret@host/db?maxPoolSize=s3cret",
            "mongodb://",
        ] {
            let error = parsed(uri).await.unwrap_err();
            assert_eq!(error, UriError::Malformed, "{uri}");
            assert!(!format!("{error} {error:?}").contains("s3"), "{uri}");
        }
        for uri in ["", "localhost", "redis://u:s3cret@host", "MONGODB://host"] {
            assert_eq!(parsed(uri).await.unwrap_err(), UriError::Scheme, "{uri}");
        }
    }
}
