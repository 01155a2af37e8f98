//! What check_procs says of its usage.

/// The first lines of the help, and what follows wrong usage.
pub const USAGE: &str = "\
Usage: check_procs -w <range> -c <range> [-m metric] [-s state] [-p ppid]
 [-u user] [-r rss] [-z vsz] [-P %cpu] [-a argument-array]
 [-C command] [-X process_to_exclude] [-k] [-t timeout] [-v]
";

/// The rest of the help.
pub const HELP: &str = "
Counts processes, or looks at what each of them uses, and ends WARNING or CRITICAL
where that is outside a range. All filters must hold.

 -h, --help             this help
 -V, --version          the version
 --extra-opts=[section][@file]
                        options from a section of an ini file
 -w, --warning=RANGE    WARNING where the metric is outside this range
 -c, --critical=RANGE   CRITICAL where the metric is outside this range
 -m, --metric=TYPE      PROCS    the number of processes (default)
                        VSZ      virtual memory of each, in kB
                        RSS      resident memory of each, in kB
                        CPU      percent of a core over the life of each
                        ELAPSED  seconds since the start of each
 -t, --timeout=SECONDS  how long it may take (default: 10)
 -v, --verbose          tells more, up to three times
 -T, --traditional-filter
                        leaves out only this run, not everything that is procward

 -s, --status=FLAGS     the state, as ps writes it, holds these flags
 -p, --ppid=PPID        children of this process
 -z, --vsz=VSZ          at least so much virtual memory, in kB
 -r, --rss=RSS          at least so much resident memory, in kB
 -P, --pcpu=PCPU        at least so many percent of a core
 -u, --user=USER        of this user, by name or number
 -a, --argument-array=STRING
                        the arguments hold this
 --ereg-argument-array=REGEX
                        the arguments match this extended regular expression
 -C, --command=NAME     of exactly this name
 -X, --exclude-process=NAME[,NAME]...
                        of none of these names
 -k, --no-kthreads      no kernel threads
 --input-file=FILE      looks at what ps wrote to a file, and at nothing else

RANGE is 10 (0 to 10), 10: (10 and more), ~:10 (10 and less), 10:20, or @10:20
(outside of 10 to 20). Operands are taken for -w, -c and -s where those are not given.
";
