//! What other nodes ask, until it is answered.

use std::collections::VecDeque;

use super::frame::Probe;

/// Each node that cannot read its log asks once a second: this is for many. Beyond it the oldest is
/// dropped, and who asked it asks again.
const MOST: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Probes(VecDeque<Probe>);

impl Probes {
    pub(crate) fn take(&mut self, question: Probe) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(question);
    }

    /// All there are. What is read after this answers them.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Probe> + use<> {
        std::mem::take(&mut self.0).into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept() {
        let asked: Vec<Probe> = (0..MOST + 9).map(|_| Probe::random()).collect();
        let mut questions = Probes::default();
        asked.iter().for_each(|question| questions.take(*question));
        assert_eq!(questions.drain().collect::<Vec<_>>(), asked[9..]);
        assert_eq!(questions.drain().count(), 0);
    }
}
