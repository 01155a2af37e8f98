//! Bytes as choices.

/// Bytes as choices; when they are used up, always the first.
pub(super) struct Dice<'a>(&'a [u8]);

impl<'a> Dice<'a> {
    pub(super) fn new(data: &'a [u8]) -> Dice<'a> {
        Dice(data)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        usize::from(*first) % limit
    }

    pub(super) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    pub(super) fn chance(&mut self, of: usize) -> bool {
        self.below(of) == of - 1
    }
}
