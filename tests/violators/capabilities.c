/* What it may do: capability sets, no_new_privs, seccomp. */
#include "violator.h"
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

static const char *names[] = {
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
    "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
    "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
    "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
    "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
    "checkpoint_restore",
};

/* Names with commas between them; "-" is none. */
static uint64_t set_of(char *word) {
  uint64_t set = 0;
  if (strcmp(word, "-") == 0) return 0;
  for (char *rest_of_it, *name = strtok_r(word, ",", &rest_of_it); name; name = strtok_r(NULL, ",", &rest_of_it)) {
    size_t bit = 0;
    while (bit < sizeof names / sizeof *names && strcmp(names[bit], name) != 0) bit++;
    must(bit < sizeof names / sizeof *names, name);
    /* Whoever runs the tests may lack it himself. */
    if (prctl(PR_CAPBSET_READ, bit) != 1) report("absent"), _exit(0);
    set |= UINT64_C(1) << bit;
  }
  return set;
}

/* A change of the uid to another than 0 leaves the permitted capabilities. */
static void keep(char **words) {
  (void)words;
  must(prctl(PR_SET_KEEPCAPS, 1) == 0, "PR_SET_KEEPCAPS");
}

/* The effective, permitted and inheritable set. */
static void set(char **words) {
  uint64_t sets[3] = {set_of(words[0]), set_of(words[1]), set_of(words[2])};
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {
      {sets[0], sets[1], sets[2]},
      {sets[0] >> 32, sets[1] >> 32, sets[2] >> 32},
  };
  must(syscall(SYS_capset, &header, data) == 0, "capset");
}

/* One that is permitted and inheritable becomes ambient. */
static void ambient(char **words) {
  uint64_t set = set_of(words[0]);
  for (int bit = 0; bit < 64; bit++)
    if (set >> bit & 1) must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, bit, 0, 0) == 0, "PR_CAP_AMBIENT_RAISE");
}

/* Takes from the bounding set. */
static void unbound(char **words) {
  uint64_t set = set_of(words[0]);
  for (int bit = 0; bit < 64; bit++)
    if (set >> bit & 1) must(prctl(PR_CAPBSET_DROP, bit) == 0, "PR_CAPBSET_DROP");
}

static void no_new_privs(char **words) {
  (void)words;
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
}

/* A filter that allows everything. */
static void seccomp(char **words) {
  (void)words;
  struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog filter = {1, &allow};
  must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0, "PR_SET_SECCOMP");
}

const struct step capabilities[] = {
    {"keepcaps", 0, keep},
    {"capset", 3, set},
    {"ambient", 1, ambient},
    {"unbound", 1, unbound},
    {"no_new_privs", 0, no_new_privs},
    {"seccomp", 0, seccomp},
    {0},
};
