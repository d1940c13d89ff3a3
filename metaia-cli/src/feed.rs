//! The output of what a command's sessions receive: events and notices in the same columns, or as
//! data.
//!
//! As text, a lost connection and the time of the next attempt are one line. The client reports
//! both at once, so that the first is held back until the second is there.

use metaia_realtime::client::{ReceivedEvent, Update};

use crate::event_line::{Columns, EventLine, Memory, width};
use crate::exit::Failure;
use crate::notices::{Notice, NoticeText};
use crate::printer::Printer;
use crate::screen::Stream;

/// Prints what sessions receive.
#[derive(Debug)]
pub(crate) struct Feed {
    printer: Printer,
    detail: Detail,
    seats: Vec<Seat>,
    /// The width of the longest label.
    longest_label: usize,
}

/// The part of an event that its text shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// One line in columns: what changed.
    Change,
    /// The whole payload.
    Payload,
}

/// One session.
#[derive(Debug)]
struct Seat {
    /// `ROLE:USER`.
    label: String,
    /// Two sessions of the same person may receive different events.
    memory: Memory,
    /// The notice of a lost connection that is not shown yet.
    lost: Option<HeldBack>,
}

/// A notice that is not shown yet, and the stream for it.
#[derive(Debug)]
struct HeldBack {
    notice: Notice,
    place: Stream,
}

impl Detail {
    /// Returns what the option `--full` asks for.
    pub(crate) fn of(full: bool) -> Self {
        if full { Self::Payload } else { Self::Change }
    }
}

impl Feed {
    pub(crate) fn new(printer: Printer, detail: Detail) -> Self {
        Self {
            printer,
            detail,
            seats: Vec::new(),
            longest_label: 0,
        }
    }

    /// Adds a session. They are numbered from 0.
    pub(crate) fn add(&mut self, label: &str) {
        self.longest_label = self.longest_label.max(width(label));
        self.seats.push(Seat {
            label: label.to_owned(),
            memory: Memory::default(),
            lost: None,
        });
    }

    /// Prints an event that a session has received.
    pub(crate) fn event(
        &mut self,
        seat: usize,
        event: ReceivedEvent,
        replayed: bool,
    ) -> Result<(), Failure> {
        let line = EventLine::new(&self.seats[seat].label, event, replayed);
        let line = self.in_columns(seat, line);
        self.printer.report(&line)
    }

    /// Notes an event that is not printed: the next one says what has changed since.
    pub(crate) fn pass_over(&mut self, seat: usize, event: ReceivedEvent) {
        let line = EventLine::new(&self.seats[seat].label, event, false);
        self.in_columns(seat, line);
    }

    /// Gives the event its text in columns, unless its payload is to be shown.
    fn in_columns(&mut self, seat: usize, line: EventLine) -> EventLine {
        if self.detail == Detail::Payload || !self.printer.is_text() {
            return line;
        }
        let columns = self.columns(Stream::Out);
        line.in_columns(&mut self.seats[seat].memory, columns)
    }

    /// Shows the notice of an update, if it is a change of the connection. As data, on standard
    /// output, it is shown on standard error, too.
    pub(crate) fn notice(
        &mut self,
        seat: usize,
        update: &Update,
        place: Stream,
    ) -> Result<(), Failure> {
        let Some(notice) = self.notice_of(seat, update) else {
            return Ok(());
        };
        if place == Stream::Out && !self.printer.is_text() {
            self.printer.report(&self.text_of(&notice, place))?;
        }
        match (self.seats[seat].lost.take(), update) {
            (Some(lost), Update::Retrying(retrying)) => {
                self.show(&lost.notice.again_in(retrying.delay), lost.place)
            }
            (None, Update::Disconnected(_)) => {
                self.seats[seat].lost = Some(HeldBack { notice, place });
                Ok(())
            }
            (lost, _) => {
                let lost = lost.into_iter().chain([HeldBack { notice, place }]);
                self.show_all(lost)
            }
        }
    }

    fn notice_of(&self, seat: usize, update: &Update) -> Option<Notice> {
        let seat = &self.seats[seat];
        let order = match update {
            Update::Event(event) if event.name == "rt:room_left" => {
                let room = event.data.get("room").and_then(|room| room.as_str());
                room.and_then(|room| room.strip_prefix("order-"))
            }
            _ => None,
        };
        let number = order.and_then(|order| seat.memory.number_of(order));
        Notice::of(&seat.label, update, number)
    }

    /// Shows what is held back of a session that makes no other attempt.
    pub(crate) fn show_held_back(&mut self, seat: usize) -> Result<(), Failure> {
        let lost = self.seats[seat].lost.take();
        self.show_all(lost)
    }

    /// Shows what is still held back. No update follows.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        let seats = self.seats.iter_mut();
        let lost: Vec<HeldBack> = seats.filter_map(|seat| seat.lost.take()).collect();
        self.show_all(lost)
    }

    fn show_all(&self, notices: impl IntoIterator<Item = HeldBack>) -> Result<(), Failure> {
        notices
            .into_iter()
            .try_for_each(|one| self.show(&one.notice, one.place))
    }

    /// Writes the text of a notice, and its advice.
    fn show(&self, notice: &Notice, place: Stream) -> Result<(), Failure> {
        if place == Stream::Out && self.printer.is_text() {
            self.printer.report(&self.text_of(notice, place))?;
        } else {
            self.printer.notice(&self.text_of(notice, Stream::Err));
        }
        if let Some(advice) = notice.advice() {
            self.printer.note(&format!("hint: {advice}"));
        }
        Ok(())
    }

    fn text_of<'a>(&self, notice: &'a Notice, place: Stream) -> NoticeText<'a> {
        notice.in_columns(self.columns(place))
    }

    /// Returns the columns for the present width of a stream's terminal.
    fn columns(&self, place: Stream) -> Columns {
        Columns::new(place.columns(), self.longest_label)
    }
}
