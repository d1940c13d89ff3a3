//! A writer against a simple model, however the stream divides the writes.

use proptest::prelude::*;

use super::*;

/// A step in the life of a writer.
#[derive(Debug, Clone)]
enum Step {
    Push(Vec<u8>, FrameKind),
    /// The stream takes this many bytes at most.
    Write(usize),
    /// The stream takes nothing.
    Block,
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        3 => Just(FrameKind::Packet),
        3 => Just(FrameKind::LiveEntry(Moment::now())),
        1 => Just(FrameKind::Ping),
        1 => Just(FrameKind::Other),
    ];
    let bytes = proptest::collection::vec(any::<u8>(), 1..20);
    prop_oneof![
        3 => (bytes, kind).prop_map(|(bytes, kind)| Step::Push(bytes, kind)),
        2 => (1usize..60).prop_map(Step::Write),
        1 => Just(Step::Block),
    ]
}

/// Every frame that was pushed, and the bytes that the stream has taken.
#[derive(Default)]
struct Model {
    frames: Vec<(Vec<u8>, FrameKind)>,
    taken: Vec<u8>,
}

impl Model {
    /// Returns the kinds of the frames of which all bytes were taken.
    fn written(&self) -> Vec<FrameKind> {
        let mut end = 0;
        let ends = self.frames.iter().map(|(bytes, kind)| {
            end += bytes.len();
            (end, *kind)
        });
        let whole = ends.take_while(|(end, _)| *end <= self.taken.len());
        whole.map(|(_, kind)| kind).collect()
    }

    fn packets(kinds: &[FrameKind]) -> u64 {
        kinds.iter().filter(|kind| kind.is_packet()).count() as u64
    }

    /// Returns how many live entries were written.
    fn entries(&self) -> u64 {
        let written = self.written().into_iter();
        written
            .filter(|kind| matches!(kind, FrameKind::LiveEntry(_)))
            .count() as u64
    }

    /// Returns how many packets were written before the last ping.
    fn before_ping(&self) -> Option<u64> {
        let written = self.written();
        let ping = written.iter().rposition(|kind| *kind == FrameKind::Ping)?;
        Some(Self::packets(&written[..ping]))
    }
}

/// Lets a stream take up to `max` bytes of what is queued.
fn write(writer: &mut FrameWriter, model: &mut Model, max: usize) -> Written {
    let mut written = Written::default();
    if writer.is_empty() {
        return written;
    }
    writer.unblock();
    let taken = writer.with_slices(|slices| {
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        bytes[..bytes.len().min(max)].to_vec()
    });
    writer.apply(Ok(taken.len()), &mut written);
    model.taken.extend(taken);
    written
}

proptest! {
    #[test]
    fn every_division_writes_the_same_bytes_and_counts(
        steps in proptest::collection::vec(step(), 0..120)
    ) {
        let counters: Arc<Counters> = Arc::default();
        let mut writer = FrameWriter::new(None, Arc::clone(&counters));
        let mut model = Model::default();
        let mut packets = 0;
        let mut before_ping = None;
        for step in steps.into_iter().chain([Step::Write(usize::MAX), Step::Write(usize::MAX)]) {
            match step {
                Step::Push(bytes, kind) => {
                    writer.push(bytes.clone().into(), kind);
                    model.frames.push((bytes, kind));
                }
                Step::Block => {
                    writer.block();
                    prop_assert_eq!(writer.space(), 0);
                }
                Step::Write(max) => {
                    let written = write(&mut writer, &mut model, max);
                    if let Some(before) = written.before_ping {
                        before_ping = Some(packets + before);
                    }
                    packets += written.packets;
                }
            }
            let written = model.written();
            prop_assert_eq!(packets, Model::packets(&written));
            prop_assert_eq!(before_ping, model.before_ping());
            let (_, entries) = counters.latencies.counts(TransportKind::WebSocket);
            prop_assert_eq!(entries, model.entries());
            let queued = &model.frames[written.len()..];
            let queued: Vec<_> = queued.iter().map(|(_, kind)| *kind).collect();
            prop_assert_eq!(writer.packets(), Model::packets(&queued));
            prop_assert_eq!(writer.is_empty(), queued.is_empty());
            prop_assert!(writer.space() + queued.len() <= MAX_QUEUED.max(queued.len()));
        }
        while !writer.is_empty() {
            write(&mut writer, &mut model, usize::MAX);
        }
        let all: Vec<u8> = model.frames.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
        prop_assert_eq!(&model.taken, &all);
        prop_assert_eq!(writer.answer_bytes, 0);
    }
}

fn pong(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

#[test]
fn only_the_last_of_several_pings_is_answered() {
    let mut writer = FrameWriter::new(None, Arc::default());
    let mut model = Model::default();
    writer.push(pong("first"), FrameKind::Pong);
    write(&mut writer, &mut model, 2);
    writer.push(pong("second"), FrameKind::Pong);
    writer.push(pong("text"), FrameKind::Packet);
    for _ in 0..10_000 {
        writer.push(pong("last"), FrameKind::Pong);
    }
    assert!(!writer.has_many_answers());
    while !writer.is_empty() {
        write(&mut writer, &mut model, 3);
    }
    assert_eq!(model.taken, b"firstlasttext");
    assert_eq!(writer.answer_bytes, 0);
}

#[test]
fn answers_that_wait_are_bounded_and_packets_are_not_among_them() {
    let mut writer = FrameWriter::new(None, Arc::default());
    for _ in 0..10_000 {
        writer.push(pong("packet"), FrameKind::Packet);
    }
    assert!(!writer.has_many_answers());
    let mut answers = 0;
    while !writer.has_many_answers() {
        writer.push(pong("answer"), FrameKind::Other);
        answers += 1;
    }
    assert_eq!(answers, MAX_ANSWER_BYTES.div_ceil(6 + FRAME_OVERHEAD));
}

#[test]
fn a_failed_write_drops_everything_and_keeps_its_error() {
    for error in [io::ErrorKind::TimedOut, io::ErrorKind::BrokenPipe] {
        let mut writer = FrameWriter::new(None, Arc::default());
        writer.push(pong("x"), FrameKind::Packet);
        let mut written = Written::default();
        writer.apply(Err(io::ErrorKind::Interrupted.into()), &mut written);
        writer.apply(Err(io::ErrorKind::WouldBlock.into()), &mut written);
        assert!(writer.blocked_since().is_some() && !writer.is_broken());
        writer.apply(Err(error.into()), &mut written);
        writer.close();
        writer.push(pong("y"), FrameKind::Packet);
        assert!(writer.is_empty() && writer.needs_task() && writer.blocked_since().is_none());
        assert_eq!((writer.space(), writer.broken_by()), (0, Some(error)));
        assert_eq!(written.packets, 0);
    }
}
