//! What a process costs that no check means: exact numbers of system calls, and no times.

use crate::common::{is_root, skip};
use crate::namespace::Namespace;
use std::collections::BTreeMap;

/// By name, how often each system call was made that touches a file.
type Calls = BTreeMap<String, i64>;

const OF_FILES: [&str; 6] = ["openat", "read", "close", "statx", "readlink", "readlinkat"];

/// What a run is given, and what each further process is to cost it.
type Case = (Vec<String>, Vec<(&'static str, i64)>);

/// How many processes there are more in the second run.
const MORE: i64 = 40;

fn calls(namespace: &Namespace, specs: &[String]) -> Calls {
    let log = namespace.path().join("strace").display().to_string();
    let procward = namespace.place().procward().display().to_string();
    let specs: Vec<String> = specs.iter().map(|spec| format!("'{spec}'")).collect();
    let specs = specs.join(" ");
    namespace.must(&format!(
        "strace -f -c -o {log} {procward} check --recheck 0 {specs}"
    ));
    let table = std::fs::read_to_string(&log).expect("strace's table");
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let name = words.last().filter(|name| OF_FILES.contains(name))?;
        Some(((*name).to_owned(), words.get(3)?.parse().ok()?))
    };
    table.lines().filter_map(row).collect()
}

/// What each of `MORE` further processes costs a run of these specs, for each list of them.
fn marginal(lists: &[Vec<String>]) -> Vec<Vec<(String, i64)>> {
    let namespace = Namespace::new();
    let more = format!("for i in $(seq {MORE}); do sleep 1000 </dev/null >/dev/null 2>&1 & done");
    let look = || -> Vec<Calls> { lists.iter().map(|specs| calls(&namespace, specs)).collect() };
    let count = usize::try_from(MORE).expect("a count");
    namespace.must(&more);
    namespace.wait_for("sleep", count);
    let before = look();
    namespace.must(&more);
    namespace.wait_for("sleep", 2 * count);
    let grown = before.iter().zip(look()).map(|(before, after)| {
        let more = after
            .into_iter()
            .map(|(name, calls)| (before.get(&name).map_or(calls, |known| calls - known), name));
        let more = more.filter(|(calls, _)| *calls != 0).map(|(calls, name)| {
            assert_eq!(calls % MORE, 0, "{calls} more {name} for {MORE} more processes");
            (name, calls / MORE)
        });
        more.collect()
    });
    grown.collect()
}

#[test]
fn a_process_that_no_check_means_costs_one_read_of_each_file_that_can_tell() {
    if !is_root() {
        return skip("namespaces and strace need root");
    }
    let many = |spec: &dyn Fn(usize) -> String| (0..50).map(spec).collect::<Vec<_>>();
    let one_file = [("close", 1), ("openat", 1), ("read", 1)];
    let (two_files, asked) = ([("close", 2), ("openat", 2), ("read", 2)], [("statx", 1)]);
    let cases: Vec<Case> = vec![
        (vec!["pwt-absent:0".into()], one_file.to_vec()),
        (vec!["state=Z:0".into()], one_file.to_vec()),
        (vec!["uid.any=54321:0".into()], one_file.to_vec()),
        (vec!["pwt-absent,exe=/bin/true:0".into()], one_file.to_vec()),
        (vec!["exe=/bin/true:0".into()], asked.to_vec()),
        (vec!["user=54321:0".into()], asked.to_vec()),
        (
            vec!["exe=/nonexistent/*:0".into()],
            vec![("readlinkat", 2), ("statx", 1)],
        ),
        (many(&|number| format!("pwt-{number}:0")), one_file.to_vec()),
        (
            many(&|number| match number % 4 {
                0 => format!("pwt-{number}:0"),
                1 => format!("exe=/nonexistent/{number}:0"),
                2 => format!("user={}:0", 54321 + number),
                _ => format!("unit=pwt-{number}.service:0"),
            }),
            [two_files.as_slice(), &[("statx", 2)]].concat(),
        ),
    ];
    let lists: Vec<Vec<String>> = cases.iter().map(|(specs, _)| specs.clone()).collect();
    for ((specs, wanted), found) in cases.iter().zip(marginal(&lists)) {
        let found: Vec<(&str, i64)> = found
            .iter()
            .map(|(name, calls)| (name.as_str(), *calls))
            .collect();
        assert_eq!(found, *wanted, "{specs:?}");
    }
}
