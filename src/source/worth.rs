//! Whether glances are worth their while: where most of the processes have to be opened anyway, they are not. Kernel
//! threads, say, come first, so that is asked again and again.

/// What came of the latest glances.
#[derive(Default)]
pub(super) struct Worth {
    glances: u32,
    dismissals: u32,
    passed_over: u32,
}

impl Worth {
    /// Glances that are looked back on.
    const MEMORY: u32 = 64;
    /// One in so many is glanced at where it does not seem worth it.
    const SAMPLE: u32 = 16;

    /// Whether to glance at the next process.
    pub(super) fn asks_for_one(&mut self) -> bool {
        if self.glances < Worth::MEMORY || self.dismissals * 3 >= self.glances {
            return true;
        }
        self.passed_over = (self.passed_over + 1) % Worth::SAMPLE;
        self.passed_over == 0
    }

    /// What came of a glance.
    pub(super) fn learn(&mut self, dismissed: bool) {
        if self.glances == 2 * Worth::MEMORY {
            self.glances /= 2;
            self.dismissals /= 2;
        }
        self.glances += 1;
        self.dismissals += u32::from(dismissed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glances_that_dismiss_nobody_become_rare_and_come_back_when_they_do() {
        let mut worth = Worth::default();
        let mut glances = |dismissed: bool, processes: usize| {
            let glanced = (0..processes).filter(|_| {
                let asked = worth.asks_for_one();
                if asked {
                    worth.learn(dismissed);
                }
                asked
            });
            glanced.count()
        };
        assert_eq!(glances(true, 1000), 1000);
        assert!(glances(false, 10_000) < 800);
        assert!(glances(true, 10_000) > 9_000);
    }
}
