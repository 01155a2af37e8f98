//! Who is to blame: what sleeps in state D, what used most CPU between two looks, what holds most memory, and which
//! cgroups wait. First suspects are picked from all processes, then the few of them are made out.

use crate::judge::evidence::describe;
use crate::judge::{Evidence, Rate};
use crate::select::Key;
use crate::select::reading::{Reading, Subject, Value};
use crate::snapshot::gauges::RESOURCES;
use crate::snapshot::{Accounts, Bytes, CgroupPressure, Fact, Gap, Pressure, Pressures, Snapshot, Waiters};
use std::collections::BTreeMap;
use std::time::Duration;

/// So many of each kind are told, as mon's loadavg.monitor does.
const TOLD: usize = 10;
/// Tenths of a percent of a core; below that nobody is to blame.
const CPU: i64 = 50;
/// Percent of the memory.
const MEMORY: f64 = 2.0;
/// Of the cgroups fewer are told: each is named for up to three resources.
const CGROUPS: usize = 5;
/// Percent of the last 10 seconds.
const PRESSURE: f64 = 1.0;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Blame {
    /// In state D.
    pub blocked: Blocked,
    /// Over how long CPU was measured; none where there was one look only.
    pub window: Option<Duration>,
    /// By CPU between the two looks.
    pub cpu: Vec<(Evidence, Rate)>,
    /// By memory.
    pub memory: Vec<(Evidence, Held)>,
    /// Of the whole host, in the order of [`RESOURCES`].
    pub pressure: [Fact<Pressure>; 3],
    /// The busiest cgroups of each resource; not applicable where there are no cgroups that tell.
    pub cgroups: Fact<Vec<Pressed>>,
}

/// What sleeps in state D.
#[derive(Clone, Debug, Default)]
pub struct Blocked {
    /// How many tasks.
    pub tasks: u64,
    /// How many processes.
    pub count: usize,
    /// The processes with most of them.
    pub processes: Vec<(Evidence, Asleep)>,
    /// Where in the kernel how many sleep, most first.
    pub channels: Vec<(Bytes, u64)>,
    /// Whether a channel is kept from procward, and whether a capability would help.
    pub hidden: Option<Hidden>,
    /// Whether not all threads were looked at.
    pub cut: bool,
}

/// Why a wait channel is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// Only who may trace the process sees it.
    ForRights,
    /// The kernel does not tell.
    ByKernel,
}

/// How a process sleeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asleep {
    /// Its threads in state D.
    pub tasks: u64,
    /// All of its threads.
    pub threads: u64,
    /// Where in the kernel, each place once.
    pub channels: Vec<Bytes>,
    /// Whether there are more that are not told.
    pub hidden: bool,
}

/// Memory of a process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    /// Resident memory, bytes.
    pub bytes: u64,
    /// Percent of all memory, where that is known.
    pub percent: Option<f64>,
}

/// A cgroup whose tasks wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Pressed {
    /// What for, one of [`RESOURCES`].
    pub resource: &'static str,
    /// Percent of the last 10 seconds in which some of its tasks waited.
    pub avg10: f64,
    /// Its path.
    pub path: Bytes,
}

/// Who may be to blame, by PID.
#[derive(Clone, Debug, Default)]
pub struct Suspects {
    waiters: Waiters,
    blocked: Vec<usize>,
    cpu: Vec<(i32, i64)>,
    memory: Vec<(i32, Held)>,
}

impl Suspects {
    /// Picks them from a look that has an earlier one to compare with. `total`: bytes of memory.
    #[must_use]
    pub fn pick(snapshot: &Snapshot, waiters: Waiters, total: Option<u64>) -> Suspects {
        let mut blocked: Vec<usize> = (0..waiters.processes.len()).collect();
        blocked.sort_by_key(|index| std::cmp::Reverse(waiters.processes[*index].tasks));
        blocked.truncate(TOLD);
        Suspects {
            waiters,
            blocked,
            cpu: by_cpu(snapshot),
            memory: by_memory(snapshot, total),
        }
    }

    /// Of whom more must be known.
    #[must_use]
    pub fn pids(&self) -> Vec<i32> {
        let blocked = self
            .blocked
            .iter()
            .map(|index| self.waiters.processes[*index].pid);
        let cpu = self.cpu.iter().map(|(pid, _)| *pid);
        let memory = self.memory.iter().map(|(pid, _)| *pid);
        blocked.chain(cpu).chain(memory).collect()
    }

    /// Makes them out, of the same look with more known of them.
    #[must_use]
    pub fn blame(self, snapshot: &Snapshot, accounts: &dyn Accounts, pressures: Pressures) -> Blame {
        let copied = is_copied(snapshot);
        let known = |pid: i32| {
            let mut evidence = describe(snapshot.by_pid(pid)?, snapshot, accounts);
            evidence.age = evidence.age.filter(|_| !copied);
            Some(evidence)
        };
        // CPU is told apart.
        let who = |pid: i32| {
            Some(Evidence {
                usage: None,
                ..known(pid)?
            })
        };
        Blame {
            blocked: blocked(&self, snapshot.observer.may_trace, who),
            window: snapshot
                .past
                .as_ref()
                .map(|past| Duration::from_nanos(snapshot.at.saturating_sub(past.at))),
            cpu: self
                .cpu
                .iter()
                .filter_map(|(pid, _)| Some((who(*pid)?, known(*pid)?.usage?.rate?)))
                .collect(),
            memory: self
                .memory
                .iter()
                .filter_map(|(pid, held)| Some((who(*pid)?, *held)))
                .collect(),
            pressure: pressures.host,
            cgroups: match pressures.cgroups {
                Fact::Value(cgroups) => pressed(&cgroups),
                Fact::Unreadable(why) => Fact::Unreadable(why),
                Fact::NotAsked | Fact::NotApplicable => Fact::NotApplicable,
            },
        }
    }
}

