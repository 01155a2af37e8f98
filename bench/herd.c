/* One program of a herd: processes that live and wait, to measure on.
 *
 *   herd < LIST
 *
 * Each line of the list, `NAME UID`, is one process, and the first of them is this one. Each writes a byte when it has
 * become what it is to be. They end with the PID namespace that they are in. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

static int become(const char *name, unsigned uid) {
  if (prctl(PR_SET_NAME, name) != 0) return 0;
  if (setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0) return 0;
  /* Whoever looks needs no more rights than for a program that was started as this user. */
  return prctl(PR_SET_DUMPABLE, 1) == 0;
}

static int wait_as(const char *name, unsigned uid) {
  if (!become(name, uid) || write(1, ".", 1) != 1) {
    perror(name);
    return 1;
  }
  for (;;) pause();
}

int main(void) {
  char name[16], next[16];
  unsigned uid, next_uid;
  if (scanf("%15s %u", name, &uid) != 2) return 1;
  while (scanf("%15s %u", next, &next_uid) == 2) {
    pid_t child = fork();
    if (child < 0) {
      perror("fork");
      return 1;
    }
    if (child == 0) return wait_as(next, next_uid);
  }
  return wait_as(name, uid);
}
