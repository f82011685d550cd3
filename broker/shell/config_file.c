// SPDX-License-Identifier: MPL-2.0
// config_file.c reads a ZPL file. CZMQ parses it; the lines are looked at before, because CZMQ
// keeps no line numbers and tells its errors on standard output.
#include "broker/shell/config.h"

#include <czmq.h>

#define FILE_MAX_BYTES (256u * KIB)
#define LINES_MAX 4096u
#define INDENT 4u

// Which line of the file the n-th node of the tree stands on: nodes come in the order of lines.
struct lines {
    const char *path;
    uint32_t numbers[LINES_MAX];
    uint32_t count;
    uint32_t next;
    struct config_findings *findings;
};

static bool
is_significant (const char *line)
{
    line += strspn (line, " \t\r\n");
    return *line && *line != '#';
}

// What CZMQ would refuse or, worse, read otherwise than it looks.
static const char *
line_fault (const char *line, uint32_t *depth)
{
    static const char *const name_bytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789_-";
    const uint32_t spaces = (uint32_t) strspn (line, " ");
    const char *at = line + spaces;

    if (*at == '\t') return "a tab; indent with 4 spaces a level";
    if (spaces % INDENT != 0) return "the indentation is no multiple of 4 spaces";
    if (spaces / INDENT > *depth) return "indented deeper than the line above allows";
    const size_t name_size = strspn (at, name_bytes);
    if (name_size == 0) return "no name at the beginning";
    at += name_size;
    at += strspn (at, " ");
    *depth = spaces / INDENT + (*at == '=' ? 0 : 1);
    if (*at == '=') {
        at += 1 + strspn (at + 1, " ");
        const char quote = *at;
        if ((quote == '"' || quote == '\'') && !strchr (at + 1, quote)) {
            return "a quote that does not end";
        }
        return NULL;
    }
    return *at && *at != '#' && *at != '\r' && *at != '\n' ? "neither `name` nor `name = value`"
                                                           : NULL;
}

static void
check_lines (FILE *file, struct lines *lines)
{
    char line[2048];
    uint32_t number = 0, depth = 0;

    while (fgets (line, sizeof line, file)) {
        number++;
        if (!is_significant (line)) continue;
        const char *fault = strchr (line, '\n') || feof (file) ? line_fault (line, &depth)
                                                               : "longer than 2047 bytes";
        if (!fault && lines->count == LINES_MAX) {
            fault = "too many lines";
        }
        if (fault) {
            config_finding (lines->findings, "%s:%u: %s", lines->path, number, fault);
            return;
        }
        lines->numbers[lines->count++] = number;
    }
}

static uint32_t
next_line (struct lines *lines)
{
    return lines->next < lines->count ? lines->numbers[lines->next++] : 0;
}

// Settings stand at the top or below `limits`, which is only a heading.
static void
read_nodes (zconfig_t *parent, struct lines *lines, struct config *config, uint32_t depth)
{
    for (zconfig_t *node = zconfig_child (parent); node; node = zconfig_next (node)) {
        const struct config_place place = {lines->path, next_line (lines)};
        const char *name = zconfig_name (node), *value = zconfig_value (node);
        if (zconfig_child (node)) {
            if (depth > 0 || strcmp (name, "limits") != 0) {
                config_finding (lines->findings, "%s:%u: no section is called \"%.100s\"; there"
                                " is `limits`", place.file, place.line, name);
            }
            read_nodes (node, lines, config, depth + 1);
        } else if (!(value && *value) && strcmp (name, "limits") != 0) {
            config_finding (lines->findings,
                            "%s:%u: \"%.100s\" has no value; write `%.100s = VALUE`",
                            place.file, place.line, name, name);
        } else if (value && *value) {
            config_set (config, &place, name, value, lines->findings);
        }
    }
}

static enum baton_err
read_tree (const char *path, struct lines *lines, struct config *config)
{
    zconfig_t *root = zconfig_load (path);

    if (!root) {
        config_finding (lines->findings, "%s: is not a ZPL file (`name = value` lines)", path);
        return BATON_BAD_CONFIG;
    }
    read_nodes (root, lines, config, 0);
    zconfig_destroy (&root);
    return BATON_OK;
}

// open_file opens what is a file and not too large; NULL with a finding else, and *err set.
static FILE *
open_file (const char *path, struct config_findings *findings, enum baton_err *err)
{
    FILE *file = fopen (path, "r");
    struct stat facts;

    *err = BATON_OK;
    if (!file) {
        config_finding (findings, "%s: cannot be read (%s); name a file that this user may read",
                        path, strerror (errno));
        *err = BATON_NOT_FOUND;
    } else if (fstat (fileno (file), &facts) || !S_ISREG (facts.st_mode)) {
        config_finding (findings, "%s: is no file; name a ZPL file", path);
        *err = BATON_BAD_CONFIG;
    } else if (facts.st_size > (off_t) FILE_MAX_BYTES) {
        config_finding (findings, "%s: is larger than %u bytes; name a ZPL file", path,
                        FILE_MAX_BYTES);
        *err = BATON_BAD_CONFIG;
    }
    if (file && *err) {
        fclose (file);
        return NULL;
    }
    return file;
}

enum baton_err
config_load (struct config *config, const char *path, struct config_findings *findings)
{
    struct lines lines = {.path = path, .findings = findings};
    const uint32_t before_count = findings->count;
    enum baton_err err;
    FILE *file = open_file (path, findings, &err);

    if (!file) return err;
    check_lines (file, &lines);
    fclose (file);
    // An empty file is a lawful configuration, but no tree to CZMQ.
    if (findings->count == before_count && lines.count > 0) {
        read_tree (path, &lines, config);
    }
    return findings->count == before_count ? BATON_OK : BATON_BAD_CONFIG;
}
