/* A crowd of processes for the tests.
 *
 *   herd NAME=COUNT[=UID]...  zombie:NAME=COUNT  churn:PER_SECOND  flip:OTHER=COUNT
 *
 * COUNT processes with each NAME wait. `churn` starts processes that soon end, some of which change their program or
 * ids first. `flip` keeps processes going to and fro between this program and OTHER: as this one they run with uid
 * 1, as OTHER with uid 2, in between with uid 0. "ready" is written when all that stays is there; the end of standard
 * input, or of who started it, ends it all. */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int *ready;

static void fail(const char *what) {
  perror(what);
  _exit(1);
}

/* A change of ids clears the signal, so it is asked for after each. */
static void die_with(pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(1);
}

static void rest(long microseconds) {
  struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000};
  nanosleep(&time, NULL);
}

static pid_t start(void) {
  pid_t child = fork();
  if (child < 0) fail("fork");
  return child;
}

static void become(uid_t uid) {
  if (setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0) _exit(1);
}

static void stay(const char *name, int count, int uid) {
  /* A child has its parent's name from its first moment on. */
  prctl(PR_SET_NAME, name);
  for (int i = 0; i < count; i++) {
    pid_t own = getpid();
    if (start() != 0) continue;
    die_with(own);
    /* Its own user may look at it all the same. */
    if (uid >= 0) become(uid), prctl(PR_SET_DUMPABLE, 1);
    die_with(own);
    __sync_fetch_and_add(ready, 1);
    for (;;) pause();
  }
}

static void zombies(const char *name, int count) {
  pid_t own = getpid();
  if (start() != 0) return;
  die_with(own);
  signal(SIGCHLD, SIG_DFL);
  prctl(PR_SET_NAME, name);
  for (int i = 0; i < count; i++)
    if (start() == 0) _exit(0);
  prctl(PR_SET_NAME, "herd-zombies");
  siginfo_t info;
  for (int i = 0; i < count; i++) waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
  /* All of them have ended when none is left that has not. */
  rest(100000);
  __sync_fetch_and_add(ready, 1);
  for (;;) pause();
}

/* flip STEP: as `self`, which is to be left for `other`. */
static void flip(char *self, char *other, const char *uid, const char *other_uid, const char *parent) {
  die_with(atoi(parent));
  if (setresuid(atoi(uid), atoi(uid), 0) != 0) _exit(1);
  die_with(atoi(parent));
  rest(rand() % 3000);
  if (setresuid(0, 0, 0) != 0) _exit(1);
  die_with(atoi(parent));
  execl(other, other, "flip", self, other_uid, uid, parent, (char *)NULL);
  _exit(1);
}

static void brief(int number) {
  prctl(PR_SET_NAME, "herd-brief");
  switch (number % 4) {
    case 0:
      execl("/bin/true", "true", (char *)NULL);
      _exit(1);
    case 1:
      if (getuid() == 0) become(1000 + number % 1000);
      break;
    case 2:
      if (start() == 0) _exit(0);
  }
  rest(number % 40 * 1000);
  _exit(0);
}

int main(int count, char **words) {
  if (count == 6 && strcmp(words[1], "flip") == 0) {
    srand(getpid() + clock());
    flip(words[0], words[2], words[3], words[4], words[5]);
  }
  die_with(getppid());
  signal(SIGCHLD, SIG_IGN);
  ready = mmap(NULL, sizeof *ready, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (ready == MAP_FAILED) fail("mmap");
  int wanted = 0, churn = 0;
  for (int i = 1; i < count; i++) {
    char *name = words[i], *number = strchr(name, '=');
    if (strncmp(name, "churn:", 6) == 0) {
      churn = atoi(name + 6);
      continue;
    }
    if (number == NULL) fail(name);
    *number++ = 0;
    char *uid = strchr(number, '=');
    if (strncmp(name, "flip:", 5) == 0) {
      char parent[16];
      snprintf(parent, sizeof parent, "%d", getpid());
      for (int j = atoi(number); j > 0; j--)
        if (start() == 0) execl(words[0], words[0], "flip", name + 5, "1", "2", parent, (char *)NULL);
    } else if (strncmp(name, "zombie:", 7) == 0) {
      zombies(name + 7, atoi(number));
      wanted++;
    } else {
      stay(name, atoi(number), uid == NULL ? -1 : atoi(uid + 1));
      wanted += atoi(number);
    }
  }
  prctl(PR_SET_NAME, "herd");
  while (*ready < wanted) rest(1000);
  if (write(1, "ready\n", 6) != 6) return 1;
  struct pollfd input = {0, POLLIN, 0};
  for (int number = 0;; number++) {
    if (poll(&input, 1, churn > 0 ? 1000 / churn : -1) != 0) return 0;
    if (churn > 0 && start() == 0) brief(number);
  }
}
