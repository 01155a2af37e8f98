//! A set of checks, by their numbers in a plan.

/// The set; all sets of one plan are of one length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks(Vec<u64>);

impl Marks {
    /// None of so many checks.
    pub(super) fn none(checks: usize) -> Marks {
        Marks(vec![0; checks.div_ceil(64)])
    }

    pub(super) fn insert(&mut self, number: usize) {
        if let Some(word) = self.0.get_mut(number / 64) {
            *word |= 1 << (number % 64);
        }
    }

    pub(super) fn remove(&mut self, number: usize) {
        if let Some(word) = self.0.get_mut(number / 64) {
            *word &= !(1 << (number % 64));
        }
    }

    pub(super) fn holds(&self, number: usize) -> bool {
        self.0
            .get(number / 64)
            .is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// In bytes.
    pub(super) fn size(&self) -> usize {
        size_of_val(self.0.as_slice())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Leaves those that are in the other set, too.
    pub(super) fn intersect(&mut self, other: &Marks) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= other;
        }
    }

    /// Becomes the other set, in the memory it has.
    pub(super) fn become_like(&mut self, other: &Marks) {
        self.0.clone_from(&other.0);
    }

    pub(super) fn meets(&self, other: &Marks) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    /// Whether every check of the other set is in this one.
    pub(super) fn covers(&self, other: &Marks) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| b & !a == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: &[usize]) -> Marks {
        let mut marks = Marks::none(130);
        numbers.iter().for_each(|number| marks.insert(*number));
        marks
    }

    #[test]
    fn a_set_holds_what_was_put_in_across_its_words() {
        let mut marks = of(&[0, 63, 64, 129]);
        marks.remove(63);
        assert!([0, 64, 129].iter().all(|number| marks.holds(*number)));
        assert!(![1, 63, 128, 500].iter().any(|number| marks.holds(*number)));
        assert!(marks.meets(&of(&[129])) && !marks.meets(&of(&[63, 128])));
        assert!(marks.covers(&of(&[0, 129])) && !marks.covers(&of(&[0, 1])));
        marks.intersect(&of(&[1, 64]));
        assert_eq!(marks, of(&[64]));
        marks.remove(64);
        assert!(marks.is_empty() && of(&[]).covers(&marks));
    }
}