/// Whether its start times are of another boot, which this host's clock tells nothing of.
fn is_copied(snapshot: &Snapshot) -> bool {
    let elsewhere = |gap: &Gap| matches!(gap, Gap::Elsewhere(_));
    snapshot.past.is_none() && snapshot.gaps.iter().any(elsewhere)
}

/// procward's own work is no reason for anything.
fn by_cpu(snapshot: &Snapshot) -> Vec<(i32, i64)> {
    let share = |process| match Subject::of(process, snapshot).read(Key::Cpu) {
        Reading::One(Value::Number(tenths)) => Some((process.pid, tenths)),
        _ => None,
    };
    let mut all: Vec<(i32, i64)> = snapshot
        .processes
        .iter()
        .filter(|process| Some(process.pid) != snapshot.observer.pid)
        .filter_map(share)
        .filter(|(_, tenths)| *tenths >= CPU)
        .collect();
    all.sort_by_key(|(_, tenths)| std::cmp::Reverse(*tenths));
    all.truncate(TOLD);
    all
}

#[allow(clippy::cast_precision_loss, reason = "bytes of memory are far below 2^52")]
fn by_memory(snapshot: &Snapshot, total: Option<u64>) -> Vec<(i32, Held)> {
    let mut all: Vec<(i32, Held)> = snapshot
        .processes
        .iter()
        .filter_map(|process| {
            let bytes = process.stat.value()?.rss.saturating_mul(snapshot.host.page_size);
            let percent = total.map(|total| bytes as f64 * 100.0 / total as f64);
            Some((process.pid, Held { bytes, percent }))
        })
        .filter(|(_, held)| held.percent.map_or(held.bytes > 0, |percent| percent >= MEMORY))
        .collect();
    all.sort_by_key(|(_, held)| std::cmp::Reverse(held.bytes));
    all.truncate(TOLD);
    all
}

fn blocked(suspects: &Suspects, may_trace: bool, who: impl Fn(i32) -> Option<Evidence>) -> Blocked {
    let processes = &suspects.waiters.processes;
    let mut channels: BTreeMap<&Bytes, u64> = BTreeMap::new();
    for channel in processes.iter().flat_map(|waiter| &waiter.channels) {
        *channels.entry(channel).or_default() += 1;
    }
    let mut channels: Vec<(Bytes, u64)> = channels.into_iter().map(|(c, n)| (c.clone(), n)).collect();
    channels.sort_by_key(|(_, tasks)| std::cmp::Reverse(*tasks));
    let told = suspects.blocked.iter().filter_map(|index| {
        let waiter = &processes[*index];
        let mut channels = waiter.channels.clone();
        channels.sort();
        channels.dedup();
        let asleep = Asleep {
            tasks: waiter.tasks,
            threads: waiter.threads,
            channels,
            hidden: waiter.hidden,
        };
        Some((who(waiter.pid)?, asleep))
    });
    let hidden = if may_trace {
        Hidden::ByKernel
    } else {
        Hidden::ForRights
    };
    Blocked {
        tasks: processes.iter().map(|waiter| waiter.tasks).sum(),
        count: processes.len(),
        processes: told.collect(),
        channels,
        hidden: processes.iter().any(|waiter| waiter.hidden).then_some(hidden),
        cut: suspects.waiters.cut,
    }
}

/// The cgroups with most pressure of each resource. Of a cgroup and one below it that has at least half as much only
/// the inner one is told: that is where the tasks are.
fn pressed(cgroups: &[CgroupPressure]) -> Fact<Vec<Pressed>> {
    let value = |cgroup: &CgroupPressure, resource: usize| cgroup.of[resource].value().map(|p| p.some.avg10);
    let facts = || cgroups.iter().flat_map(|cgroup| &cgroup.of);
    if let Some(Fact::Unreadable(why)) = facts().next()
        && facts().all(|fact| fact.value().is_none())
    {
        return Fact::Unreadable(*why);
    }
    let mut told = Vec::new();
    for (index, resource) in RESOURCES.into_iter().enumerate() {
        let mut below: BTreeMap<&[u8], f64> = BTreeMap::new();
        for cgroup in cgroups {
            if let (Some(slash), Some(avg10)) = (
                cgroup.path.iter().rposition(|byte| *byte == b'/'),
                value(cgroup, index),
            ) {
                let most = below.entry(&cgroup.path[..slash]).or_insert(0.0);
                *most = most.max(avg10);
            }
        }
        let mut of_one: Vec<Pressed> = cgroups
            .iter()
            .filter_map(|cgroup| {
                let avg10 = value(cgroup, index)?;
                let inner = below.get(cgroup.path.as_slice()).copied().unwrap_or(0.0);
                (avg10 >= PRESSURE && inner < avg10 / 2.0).then(|| Pressed {
                    resource,
                    avg10,
                    path: cgroup.path.clone(),
                })
            })
            .collect();
        of_one.sort_by(|a, b| b.avg10.total_cmp(&a.avg10));
        of_one.truncate(CGROUPS);
        told.extend(of_one);
    }
    Fact::Value(told)
}
