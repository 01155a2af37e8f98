//! The automaton that AppArmor compiles the globs of an attachment to, and that the kernel asks at each exec.

/// Its tables, as the kernel lays them out: a state's successors lie interleaved with those of others in `next`, each with
/// its owner in `check`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Automaton {
    /// By byte: its class; empty where each byte is a class of its own.
    pub classes: Vec<u32>,
    /// By state: where its successors begin, and in the highest bit whether it has those of its default state besides.
    pub base: Vec<u32>,
    /// By state: where to go for what it has no successor for.
    pub default: Vec<u32>,
    /// Successors.
    pub next: Vec<u32>,
    /// Whose successors they are.
    pub check: Vec<u32>,
    /// By state: what is allowed where a path ends in it.
    pub accept: Vec<u32>,
}

/// With the base of a state: it has the successors of its default state, but for those of its own.
const SHARED: u32 = 1 << 31;
const BASE: u32 = 0x00ff_ffff;
const START: u32 = 1;
/// MAY_EXEC.
const EXEC: u32 = 1;

impl Automaton {
    /// Whether the profile is for the program at this path; none where the tables are no automaton.
    #[must_use]
    pub fn accepts(&self, path: &[u8]) -> Option<bool> {
        let state = path
            .iter()
            .try_fold(START, |state, byte| self.step(state, *byte))?;
        Some(self.accept.get(state as usize)? & EXEC != 0)
    }

    fn step(&self, mut state: u32, byte: u8) -> Option<u32> {
        let class = match self.classes.is_empty() {
            true => u32::from(byte),
            false => *self.classes.get(usize::from(byte))?,
        };
        // A chain of defaults longer than there are states is a ring.
        for _ in 0..=self.base.len() {
            let base = *self.base.get(state as usize)?;
            let at = (base & BASE).checked_add(class)? as usize;
            if *self.check.get(at)? == state {
                return self.next.get(at).copied();
            }
            state = *self.default.get(state as usize)?;
            if base & SHARED == 0 {
                return Some(state);
            }
        }
        None
    }
}
