/*
 * silent DIR WHAT [FILE]
 *
 * A file server that does not answer. It mounts a FUSE file system at DIR, in a mount namespace of its own, with one
 * file, `f`, which holds what FILE holds, or zeros. It speaks the protocol itself, over /dev/fuse, so that it can leave
 * a request unanswered for ever, which no library lets it do.
 *
 * WHAT is what it never answers:
 *   read     reads of the file
 *   write    writes to the file; from its second opening on, the file bypasses the page cache
 *   lookup   the search for a name
 *   nothing  it answers everything, until it is sent SIGUSR1; then it answers nothing at all
 *
 * It says "ready" when it is mounted, and ends when its standard input does. With it ends the connection, and every
 * reader that waits is told so: nothing stays behind.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROOT = FUSE_ROOT_ID, THE_FILE = 2, FOR_EVER = 100000 };

/* The kernel wants room for a whole write. */
static char request[1 << 20];

static int connection;
static char *content;
static size_t length = 4096;
static const char *what;
static volatile sig_atomic_t silent;

static void fall_silent(int signal)
{
	(void)signal;
	silent = 1;
}

/* Answers the request of this number, with an error or with data. */
static void answer(uint64_t unique, int error, const void *data, size_t size)
{
	static char message[1 << 20];
	struct fuse_out_header header = {
		.len = sizeof header + size,
		.error = error,
		.unique = unique,
	};
	memcpy(message, &header, sizeof header);
	if (size > 0)
		memcpy(message + sizeof header, data, size);
	/* ENOENT: whoever asked does not wait any more. */
	if (write(connection, message, header.len) < 0 && errno != ENOENT)
		err(1, "answer");
}

static struct fuse_attr attributes(uint64_t node)
{
	struct fuse_attr attr = {
		.ino = node,
		.size = node == ROOT ? 0 : length,
		.mode = node == ROOT ? S_IFDIR | 0755 : S_IFREG | 0755,
		.nlink = 1,
		.blksize = 4096,
	};
	return attr;
}

static void init(uint64_t unique)
{
	struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = 31,
		.max_readahead = 65536,
		.max_write = 65536,
		.max_background = 10,
		.congestion_threshold = 8,
	};
	answer(unique, 0, &out, sizeof out);
}

static void lookup(uint64_t unique, const char *name)
{
	struct fuse_entry_out out = {
		.nodeid = THE_FILE,
		.entry_valid = FOR_EVER,
		.attr_valid = FOR_EVER,
		.attr = attributes(THE_FILE),
	};
	if (strcmp(name, "f") == 0)
		answer(unique, 0, &out, sizeof out);
	else
		answer(unique, -ENOENT, NULL, 0);
}

static void getattr(uint64_t unique, uint64_t node)
{
	struct fuse_attr_out out = { .attr = attributes(node) };
	answer(unique, 0, &out, sizeof out);
}

static void open_file(uint64_t unique)
{
	static int openings;
	struct fuse_open_out out = { .fh = 1, .open_flags = FOPEN_KEEP_CACHE };
	if (strcmp(what, "write") == 0 && ++openings > 1)
		out.open_flags = FOPEN_DIRECT_IO;
	answer(unique, 0, &out, sizeof out);
}

static void read_file(uint64_t unique, const struct fuse_read_in *in)
{
	size_t from = in->offset < length ? in->offset : length;
	size_t size = in->size < length - from ? in->size : length - from;
	answer(unique, 0, content + from, size);
}

static int is_unanswered(uint32_t opcode)
{
	return silent || (opcode == FUSE_READ && strcmp(what, "read") == 0) ||
	       (opcode == FUSE_WRITE && strcmp(what, "write") == 0) ||
	       (opcode == FUSE_LOOKUP && strcmp(what, "lookup") == 0);
}

static void serve(void)
{
	const struct fuse_in_header *header = (void *)request;
	const void *body = header + 1;

	if (read(connection, request, sizeof request) < 0) {
		/* The request was taken back, or a signal came first. */
		if (errno == ENOENT || errno == EINTR || errno == EAGAIN)
			return;
		err(1, "request");
	}
	if (is_unanswered(header->opcode))
		return;
	switch (header->opcode) {
	case FUSE_INIT:
		init(header->unique);
		break;
	case FUSE_LOOKUP:
		lookup(header->unique, body);
		break;
	case FUSE_GETATTR:
		getattr(header->unique, header->nodeid);
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		open_file(header->unique);
		break;
	case FUSE_READ:
		read_file(header->unique, body);
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
		answer(header->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		/* None of these is answered: nobody waits. */
		break;
	default:
		answer(header->unique, -ENOSYS, NULL, 0);
	}
}

static void load(const char *path)
{
	struct stat about;
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0 || fstat(file, &about) < 0)
		err(1, "%s", path);
	length = about.st_size;
	content = malloc(length);
	if (content == NULL || read(file, content, length) != (ssize_t)length)
		err(1, "%s", path);
	close(file);
}

int main(int argc, char **argv)
{
	char options[100];
	struct sigaction action = { .sa_handler = fall_silent };

	if (argc < 3)
		errx(1, "usage: silent DIR read|write|lookup|nothing|closed [FILE]");
	what = argv[2];
	if (argc > 3)
		load(argv[3]);
	else
		content = calloc(1, length);
	sigaction(SIGUSR1, &action, NULL);
	/* As PID 1 of a namespace it is the parent of every orphan there. */
	signal(SIGCHLD, SIG_IGN);

	/* Nobody else on this host sees the mount. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		err(1, "a mount namespace");
	connection = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (connection < 0)
		err(1, "/dev/fuse");
	/* "closed": nobody's own, where not even root may look. */
	snprintf(options, sizeof options, "fd=%d,rootmode=40000,%s", connection,
		 strcmp(what, "closed") == 0 ? "user_id=65534,group_id=65534" : "user_id=0,group_id=0,allow_other");
	if (mount("silent", argv[1], "fuse", 0, options) < 0)
		err(1, "%s", argv[1]);
	puts("ready");
	fflush(stdout);

	for (;;) {
		struct pollfd files[] = {
			{ .fd = connection, .events = POLLIN },
			{ .fd = STDIN_FILENO, .events = POLLIN },
		};
		if (poll(files, 2, -1) < 0 && errno != EINTR)
			err(1, "poll");
		if (files[1].revents != 0)
			return 0;
		if (files[0].revents != 0)
			serve();
	}
}
