//! The lines of the input: carries them out, and judges the results.

use futures_util::future::join_all;
use metaia_realtime::client::Client;
use tokio::io::AsyncBufRead;

use super::{Console, Done, Work};
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
            Err(failure) => return self.complain(failure).map(|()| None),
        };
        let number = line.number;
        let parsed: Result<CommandLine, String> = line.text.parse();
        let chosen =
            parsed.and_then(|line| Ok((self.chosen(line.actor.as_deref())?, line.command)));
        let (roles, command) = match chosen {
            Ok(chosen) => chosen,
            Err(reason) => {
                let failure = self.at_line(number, Failure::usage(reason));
                return self.complain(failure).map(|()| None);
            }
        };
        match command {
            Command::Nothing => {}
            Command::Quit => return Ok(Some(self.end())),
            Command::Help => self.context.printer.note(COMMANDS),
            Command::Wait(time) => input.pause(time),
            command => return Ok(Some(carry_out(self.context, number, command, roles))),
        }
        Ok(None)
    }

    /// Returns the roles that a line is for.
    fn chosen(&self, actor: Option<&str>) -> Result<Vec<RoleClient>, String> {
        let roles = self.sessions.iter().map(|session| &session.role);
        let Some(actor) = actor else {
            return Ok(roles.cloned().collect());
        };
        let chosen: Vec<RoleClient> = roles.filter(|role| role.label == actor).cloned().collect();
        if chosen.is_empty() {
            return Err(format!("no connected role has the name {actor:?}"));
        }
        Ok(chosen)
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
            Done::Script { answering } => self.judge_script(&answering).map(Some),
            Done::Typed => Ok(Some(Exit::Ok)),
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
