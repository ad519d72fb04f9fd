// SPDX-License-Identifier: Apache-2.0
//
// power_cut - a library for LD_PRELOAD that records what a program does to the files of one folder, so that Sources/PowerCut can
// work out what a power cut would leave of them. No part of any product.
//
//   POWER_CUT_DIRECTORY     the folder; files right in it are recorded, but for those whose names end in -shm (SQLite maps them
//                           into memory and makes them anew) and sockets
//   POWER_CUT_JOURNAL       where to; several programs may share it
//   POWER_CUT_AT=n          this process kills itself (SIGKILL) at its n-th recorded operation: a write is recorded then and not
//                           done, a sync neither
//   POWER_CUT_SWALLOW=1     a deliberate fault: syncs return, and are not recorded
//
// Syncs are never handed on: the power is not really cut, and the page cache keeps everything. What a program may not do, since it
// is not recorded, is recorded as such, and makes the journal unusable. That nothing was missed is checked when the journal is
// read: the folder must look as the journal says.

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATED = 1, WROTE, RESIZED, SYNCED, REMOVED, RENAMED, NOT_MODELLED };

static char folder[PATH_MAX];
static size_t folder_length;
static int journal = -1;
static long kill_at, operations;
static int swallow;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (!found) {
    fprintf(stderr, "power_cut: no %s\n", name);
    abort();
  }
  return found;
}

__attribute__((constructor)) static void begin(void) {
  const char *directory = getenv("POWER_CUT_DIRECTORY"), *path = getenv("POWER_CUT_JOURNAL");
  if (!directory || !path || !realpath(directory, folder)) return;
  folder_length = strlen(folder);
  const char *at = getenv("POWER_CUT_AT"), *fault = getenv("POWER_CUT_SWALLOW");
  kill_at = at ? atol(at) : 0;
  swallow = fault && *fault == '1';
  journal = REAL(open)(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (journal < 0) {
    fprintf(stderr, "power_cut: %s: %s\n", path, strerror(errno));
    abort();
  }
}

// The name of an open file of the folder, "" for the folder itself; NULL for anything else.
static const char *name_of(int descriptor, char *path) {
  if (journal < 0 || descriptor < 0) return NULL;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length < (ssize_t)folder_length) return NULL;
  path[length] = 0;
  if (strncmp(path, folder, folder_length) != 0) return NULL;
  if (path[folder_length] == 0) return path + folder_length;
  if (path[folder_length] != '/') return NULL;
  const char *name = path + folder_length + 1;
  size_t size = strlen(name);
  // Removed meanwhile: nobody finds it any more.
  if (size > 10 && strcmp(name + size - 10, " (deleted)") == 0) return NULL;
  if (size > 4 && strcmp(name + size - 4, "-shm") == 0) return NULL;
  return name;
}

