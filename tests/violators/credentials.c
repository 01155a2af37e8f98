/* Who it is: ids, groups, threads with ids of their own, user namespaces. */
#include "violator.h"
#include <pthread.h>

static void set(long call, const char *name, char *word) {
  must(syscall(call, strtoul(word, NULL, 10)) == 0, name);
}

static void set_three(long call, const char *name, char *word) {
  uint32_t ids[3];
  must(numbers(word, ids, 3) == 3, name);
  must(syscall(call, ids[0], ids[1], ids[2]) == 0, name);
}

static void set_groups(char **words) {
  uint32_t list[8];
  int count = numbers(words[0], list, 8);
  must(syscall(SYS_setgroups, count, list) == 0, "setgroups");
}

/* So many groups, of which none means anything, and one that does. */
static void many_groups(char **words) {
  static gid_t list[65536];
  int count = atoi(words[0]);
  for (int i = 0; i < count; i++) list[i] = 1000000 + i;
  list[count - 1] = atoi(words[1]);
  must(syscall(SYS_setgroups, count, list) == 0, "setgroups");
}

static void set_gid(char **words) { set(SYS_setgid, "setgid", words[0]); }
static void set_uid(char **words) { set(SYS_setuid, "setuid", words[0]); }
static void set_resgid(char **words) { set_three(SYS_setresgid, "setresgid", words[0]); }
static void set_resuid(char **words) { set_three(SYS_setresuid, "setresuid", words[0]); }

/* These two tell what was before, not whether they succeeded. */
static void set_fsgid(char **words) {
  gid_t gid = atoi(words[0]);
  syscall(SYS_setfsgid, gid);
  must((gid_t)syscall(SYS_setfsgid, gid) == gid, "setfsgid");
}

static void set_fsuid(char **words) {
  uid_t uid = atoi(words[0]);
  syscall(SYS_setfsuid, uid);
  must((uid_t)syscall(SYS_setfsuid, uid) == uid, "setfsuid");
}

/* As it should be done: the groups, then the gids, then the uids. */
static void drop(char **words) {
  (void)words;
  gid_t group = ALICE;
  must(syscall(SYS_setgroups, 1, &group) == 0, "setgroups");
  must(syscall(SYS_setresgid, ALICE, ALICE, ALICE) == 0, "setresgid");
  must(syscall(SYS_setresuid, ALICE, ALICE, ALICE) == 0, "setresuid");
}

static pthread_barrier_t ready;

static void *wait_for_ever(void *unused) {
  pthread_barrier_wait(&ready);
  while (pause() != 0) continue;
  return unused;
}

static void *take_steps_and_wait(void *unused) {
  take_steps();
  return wait_for_ever(unused);
}

static void start(void *(*run)(void *)) {
  pthread_t thread;
  must(pthread_barrier_init(&ready, NULL, 2) == 0 && pthread_create(&thread, NULL, run, NULL) == 0, "pthread_create");
  pthread_barrier_wait(&ready);
}

/* A second thread, which stays as it is: the steps to come are the first one's. */
static void thread(char **words) {
  (void)words;
  start(wait_for_ever);
}

/* A second thread, which takes the steps to come: the first one stays as it is. */
static void in_thread(char **words) {
  (void)words;
  start(take_steps_and_wait);
}

static void *stand_alone(void *unused) {
  take_steps();
  stand();
  wait_for_the_end_of_the_test();
  _exit(0);
  return unused;
}

/* A second thread goes on, and the first one ends: what is below /proc/PID of it is that of a zombie. */
static void headless(char **words) {
  (void)words;
  pthread_t thread;
  must(pthread_create(&thread, NULL, stand_alone, NULL) == 0, "pthread_create");
  syscall(SYS_exit, 0);
}

/* Descriptors, or root and working directory, that are not those of the first thread. */
static void own_files(char **words) {
  (void)words;
  must(unshare(CLONE_FILES) == 0, "unshare");
}

static void own_root(char **words) {
  (void)words;
  must(unshare(CLONE_FS) == 0, "unshare");
}

/* A user namespace in which it is root. */
static void user_namespace(char **words) {
  (void)words;
  char map[32];
  snprintf(map, sizeof map, "0 %d 1", geteuid());
  /* The files of a process that changed its ids are root's. */
  must(prctl(PR_SET_DUMPABLE, 1) == 0 && unshare(CLONE_NEWUSER) == 0, "unshare");
  int file = open("/proc/self/uid_map", O_WRONLY);
  must(file >= 0 && write(file, map, strlen(map)) > 0, "/proc/self/uid_map");
  close(file);
}

const struct step credentials[] = {
    {"setgroups", 1, set_groups},
    {"many-groups", 2, many_groups},
    {"setgid", 1, set_gid},
    {"setuid", 1, set_uid},
    {"setresgid", 1, set_resgid},
    {"setresuid", 1, set_resuid},
    {"setfsgid", 1, set_fsgid},
    {"setfsuid", 1, set_fsuid},
    {"drop", 0, drop},
    {"thread", 0, thread},
    {"in-thread", 0, in_thread},
    {"headless", 0, headless},
    {"own-files", 0, own_files},
    {"own-root", 0, own_root},
    {"userns", 0, user_namespace},
    {0},
};
