//! The output with its thread: an output that stands still, that refuses lines, that ends.

use std::{io, sync::mpsc, time::Duration};

use super::*;

/// A time that no test reaches.
const LONG: Duration = Duration::from_secs(60);

/// An output that takes a line only if the test asks for it.
struct Held {
    lines: mpsc::SyncSender<Vec<u8>>,
}

impl io::Write for Held {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.lines.send(bytes.to_vec());
        sent.map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns an output, and the end that reads it.
fn held() -> (LineOutput, mpsc::Receiver<Vec<u8>>) {
    let (lines, reader) = mpsc::sync_channel(0);
    let output = LineOutput::default();
    output.start(Held { lines }, || ()).unwrap();
    (output, reader)
}

fn add(output: &LineOutput, line: &[u8]) {
    output.add(line, Importance::Ordinary);
}

/// Reads until the output has ended.
fn read_all(reader: mpsc::Receiver<Vec<u8>>) -> Vec<u8> {
    reader.into_iter().flatten().collect()
}

#[test]
fn at_the_end_every_line_is_written() {
    let (output, reader) = held();
    let read = std::thread::spawn(|| read_all(reader));
    let mut expected = Vec::new();
    for number in 0..10_000 {
        let line = format!("line {number}\n");
        add(&output, line.as_bytes());
        expected.extend_from_slice(line.as_bytes());
    }
    output.finish(LONG);
    assert_eq!(output.lost(), 0);
    assert!(read.join().unwrap() == expected);
}

#[test]
fn nobody_waits_for_an_output_that_stands_still() {
    let (output, _reader) = held();
    let line = [b'x'; 1_000];
    for _ in 0..5_000 {
        add(&output, &line);
    }
    // The queue has some 1,000 of them, and the thread another 1,000 at most.
    assert!(output.lost() >= 2_900, "{}", output.lost());
    output.finish(Duration::from_millis(10));
}

#[test]
fn lines_that_the_output_refuses_are_lost_and_counted() {
    let (output, reader) = held();
    drop(reader);
    add(&output, b"a line\n");
    add(&output, b"another\n");
    output.finish(LONG);
    assert_eq!(output.lost(), 2);
}
