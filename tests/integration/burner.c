/* Burns CPU as it is told, for the tests.
 *
 *   burner spin THREADS PERCENT   so many threads, each busy for PERCENT of the time
 *   burner storm MILLISECONDS     one child after the other that is busy so long; each is waited for
 *   burner again MILLISECONDS     busy so long, then a child goes on in its place, and so on until PID 1 ends
 *   burner job MILLISECONDS       a child that is busy so long by the clock, waited for
 *   burner init                   waits for orphans, as PID 1 does
 *
 * "ready PID" is written first. Of standard input each line is an order: `p` pause, `g` go on, `t` tell: then the
 * seconds of the clock, of own CPU and of the CPU of children that were waited for are written. It ends with who
 * started it. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const double PERIOD = 0.02;
static volatile int paused;
static int percent;
static double busy;

static double now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void rest(double seconds) {
  struct timespec time = {seconds, (seconds - (long)seconds) * 1e9};
  if (seconds > 0) nanosleep(&time, NULL);
}

static void burn(double seconds) {
  double end = now(CLOCK_THREAD_CPUTIME_ID) + seconds;
  while (now(CLOCK_THREAD_CPUTIME_ID) < end)
    ;
}

static void *spin(void *unused) {
  (void)unused;
  for (;;) {
    double begin = now(CLOCK_MONOTONIC);
    if (paused) {
      rest(PERIOD);
      continue;
    }
    burn(PERIOD * percent / 100);
    if (percent < 100) rest(begin + PERIOD - now(CLOCK_MONOTONIC));
  }
  return NULL;
}

static pid_t start(void) {
  pid_t child = fork();
  if (child < 0) _exit(1);
  if (child == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
  return child;
}

static void *storm(void *unused) {
  (void)unused;
  for (;;) {
    while (paused) rest(PERIOD);
    pid_t child = start();
    if (child == 0) {
      burn(busy);
      _exit(0);
    }
    waitpid(child, NULL, 0);
  }
}

static void *job(void *unused) {
  (void)unused;
  pid_t child = start();
  if (child == 0) {
    double end = now(CLOCK_MONOTONIC) + busy;
    while (now(CLOCK_MONOTONIC) < end)
      ;
    _exit(0);
  }
  waitpid(child, NULL, 0);
  return NULL;
}

static void *init(void *unused) {
  (void)unused;
  for (;;)
    if (waitpid(-1, NULL, 0) < 0) rest(PERIOD);
  return NULL;
}

int main(int count, char **words) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (count < 2) return 1;
  busy = count > 2 ? atof(words[2]) / 1000 : 0;
  printf("ready %d\n", getpid());
  fflush(stdout);
  if (strcmp(words[1], "again") == 0)
    for (;;) {
      burn(busy);
      pid_t child = fork();
      if (child != 0) _exit(child < 0);
    }
  pthread_t thread;
  int threads = 1;
  void *(*work)(void *) = storm;
  if (strcmp(words[1], "spin") == 0 && count > 3) work = spin, threads = atoi(words[2]), percent = atoi(words[3]);
  if (strcmp(words[1], "job") == 0) work = job;
  if (strcmp(words[1], "init") == 0) work = init;
  for (; threads > 0; threads--)
    if (pthread_create(&thread, NULL, work, NULL) != 0) return 1;
  char line[16];
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (*line == 'p') paused = 1;
    if (*line == 'g') paused = 0;
    if (*line == 't') {
      struct rusage children;
      getrusage(RUSAGE_CHILDREN, &children);
      struct timeval user = children.ru_utime, kernel = children.ru_stime;
      double reaped = user.tv_sec + kernel.tv_sec + (user.tv_usec + kernel.tv_usec) / 1e6;
      printf("%.6f %.6f %.6f\n", now(CLOCK_MONOTONIC), now(CLOCK_PROCESS_CPUTIME_ID), reaped);
    } else {
      printf("done\n");
    }
    fflush(stdout);
  }
  _exit(0);
}
