//! The defects that can be planted in a log.

/// A planted defect of a log. The names say what the log does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    // append
    SkipsNumbers,
    CutsBatches,
    ForgetsIds,
    LooksForIdsBeforehand,
    ForgetsIdsWhenTrimmed,
    ReplacesContent,
    InsertsOneByOne,
    ShowsParts,
    ReservesNumbers,
    ShowsLate,
    ShowsWhenQuiet,
    // content
    Reformats,
    KeepsFewRooms,
    MakesEventsOfRechecks,
    ForgetsWhomToDisconnect,
    CountsSeconds,
    // read
    IgnoresCase,
    GivesOncePerRoom,
    ScansToTheHead,
    GivesShortPages,
    ScansWithoutLimit,
    CountsAllMissed,
    GivesAnotherEpoch,
    LooksAtTheLastOnly,
    // trim
    KeepsOneMore,
    TrimsTheNewest,
    IgnoresBytes,
    IgnoresAge,
    RemovesTheLast,
    MarksAllRooms,
    MarksLate,
    ForgetsMarks,
    // open
    LosesTheLast,
    LosesTheLastInACrash,
    KeepsItsEpoch,
    // changes
    TellsNobody,
    TellsNobodyLater,
    TellsOutOfOrder,
    TellsTooEarly,
}
