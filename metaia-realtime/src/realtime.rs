//! The handle that embedders hold.

use std::sync::Arc;

use crate::{BuildError, Builder, Limits, log::DynEventLog};

/// The realtime system of one node.
///
/// A handle: `clone` is cheap and shares one system, which runs until [`drain`](Self::drain) or until the runtime ends;
/// dropping handles ends nothing.
#[derive(Clone)]
pub struct Realtime {
    inner: Arc<Inner>,
}

struct Inner {
    log: Arc<dyn DynEventLog>,
    limits: Limits,
}

impl Realtime {
    /// What a [`Realtime`] is made with.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) async fn start(builder: Builder) -> Result<Self, BuildError> {
        Ok(Self { inner: Arc::new(Inner { log: builder.log, limits: builder.limits }) })
    }

    pub(crate) fn log(&self) -> &dyn DynEventLog {
        &*self.inner.log
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }
}

impl std::fmt::Debug for Realtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Realtime").finish_non_exhaustive()
    }
}
