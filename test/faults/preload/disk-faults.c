/*
 * Disk faults for one process, loaded with LD_PRELOAD. Only files below FAULT_DISK_DIR are touched.
 *
 * While the file FAULT_DISK_CONTROL exists, its text says what fails: "fsync" makes fsync and fdatasync fail with EIO,
 * "full" makes writes fail with ENOSPC, after half of the bytes now and then.
 * FAULT_DISK_SYNC_MS makes each sync take so much longer, as on a slow disk.
 * To FAULT_DISK_LOG goes what a power cut would leave: after each successful fsync or fdatasync of a file its inode and
 * the size it had before the call; after that of a folder the inodes in it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_ours(int fd) {
  const char *dir = getenv("FAULT_DISK_DIR");
  char link[64], path[PATH_MAX];
  if (dir == NULL) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strncmp(path, dir, strlen(dir)) == 0;
}

/* whether the control file says so */
static int is_on(const char *what) {
  const char *control = getenv("FAULT_DISK_CONTROL");
  char text[32] = {0};
  if (control == NULL) return 0;
  int fd = open(control, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  return length > 0 && strncmp(text, what, strlen(what)) == 0;
}

static void log_line(const char *line) {
  const char *path = getenv("FAULT_DISK_LOG");
  if (path == NULL) return;
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return;
  if (REAL(write)(fd, line, strlen(line)) < 0) abort();
  close(fd);
}

static void log_folder(int fd) {
  char link[64], line[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  DIR *folder = opendir(link);
  if (folder == NULL) return;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    snprintf(line, sizeof line, "entry %llu 0\n", (unsigned long long)entry->d_ino);
    log_line(line);
  }
  closedir(folder);
}

static int synced(int fd, int (*real)(int)) {
  struct stat before;
  char line[96];
  if (!is_ours(fd)) return real(fd);
  if (is_on("fsync")) {
    errno = EIO;
    return -1;
  }
  int known = fstat(fd, &before) == 0;
  const char *delay = getenv("FAULT_DISK_SYNC_MS");
  if (delay != NULL) usleep((useconds_t)atoi(delay) * 1000);
  int result = real(fd);
  if (result != 0 || !known) return result;
  if (S_ISDIR(before.st_mode)) log_folder(fd);
  snprintf(line, sizeof line, "file %llu %lld\n", (unsigned long long)before.st_ino, (long long)before.st_size);
  if (!S_ISDIR(before.st_mode)) log_line(line);
  return result;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

static unsigned writes_on_full;

/* how many of the bytes may still be written: all (-1), some, or none (0) */
static ssize_t allowed(int fd, size_t bytes) {
  if (!is_on("full") || !is_ours(fd)) return -1;
  return ++writes_on_full % 3 == 1 ? (ssize_t)(bytes / 2) : 0;
}

#define FULL_CHECK(fd, bytes, partial)      \
  ssize_t some = allowed(fd, bytes);        \
  if (some > 0) return partial;             \
  if (some == 0) {                          \
    errno = ENOSPC;                         \
    return -1;                              \
  }

static size_t total(const struct iovec *parts, int count) {
  size_t bytes = 0;
  for (int i = 0; i < count; i++) bytes += parts[i].iov_len;
  return bytes;
}

/* half of the first part stands for half of all */
#define HALF(parts) (parts[0].iov_len / 2)

ssize_t write(int fd, const void *data, size_t bytes) {
  FULL_CHECK(fd, bytes, REAL(write)(fd, data, (size_t)some))
  return REAL(write)(fd, data, bytes);
}
ssize_t pwrite(int fd, const void *data, size_t bytes, off_t at) {
  FULL_CHECK(fd, bytes, REAL(pwrite)(fd, data, (size_t)some, at))
  return REAL(pwrite)(fd, data, bytes, at);
}
ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t at) {
  FULL_CHECK(fd, bytes, REAL(pwrite64)(fd, data, (size_t)some, at))
  return REAL(pwrite64)(fd, data, bytes, at);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  FULL_CHECK(fd, total(parts, count), REAL(write)(fd, parts[0].iov_base, HALF(parts)))
  return REAL(writev)(fd, parts, count);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  FULL_CHECK(fd, total(parts, count), REAL(pwrite)(fd, parts[0].iov_base, HALF(parts), at))
  return REAL(pwritev)(fd, parts, count, at);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  FULL_CHECK(fd, total(parts, count), REAL(pwrite64)(fd, parts[0].iov_base, HALF(parts), at))
  return REAL(pwritev64)(fd, parts, count, at);
}
