//! A host of keys whose answers a test chooses.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::future::{BoxFuture, pending};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::time::timeout;

use crate::auth::jwks::{
    JwksError, JwksSource,
    document::KeyTable,
    loader::{KeyLoader, LoadedKeys},
    testing::document,
};

/// A host of keys. Clones are the same host.
#[derive(Clone)]
pub(super) struct KeyHost(Arc<Inner>);

struct Inner {
    answer: Mutex<Answer>,
    asked: AtomicUsize,
}

#[derive(Clone)]
enum Answer {
    Document(String),
    /// The document as it was at the beginning, after this time.
    Slow(String, Duration),
    Down,
    Silent,
}

impl KeyHost {
    pub(super) fn with(keys: &[Value]) -> Self {
        Self::answering(Answer::Document(document(keys)))
    }

    pub(super) fn down() -> Self {
        Self::answering(Answer::Down)
    }

    pub(super) fn silent() -> Self {
        Self::answering(Answer::Silent)
    }

    fn answering(answer: Answer) -> Self {
        Self(Arc::new(Inner {
            answer: Mutex::new(answer),
            asked: AtomicUsize::new(0),
        }))
    }

    pub(super) fn publish(&self, keys: &[Value]) {
        self.answer(document(keys));
    }

    pub(super) fn answer(&self, text: impl Into<String>) {
        *self.0.answer.lock() = Answer::Document(text.into());
    }

    /// Publishes keys. Each answer takes this time.
    pub(super) fn publish_slowly(&self, keys: &[Value], time: Duration) {
        *self.0.answer.lock() = Answer::Slow(document(keys), time);
    }

    pub(super) fn fail(&self) {
        *self.0.answer.lock() = Answer::Down;
    }

    pub(super) fn fall_silent(&self) {
        *self.0.answer.lock() = Answer::Silent;
    }

    /// Returns how often the host was asked.
    pub(super) fn asked(&self) -> usize {
        self.0.asked.load(SeqCst)
    }

    /// Returns whether a task or a source may still ask the host.
    pub(super) fn is_used(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    pub(super) fn source(&self) -> JwksSource {
        JwksSource::at(self.clone())
    }
}

fn parse(text: &str) -> Result<LoadedKeys, JwksError> {
    Ok(LoadedKeys {
        table: Some(KeyTable::parse(text.as_bytes())?),
        max_age: None,
    })
}

impl KeyLoader for KeyHost {
    fn load(&self) -> BoxFuture<'_, Result<LoadedKeys, JwksError>> {
        Box::pin(async {
            self.0.asked.fetch_add(1, SeqCst);
            let answer = self.0.answer.lock().clone();
            match answer {
                Answer::Document(text) => parse(&text),
                Answer::Slow(text, time) => {
                    timeout(time, pending::<()>()).await.unwrap_err();
                    parse(&text)
                }
                Answer::Down => Err(JwksError::Status(503)),
                Answer::Silent => pending().await,
            }
        })
    }

    fn place(&self) -> &str {
        "a test"
    }
}
