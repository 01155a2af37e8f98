/* What it pretends to be. */
#include "violator.h"

static void comm(char **words) { must(prctl(PR_SET_NAME, words[0]) == 0, "PR_SET_NAME"); }

/* Blanks its own arguments, as a title that is set to nothing does. */
static void no_arguments(char **words) {
  (void)words;
  must(*rest == NULL, "no-arguments must come last");
  number = strdup(number);
  memset(program, 0, rest[-1] + strlen(rest[-1]) - program);
}

/* Its child, which has ended and is not waited for, is the violator. */
static void zombie(char **words) {
  (void)words;
  pid_t child = fork();
  must(child >= 0, "fork");
  if (child == 0) _exit(0);
  siginfo_t info;
  must(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0, "waitid");
  known_as = child;
}

/* Stands as it is until there is a file. */
static void until(char **words) {
  stand();
  while (access(words[0], F_OK) != 0) usleep(10000);
}

/* Is stopped from now on. */
static void stop(char **words) {
  (void)words;
  stand();
  raise(SIGSTOP);
  _exit(0);
}

const struct step hiding[] = {
    {"comm", 1, comm},
    {"no-arguments", 0, no_arguments},
    {"until", 1, until},
    {"stop", 0, stop},
    {"zombie", 0, zombie},
    {0},
};
