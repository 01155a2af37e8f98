/* What it runs: programs and libraries that were removed, are nobody's file, or are anybody's. */
#include "violator.h"

/* Runs a copy of this program, with this argv[0]; "-" is no words at all, for which the kernel puts "". */
static void run(char **words) {
  if (strcmp(words[1], "-") != 0) go_on_in(-1, words[0], words[1]);
  must(setenv("VIOLATOR", number, 1) == 0, "setenv");
  execv(words[0], (char *[]){NULL});
  must(0, words[0]);
}

/* Is another program from now on, which is told one word. */
static void become(char **words) {
  stand();
  execl(words[0], words[0], words[1], NULL);
  must(0, words[0]);
}

/* Runs itself from memory. */
static void memory(char **words) {
  (void)words;
  int own = open("/proc/self/exe", O_RDONLY), copy = memfd_create("x", MFD_CLOEXEC);
  struct stat status;
  must(own >= 0 && copy >= 0 && fstat(own, &status) == 0, "memfd_create");
  must(syscall(SYS_sendfile, copy, own, NULL, status.st_size) == status.st_size, "sendfile");
  close(own);
  go_on_in(copy, "memfd", program);
}

/* Runs itself from so deep below the working directory that no link can tell the path. */
static void deep(char **words) {
  (void)words;
  char name[201] = {0};
  memset(name, 'd', sizeof name - 1);
  for (int i = 0; i < 25; i++) must(mkdir(name, 0755) == 0 && chdir(name) == 0, "mkdir");
  int own = open("/proc/self/exe", O_RDONLY), copy = open("x", O_WRONLY | O_CREAT | O_EXCL, 0755);
  struct stat status;
  must(own >= 0 && copy >= 0 && fstat(own, &status) == 0, "x");
  must(syscall(SYS_sendfile, copy, own, NULL, status.st_size) == status.st_size, "sendfile");
  close(own), close(copy);
  go_on_in(-1, "./x", "./x");
}

/* So many mappings, each apart from the next. */
static void many_mappings(char **words) {
  long page = sysconf(_SC_PAGESIZE);
  for (long i = atol(words[0]); i > 0; i--)
    must(mmap(NULL, page, i % 2 == 0 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED, "mmap");
}

static void map(const char *path, int protection) {
  int file = open(path, O_RDONLY);
  must(file >= 0 && mmap(NULL, 4096, protection, MAP_PRIVATE, file, 0) != MAP_FAILED, path);
  close(file);
}

/* Maps a file as the dynamic linker maps code, or as data. */
static void library(char **words) { map(words[0], PROT_READ | PROT_EXEC); }
static void data(char **words) { map(words[0], PROT_READ); }

/* Code that has no file, from memfd_create. */
static void memory_library(char **words) {
  (void)words;
  int file = memfd_create("jit", MFD_CLOEXEC);
  must(file >= 0 && ftruncate(file, 4096) == 0, "memfd_create");
  must(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0) != MAP_FAILED, "mmap");
  close(file);
}

static void writable_code(char **words) {
  (void)words;
  int all = PROT_READ | PROT_WRITE | PROT_EXEC;
  must(mmap(NULL, 4096, all, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED, "mmap");
}

static void remove_file(char **words) { must(unlink(words[0]) == 0, words[0]); }
static void rename_file(char **words) { must(rename(words[0], words[1]) == 0, words[0]); }

const struct step image[] = {
    {"run", 2, run},
    {"become", 2, become},
    {"memfd", 0, memory},
    {"deep", 0, deep},
    {"many-mappings", 1, many_mappings},
    {"library", 1, library},
    {"data", 1, data},
    {"memfd-library", 0, memory_library},
    {"rwx", 0, writable_code},
    {"unlink", 1, remove_file},
    {"rename", 2, rename_file},
    {0},
};
