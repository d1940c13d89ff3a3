//! The kind of MongoDB that answers: a replica set or a standalone server.

use metaia_realtime::mongo::{Deployment, Mongo, MongoLog};

/// The notice about a server without transactions.
pub(super) const STANDALONE: &str =
    "a standalone server, which is for development: in production, make it a replica set";

/// Logs the kind of the deployment once it answers.
pub(super) async fn log_deployment(mongo: Mongo, log: MongoLog) {
    if log.ready().await.is_err() {
        return;
    }
    match mongo.deployment().await {
        Ok(Deployment::ReplicaSet) => tracing::info!("MongoDB answers: a replica set"),
        Ok(Deployment::Standalone) => tracing::warn!("MongoDB answers: {STANDALONE}"),
        Err(_) => {}
    }
}
