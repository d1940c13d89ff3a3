//! The lines that wait for the output. A pure kernel.

/// The most bytes that wait. While one batch is written, as many are in use by it.
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// The most bytes of a line. A longer one is cut: a backtrace has some 20 KiB.
pub(super) const MAX_LINE_BYTES: usize = 64 * 1024;

/// The end of a line that was cut.
const CUT: &[u8] = "…\n".as_bytes();

/// The claim of a line to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Importance {
    Ordinary,
    /// The line that names the number of lost ones. There is one at a time, so it needs no bound.
    Notice,
}

/// The queue. Once a line is lost, all ordinary ones that follow are, until the next batch is
/// taken: the lost lines are in one row, at the end of a batch.
#[derive(Debug, Default)]
pub(super) struct LineQueue {
    batch: Batch,
    stage: Stage,
}

/// Lines that are written together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    /// The number of lines in `bytes`.
    pub(super) lines: u64,
    /// The lines that found no place behind them.
    pub(super) lost: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Open,
    /// The rest of the queue is still to be written.
    Closed,
    /// Nothing is written any more.
    Ended,
}

impl LineQueue {
    /// Adds a line. Returns false if it is lost.
    pub(super) fn add(&mut self, line: &[u8], importance: Importance) -> bool {
        let is_cut = line.len() > MAX_LINE_BYTES;
        let size = line.len().min(MAX_LINE_BYTES);
        let has_place = self.batch.lost == 0 && self.batch.bytes.len() + size <= MAX_BYTES;
        if importance == Importance::Ordinary && !has_place {
            self.batch.lost += 1;
            return false;
        }
        if is_cut {
            let kept = &line[..MAX_LINE_BYTES - CUT.len()];
            self.batch.bytes.extend_from_slice(kept);
            self.batch.bytes.extend_from_slice(CUT);
        } else {
            self.batch.bytes.extend_from_slice(line);
        }
        self.batch.lines += 1;
        true
    }

    /// Takes what waits.
    pub(super) fn take(&mut self) -> Batch {
        std::mem::take(&mut self.batch)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.batch.bytes.is_empty()
    }

    /// Says that no more lines are expected.
    pub(super) fn close(&mut self) {
        if self.stage == Stage::Open {
            self.stage = Stage::Closed;
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.stage != Stage::Open
    }

    /// Says that nothing is written any more.
    pub(super) const fn end(&mut self) {
        self.stage = Stage::Ended;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.stage == Stage::Ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(queue: &mut LineQueue, count: usize, bytes: usize) -> usize {
        let line = vec![b'x'; bytes];
        let added = (0..count).filter(|_| queue.add(&line, Importance::Ordinary));
        added.count()
    }

    #[test]
    fn lines_that_find_no_place_are_lost_until_the_next_batch() {
        let mut queue = LineQueue::default();
        assert_eq!(lines(&mut queue, 20, MAX_LINE_BYTES), 16);
        // A short line would have its place behind the others, and would hide the gap.
        assert_eq!(lines(&mut queue, 1, 1), 0);
        let batch = queue.take();
        assert_eq!(
            (batch.lines, batch.lost, batch.bytes.len()),
            (16, 5, MAX_BYTES)
        );
        assert_eq!(lines(&mut queue, 1, 1), 1);
    }

    #[test]
    fn the_notice_has_a_place_in_a_full_queue() {
        let mut queue = LineQueue::default();
        lines(&mut queue, 17, MAX_LINE_BYTES);
        assert!(queue.add(b"16 lines were lost\n", Importance::Notice));
        assert!(queue.take().bytes.ends_with(b"lost\n"));
    }

    #[test]
    fn a_long_line_is_cut_and_stays_a_line() {
        let mut queue = LineQueue::default();
        assert!(queue.add(&vec![b'x'; 10 * MAX_LINE_BYTES], Importance::Ordinary));
        let bytes = queue.take().bytes;
        assert_eq!(bytes.len(), MAX_LINE_BYTES);
        assert!(bytes.ends_with("x…\n".as_bytes()));
    }

    proptest! {
        #[test]
        fn each_line_is_written_or_counted_and_the_bytes_have_a_bound(
            sizes in prop::collection::vec(0..2 * MAX_LINE_BYTES, 0..60),
        ) {
            let mut queue = LineQueue::default();
            for size in &sizes {
                queue.add(&vec![b'x'; *size], Importance::Ordinary);
            }
            let batch = queue.take();
            prop_assert_eq!(batch.lines + batch.lost, sizes.len() as u64);
            prop_assert!(batch.bytes.len() <= MAX_BYTES);
            prop_assert_eq!(queue.take(), Batch::default());
        }
    }
}
