/* The least that a pass over /proc can be: getdents, and open, read and close of some files of every process.
 *
 *   scan [stat] [comm] [cgroup] [status] [cmdline] [exe] [owner]
 *
 * `exe` is the link and the file behind it, `owner` the owner of the directory. Prints how many files it read. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char names[64 << 10], bytes[64 << 10];

struct entry {
  unsigned long inode;
  long offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

static int look(int proc, const char *pid, const char *file) {
  char path[64];
  char *end = stpcpy(path, pid);
  struct stat found;
  if (strcmp(file, "owner") == 0) return fstatat(proc, pid, &found, 0) == 0;
  *end++ = '/';
  strcpy(end, file);
  if (strcmp(file, "exe") == 0)
    return readlinkat(proc, path, bytes, sizeof bytes) > 0 && fstatat(proc, path, &found, 0) == 0;
  int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t got = read(fd, bytes, sizeof bytes);
  close(fd);
  return got > 0;
}

int main(int argc, char **argv) {
  int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  long got, read = 0;
  while ((got = syscall(SYS_getdents64, proc, names, sizeof names)) > 0) {
    for (long at = 0; at < got;) {
      struct entry *entry = (struct entry *)(names + at);
      at += entry->length;
      if (!isdigit((unsigned char)entry->name[0])) continue;
      for (int file = 1; file < argc; file++) read += look(proc, entry->name, argv[file]);
    }
  }
  printf("%ld\n", read);
  return 0;
}
