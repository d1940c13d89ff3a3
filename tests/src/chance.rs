//! Chance that can be repeated: the same seed, the same choices.

/// A source of choices (SplitMix64).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The choices of this seed.
    #[must_use]
    pub const fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// Choices that nobody knows beforehand, and the seed that repeats them.
    #[must_use]
    pub fn fresh() -> (Self, u64) {
        let seed = uuid::Uuid::new_v4().as_u64_pair().0;
        (Self::of(seed), seed)
    }

    /// A number from 0 to below `end`, which is above 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    /// Yes in so many of a hundred cases.
    pub fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }

    /// One of several; they are not empty.
    pub fn pick<'a, T>(&mut self, several: &'a [T]) -> &'a T {
        let index = self.below(several.len() as u64);
        &several[usize::try_from(index).expect("an index")]
    }
}
