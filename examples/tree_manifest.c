// SPDX-License-Identifier: MPL-2.0
// A name with a newline, a carriage return or a backslash is written as sha256sum writes it: those
// escaped, and one more backslash before the line.
#include "tree_manifest.h"

#include "tree_digest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
cut (int fd, uint64_t length_bytes)
{
    struct stat facts;
    if (fstat (fd, &facts) != 0) return -1;
    if ((uint64_t) facts.st_size < length_bytes) {
        errno = EIO;
        return -1;
    }
    return ftruncate (fd, (off_t) length_bytes);
}

int
tree_manifest_open (struct tree_manifest *self, const char *path, uint64_t length_bytes)
{
    int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0) return -1;
    self->length_bytes = length_bytes;
    self->file = cut (fd, length_bytes) == 0 ? fdopen (fd, "a") : NULL;
    if (self->file != NULL) return 0;
    int why = errno;
    close (fd);
    errno = why;
    return -1;
}

static char
escaped (char c)
{
    switch (c) {
    case '\\': return '\\';
    case '\n': return 'n';
    case '\r': return 'r';
    default: return '\0';
    }
}

static size_t
escape (const char *path, size_t path_size, char *line)
{
    size_t size = 0;
    for (size_t i = 0; i < path_size; i++) {
        char c = escaped (path[i]);
        if (c != '\0') line[size++] = '\\';
        line[size++] = c != '\0' ? c : path[i];
    }
    return size;
}

int
tree_manifest_append (struct tree_manifest *self, const uint8_t digest[TREE_DIGEST_BYTES],
                      const char *path, size_t path_size)
{
    char text[2 * TREE_DIGEST_BYTES + 1];
    char name[2 * TREE_PATH_MAX_BYTES];
    tree_digest_print (digest, text);
    size_t name_size = escape (path, path_size, name);
    const char *odd = name_size > path_size ? "\\" : "";
    int size = fprintf (self->file, "%s%s  %.*s\n", odd, text, (int) name_size, name);
    if (size < 0) return -1;
    self->length_bytes += (uint64_t) size;
    return 0;
}

int
tree_manifest_sync (struct tree_manifest *self)
{
    if (fflush (self->file) != 0) return -1;
    return fdatasync (fileno (self->file));
}

void
tree_manifest_close (struct tree_manifest *self)
{
    if (self->file != NULL) fclose (self->file);
    self->file = NULL;
}
