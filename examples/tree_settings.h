// SPDX-License-Identifier: MPL-2.0
// tree_settings.h is what the user of tree-client chose on the command line.
#ifndef TREE_SETTINGS_H
#define TREE_SETTINGS_H

#include <stddef.h>

struct tree_settings {
    const char *endpoint; // NULL: the library's default
    const char *root;     // the folder to walk
    const char *out;      // the folder of manifests and results
    const char *job;      // names the sessions; the same name goes on where it stood
    size_t content_max;   // bytes of a file in one request
    unsigned open_max;    // requests of one session under way
    int progress_fd;      // gets "answered COUNT" lines; -1: nobody wants to know
};

// tree_settings_read sets [self] from the command line, which must outlive it. Returns 0, or -1
// after telling on stderr how it is used.
int
tree_settings_read (struct tree_settings *self, int argc, char **argv);

#endif