// The same for a path that need not exist.
static const char *name_at(int at, const char *given, char *path) {
  if (journal < 0 || !given) return NULL;
  char parent[PATH_MAX], resolved[PATH_MAX], base[PATH_MAX];
  if (given[0] == '/' || at == AT_FDCWD) {
    if (snprintf(parent, sizeof parent, "%s", given) >= (int)sizeof parent) return NULL;
  } else {
    char link[64], directory[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", at);
    ssize_t length = readlink(link, directory, sizeof directory - 1);
    if (length < 0) return NULL;
    directory[length] = 0;
    if (snprintf(parent, sizeof parent, "%s/%s", directory, given) >= (int)sizeof parent) return NULL;
  }
  char *slash = strrchr(parent, '/');
  snprintf(base, sizeof base, "%s", slash ? slash + 1 : parent);
  if (slash == parent) parent[1] = 0;
  else if (slash) *slash = 0;
  else strcpy(parent, ".");
  if (!realpath(parent, resolved) || strcmp(resolved, folder) != 0 || !*base) return NULL;
  size_t size = strlen(base);
  if (size > 4 && strcmp(base + size - 4, "-shm") == 0) return NULL;
  strcpy(path, base);
  return path;
}

// Between these two nobody else works on the folder, in this process or another.
static void enter(void) {
  pthread_mutex_lock(&lock);
  while (flock(journal, LOCK_EX) != 0 && errno == EINTR) {}
}

static void leave(void) {
  int error = errno;
  flock(journal, LOCK_UN);
  pthread_mutex_unlock(&lock);
  errno = error;
}

static void put(unsigned char *to, uint64_t value, int size) {
  for (int index = 0; index < size; index++) to[index] = (unsigned char)(value >> (8 * index));
}

// The number of bytes that count stands in the journal's head and is written last: what is cut off behind it is not there.
static void record(uint32_t kind, const char *path, uint64_t offset, const char *other, const struct iovec *parts, int count,
                   size_t size) {
  int error = errno;
  unsigned char head[16], fixed[28];
  uint64_t used = 0;
  if (pread(journal, head, sizeof head, 0) == (ssize_t)sizeof head)
    for (int index = 7; index >= 0; index--) used = used << 8 | head[8 + index];
  put(fixed, kind, 4);
  put(fixed + 4, offset, 8);
  put(fixed + 12, strlen(path), 4);
  put(fixed + 16, strlen(other), 4);
  put(fixed + 20, size, 8);
  off_t place = (off_t)(16 + used);
  __typeof__(&pwrite) to = REAL(pwrite);
  int failed = to(journal, fixed, sizeof fixed, place) != (ssize_t)sizeof fixed;
  place += sizeof fixed;
  failed |= to(journal, path, strlen(path), place) != (ssize_t)strlen(path);
  place += strlen(path);
  failed |= to(journal, other, strlen(other), place) != (ssize_t)strlen(other);
  place += strlen(other);
  size_t rest = size;
  for (int index = 0; index < count && rest > 0; index++) {
    size_t part = parts[index].iov_len < rest ? parts[index].iov_len : rest;
    failed |= to(journal, parts[index].iov_base, part, place) != (ssize_t)part;
    place += part;
    rest -= part;
  }
  memcpy(head, "PWRCUT01", 8);
  put(head + 8, (uint64_t)place - 16, 8);
  failed |= to(journal, head, sizeof head, 0) != (ssize_t)sizeof head;
  if (failed) {
    fprintf(stderr, "power_cut: the journal cannot be written\n");
    abort();
  }
  errno = error;
}

// True when the process is to end with the operation that comes next.
static int is_last(void) { return kill_at > 0 && ++operations == kill_at; }

static void die(const char *what) {
  char words[64];
  int length = snprintf(words, sizeof words, "dies at file-%s\n", what);
  if (REAL(write)(STDERR_FILENO, words, (size_t)length) < 0) {}
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

static void not_modelled(const char *path, const char *what) { record(NOT_MODELLED, path, 0, what, NULL, 0, 0); }

// ---- making, opening

static int open_at(int at, const char *given, int flags, mode_t mode) {
  __typeof__(&openat) open_really = REAL(openat);
  char path[PATH_MAX], other[PATH_MAX];
  const char *name = (flags & (O_CREAT | O_TRUNC)) ? name_at(at, given, path) : NULL;
  if ((flags & O_TMPFILE) == O_TMPFILE && journal >= 0) {
    int file = open_really(at, given, flags, mode);
    if (file >= 0 && name_of(file, other)) {
      enter();
      not_modelled("", "O_TMPFILE");
      leave();
    }
    return file;
  }
  if (!name) return open_really(at, given, flags, mode);
  enter();
  struct stat before;
  int there = fstatat(at, given, &before, 0) == 0;
  if (!there && (flags & O_CREAT) && is_last()) {
    record(CREATED, name, 0, "", NULL, 0, 0);
    die("create");
  }
  int file = open_really(at, given, flags, mode);
  if (file >= 0 && !there) record(CREATED, name, 0, "", NULL, 0, 0);
  if (file >= 0 && there && (flags & O_TRUNC) && before.st_size > 0) record(RESIZED, name, 0, "", NULL, 0, 0);
  leave();
  return file;
}

static mode_t mode_from(int flags, va_list arguments) {
  return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}

#define OPEN(function, first, at)                 \
  int function(first const char *path, int flags, ...) { \
    va_list arguments;                            \
    va_start(arguments, flags);                   \
    mode_t mode = mode_from(flags, arguments);    \
    va_end(arguments);                            \
    return open_at(at, path, flags, mode);        \
  }
#define NOTHING
#define DIRECTORY int directory,
OPEN(open, NOTHING, AT_FDCWD)
OPEN(open64, NOTHING, AT_FDCWD)
OPEN(openat, DIRECTORY, directory)
OPEN(openat64, DIRECTORY, directory)

int creat(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

static FILE *open_stream(const char *path, const char *mode) {
  char base[PATH_MAX];
  const char *name = strpbrk(mode, "wa+") ? name_at(AT_FDCWD, path, base) : NULL;
  if (name) {
    enter();
    not_modelled(name, "fopen for writing");
    leave();
  }
  return REAL(fopen)(path, mode);
}

FILE *fopen(const char *path, const char *mode) { return open_stream(path, mode); }
FILE *fopen64(const char *path, const char *mode) { return open_stream(path, mode); }

// ---- writing

// offset < 0: at the file's own place
static ssize_t write_parts(int descriptor, const struct iovec *parts, int count, off_t offset, const char *name) {
  enter();
  off_t place = offset;
  if (offset < 0) {
    int flags = fcntl(descriptor, F_GETFL);
    struct stat now;
    place = flags >= 0 && (flags & O_APPEND) && fstat(descriptor, &now) == 0 ? now.st_size : lseek(descriptor, 0, SEEK_CUR);
  }
  size_t size = 0;
  for (int index = 0; index < count; index++) size += parts[index].iov_len;
  if (is_last()) {
    record(WROTE, name, (uint64_t)place, "", parts, count, size);
    die("write");
  }
  ssize_t written = offset < 0 ? REAL(writev)(descriptor, parts, count) : REAL(pwritev)(descriptor, parts, count, offset);
  if (written > 0) record(WROTE, name, (uint64_t)place, "", parts, count, (size_t)written);
  leave();
  return written;
}

ssize_t write(int descriptor, const void *bytes, size_t size) {
  char path[PATH_MAX];
  const char *name = name_of(descriptor, path);
  if (!name) return REAL(write)(descriptor, bytes, size);
  struct iovec part = {(void *)bytes, size};
  return write_parts(descriptor, &part, 1, -1, name);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
  char path[PATH_MAX];
  const char *name = name_of(descriptor, path);
  return name ? write_parts(descriptor, parts, count, -1, name) : REAL(writev)(descriptor, parts, count);
}

static ssize_t write_at(int descriptor, const void *bytes, size_t size, off_t offset) {
  char path[PATH_MAX];
  const char *name = name_of(descriptor, path);
  if (!name) return REAL(pwrite)(descriptor, bytes, size, offset);
  struct iovec part = {(void *)bytes, size};
  return write_parts(descriptor, &part, 1, offset, name);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t offset) { return write_at(descriptor, bytes, size, offset); }
ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off64_t offset) {
  return write_at(descriptor, bytes, size, offset);
}

static ssize_t write_parts_at(int descriptor, const struct iovec *parts, int count, off_t offset) {
  char path[PATH_MAX];
  const char *name = name_of(descriptor, path);
  return name ? write_parts(descriptor, parts, count, offset, name) : REAL(pwritev)(descriptor, parts, count, offset);
}

ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t offset) {
  return write_parts_at(descriptor, parts, count, offset);
}
ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off64_t offset) {
  return write_parts_at(descriptor, parts, count, offset);
}

