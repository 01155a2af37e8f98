/* What the steps share. Ids are changed by plain system calls, which are the calling thread's own. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The account that does no harm; the test's own /etc/passwd has it. */
enum { ALICE = 2001 };

/* Where the test is told that a violator stands, and whose end tells that the test has gone. */
enum { REPORT = 3, TEST = 4 };

/* A step is given its own words, and ends the program where it fails. */
struct step {
  const char *name;
  int words;
  void (*take)(char **words);
};

extern const struct step credentials[], capabilities[], image[], hiding[], place[], descriptors[], sockets[];

/* The steps that are still to be taken. */
extern char **rest;
/* The program, and its number among the violators. */
extern char *program, *number;
/* Its pid as the test knows it, where that is not what it is told itself: it is in a PID namespace of its own, or the
 * violator is its child. */
extern pid_t known_as;

/* Tells the test. */
void report(const char *what);
/* Says what failed unless `done`. */
void must(int done, const char *what);
/* Says that the violator stands. */
void stand(void);
/* Takes all steps that are left. */
void take_steps(void);
void wait_for_the_end_of_the_test(void);
/* Goes on as a child, while this process waits for the end. */
void go_on_as_child(void);
/* Goes on as the first process of a PID namespace. */
void go_on_in_namespace(void);
/* Runs a program that takes the steps that are left. */
void go_on_in(int file, const char *path, const char *argv0);
/* Numbers with commas between them; "-" is none of them. */
int numbers(const char *word, uint32_t *list, int most);
