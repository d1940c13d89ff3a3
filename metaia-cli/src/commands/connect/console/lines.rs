//! The lines of the input: carries them out, and judges the results.

use futures_util::future::join_all;
use metaia_realtime::client::{Client, DisconnectReason, Update};
use tokio::io::AsyncBufRead;

use super::Console;
use super::session::Session;
use super::work::{Done, Work};
use crate::commands::connect::action::Action;
use crate::commands::connect::command::{COMMANDS, Command, CommandLine};
use crate::commands::connect::input::{Input, InputLine};
use crate::commands::connect::result::CommandResult;
use crate::commands::connect::role_client::RoleClient;
use crate::commands::connect::rooms::Rooms;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::liveness;

impl<'a> Console<'a> {
    /// Begins to carry out a line. Returns the work that is to be awaited.
    pub(super) fn begin<R: AsyncBufRead + Unpin>(
        &mut self,
        line: Result<Option<InputLine>, Failure>,
        input: &mut Input<R>,
    ) -> Result<Option<Work<'a>>, Failure> {
        let line = match line {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(Some(self.end())),
            Err(failure) => {
                if input.has_ended() {
                    self.first_failure.get_or_insert(failure.exit);
                }
                return self.complain(failure).map(|()| None);
            }
        };
        let parsed: Result<CommandLine, String> = line.text.parse();
        let parsed = parsed.and_then(|line| self.choose_next(line));
        let waits = parsed.as_ref().is_ok_and(|line| line.command.waits());
        self.board.set_waiting(waits);
        // Before anything is printed: that waits for the next line of the editor.
        self.board.take_line();
        let chosen = parsed.and_then(|line| Ok((self.chosen(line.actor)?, line.command)));
        let begun = match chosen {
            Ok((roles, command)) => {
                self.forget_events(&command, line.was_waiting);
                self.begin_command(line.number, command, roles, input)
            }
            Err(reason) => Err(Failure::usage(reason)),
        };
        begun.or_else(|failure| {
            self.board.set_waiting(false);
            let failure = self.at_line(line.number, failure);
            self.complain(failure).map(|()| None)
        })
    }

    /// Carries out `/as`, which changes the next prompt.
    fn choose_next(&self, line: CommandLine) -> Result<CommandLine, String> {
        if let Command::As(actor) = &line.command {
            self.roles_of(actor.as_deref())?;
            self.board.choose(actor.clone());
        }
        Ok(line)
    }

    /// Forgets the events that an `/await` does not find any more: it finds those that came since
    /// the line before began, or, if a person has read them meanwhile, since its own line began.
    fn forget_events(&mut self, command: &Command, was_waiting: bool) {
        let is_forgotten = match command {
            Command::Nothing | Command::Help | Command::As(_) => false,
            Command::Await(_) => !was_waiting,
            _ => true,
        };
        if is_forgotten {
            self.recent.clear();
        }
    }

    fn begin_command<R: AsyncBufRead + Unpin>(
        &mut self,
        number: u64,
        command: Command,
        roles: Vec<usize>,
        input: &mut Input<R>,
    ) -> Result<Option<Work<'a>>, Failure> {
        match command {
            Command::Nothing | Command::As(_) => {}
            Command::Quit => return Ok(Some(self.end())),
            Command::Help => self.context.printer.note(COMMANDS),
            Command::Wait(time) => input.pause(time),
            Command::Await(args) => self.begin_await(number, &args, roles)?,
            Command::Back(limit) => self.bring_back(number, limit, roles)?,
            Command::Leaving(departure, time) => {
                return self.depart(number, departure, time, roles).map(Some);
            }
            command => return Ok(Some(self.carry_out(number, command, &roles))),
        }
        Ok(None)
    }

    fn carry_out(&mut self, number: u64, command: Command, roles: &[usize]) -> Work<'a> {
        if command == Command::Drop {
            self.note_drop(roles);
        }
        let clients = roles.iter().map(|role| self.sessions[*role].role.clone());
        carry_out(self.context, number, command, clients.collect())
    }

    /// Ends the live time of roles whose connection is cut, so that `/await live` in the next line
    /// waits for the next connection.
    fn note_drop(&mut self, roles: &[usize]) {
        for &role in roles {
            let session = &mut self.sessions[role];
            if session.liveness.is_live() {
                let dropped = Update::Disconnected(DisconnectReason::Dropped);
                session.liveness.observe(&dropped, &session.role.client);
                self.board.set_live(role, false);
            }
        }
    }

    /// Returns the roles that a line is for.
    fn chosen(&self, actor: Option<String>) -> Result<Vec<usize>, String> {
        self.roles_of(actor.or_else(|| self.board.chosen()).as_deref())
    }

    /// Returns the roles of this name; without a name, all.
    fn roles_of(&self, actor: Option<&str>) -> Result<Vec<usize>, String> {
        let roles = self.sessions.iter().enumerate();
        let is_named = |session: &Session| actor.is_none_or(|actor| session.role.label == actor);
        let named = roles.filter(|(_, session)| is_named(session));
        let chosen: Vec<usize> = named.map(|(number, _)| number).collect();
        match actor {
            Some(actor) if chosen.is_empty() => {
                Err(format!("no connected role has the name {actor:?}"))
            }
            _ => Ok(chosen),
        }
    }

    /// Names the line of a script at which something failed. A person knows it.
    fn at_line(&self, number: u64, failure: Failure) -> Failure {
        if self.is_script() {
            failure.within(format!("line {number}"))
        } else {
            failure
        }
    }

    /// Returns the last work: for a script, a question to the server for each role.
    fn end(&mut self) -> Work<'a> {
        if !self.is_script() {
            return Box::pin(std::future::ready(Done::Typed));
        }
        for session in &mut self.sessions {
            session.liveness.stop();
        }
        let clients: Vec<Client> = self.clients().cloned().collect();
        let timeout = self.context.timeout;
        Box::pin(async move {
            let asked = clients.iter();
            let asked = asked.map(|client| liveness::is_answering(client, timeout));
            Done::Script {
                answering: join_all(asked).await,
            }
        })
    }

    /// Judges the work that was done. Returns the exit code if it was the last work.
    pub(super) fn conclude(&mut self, done: Done) -> Result<Option<Exit>, Failure> {
        match done {
            Done::Line { number, results } => {
                let judged = match results {
                    Ok(results) => self.print_results(&results)?,
                    Err(failure) => Some(failure),
                };
                if let Some(failure) = judged {
                    let failure = self.at_line(number, failure);
                    self.complain(failure)?;
                }
                Ok(None)
            }
            Done::Departed(departed) => match self.note_departed(departed)? {
                Some(done) => self.conclude(done),
                None => Ok(None),
            },
            Done::Script { answering } => self.judge_script(&answering).map(Some),
            // A person was told of each failure but that of the terminal, which ends the lines.
            Done::Typed => Ok(Some(self.first_failure.unwrap_or(Exit::Ok))),
        }
    }

    /// Prints the results of a command. Returns the first failure of a script; a person has read it
    /// in the result.
    fn print_results(&mut self, results: &[CommandResult]) -> Result<Option<Failure>, Failure> {
        for result in results {
            self.print(result)?;
        }
        if self.is_script() {
            Ok(results.iter().find_map(CommandResult::failure))
        } else {
            Ok(None)
        }
    }

    fn judge_script(&mut self, answering: &[bool]) -> Result<Exit, Failure> {
        if let Some(exit) = self.first_failure {
            return Ok(exit);
        }
        for (session, is_answering) in self.sessions.iter_mut().zip(answering) {
            if let Some(failure) = session.ended.take() {
                return Err(failure.within(format!(
                    "{} is not connected at the end",
                    session.role.label
                )));
            }
            if let Some(failure) = session.failure_at_end(*is_answering) {
                return Err(failure);
            }
        }
        if self.gaps > 0 {
            Ok(Exit::Unexpected)
        } else {
            Ok(Exit::Ok)
        }
    }
}

/// Carries out a command as each of these roles, all at once.
fn carry_out(context: &Context, number: u64, command: Command, roles: Vec<RoleClient>) -> Work<'_> {
    Box::pin(async move {
        let rooms: Vec<Rooms> = roles.iter().map(|role| role.rooms.clone()).collect();
        let results = match Action::prepare(command, &rooms, context).await {
            Ok(Some(action)) => {
                let runs = roles.iter().map(|role| role.run(&action, context.timeout));
                Ok(join_all(runs).await.into_iter().flatten().collect())
            }
            Ok(None) => Ok(Vec::new()),
            Err(failure) => Err(failure),
        };
        Done::Line { number, results }
    })
}
