//! The benchmark's connection to a floor.

use std::io::Read as _;

use mio::net::TcpStream;

use super::ready;
use crate::{Failure, instruction::Instruction};

pub(super) struct Control {
    stream: TcpStream,
    /// The beginning of a line.
    partial: Vec<u8>,
}

impl Control {
    pub(super) const fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            partial: Vec::new(),
        }
    }

    /// Reads the instructions that are there. Returns nothing once the benchmark has left.
    pub(super) fn read(&mut self) -> Result<Option<Vec<Instruction>>, Failure> {
        let mut buffer = [0; 1_024];
        while let Some(size) = ready(self.stream.read(&mut buffer))? {
            if size == 0 {
                return Ok(None);
            }
            self.partial.extend_from_slice(&buffer[..size]);
        }
        self.take_lines().map(Some)
    }

    fn take_lines(&mut self) -> Result<Vec<Instruction>, Failure> {
        let end = self.partial.iter().rposition(|byte| *byte == b'\n');
        let lines: Vec<u8> = self.partial.drain(..end.map_or(0, |end| end + 1)).collect();
        let mut instructions = Vec::new();
        for line in std::str::from_utf8(&lines)?.lines() {
            instructions.push(line.parse()?);
        }
        Ok(instructions)
    }
}
