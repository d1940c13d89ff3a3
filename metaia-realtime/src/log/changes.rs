//! The numbers by which a log notifies its subscribers: of its last entry, and of the last one that
//! this node appended.

use tokio::sync::watch;

/// Raises the number that subscribers see. A number that is not larger has no effect, so that calls
/// may come in any order.
pub(crate) fn raise(number: &watch::Sender<u64>, to: u64) {
    number.send_if_modified(|known| {
        let is_larger = to > *known;
        if is_larger {
            *known = to;
        }
        is_larger
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_never_decreases_and_only_a_larger_one_notifies() {
        let number = watch::Sender::new(5);
        let mut subscriber = number.subscribe();
        for (to, expected, notifies) in [(7, 7, true), (7, 7, false), (6, 7, false), (8, 8, true)] {
            raise(&number, to);
            assert_eq!(subscriber.has_changed().unwrap(), notifies, "{to}");
            assert_eq!(*subscriber.borrow_and_update(), expected, "{to}");
        }
    }
}
