//! What may be typed.

use super::terminal::Terminal;
use super::{audit, check, config, cpu, explain, grant, init, list, load, migrate, roll, snapshot, snmp};
use crate::deadline::Notes;
use crate::report::Format;
use crate::report::passive::Passive;
use crate::select::parse_duration;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Terminals have 80 columns, and so have mails and the pages of a pager.
pub(super) const WIDTH: usize = 80;

/// What several commands have.
pub(super) const CONFIG: &str = "Configuration file [default: below /etc/procward]";
pub(super) const CONFIG_AT_LENGTH: &str = "Configuration file. Without it: the one that PROCWARD_CONFIG names, else \
    /etc/procward/procward.toml and /etc/procward/conf.d/*.toml";
pub(super) const STATE: &str = "Remember runs in it [default: in /var/lib/procward]";
pub(super) const STATE_AT_LENGTH: &str = "Remember in this file what this run saw, for restarts and what goes on for long. \
    Without it: a file in mon's state directory, or in /var/lib/procward, where there is one";

/// Watches the processes of this host: is what must run running, as who it should be?
#[derive(Debug, Parser)]
#[command(name = "procward", version, about, long_about = None, max_term_width = WIDTH)]
pub struct Arguments {
    /// Where to look.
    #[command(flatten)]
    pub view: ViewArguments,
    /// What to do; without a command, `roll`.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Where to look in place of the live host.
#[derive(Args, Clone, Debug, Default)]
pub struct ViewArguments {
    /// Look at this proc file system in place of /proc
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "snapshot")]
    pub proc: Option<PathBuf>,
    /// Look at what `procward snapshot` saved
    #[arg(long, global = true, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// End within this time, such as 20s, in any case
    #[arg(short, long, global = true, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// What standard output is.
    #[arg(skip)]
    pub terminal: Terminal,
    /// Who watches this worker.
    #[arg(skip)]
    pub notes: Notes,
}

/// A time span as the selector language writes it, of at least a second; a bare number is seconds, as for any plugin.
///
/// # Errors
/// What is wrong with it.
fn duration(text: &str) -> Result<Duration, String> {
    let bare = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let span = parse_duration(&if bare { format!("{text}s") } else { text.to_owned() })?;
    if span < Duration::from_secs(1) {
        return Err("less than a second is no time to look twice: write 1s or more".into());
    }
    Ok(span)
}

/// The configuration that was typed, else that of the environment; an empty variable is none.
#[must_use]
pub fn config_file(typed: Option<&Path>) -> Option<PathBuf> {
    let environment = || std::env::var_os("PROCWARD_CONFIG").filter(|path| !path.is_empty());
    typed
        .map(Path::to_owned)
        .or_else(|| environment().map(PathBuf::from))
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// List the daemons here, each with its spec (the default)
    Roll(roll::Roll),
    /// Write the roll call as a configuration file
    Init(init::Init),
    /// Judges checks.
    #[command(about = check::ABOUT)]
    Check(check::CheckCommand),
    /// Judges CPU time.
    #[command(about = cpu::ABOUT)]
    Cpu(cpu::CpuCommand),
    /// Judges the rules of the audit.
    #[command(about = audit::ABOUT)]
    Audit(audit::AuditCommand),
    /// Judges the load.
    #[command(about = load::ABOUT)]
    Load(load::LoadCommand),
    /// Serve the checks to snmpd, which starts this by pass_persist
    Snmp(snmp::SnmpCommand),
    /// Explain term by term why processes match a spec, or do not
    Explain(explain::Explain),
    /// List the processes that match a spec
    List(list::List),
    /// List the keys of a spec, each with a line
    Keys,
    /// Save what is seen, for --snapshot
    Snapshot(snapshot::SnapshotCommand),
    /// Check or show the configuration
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Write ps.monitor's specs as TOML
    Migrate(migrate::Migrate),
    /// Write completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Grants what it takes to see everything.
    #[command(about = grant::ABOUT)]
    Grant(grant::Grant),
    /// Write a manual page
    Man {
        /// Of what, such as procward-check or check_procward [default: procward]
        page: Option<String>,
    },
}

/// An output format of `check`, as typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum CheckFormatName {
    /// For people
    Human,
    /// For mon: a stable summary line, then details
    Mon,
    /// For Nagios, Icinga, NRPE: status line with performance data
    Nagios,
    /// For programs; its schema is in docs
    Json,
    /// Metrics for Prometheus: the textfile collector of node_exporter, with --output
    Prometheus,
    /// For Checkmk's agent: a local check, one service for each check, which ends 0 whatever their states are
    Checkmk,
    /// For send_nsca: a result for each check, which ends 0 whatever their states are
    Nsca,
    /// For the command file of Nagios, with --output: likewise
    NagiosPassive,
    /// For Icinga 2's API: the body of a request for each check, likewise
    Icinga2,
    /// For Zabbix's low-level discovery: which checks there are; no process is looked at
    ZabbixLld,
    /// For collectd's exec plugin: values
    Collectd,
    /// For SNMP.
    #[value(skip)]
    Snmp,
}

impl From<CheckFormatName> for Format {
    fn from(name: CheckFormatName) -> Format {
        match name {
            CheckFormatName::Human => Format::Human,
            CheckFormatName::Mon => Format::Mon,
            CheckFormatName::Nagios => Format::Nagios,
            CheckFormatName::Json => Format::Json,
            CheckFormatName::Prometheus => Format::Prometheus,
            CheckFormatName::Checkmk => Format::Checkmk,
            CheckFormatName::Nsca => Format::Passive(Passive::Nsca),
            CheckFormatName::NagiosPassive => Format::Passive(Passive::Nagios),
            CheckFormatName::Icinga2 => Format::Passive(Passive::Icinga2),
            CheckFormatName::ZabbixLld => Format::ZabbixLld,
            CheckFormatName::Collectd => Format::Collectd,
            CheckFormatName::Snmp => Format::Snmp,
        }
    }
}

/// An output format of the other commands, as typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum FormatName {
    /// For people
    Human,
    /// For mon: a stable summary line, then details
    Mon,
    /// For Nagios, Icinga, NRPE: status line with performance data
    Nagios,
    /// For programs; its schema is in docs
    Json,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Format {
        match name {
            FormatName::Human => Format::Human,
            FormatName::Mon => Format::Mon,
            FormatName::Nagios => Format::Nagios,
            FormatName::Json => Format::Json,
        }
    }
}

/// The format where none was asked for: mon's under mon, else for people.
#[must_use]
pub fn default_format() -> Format {
    let mon = std::env::var_os("MON_GROUP").is_some() && std::env::var_os("MON_SERVICE").is_some();
    if mon { Format::Mon } else { Format::Human }
}
