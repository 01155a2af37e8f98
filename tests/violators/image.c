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

/* The dynamic linker runs it from memory, as one of its own libraries. */
static void memory_by_linker(char **words) {
  char path[32], *linker = words[0];
  int own = open("/proc/self/exe", O_RDONLY), copy = memfd_create("x", 0);
  struct stat status;
  must(own >= 0 && copy >= 0 && fstat(own, &status) == 0, "memfd_create");
  must(syscall(SYS_sendfile, copy, own, NULL, status.st_size) == status.st_size, "sendfile");
  snprintf(path, sizeof path, "/proc/self/fd/%d", copy);
  execl(linker, linker, path, number, NULL);
  must(0, linker);
}

/* Puts a copy without a file in the place of what it has mapped of its own program. */
static void leave_program(void) {
  char own[4096] = {0}, line[4400];
  must(readlink("/proc/self/exe", own, sizeof own - 1) > 0, "exe");
  FILE *maps = fopen("/proc/self/maps", "r");
  must(maps != NULL, "maps");
  while (fgets(line, sizeof line, maps) != NULL) {
    unsigned long begin, end;
    char rights[5], *path = strchr(line, '/');
    if (path == NULL || strncmp(path, own, strlen(own)) != 0) continue;
    must(sscanf(line, "%lx-%lx %4s", &begin, &end, rights) == 3, "maps");
    size_t length = end - begin;
    char *copy = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(copy != MAP_FAILED, "mmap");
    memcpy(copy, (void *)begin, length);
    int protection = PROT_READ | (rights[1] == 'w' ? PROT_WRITE : 0) | (rights[2] == 'x' ? PROT_EXEC : 0);
    must(mprotect(copy, length, protection) == 0, "mprotect");
    must(mremap(copy, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, begin) != MAP_FAILED, "mremap");
  }
  fclose(maps);
}

/* Has another program shown as its own: prctl(2), PR_SET_MM_MAP, which takes no more than a user namespace. */
static void shown_as(char **words) {
  char text[2048] = {0};
  unsigned long field[52] = {0};
  int file = open(words[0], O_RDONLY), stat = open("/proc/self/stat", O_RDONLY), number = 3;
  if (file < 0) report("absent"), _exit(0);
  leave_program();
  must(read(stat, text, sizeof text - 1) > 0, "stat");
  for (char *rest_of_it = strrchr(text, ')') + 4; number++, number < 52;) field[number] = strtoull(rest_of_it, &rest_of_it, 10);
  struct prctl_mm_map map = {
      .start_code = field[26], .end_code = field[27], .start_data = field[45], .end_data = field[46],
      .start_brk = field[47], .brk = (unsigned long)sbrk(0), .start_stack = field[28], .arg_start = field[48],
      .arg_end = field[49], .env_start = field[50], .env_end = field[51], .exe_fd = file,
  };
  must(prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0) == 0, "PR_SET_MM_MAP");
  close(file), close(stat);
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
    {"memfd-by-linker", 1, memory_by_linker},
    {"shown-as", 1, shown_as},
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
