/* Makes one call about files below a folder fail: gcc -shared -fPIC failing_calls.c -o X.so -ldl

   LD_PRELOAD it; `failing_arm(folder, n, number)` makes the n-th call fail with an error number,
   and `failing_seen()` tells how many calls there were since then. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char folder[4096];
static size_t length;
static int number;
static long failing;
static atomic_long seen;

void failing_arm(const char *below, long n, int error) {
    length = strlen(strcpy(folder, below));
    failing = n;
    number = error;
    atomic_store(&seen, 0);
}

long failing_seen(void) { return atomic_load(&seen); }

static int fails(const char *path) {
    if (!length || !path || strncmp(path, folder, length)) return 0;
    return atomic_fetch_add(&seen, 1) + 1 == failing;
}

static int fails_on(int descriptor) {
    char link[32], path[4096];
    if (!length) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    long size = syscall(SYS_readlink, link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return fails(path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
/* A call that fails if its condition holds: its type, its name, its parameters, and what is passed on. */
#define CALL(kind, name, condition, parameters, arguments) \
    kind name parameters { \
        if (condition) { errno = number; return (kind)-1; } \
        return REAL(name) arguments; \
    }
#define OPENING(name, parameters, arguments) \
    int name parameters { \
        va_list all; \
        va_start(all, flags); \
        int mode = va_arg(all, int); \
        va_end(all); \
        if (fails(path)) { errno = number; return -1; } \
        return REAL(name) arguments; \
    }

OPENING(open, (const char *path, int flags, ...), (path, flags, mode))
OPENING(open64, (const char *path, int flags, ...), (path, flags, mode))
OPENING(openat, (int at, const char *path, int flags, ...), (at, path, flags, mode))
OPENING(openat64, (int at, const char *path, int flags, ...), (at, path, flags, mode))
CALL(int, stat, fails(path), (const char *path, struct stat *to), (path, to))
CALL(int, stat64, fails(path), (const char *path, struct stat64 *to), (path, to))
CALL(int, lstat, fails(path), (const char *path, struct stat *to), (path, to))
CALL(int, lstat64, fails(path), (const char *path, struct stat64 *to), (path, to))
CALL(int, fstatat, fails(path), (int at, const char *path, struct stat *to, int f), (at, path, to, f))
CALL(int, fstatat64, fails(path), (int at, const char *path, struct stat64 *to, int f), (at, path, to, f))
CALL(int, access, fails(path), (const char *path, int mode), (path, mode))
CALL(int, mkdir, fails(path), (const char *path, mode_t mode), (path, mode))
CALL(int, rmdir, fails(path), (const char *path), (path))
CALL(int, unlink, fails(path), (const char *path), (path))
CALL(int, rename, fails(path), (const char *path, const char *to), (path, to))
CALL(int, fstat, fails_on(fd), (int fd, struct stat *to), (fd, to))
CALL(int, fstat64, fails_on(fd), (int fd, struct stat64 *to), (fd, to))
CALL(ssize_t, read, fails_on(fd), (int fd, void *to, size_t size), (fd, to, size))
CALL(ssize_t, pread, fails_on(fd), (int fd, void *to, size_t size, off_t at), (fd, to, size, at))
CALL(ssize_t, pread64, fails_on(fd), (int fd, void *to, size_t size, off64_t at), (fd, to, size, at))
CALL(ssize_t, write, fails_on(fd), (int fd, const void *from, size_t size), (fd, from, size))
CALL(ssize_t, pwrite, fails_on(fd), (int fd, const void *from, size_t size, off_t at), (fd, from, size, at))
CALL(ssize_t, pwrite64, fails_on(fd), (int fd, const void *from, size_t size, off64_t at), (fd, from, size, at))
CALL(off_t, lseek, fails_on(fd), (int fd, off_t at, int from), (fd, at, from))
CALL(off64_t, lseek64, fails_on(fd), (int fd, off64_t at, int from), (fd, at, from))
CALL(int, ftruncate, fails_on(fd), (int fd, off_t size), (fd, size))
CALL(int, ftruncate64, fails_on(fd), (int fd, off64_t size), (fd, size))
CALL(int, fsync, fails_on(fd), (int fd), (fd))
CALL(int, flock, fails_on(fd), (int fd, int how), (fd, how))

DIR *opendir(const char *path) {
    if (fails(path)) { errno = number; return NULL; }
    return REAL(opendir)(path);
}

/* Linux closes the file whatever it answers. */
int close(int fd) {
    int failed = fails_on(fd);
    int done = REAL(close)(fd);
    if (failed) errno = number;
    return failed ? -1 : done;
}
