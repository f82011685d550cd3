// SPDX-License-Identifier: MPL-2.0
// options.h reads batond's command line. Settings given there are kept as text and put over the
// file's afterwards, so that both pass the same checks.
#ifndef BATON_SHELL_OPTIONS_H
#define BATON_SHELL_OPTIONS_H

#include "broker/shell/config.h"

#define OPTIONS_SETTINGS_MAX 64u
#define OPTIONS_NAME_MAX_BYTES 64u

enum options_mode {
    OPTIONS_SERVE = 1,
    OPTIONS_FORMAT,
    OPTIONS_CHECK,
    OPTIONS_HELP,
    OPTIONS_VERSION,
};

struct option_setting {
    char name[OPTIONS_NAME_MAX_BYTES];
    const char *value;
};

struct options {
    enum options_mode mode;
    const char *config_file; // NULL: none
    const char *format_dir;
    int ready_fd;            // -1: none
    struct option_setting settings[OPTIONS_SETTINGS_MAX];
    uint32_t settings_count;
};

// options_read fills [options] from the command line.
// Returns BATON_BAD_ARGUMENT having said on standard error what is wrong.
enum baton_err
options_read (struct options *options, int argc, char **argv);

// options_apply puts the settings of the command line over [config]. Endpoints replace those of
// the file. BATON_BAD_CONFIG with findings.
enum baton_err
options_apply (const struct options *options, struct config *config,
               struct config_findings *findings);

// options_help writes the help to standard output.
void
options_help (void);

#endif
