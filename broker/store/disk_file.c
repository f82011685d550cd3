// SPDX-License-Identifier: MPL-2.0
// O_DIRECT and flock are no part of POSIX.
#define _GNU_SOURCE
#include "broker/store/disk_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <unistd.h>

#define DIRECTORY_MODE 0700
#define FILE_MODE 0600

struct disk_file {
    struct disk disk;
    struct memory memory;
    int directory_fd;
    int last_errno;
};

// Turns what the system says about a failed call into an error of the disk.
static enum baton_err
failed (struct disk_file *self)
{
    self->last_errno = errno;
    switch (errno) {
    case ENOENT:
    case ENOTDIR: return BATON_NOT_FOUND;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return BATON_DISK_FULL;
    case EROFS:
    case EACCES:
    case EPERM: return BATON_READ_ONLY;
    case ENOMEM: return BATON_NO_MEMORY;
    default: return BATON_DISK;
    }
}

static enum baton_err
result (struct disk_file *self, int returned)
{
    return returned < 0 ? failed (self) : BATON_OK;
}

// The directory itself carries the lock: it needs no file, and dies with the process.
static enum baton_err
file_lock (void *context)
{
    struct disk_file *self = context;
    if (flock (self->directory_fd, LOCK_EX | LOCK_NB) == 0) return BATON_OK;
    if (errno == EWOULDBLOCK) {
        self->last_errno = errno;
        return BATON_STORE_IN_USE;
    }
    return failed (self);
}

static void
file_unlock (void *context)
{
    struct disk_file *self = context;
    (void) flock (self->directory_fd, LOCK_UN);
}

