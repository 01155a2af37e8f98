/* A process that is what an audit must find: one invariant violated, or, as a control, none.
 *
 *   violators NUMBER [STEP [WORD]... [+ STEP [WORD]...]...]
 *
 * It takes the steps one after the other, most of which are a system call; so `setgroups 0 + setuid 2001` is the
 * daemon that forgot its group. Then "NUMBER PID" goes to descriptor 3, and it waits until descriptor 4 ends: nothing
 * is left behind when the test dies. Where a step starts a child, the child goes on and the parent waits. */
#include "violator.h"

char **rest, *program, *number;
pid_t known_as;

void report(const char *what) {
  char line[256];
  int length = snprintf(line, sizeof line, "%s %s\n", number, what);
  if (write(REPORT, line, length) != length) _exit(1);
}

void must(int done, const char *what) {
  if (done) return;
  char line[200];
  snprintf(line, sizeof line, "%s: %s", what, strerror(errno));
  report(line);
  _exit(1);
}

void wait_for_the_end_of_the_test(void) {
  char byte;
  while (read(TEST, &byte, 1) > 0 || errno == EINTR) errno = 0;
}

void go_on_as_child(void) {
  pid_t child = fork();
  must(child >= 0, "fork");
  if (child == 0) return;
  wait_for_the_end_of_the_test();
  _exit(0);
}

void go_on_in_namespace(void) {
  int ends[2];
  must(pipe(ends) == 0, "pipe");
  pid_t child = fork();
  must(child >= 0, "fork");
  if (child == 0) {
    must(read(ends[0], &known_as, sizeof known_as) == sizeof known_as, "read");
    close(ends[0]), close(ends[1]);
    return;
  }
  must(write(ends[1], &child, sizeof child) == sizeof child, "write");
  wait_for_the_end_of_the_test();
  _exit(0);
}

void go_on_in(int file, const char *path, const char *argv0) {
  char *words[64] = {(char *)argv0, number};
  int count = 2;
  while (*rest != NULL && count < 63) words[count++] = *rest++;
  /* Without steps it needs no words: it shows what it is called, and nothing else. */
  if (count == 2) must(setenv("VIOLATOR", number, 1) == 0, "setenv"), words[1] = NULL;
  if (file >= 0)
    fexecve(file, words, environ);
  else
    execv(path, words);
  must(0, path);
}

int numbers(const char *word, uint32_t *list, int most) {
  int count = 0;
  if (strcmp(word, "-") == 0) return 0;
  for (char *end; count < most; word = end + 1) {
    list[count++] = strtoul(word, &end, 10);
    if (*end != ',') break;
  }
  return count;
}

static const struct step *find(const char *name) {
  const struct step *all[] = {credentials, capabilities, image, hiding, place, descriptors, sockets};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    for (const struct step *step = all[i]; step->name != NULL; step++)
      if (strcmp(step->name, name) == 0) return step;
  return NULL;
}

void stand(void) {
  static int told;
  char pid[16];
  if (told++) return;
  snprintf(pid, sizeof pid, "%d", known_as != 0 ? known_as : getpid());
  report(pid);
}

void take_steps(void) {
  while (*rest != NULL) {
    const struct step *step = find(*rest);
    must(step != NULL, *rest);
    char **own = rest + 1;
    for (int i = 0; i <= step->words; i++) must(*rest++ != NULL, step->name);
    must(*rest == NULL || strcmp(*rest++, "+") == 0, step->name);
    step->take(own);
  }
}

int main(int count, char **words) {
  program = words[0], number = count > 1 ? words[1] : getenv("VIOLATOR"), rest = words + (count > 1 ? 2 : 1);
  if (number == NULL) return 1;
  take_steps();
  stand();
  wait_for_the_end_of_the_test();
}
