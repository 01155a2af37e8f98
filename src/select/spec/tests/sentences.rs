//! What a selector and its range are called in words.

use super::*;

fn said(text: &str) -> String {
    let spec = good(text);
    sentence(&spec.selector, spec.range.unwrap_or(Range::AT_LEAST_ONE))
}

#[test]
fn sentences() {
    let sentences = [
        (
            "exe=/usr/sbin/sshd,user=root",
            "at least 1 process with exe /usr/sbin/sshd, run by root",
        ),
        ("telnetd:0", "no process named telnetd"),
        ("name=gzip|xz:1", "exactly 1 process named gzip or xz"),
        ("name=a|b|c:1-4", "1 to 4 processes named a, b or c"),
        (
            "[nfsd]:8",
            "exactly 8 processes named nfsd, that are kernel threads",
        ),
        ("[nfsd]", "at least 1 process named nfsd, that is a kernel thread"),
        (
            "rss>2G,name!=gzip|xz:0",
            "no process with rss over 2G, not named gzip or xz",
        ),
        (
            "cmdline~x|y:-5",
            "at most 5 processes with cmdline matching /x|y/",
        ),
        (
            "unit=postfix*.service:0-",
            "any number of processes in unit postfix*.service",
        ),
        (
            "state=zombie,age>5m:0",
            "no process in state zombie, older than 5m",
        ),
        (
            "main!=yes,scope=host:2-",
            "at least 2 processes that are not the main process of a program, outside containers",
        ),
        ("exe.replaced=yes:0", "no process whose program file was replaced"),
        (
            "exe.system=yes:0",
            "no process whose program belongs to the system",
        ),
        (
            "exe.system!=yes:0",
            "no process whose program does not belong to the system",
        ),
    ];
    for (text, wanted) in sentences {
        assert_eq!(said(text), wanted);
    }
}

#[test]
fn what_is_open_is_said_in_words() {
    for (text, words) in [
        (
            "sshd,listen=22/tcp:1",
            "exactly 1 process named sshd, listening on 22/tcp",
        ),
        ("listen!=/run/*:0", "no process not listening on /run/*"),
        (
            "listen.public=yes:0",
            "no process that is listening on a public address",
        ),
        (
            "listen.public!=yes:2-",
            "at least 2 processes that are not listening on a public address",
        ),
        (
            "socket=raw|packet:0",
            "no process with a socket of kind raw or packet",
        ),
        (
            "stdio=inet:0",
            "no process with inet as standard input, output or error",
        ),
        ("fd=/dev/mem:0", "no process with /dev/mem open"),
        ("fd.block=yes:0", "no process with a block device open"),
        (
            "fd.outside=yes:0",
            "no process with a directory outside its root open",
        ),
        ("fd.memory>0:0", "no process with fd.memory over 0"),
        ("fd.memory=1:0", "no process with the memory of process 1 open"),
        (
            "fd.deleted>64M:0",
            "no process holding over 64M of a deleted file",
        ),
    ] {
        assert_eq!(said(text), words, "{text}");
    }
}
