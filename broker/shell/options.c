// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/options.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum option_id {
    OPTION_STORE = 256,
    OPTION_ENDPOINT,
    OPTION_READY_FD,
    OPTION_FORMAT,
    OPTION_CHECK,
    OPTION_LOG_LEVEL,
    OPTION_SET,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"store", required_argument, NULL, OPTION_STORE},
    {"endpoint", required_argument, NULL, OPTION_ENDPOINT},
    {"ready-fd", required_argument, NULL, OPTION_READY_FD},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"check", required_argument, NULL, OPTION_CHECK},
    {"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
    {"set", required_argument, NULL, OPTION_SET},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

void
options_help (void)
{
    fputs ("usage: batond [-c FILE] [--store DIR] [--endpoint URL]... [options]\n"
           "       batond --format DIR\n"
           "       batond --check FILE\n"
           "\n"
           "Serves durable sessions. Without options: tcp://127.0.0.1:7411, with the store\n"
           "./baton-store, which is made if it is not there.\n"
           "\n"
           "  -c, --config FILE   read settings from a ZPL file\n"
           "  --store DIR         directory of the store\n"
           "  --endpoint URL      where ends connect: tcp://ADDRESS:PORT or ipc://PATH;\n"
           "                      may be given up to 8 times, replaces those of the file\n"
           "  --set NAME=VALUE    set any setting of the file\n"
           "  --log-level LEVEL   error, warning, info or debug\n"
           "  --ready-fd N        write \"READY\\n\" to descriptor N when serving\n"
           "  --format DIR        make an empty store and end\n"
           "  --check FILE        check a configuration and end: 0 good, 1 findings\n"
           "  --version, --help\n"
           "\n"
           "Exit codes: 0 ok, 1 findings, 2 usage, 3 cannot bind, 4 refused, 5 store damaged,\n"
           "75 try later. All settings: batond(8).\n",
           stdout);
}

static enum baton_err
add_setting (struct options *options, const char *name, size_t name_size, const char *value)
{
    if (options->settings_count == OPTIONS_SETTINGS_MAX || name_size == 0
        || name_size >= OPTIONS_NAME_MAX_BYTES) {
        fprintf (stderr, "batond: --set %s: wanted NAME=VALUE, at most %u times\n", name,
                 OPTIONS_SETTINGS_MAX);
        return BATON_BAD_ARGUMENT;
    }
    struct option_setting *setting = &options->settings[options->settings_count++];
    memcpy (setting->name, name, name_size);
    setting->name[name_size] = 0;
    setting->value = value;
    return BATON_OK;
}

static enum baton_err
take_set (struct options *options, const char *text)
{
    const char *equals = strchr (text, '=');

    if (!equals) {
        fprintf (stderr, "batond: --set %s: wanted NAME=VALUE\n", text);
        return BATON_BAD_ARGUMENT;
    }
    return add_setting (options, text, (size_t) (equals - text), equals + 1);
}

static enum baton_err
take_ready_fd (struct options *options, const char *text)
{
    char *end = NULL;
    const unsigned long fd = strtoul (text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end || fd > 1000000
        || fcntl ((int) fd, F_GETFD) < 0) {
        fprintf (stderr, "batond: --ready-fd %s: wanted the number of an open descriptor\n",
                 text);
        return BATON_BAD_ARGUMENT;
    }
    options->ready_fd = (int) fd;
    return BATON_OK;
}

static enum baton_err
take_option (struct options *options, int id)
{
    switch (id) {
    case 'c': options->config_file = optarg; break;
    case 'h': options->mode = OPTIONS_HELP; break;
    case OPTION_VERSION: options->mode = OPTIONS_VERSION; break;
    case OPTION_STORE: return add_setting (options, "store", 5, optarg);
    case OPTION_ENDPOINT: return add_setting (options, "endpoint", 8, optarg);
    case OPTION_LOG_LEVEL: return add_setting (options, "log_level", 9, optarg);
    case OPTION_SET: return take_set (options, optarg);
    case OPTION_READY_FD: return take_ready_fd (options, optarg);
    case OPTION_FORMAT:
        options->mode = OPTIONS_FORMAT;
        options->format_dir = optarg;
        break;
    case OPTION_CHECK:
        options->mode = OPTIONS_CHECK;
        options->config_file = optarg;
        break;
    default:
        // getopt_long has said what is wrong.
        fputs ("batond --help lists the options\n", stderr);
        return BATON_BAD_ARGUMENT;
    }
    return BATON_OK;
}

enum baton_err
options_read (struct options *options, int argc, char **argv)
{
    int id;

    memset (options, 0, sizeof *options);
    options->mode = OPTIONS_SERVE;
    options->ready_fd = -1;
    while ((id = getopt_long (argc, argv, "c:h", long_options, NULL)) != -1) {
        const enum baton_err err = take_option (options, id);
        if (err != BATON_OK) return err;
    }
    if (optind < argc) {
        fprintf (stderr, "batond: \"%s\" is no option; batond --help lists them\n",
                 argv[optind]);
        return BATON_BAD_ARGUMENT;
    }
    return BATON_OK;
}

enum baton_err
options_apply (const struct options *options, struct config *config,
               struct config_findings *findings)
{
    const struct config_place place = {NULL, 0};
    enum baton_err result = BATON_OK;
    bool endpoints_replaced = false;

    for (uint32_t i = 0; i < options->settings_count; i++) {
        const struct option_setting *setting = &options->settings[i];
        if (strcmp (setting->name, "endpoint") == 0 && !endpoints_replaced) {
            config->endpoints_count = 0;
            endpoints_replaced = true;
        }
        if (config_set (config, &place, setting->name, setting->value, findings) != BATON_OK) {
            result = BATON_BAD_CONFIG;
        }
    }
    return result;
}
