/*
 * locked FILE
 *
 * A process that holds the lock of its own memory for ever, so that nobody can read its arguments. FILE is that of
 * `silent DIR write`: a page of it is made dirty through the first descriptor; mapping it through the second, which
 * bypasses the page cache, makes the kernel write that page back first, within mmap(2) and under the lock, and the
 * server does not answer the write.
 *
 * It says "ready" just before.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(1, "usage: locked FILE");
	int cached = open(argv[1], O_RDWR);
	int direct = open(argv[1], O_RDONLY);
	if (cached < 0 || direct < 0)
		err(1, "%s", argv[1]);
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, cached, 0);
	if (page == MAP_FAILED)
		err(1, "mmap");
	page[0] = 'x';
	puts("ready");
	fflush(stdout);
	mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, direct, 0);
	errx(1, "the lock was let go");
}