// ---- size

static int resize(int descriptor, off_t size) {
  char path[PATH_MAX];
  const char *name = name_of(descriptor, path);
  if (!name) return REAL(ftruncate)(descriptor, size);
  enter();
  if (is_last()) {
    record(RESIZED, name, (uint64_t)size, "", NULL, 0, 0);
    die("resize");
  }
  int result = REAL(ftruncate)(descriptor, size);
  if (result == 0) record(RESIZED, name, (uint64_t)size, "", NULL, 0, 0);
  leave();
  return result;
}

int ftruncate(int descriptor, off_t size) { return resize(descriptor, size); }
int ftruncate64(int descriptor, off64_t size) { return resize(descriptor, size); }

int truncate(const char *path, off_t size) {
  int descriptor = REAL(open)(path, O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) return -1;
  int result = resize(descriptor, size);
  close(descriptor);
  return result;
}
int truncate64(const char *path, off64_t size) { return truncate(path, size); }

static void refuse(int descriptor, const char *what) {
  char path[PATH_MAX];
  const char *name = name_of(descriptor, path);
  if (!name) return;
  enter();
  not_modelled(name, what);
  leave();
}

int fallocate(int descriptor, int mode, off_t offset, off_t size) {
  refuse(descriptor, "fallocate");
  return REAL(fallocate)(descriptor, mode, offset, size);
}
int fallocate64(int descriptor, int mode, off64_t offset, off64_t size) { return fallocate(descriptor, mode, offset, size); }
int posix_fallocate(int descriptor, off_t offset, off_t size) {
  refuse(descriptor, "posix_fallocate");
  return REAL(posix_fallocate)(descriptor, offset, size);
}
int posix_fallocate64(int descriptor, off64_t offset, off64_t size) { return posix_fallocate(descriptor, offset, size); }

