//! The commands that wait for updates: they begin, reach their goal, come too late, or are
//! cancelled by Ctrl-C.

use tokio::io::AsyncBufRead;

use super::Console;
use super::wait::{Goal, Waiting};
use super::work::Done;
use crate::commands::connect::awaited::AwaitArgs;
use crate::commands::connect::board::Request;
use crate::commands::connect::completion::listing;
use crate::commands::connect::input::Input;
use crate::commands::connect::line_watcher::columns;
use crate::commands::connect::result::{CommandResult, Unsuccessful};
use crate::event_names;
use crate::exit::Failure;
use crate::expectation::Received;
use crate::printer::show_aside;

impl Console<'_> {
    /// Begins an `/await`.
    pub(super) fn begin_await(
        &mut self,
        number: u64,
        args: &AwaitArgs,
        roles: Vec<usize>,
    ) -> Result<(), Failure> {
        let limit = args.limit.unwrap_or(self.context.timeout);
        let waiting = match args.event()? {
            None => Waiting::new(number, "await live".to_owned(), Goal::Live, roles, limit),
            Some(event) => {
                let command = format!("await {}", event.name);
                let mut waiting = Waiting::new(number, command, Goal::Event(event), roles, limit);
                self.take_recent(&mut waiting);
                waiting
            }
        };
        self.wait_for(waiting);
        Ok(())
    }

    pub(super) fn wait_for(&mut self, waiting: Waiting) {
        self.board.set_waiting(true);
        self.waiting = Some(waiting);
    }

    fn take_recent(&mut self, waiting: &mut Waiting) {
        let Goal::Event(awaited) = &waiting.goal else {
            return;
        };
        for role in std::mem::take(&mut waiting.open) {
            if self.recent.take(role, awaited) {
                let result = self.result(role, &waiting.command, Ok("came before".into()));
                waiting.results.push(result);
            } else {
                waiting.open.push(role);
            }
        }
    }

    /// Gives an event to the command that waits for it, or remembers it.
    pub(super) fn note_event(&mut self, role: usize, event: Received) {
        let waiting = self
            .waiting
            .as_mut()
            .filter(|waiting| waiting.is_for(role, &event));
        let Some(waiting) = waiting else {
            self.recent.push(role, event);
            return;
        };
        waiting.open.retain(|open| *open != role);
        let command = waiting.command.clone();
        let result = self.result(role, &command, Ok("came".into()));
        if let Some(waiting) = &mut self.waiting {
            waiting.results.push(result);
        }
    }

    /// Settles the roles of which it is certain. Returns the end of the command once no role is
    /// open.
    pub(super) fn settle(&mut self) -> Option<Done> {
        let mut waiting = self.waiting.take()?;
        for role in std::mem::take(&mut waiting.open) {
            match self.outcome(role, &waiting.goal) {
                Some(answer) => {
                    let result = self.result(role, &waiting.command, answer);
                    waiting.results.push(result);
                }
                None => waiting.open.push(role),
            }
        }
        if waiting.open.is_empty() {
            self.board.set_waiting(false);
            return Some(Done::Line {
                number: waiting.number,
                results: Ok(waiting.results),
            });
        }
        self.waiting = Some(waiting);
        None
    }

    /// Returns the answer for a role; `None` while it is still open.
    fn outcome(&self, role: usize, goal: &Goal) -> Option<Result<serde_json::Value, Unsuccessful>> {
        let session = &self.sessions[role];
        if matches!(goal, Goal::Return) {
            return None;
        }
        if let Some(ended) = &session.ended {
            return Some(Err(Unsuccessful::ended(ended)));
        }
        if session.role.is_away {
            return Some(Err(Unsuccessful::away()));
        }
        let has_reached = matches!(goal, Goal::Live) && session.liveness.is_live();
        has_reached.then(|| Ok(session.caught_up.clone()))
    }

    /// Ends a wait whose time is over.
    pub(super) fn end_wait(&mut self) -> Result<(), Failure> {
        let Some(mut waiting) = self.waiting.take() else {
            return Ok(());
        };
        if matches!(waiting.goal, Goal::Return) {
            return self.return_now(waiting);
        }
        for role in std::mem::take(&mut waiting.open) {
            let reason = self.lateness(role, &waiting);
            let late = Err(Unsuccessful::too_late(reason));
            let result = self.result(role, &waiting.command, late);
            waiting.results.push(result);
        }
        self.waiting = Some(waiting);
        Ok(())
    }

    fn lateness(&self, role: usize, waiting: &Waiting) -> String {
        let limit = waiting.limit.as_secs_f64();
        let Goal::Event(awaited) = &waiting.goal else {
            return format!("not live within {limit:.1} s");
        };
        let text = format!("it did not come within {limit:.1} s");
        let others = self.recent.count(role, &awaited.name);
        if others > 0 {
            return format!("{text}; {others} came with another payload, or before");
        }
        match event_names::doubt(&awaited.name) {
            Some(doubt) => format!("{text}: {doubt}"),
            None => text,
        }
    }

    /// Answers a key.
    pub(super) fn answer<R: AsyncBufRead + Unpin>(
        &mut self,
        request: Request,
        input: &mut Input<R>,
    ) -> Result<(), Failure> {
        match request {
            Request::List(names) => show_aside(&listing(&names, columns())),
            Request::Cancel => match self.waiting.take() {
                Some(waiting) if matches!(waiting.goal, Goal::Return) => {
                    return self.return_now(waiting);
                }
                _ => {
                    input.go_on();
                    self.context.printer.note("cancelled");
                }
            },
        }
        Ok(())
    }

    pub(super) fn result(
        &self,
        role: usize,
        command: &str,
        answer: Result<serde_json::Value, Unsuccessful>,
    ) -> CommandResult {
        let label = &self.sessions[role].role.label;
        CommandResult::new(label, command.to_owned(), answer)
    }
}
