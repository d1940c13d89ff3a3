//! The probes of other nodes that are not answered yet.

use std::collections::VecDeque;

use super::frame::Probe;

/// Probes that wait, at most. Each node that cannot read its log sends one a second, so this is
/// enough for many nodes. Beyond it the oldest probe is dropped, and its node probes again.
const MAX_PROBES: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Probes(VecDeque<Probe>);

impl Probes {
    pub(crate) fn push(&mut self, probe: Probe) {
        if self.0.len() == MAX_PROBES {
            self.0.pop_front();
        }
        self.0.push_back(probe);
    }

    /// Removes and returns all probes. A read of the log after this call answers them.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Probe> + use<> {
        std::mem::take(&mut self.0).into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_probes_are_kept() {
        let all: Vec<Probe> = (0..MAX_PROBES + 9).map(|_| Probe::random()).collect();
        let mut probes = Probes::default();
        for probe in &all {
            probes.push(*probe);
        }
        assert_eq!(probes.drain().collect::<Vec<_>>(), all[9..]);
        assert_eq!(probes.drain().count(), 0);
    }
}
