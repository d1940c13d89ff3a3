//! Updates that arrive, and what is printed about them.

use std::time::Duration;

use metaia_realtime::client::{ReceivedEvent, Update};
use serde_json::json;

use super::Console;
use crate::exit::{Exit, Failure};
use crate::expectation::Received;
use crate::order_ref;
use crate::printer::Report;
use crate::screen::Stream;

impl Console<'_> {
    pub(super) fn observe(&mut self, number: usize, update: Update) -> Result<(), Failure> {
        let session = &mut self.sessions[number];
        // The end of its connection has been noted, or will be.
        if session.role.is_away && !matches!(update, Update::Event(_)) {
            return Ok(());
        }
        session.liveness.observe(&update, &session.role.client);
        session.role.rooms.observe(&update);
        self.board.set_live(number, session.liveness.is_live());
        let label = session.role.label.clone();
        let place = Stream::of_notices(self.control && !self.is_unread);
        let shown = self.feed.notice(number, &update, place);
        self.go_on_unread(shown)?;
        match update {
            Update::Event(event) if event.is_control() => {
                self.remember(number, &event, false);
                if let Some(failure) = order_ref::refusal(&label, &event, &self.orders) {
                    self.complain(failure)?;
                }
            }
            Update::Event(event) => {
                let replayed = self.sessions[number].liveness.is_replay(&event);
                self.events += 1;
                self.board.observe(&event.name, &event.data);
                self.remember(number, &event, replayed);
                self.print_event(number, event, replayed)?;
            }
            Update::Ready(ready) => {
                let caught_up = json!({"recovered": ready.recovered, "replayed": ready.replayed});
                self.sessions[number].caught_up = caught_up;
            }
            Update::Reset(_) | Update::TooLarge { .. } => self.gaps += 1,
            Update::GaveUp(reason) => {
                let session = &mut self.sessions[number];
                session.ended = Some(session.liveness.given_up(&reason));
            }
            _ => {}
        }
        Ok(())
    }

    /// Lets `/await` know an event.
    fn remember(&mut self, number: usize, event: &ReceivedEvent, replayed: bool) {
        let label = &self.sessions[number].role.label;
        let received = Received::of(label, event, replayed, Duration::ZERO);
        self.note_event(number, received);
    }

    fn print_event(
        &mut self,
        number: usize,
        event: ReceivedEvent,
        replayed: bool,
    ) -> Result<(), Failure> {
        if self.is_unread {
            return Ok(());
        }
        let printed = self.feed.event(number, event, replayed);
        self.go_on_unread(printed)
    }

    pub(super) fn print(&mut self, report: &impl Report) -> Result<(), Failure> {
        if self.is_unread {
            return Ok(());
        }
        let printed = self.context.printer.report(report);
        self.go_on_unread(printed)
    }

    /// Lets a script go on if the reader of its output has left: its events are still to be sent.
    pub(super) fn go_on_unread(&mut self, written: Result<(), Failure>) -> Result<(), Failure> {
        match written {
            Err(failure) if failure.exit == Exit::Ok && self.is_script() => {
                self.is_unread = true;
                let note = "standard output is closed; the remaining commands still run";
                self.context.printer.note(note);
                Ok(())
            }
            written => written,
        }
    }
}
