//! The targets, for a while, on what the seeds become when they are changed at random. The same in every run; cargo-fuzz
//! goes on where this stops.

#![allow(clippy::disallowed_methods, reason = "seeds are files")]

use super::{TARGETS, Target};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Xorshift; the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 8).unwrap_or(0) % limit.max(1)
    }
}

/// What formats are made of.
const TOKENS: [&[u8]; 34] = [
    b"listen=",
    b"22/tcp",
    b"label=",
    b"selinux.level=",
    b"s0:c1,c3",
    b"//&",
    b"=",
    b"!=",
    b"~",
    b"<",
    b">=",
    b":",
    b",",
    b"|",
    b"\"",
    b"'",
    b"\\",
    b"[",
    b"]",
    b"*",
    b"{",
    b"}",
    b"\n",
    b"\0",
    b")",
    b" ",
    b"-",
    b"0",
    b"4294967295",
    b"18446744073709551616",
    b"\xff",
    "é\u{202e}".as_bytes(),
    b"null",
    b"[[check]]",
];

fn changed(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut data = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(6) {
        let at = random.below(data.len() + 1);
        match random.below(7) {
            0 if at < data.len() => data[at] ^= 1 << random.below(8),
            1 if at < data.len() => {
                data.remove(at);
            }
            2 => data.insert(at, u8::try_from(random.below(256)).unwrap_or(0)),
            3 | 4 => {
                let token = TOKENS[random.below(TOKENS.len())];
                data.splice(at..at, token.iter().copied());
            }
            5 => data.truncate(at),
            _ => {
                let other = &seeds[random.below(seeds.len())];
                let (start, end) = (random.below(other.len() + 1), random.below(other.len() + 1));
                let part = other.get(start..end).unwrap_or_default();
                data.splice(at..at, part.iter().copied());
            }
        }
    }
    data.truncate(8 << 10);
    data
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(name);
    let mut files: Vec<_> = std::fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Tells the bytes that made it panic, in a form that a seed can be made of.
fn run(name: &str, target: Target, data: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(data))) {
        let shown: String = data
            .iter()
            .map(|byte| std::ascii::escape_default(*byte).to_string())
            .collect();
        eprintln!("{name} fails for b\"{shown}\"");
        std::panic::resume_unwind(panic);
    }
}

fn fuzz(name: &str, times: usize) {
    let (_, target) = TARGETS.into_iter().find(|(known, _)| *known == name).unwrap();
    let seeds = seeds(name);
    assert!(!seeds.is_empty());
    for seed in &seeds {
        run(name, target, seed);
    }
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..times {
        let data = changed(&mut random, &seeds);
        run(name, target, &data);
    }
}

macro_rules! targets {
    ($($name:ident $times:expr;)*) => {
        $(#[test] fn $name() { fuzz(stringify!($name), $times); })*

        #[test]
        fn every_target_is_run_here_and_by_cargo_fuzz() {
            let here = [$(stringify!($name)),*];
            assert_eq!(TARGETS.map(|(name, _)| name), here);
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
            let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
            for name in here {
                assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
                assert!(root.join(format!("fuzz_targets/{name}.rs")).exists());
            }
        }
    };
}

targets! {
    stat 20_000;
    status 20_000;
    cmdline 20_000;
    cgroup 20_000;
    label 20_000;
    mountinfo 20_000;
    net 5_000;
    maps 20_000;
    environ 20_000;
    policy 2_000;
    spec 1_500;
    config 700;
    snapshot 1_500;
    judge 2_000;
}
