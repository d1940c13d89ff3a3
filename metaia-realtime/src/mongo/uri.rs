//! The connection string of the database: parsing, defaults and errors.

use std::time::Duration;

use mongodb::options::{ClientOptions, ConnectionString, ReadPreference, SelectionCriteria};

use super::options::{DEFAULT_APP_NAME, MongoOptions};

/// The database, if the connection string names none.
const DEFAULT_DATABASE: &str = "metaia";

/// Connections to each server, unless the options or the connection string say otherwise.
const DEFAULT_POOL: u32 = 32;

const SERVER_SELECTION_TIMEOUT: Duration = Duration::from_secs(3);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The interval of the driver's checks of each server. A short one finds a dead server soon.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(2);

/// The reason why a connection string cannot be used. It never repeats a part of the string, which
/// may contain a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// The text is no connection string at all.
    #[error("it begins with neither `mongodb://` nor `mongodb+srv://`")]
    Scheme,
    /// A part of the connection string cannot be read.
    #[error(
        "it is not `mongodb://[user:password@]host[:port][,host[:port]…]/[database]\
         [?option=value&…]`, with all special characters of user and password percent-encoded, or \
         it has an option that does not exist"
    )]
    Malformed,
    /// The hosts behind a `mongodb+srv://` name could not be looked up. A later attempt may
    /// succeed.
    #[error("the hosts behind the `mongodb+srv://` name cannot be looked up")]
    Unresolved,
}

/// Parses a connection string, and fills in defaults for what it leaves open.
pub(super) async fn parse(uri: &str, options: MongoOptions) -> Result<ClientOptions, UriError> {
    let is_srv = uri.starts_with("mongodb+srv://");
    if !is_srv && !uri.starts_with("mongodb://") {
        return Err(UriError::Scheme);
    }
    let parsed = ConnectionString::parse(uri).map_err(|_| UriError::Malformed)?;
    // The text itself is known to be good now: with `+srv` only the lookup is left to fail.
    let resolve_error = if is_srv {
        UriError::Unresolved
    } else {
        UriError::Malformed
    };
    let mut client = ClientOptions::parse(parsed)
        .await
        .map_err(|_| resolve_error)?;
    fill_in_defaults(&mut client);
    client.max_pool_size = options.pool.or(client.max_pool_size).or(Some(DEFAULT_POOL));
    // Whatever the connection string says: a secondary has no transactions, and may be behind.
    client.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    Ok(client)
}

fn fill_in_defaults(client: &mut ClientOptions) {
    client
        .app_name
        .get_or_insert_with(|| DEFAULT_APP_NAME.to_owned());
    client
        .default_database
        .get_or_insert_with(|| DEFAULT_DATABASE.to_owned());
    client
        .server_selection_timeout
        .get_or_insert(SERVER_SELECTION_TIMEOUT);
    client.connect_timeout.get_or_insert(CONNECT_TIMEOUT);
    client.heartbeat_freq.get_or_insert(HEARTBEAT_INTERVAL);
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parsed(uri: &str) -> Result<ClientOptions, UriError> {
        parse(uri, MongoOptions::default()).await
    }

    #[tokio::test]
    async fn options_that_are_left_out_have_defaults() {
        let client = parsed("mongodb://localhost").await.unwrap();
        assert_eq!(client.default_database.as_deref(), Some("metaia"));
        assert_eq!(client.max_pool_size, Some(32));
        assert_eq!(
            client.server_selection_timeout,
            Some(Duration::from_secs(3))
        );
    }

    #[tokio::test]
    async fn options_of_the_connection_string_are_kept() {
        let uri = "mongodb://localhost/shop?maxPoolSize=7&serverSelectionTimeoutMS=900";
        let client = parsed(uri).await.unwrap();
        assert_eq!(client.default_database.as_deref(), Some("shop"));
        assert_eq!(client.max_pool_size, Some(7));
        assert_eq!(
            client.server_selection_timeout,
            Some(Duration::from_millis(900))
        );
        let asked = parse(uri, MongoOptions::default().pool(9)).await.unwrap();
        assert_eq!(asked.max_pool_size, Some(9));
    }

    #[tokio::test]
    async fn reads_always_go_to_the_primary() {
        let client = parsed("mongodb://localhost/?readPreference=secondaryPreferred")
            .await
            .unwrap();
        let primary = SelectionCriteria::ReadPreference(ReadPreference::Primary);
        assert_eq!(client.selection_criteria, Some(primary));
    }

    #[tokio::test]
    async fn a_malformed_one_is_refused_without_repeating_it() {
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