// A descriptor of its own for each listing: the offset of a directory stream is shared state.
static enum baton_err
file_list (void *context, void (*visit) (void *listener, const char *name), void *listener)
{
    struct disk_file *self = context;
    const int fd = openat (self->directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return failed (self);
    DIR *stream = fdopendir (fd);
    if (!stream) {
        const enum baton_err error = failed (self);
        (void) close (fd);
        return error;
    }
    errno = 0;
    for (struct dirent *entry = readdir (stream); entry; entry = readdir (stream)) {
        visit (listener, entry->d_name);
        errno = 0;
    }
    const enum baton_err error = errno ? failed (self) : BATON_OK;
    (void) closedir (stream);
    return error;
}

static enum baton_err
file_create (void *context, const char *name, int *file)
{
    struct disk_file *self = context;
    *file = openat (self->directory_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                    FILE_MODE);
    return result (self, *file);
}

static enum baton_err
file_open (void *context, const char *name, enum disk_open how, int *file)
{
    struct disk_file *self = context;
    const int common = O_CLOEXEC | O_NOFOLLOW;
    if (how == DISK_OPEN_WRITE) {
        *file = openat (self->directory_fd, name, O_RDWR | common);
        return result (self, *file);
    }
    *file = openat (self->directory_fd, name, O_RDONLY | O_DIRECT | common);
    if (*file < 0 && errno == EINVAL) {
        // A file system without a way past its cache, such as one in memory.
        *file = openat (self->directory_fd, name, O_RDONLY | common);
    }
    return result (self, *file);
}

static void
file_close (void *context, int file)
{
    (void) context;
    (void) close (file);
}

static enum baton_err
file_size (void *context, int file, uint64_t *size_bytes)
{
    struct disk_file *self = context;
    struct stat facts;
    if (fstat (file, &facts) < 0) return failed (self);
    *size_bytes = (uint64_t) facts.st_size;
    return BATON_OK;
}

// Some file systems accept the flag and refuse the read.
static int
stop_direct (int file)
{
    const int flags = fcntl (file, F_GETFL);
    if (flags < 0 || !(flags & O_DIRECT)) return -1;
    return fcntl (file, F_SETFL, flags & ~O_DIRECT);
}

static enum baton_err
file_read (void *context, int file, uint64_t offset_bytes, void *data, size_t size_bytes)
{
    struct disk_file *self = context;
    size_t done_bytes = 0;
    while (done_bytes < size_bytes) {
        const ssize_t got = pread (file, (char *) data + done_bytes, size_bytes - done_bytes,
                                   (off_t) (offset_bytes + done_bytes));
        if (got > 0) {
            done_bytes += (size_t) got;
        } else if (got == 0) {
            errno = ENODATA;
            return failed (self);
        } else if (errno == EINVAL && stop_direct (file) == 0) {
            continue;
        } else if (errno != EINTR) {
            return failed (self);
        }
    }
    return BATON_OK;
}

static enum baton_err
file_write (void *context, int file, uint64_t offset_bytes, const void *data, size_t size_bytes)
{
    struct disk_file *self = context;
    size_t done_bytes = 0;
    while (done_bytes < size_bytes) {
        const ssize_t put = pwrite (file, (const char *) data + done_bytes,
                                    size_bytes - done_bytes,
                                    (off_t) (offset_bytes + done_bytes));
        if (put < 0 && errno != EINTR) return failed (self);
        if (put > 0) {
            done_bytes += (size_t) put;
        }
    }
    return BATON_OK;
}

static enum baton_err
file_sync (void *context, int file)
{
    return result (context, fdatasync (file));
}

static enum baton_err
file_truncate (void *context, int file, uint64_t size_bytes)
{
    return result (context, ftruncate (file, (off_t) size_bytes));
}

static enum baton_err
file_rename (void *context, const char *from, const char *to)
{
    struct disk_file *self = context;
    return result (self, renameat (self->directory_fd, from, self->directory_fd, to));
}

static enum baton_err
file_remove (void *context, const char *name)
{
    struct disk_file *self = context;
    return result (self, unlinkat (self->directory_fd, name, 0));
}

static enum baton_err
file_sync_directory (void *context)
{
    struct disk_file *self = context;
    return result (self, fsync (self->directory_fd));
}

static enum baton_err
file_space (void *context, uint64_t *free_bytes, uint64_t *total_bytes)
{
    struct disk_file *self = context;
    struct statvfs facts;
    if (fstatvfs (self->directory_fd, &facts) < 0) return failed (self);
    *free_bytes = (uint64_t) facts.f_bavail * (uint64_t) facts.f_frsize;
    *total_bytes = (uint64_t) facts.f_blocks * (uint64_t) facts.f_frsize;
    return BATON_OK;
}

static const struct disk calls = {
    .lock = file_lock,
    .unlock = file_unlock,
    .list = file_list,
    .create = file_create,
    .open = file_open,
    .close = file_close,
    .size = file_size,
    .read = file_read,
    .write = file_write,
    .sync = file_sync,
    .truncate = file_truncate,
    .rename = file_rename,
    .remove = file_remove,
    .sync_directory = file_sync_directory,
    .space = file_space,
};

// The name of a new directory is certain only when its parent is synced.
static enum baton_err
sync_parent (struct disk_file *self)
{
    const int fd = openat (self->directory_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return failed (self);
    const enum baton_err error = result (self, fsync (fd));
    (void) close (fd);
    return error;
}

static enum baton_err
open_directory (struct disk_file *self, const char *path, enum disk_file_missing missing)
{
    bool made = false;
    if (missing == DISK_FILE_MAKE) {
        made = mkdir (path, DIRECTORY_MODE) == 0;
        if (!made && errno != EEXIST) return failed (self);
    }
    self->directory_fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->directory_fd < 0) {
        const enum baton_err error = failed (self);
        return error == BATON_NOT_FOUND ? BATON_NO_STORE : error;
    }
    return made ? sync_parent (self) : BATON_OK;
}

enum baton_err
disk_file_open (struct disk_file **disk_file, const struct memory *memory, const char *path,
                enum disk_file_missing missing)
{
    struct disk_file *self = memory_alloc (memory, sizeof *self);
    if (!self) return BATON_NO_MEMORY;
    *self = (struct disk_file) { .disk = calls, .memory = *memory, .directory_fd = -1 };
    self->disk.context = self;
    const enum baton_err error = open_directory (self, path, missing);
    if (error != BATON_OK) {
        // The caller asks errno for its message, as after a failed open of its own.
        const int last_errno = self->last_errno;
        disk_file_close (&self);
        errno = last_errno;
        return error;
    }
    *disk_file = self;
    return BATON_OK;
}

void
disk_file_close (struct disk_file **disk_file)
{
    struct disk_file *self = *disk_file;
    if (!self) return;
    *disk_file = NULL;
    if (self->directory_fd >= 0) {
        (void) close (self->directory_fd);
    }
    const struct memory memory = self->memory;
    memory_release (&memory, self, sizeof *self);
}

const struct disk *
disk_file_disk (const struct disk_file *disk_file)
{
    return &disk_file->disk;
}

int
disk_file_errno (const struct disk_file *disk_file)
{
    return disk_file->last_errno;
}
