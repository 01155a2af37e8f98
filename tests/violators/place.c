/* Where it is: root and working directory, mount and network namespaces. */
#include "violator.h"

static void new_root(char **words) { must(chroot(words[0]) == 0, words[0]); }
static void change_directory(char **words) { must(chdir(words[0]) == 0, words[0]); }
static void remove_directory(char **words) { must(rmdir(words[0]) == 0, words[0]); }

/* Keeps a directory open, to read it or as a mere place. */
static void directory(char **words) { must(open(words[0], O_RDONLY | O_DIRECTORY) >= 0, words[0]); }
static void place_only(char **words) { must(open(words[0], O_PATH | O_DIRECTORY) >= 0, words[0]); }

static void mount_namespace(char **words) {
  (void)words;
  must(unshare(CLONE_NEWNS) == 0, "unshare");
}

static void network_namespace(char **words) {
  (void)words;
  must(unshare(CLONE_NEWNET) == 0, "unshare");
}

static void pid_namespace(char **words) {
  (void)words;
  must(unshare(CLONE_NEWPID) == 0, "unshare");
  go_on_in_namespace();
}

/* Enters a control group. */
static void control_group(char **words) {
  int file = open(words[0], O_WRONLY);
  must(file >= 0 && write(file, "0", 1) == 1, words[0]);
  close(file);
}

/* In a session on a terminal of its own. */
static void terminal(char **words) {
  (void)words;
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  must(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0, "posix_openpt");
  go_on_as_child();
  must(setsid() > 0 && open(ptsname(master), O_RDWR) >= 0, "ptsname");
  close(master);
}

const struct step place[] = {
    {"chroot", 1, new_root},
    {"chdir", 1, change_directory},
    {"rmdir", 1, remove_directory},
    {"opendir", 1, directory},
    {"opendir-path", 1, place_only},
    {"mountns", 0, mount_namespace},
    {"netns", 0, network_namespace},
    {"pidns", 0, pid_namespace},
    {"terminal", 0, terminal},
    {"cgroup", 1, control_group},
    {0},
};
