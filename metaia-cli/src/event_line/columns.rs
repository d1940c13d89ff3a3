//! The columns of a line: `time who event order what latency`. A narrow terminal has no latency, a
//! narrower one no time, then a shorter name of the event, and at last none: the order and what
//! changed are always shown.

/// The width of the longest event that has an order (`new_notification`).
const EVENT: usize = 16;

/// The width of an order's number, as in `MT-261129-M636WW`, and of its last part.
const ORDER: usize = 16;
const SHORT_ORDER: usize = 6;

/// The space for what changed beside which there is room for the whole number of an order.
const AMPLE_WORDS: usize = 50;

/// The least space for what changed. With less, there is no latency.
const NARROWEST_WORDS: usize = 12;

/// The least width of the name of an event that is cut.
const NARROWEST_EVENT: usize = 6;

/// The width of a latency, as in `999 ms`.
const TIMING: usize = 6;

/// The width of `HH:MM:SS.mmm`.
pub(super) const TIME: usize = 12;

/// The width of the mark of a notice, with a space.
const MARK: usize = 2;

/// The widths of the columns. A space is between each two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Columns {
    /// The width of the terminal; `None` if the lines are not cut.
    pub(super) limit: Option<usize>,
    /// False on a terminal that has no space for it.
    pub(super) has_time: bool,
    pub(super) who: usize,
    pub(super) event: usize,
    pub(super) order: usize,
    pub(super) words: usize,
    pub(super) timing: usize,
}

impl Columns {
    /// Returns the columns for people whose names have at most this width, and for a terminal of
    /// the width `limit`. Without one, they have the columns of a wide terminal.
    pub(crate) fn new(limit: Option<usize>, longest_name: usize) -> Self {
        match limit {
            Some(limit) => Self::of_terminal(limit, longest_name),
            None => Self {
                limit,
                has_time: true,
                who: longest_name,
                event: EVENT,
                order: ORDER,
                words: AMPLE_WORDS,
                timing: TIMING,
            },
        }
    }

    fn of_terminal(limit: usize, longest_name: usize) -> Self {
        // At 80 columns, 14.
        let who = longest_name.min(limit * 7 / 40);
        let before = TIME + 1 + who + 1 + EVENT + 1;
        let space = |order: usize| limit.saturating_sub(before + order + 1);
        let order = if space(ORDER) > AMPLE_WORDS + TIMING {
            ORDER
        } else {
            SHORT_ORDER
        };
        let space = space(order);
        let is_timed = space > NARROWEST_WORDS + TIMING;
        if space < NARROWEST_WORDS {
            return Self::without_time(limit, who);
        }
        Self {
            limit: Some(limit),
            has_time: true,
            who,
            event: EVENT,
            order,
            words: if is_timed { space - 1 - TIMING } else { space },
            timing: if is_timed { TIMING } else { 0 },
        }
    }

    /// Returns the columns of a terminal on which the time would take the space of what changed.
    fn without_time(limit: usize, who: usize) -> Self {
        let around = who + 1 + SHORT_ORDER + 1;
        let space = limit.saturating_sub(around);
        let event = space.saturating_sub(NARROWEST_WORDS + 1).min(EVENT);
        let event = if event < NARROWEST_EVENT { 0 } else { event };
        Self {
            limit: Some(limit),
            has_time: false,
            who,
            event,
            order: SHORT_ORDER,
            words: space - event - usize::from(event > 0),
            timing: 0,
        }
    }

    /// Returns the space for what changed, beside a latency of this width; `None` if there is no
    /// end.
    pub(super) fn words_beside(&self, timing: usize) -> Option<usize> {
        self.limit?;
        if self.timing == 0 {
            return Some(self.words);
        }
        let edge = self.words + 1 + self.timing;
        Some(match timing {
            0 => edge,
            timing => edge.saturating_sub(timing + 2).max(self.words),
        })
    }

    /// Returns the space for the text of a notice, behind its mark; `None` if there is no end.
    pub(crate) fn notice(&self) -> Option<usize> {
        let before = TIME + 1 + self.who + 1 + MARK;
        self.limit
            .map(|limit| limit.saturating_sub(before).max(NARROWEST_WORDS))
    }

    /// Returns the width of the terminal if a notice finds no space beside its time and its
    /// session, so that its text is below them.
    pub(crate) fn notice_below(&self) -> Option<usize> {
        let before = TIME + 1 + self.who + 1 + MARK;
        self.limit.filter(|limit| *limit < before + NARROWEST_WORDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_a_line_fill_the_terminal() {
        for limit in 60..300 {
            let columns = Columns::new(Some(limit), 11);
            let parts = [
                TIME,
                columns.who,
                columns.event,
                columns.order,
                columns.words,
            ];
            let timing = if columns.timing > 0 {
                columns.timing
            } else {
                0
            };
            let width: usize = parts.iter().map(|part| part + 1).sum();
            let end = if timing > 0 { timing } else { 0 };
            assert_eq!(width - usize::from(timing == 0) + end, limit, "{columns:?}");
        }
    }

    #[test]
    fn a_wide_terminal_shows_whole_numbers_of_orders() {
        let order = |limit, name| Columns::new(limit, name).order;
        assert_eq!(order(Some(80), 11), SHORT_ORDER);
        assert_eq!(order(Some(120), 11), ORDER);
        assert_eq!(order(Some(120), 21), SHORT_ORDER);
        assert_eq!(order(None, 21), ORDER);
    }

    #[test]
    fn a_narrow_terminal_has_no_latency() {
        assert_eq!(Columns::new(Some(60), 20).timing, 0);
        assert_eq!(Columns::new(Some(80), 20).timing, TIMING);
    }
}
