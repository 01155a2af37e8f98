/* Runs a program, and prints what it cost: cpu seconds, wall seconds, peak KiB, exit status.
 *
 *   run PROGRAM ARGUMENT...
 *
 * A program's peak begins with what its parent held when it was started, so the parent is this and no interpreter. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double seconds(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec / 1e6; }

int main(int argc, char **argv) {
  if (argc < 2) return 1;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  struct timespec began, ended;
  clock_gettime(CLOCK_MONOTONIC, &began);
  pid_t child;
  int error = posix_spawnp(&child, argv[1], &actions, NULL, argv + 1, environ);
  if (error != 0) {
    fprintf(stderr, "%s: %s\n", argv[1], strerror(error));
    return 1;
  }
  int status;
  struct rusage used;
  while (wait4(child, &status, 0, &used) < 0)
    if (errno != EINTR) return 1;
  clock_gettime(CLOCK_MONOTONIC, &ended);
  double wall = (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
  int exit = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  printf("%.6f %.6f %ld %d\n", seconds(used.ru_utime) + seconds(used.ru_stime), wall, used.ru_maxrss, exit);
  return 0;
}
