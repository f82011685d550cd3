// SPDX-License-Identifier: MPL-2.0
// Numbers are refused above their limits, which are those of one Baton session.
#include "tree_settings.h"

#include "tree_message.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option names[] = {
    { "endpoint", required_argument, NULL, 'e' }, { "job", required_argument, NULL, 'j' },
    { "out", required_argument, NULL, 'o' },      { "piece", required_argument, NULL, 'p' },
    { "open-max", required_argument, NULL, 'm' }, { "progress-fd", required_argument, NULL, 'f' },
    { NULL, 0, NULL, 0 },
};

static int
read_number (const char *text, unsigned long min, unsigned long max, unsigned long *number)
{
    char *end;
    if (*text < '0' || *text > '9') return -1;
    *number = strtoul (text, &end, 10);
    return *end == '\0' && *number >= min && *number <= max ? 0 : -1;
}

static int
set (struct tree_settings *self, int name, const char *value)
{
    unsigned long number = 0;
    int result = 0;
    if (name == 'e') self->endpoint = value;
    else if (name == 'o') self->out = value;
    else if (name == 'j') self->job = value;
    else if (name == 'p') result = read_number (value, 1, TREE_CONTENT_MAX_BYTES, &number);
    else if (name == 'm') result = read_number (value, 1, 4096, &number);
    else if (name == 'f') result = read_number (value, 0, 1023, &number);
    else result = -1;
    if (name == 'p') self->content_max = number;
    if (name == 'm') self->open_max = (unsigned) number;
    if (name == 'f') self->progress_fd = (int) number;
    return result;
}

int
tree_settings_read (struct tree_settings *self, int argc, char **argv)
{
    *self = (struct tree_settings) { .out = ".", .job = "tree", .open_max = 256,
                                     .content_max = TREE_CONTENT_MAX_BYTES, .progress_fd = -1 };
    int name, result = 0;
    while (result == 0 && (name = getopt_long (argc, argv, "", names, NULL)) != -1)
        result = set (self, name, optarg);
    if (result == 0 && argc == optind + 1) {
        self->root = argv[optind];
        return 0;
    }
    fprintf (stderr, "usage: tree-client [OPTION]... FOLDER\n"
             "  --endpoint LIST    brokers; default tcp://127.0.0.1:7411\n"
             "  --job NAME         the same name goes on where it stood; default tree\n"
             "  --out FOLDER       for manifests and results; default .\n"
             "  --piece BYTES      of a file in one request, 1 to %u, which is the default\n"
             "  --open-max COUNT   requests of a session under way, 1 to 4096; default 256\n"
             "  --progress-fd FD   write `answered COUNT` lines there\n", TREE_CONTENT_MAX_BYTES);
    return -1;
}
