//! Every planted defect is caught by the clause that is meant for it.

use std::{
    marker::PhantomData,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{disk::Disk, flaw::Flaw, flawed::Flawed};
use crate::{
    log::Retention,
    testing::{
        contract::{assert_caught, plant},
        log_contract::{Clause, Subject, check},
    },
};

/// The defect to plant in a log.
trait Plan: Send + Sync + 'static {
    const FLAW: Flaw;
    const DURABLE: bool = true;
}

struct Planted<P>(Arc<Mutex<Disk>>, PhantomData<P>);

impl<P: Plan> Subject for Planted<P> {
    type Log = Flawed;
    const DURABLE: bool = P::DURABLE;

    fn new() -> Self {
        Self(Arc::new(Mutex::new(Disk::new())), PhantomData)
    }

    async fn open(&self, retention: Retention) -> Flawed {
        Flawed::open(P::FLAW, &self.0, retention)
    }

    async fn trim(&self, log: &Flawed) {
        log.trim().await;
    }

    async fn close(&self, _log: Flawed) {
        let mut disk = self.0.lock().unwrap();
        match P::FLAW {
            Flaw::LosesTheLast => disk.lose_last(),
            Flaw::ForgetsMarks => disk.forget_marks(),
            _ if P::DURABLE => {}
            Flaw::KeepsItsEpoch => disk.empty(),
            _ => *disk = Disk::new(),
        }
    }

    async fn crash(&self, log: Flawed) {
        match P::FLAW {
            Flaw::LosesTheLastInACrash => self.0.lock().unwrap().lose_last(),
            _ => self.close(log).await,
        }
    }

    fn pass(&self, log: &Flawed, time: Duration) -> bool {
        log.pass(time);
        true
    }
}

plant! {
    numbers_with_holes: Numbers catches SkipsNumbers,
    a_batch_that_is_cut: LargeBatches catches CutsBatches,
    ids_that_are_forgotten: Idempotent catches ForgetsIds,
    content_that_is_replaced: Idempotent catches ReplacesContent,
    ids_looked_for_beforehand: IdempotentAtOnce catches LooksForIdsBeforehand,
    ids_forgotten_when_trimmed: Stories catches ForgetsIdsWhenTrimmed,
    entries_inserted_one_by_one: Contiguous catches InsertsOneByOne,
    parts_that_are_shown: Whole catches ShowsParts,
    numbers_that_are_reserved: Followed catches ReservesNumbers,
    entries_shown_late: Visible catches ShowsLate,
    entries_shown_when_it_is_quiet: VisibleAtOnce catches ShowsWhenQuiet,
    a_payload_that_is_reformatted: Payloads catches Reformats,
    rooms_that_are_dropped: NamesAndRooms catches KeepsFewRooms,
    a_recheck_that_became_an_event: ControlEntries catches MakesEventsOfRechecks,
    a_disconnect_of_nobody: ControlEntries catches ForgetsWhomToDisconnect,
    seconds: Times catches CountsSeconds,
    rooms_alike_but_for_case: Rooms catches IgnoresCase,
    an_entry_once_per_room: Rooms catches GivesOncePerRoom,
    a_scan_to_the_head: Pages catches ScansToTheHead,
    a_page_that_is_short: Pages catches GivesShortPages,
    a_scan_without_limit: Limits catches ScansWithoutLimit,
    more_missed_than_asked_for: History catches CountsAllMissed,
    another_epoch: Epochs catches GivesAnotherEpoch,
    a_look_at_the_last_only: Deep catches LooksAtTheLastOnly,
    one_too_many: TrimByCount catches KeepsOneMore,
    the_newest_trimmed: TrimByCount catches TrimsTheNewest,
    bytes_that_are_ignored: TrimByBytes catches IgnoresBytes,
    age_that_is_ignored: TrimByAge catches IgnoresAge,
    a_head_that_is_removed: LastStays catches RemovesTheLast,
    marks_on_all_rooms: Marks catches MarksAllRooms,
    marks_that_come_late: TrimmedWhileReading catches MarksLate,
    marks_that_are_forgotten: Marks catches ForgetsMarks,
    a_loss_in_the_same_epoch: Reopened catches LosesTheLast,
    a_loss_in_a_crash: Crashed catches LosesTheLastInACrash,
    nobody_told: Told catches TellsNobody,
    nobody_told_later: Told catches TellsNobodyLater,
    told_out_of_order: ToldInOrder catches TellsOutOfOrder,
    told_too_early: ToldInOrder catches TellsTooEarly,
}

#[test]
fn an_epoch_that_outlives_its_entries() {
    struct Here;
    impl Plan for Here {
        const FLAW: Flaw = Flaw::KeepsItsEpoch;
        const DURABLE: bool = false;
    }
    assert_caught(check::<Planted<Here>>(Clause::Reopened));
}

mod sound {
    //! Without a flaw the same log keeps the contract, durable or not.

    use super::{Flaw, Plan, Planted};

    struct Durable;
    impl Plan for Durable {
        const FLAW: Flaw = Flaw::None;
    }

    struct Volatile;
    impl Plan for Volatile {
        const FLAW: Flaw = Flaw::None;
        const DURABLE: bool = false;
    }

    mod durable {
        crate::log_contract!(super::Planted<super::Durable>);
    }

    mod volatile {
        crate::log_contract!(super::Planted<super::Volatile>);
    }
}
