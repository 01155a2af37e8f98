//! Integration tests: the real binary beside the real mon, its ps.monitor, ps and the kernel.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests stop at what they did not expect, and start the programs they compare with"
)]

mod alertmanager;
mod audit_adversary;
mod audit_command;
mod audits;
mod check_procs;
mod checkmk;
mod chrooted;
mod collectd;
mod common;
mod configuration;
mod cost;
mod cpu;
mod crowd;
mod daemons;
mod deadline;
mod docs;
mod evidence;
mod fixture;
mod hanging;
mod hiding;
mod install;
mod lent;
mod live;
mod load;
mod loadavg_monitor;
mod mon_daemon;
mod namespace;
mod namespaces;
mod newcomer;
mod passive;
mod plugin;
mod process;
mod prometheus;
mod promises;
mod ps_monitor;
mod real_hosts;
mod replaced;
mod restarts;
mod rights;
mod run_by;
mod server;
mod servers;
mod services;
mod snmp;
mod sockets;
mod stock;
mod storm;
mod views;
mod violators;
mod vm;
mod zabbix;