// A map of a file that may be written to: what is written there is not seen here.
void *mmap(void *place, size_t size, int protection, int flags, int descriptor, off_t offset) {
  if (descriptor >= 0 && (flags & MAP_SHARED) && (protection & PROT_WRITE)) refuse(descriptor, "a map that can be written to");
  return REAL(mmap)(place, size, protection, flags, descriptor, offset);
}
void *mmap64(void *place, size_t size, int protection, int flags, int descriptor, off64_t offset) {
  return mmap(place, size, protection, flags, descriptor, offset);
}

// ---- syncing

static int sync_file(int descriptor, const char *function) {
  char path[PATH_MAX];
  const char *name = name_of(descriptor, path);
  if (!name) return ((int (*)(int))real(function))(descriptor);
  enter();
  if (is_last()) die("sync");
  if (!swallow) record(SYNCED, name, 0, "", NULL, 0, 0);
  leave();
  return 0;
}

int fsync(int descriptor) { return sync_file(descriptor, "fsync"); }
int fdatasync(int descriptor) { return sync_file(descriptor, "fdatasync"); }

// ---- names

static int remove_at(int at, const char *given, int flags) {
  char path[PATH_MAX];
  const char *name = name_at(at, given, path);
  if (!name) return REAL(unlinkat)(at, given, flags);
  enter();
  struct stat before;
  int counts = fstatat(at, given, &before, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(before.st_mode);
  if (counts && is_last()) {
    record(REMOVED, name, 0, "", NULL, 0, 0);
    die("remove");
  }
  int result = REAL(unlinkat)(at, given, flags);
  if (result == 0 && counts) record(REMOVED, name, 0, "", NULL, 0, 0);
  leave();
  return result;
}

int unlink(const char *path) { return remove_at(AT_FDCWD, path, 0); }
int unlinkat(int at, const char *path, int flags) { return remove_at(at, path, flags); }
int remove(const char *path) {
  char base[PATH_MAX];
  return name_at(AT_FDCWD, path, base) ? remove_at(AT_FDCWD, path, 0) : REAL(remove)(path);
}

int renameat(int at, const char *old, int to, const char *new) {
  char first[PATH_MAX], second[PATH_MAX];
  const char *from = name_at(at, old, first), *into = name_at(to, new, second);
  if (!from && !into) return REAL(renameat)(at, old, to, new);
  enter();
  if (from && into && is_last()) {
    record(RENAMED, from, 0, into, NULL, 0, 0);
    die("rename");
  }
  int result = REAL(renameat)(at, old, to, new);
  if (result == 0) {
    if (from && into) record(RENAMED, from, 0, into, NULL, 0, 0);
    else not_modelled(from ? from : into, "a rename into the folder or out of it");
  }
  leave();
  return result;
}

int rename(const char *old, const char *new) { return renameat(AT_FDCWD, old, AT_FDCWD, new); }
int renameat2(int at, const char *old, int to, const char *new, unsigned int flags) {
  char first[PATH_MAX], second[PATH_MAX];
  if (flags == 0) return renameat(at, old, to, new);
  if (name_at(at, old, first) || name_at(to, new, second)) {
    errno = EINVAL;
    return -1;
  }
  return REAL(renameat2)(at, old, to, new, flags);
}

int link(const char *old, const char *new) {
  char path[PATH_MAX];
  const char *name = name_at(AT_FDCWD, new, path);
  if (name) {
    enter();
    not_modelled(name, "link");
    leave();
  }
  return REAL(link)(old, new);
}
