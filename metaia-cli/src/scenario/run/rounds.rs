//! The number of the round that a step belongs to: `$n` of a repetition.
//!
//! Repetitions within `parallel` run at the same time, so it is not a variable of the world.

tokio::task_local! {
    static ROUND: u32;
}

/// Carries out a part of the round `n`.
pub(super) async fn within<T>(n: u32, part: impl Future<Output = T>) -> T {
    ROUND.scope(n, part).await
}

/// Returns the number of the round that is being carried out, if any.
pub(super) fn present() -> Option<u32> {
    ROUND.try_with(|n| *n).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn rounds_at_the_same_time_have_their_own_numbers() {
        let round = async |n: u32| {
            tokio::task::yield_now().await;
            let inner = within(10 * n, async { present() }).await;
            (inner, present())
        };
        let (first, second) = tokio::join!(within(1, round(1)), within(2, round(2)));
        assert_eq!(first, (Some(10), Some(1)));
        assert_eq!(second, (Some(20), Some(2)));
        assert_eq!(present(), None);
    }
}
