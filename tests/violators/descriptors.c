/* What it holds open, and who has hold of it. */
#include "violator.h"
#include <linux/bpf.h>
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/resource.h>

static void read_only(char **words) { must(open(words[0], O_RDONLY) >= 0, words[0]); }

/* Many descriptors before the ones to come. */
static void many(char **words) {
  struct rlimit limit;
  must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "RLIMIT_NOFILE");
  limit.rlim_cur = limit.rlim_max;
  must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "RLIMIT_NOFILE");
  for (long i = atol(words[0]); i > 0; i--) must(dup(0) >= 0, "dup");
}

/* The memory of a child that does no harm. */
static void memory_of_a_child(const char *format) {
  pid_t own = getpid(), child = fork();
  must(child >= 0, "fork");
  if (child == 0) {
    must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == own, "the parent");
    for (;;) pause();
  }
  char path[64];
  snprintf(path, sizeof path, format, child, child);
  must(open(path, O_RDWR) >= 0, path);
}

static void memory(char **words) {
  (void)words;
  memory_of_a_child("/proc/%d/mem");
}

static void memory_of_a_thread(char **words) {
  (void)words;
  memory_of_a_child("/proc/%d/task/%d/mem");
}

/* Goes on as a child that its parent traces, which becomes this user. */
static void traced(char **words) {
  uid_t uid = atoi(words[0]);
  int ends[2];
  must(pipe(ends) == 0, "pipe");
  pid_t child = fork();
  must(child >= 0, "fork");
  close(ends[child == 0 ? 0 : 1]);
  if (child == 0) {
    must(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0, "PTRACE_TRACEME");
    close(ends[1]);
    return;
  }
  /* Who has dropped can't become the tracer of root any more. */
  char byte;
  must(read(ends[0], &byte, 1) == 0, "read");
  close(ends[0]);
  if (uid != getuid()) {
    must(syscall(SYS_setgroups, 1, &uid) == 0, "setgroups");
    must(setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0, "setresuid");
  }
  wait_for_the_end_of_the_test();
  _exit(0);
}

static void *be_traced(void *ends) {
  must(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0, "PTRACE_TRACEME");
  close(((int *)ends)[1]);
  wait_for_the_end_of_the_test();
  return NULL;
}

/* Goes on as a child whose parent traces a second thread of it, and not the first. */
static void traced_thread(char **words) {
  (void)words;
  static int ends[2];
  char byte;
  pthread_t thread;
  go_on_as_child();
  must(pipe(ends) == 0, "pipe");
  must(pthread_create(&thread, NULL, be_traced, ends) == 0, "pthread_create");
  must(read(ends[0], &byte, 1) == 0, "read");
}

static void bpf(char **words) {
  (void)words;
  union bpf_attr map = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
  must(syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof map) >= 0, "BPF_MAP_CREATE");
}

static int nameless(const char *path) {
  int file = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
  must(file >= 0 && unlink(path) == 0, path);
  return file;
}

/* A file without a name that takes so many MiB, or is only so long. */
static void large(char **words) {
  int file = nameless(words[0]);
  must(posix_fallocate(file, 0, atol(words[1]) << 20) == 0, "fallocate");
}

static void sparse(char **words) {
  int file = nameless(words[0]);
  must(ftruncate(file, atol(words[1]) << 20) == 0, "ftruncate");
}

const struct step descriptors[] = {
    {"open", 1, read_only},
    {"many-descriptors", 1, many},
    {"mem", 0, memory},
    {"mem-task", 0, memory_of_a_thread},
    {"traced", 1, traced},
    {"traced-thread", 0, traced_thread},
    {"bpf", 0, bpf},
    {"large", 2, large},
    {"sparse", 2, sparse},
    {0},
};
