// SPDX-License-Identifier: MPL-2.0
// pipe2 is beyond POSIX 2008: a pipe that another child must never inherit, not even for a moment.
#define _GNU_SOURCE
#include "tools/child_start.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define PIPES 3
// What a shell answers for a command that it cannot run.
#define EXIT_NOT_RUN 127

// Our three variables, and all that we have ourselves.
struct child_environment {
    char session[64];
    char seq[48];
    char attempt[48];
    char **variables;
};

static int
is_ours (const char *variable)
{
    return strncmp (variable, "BATON_SESSION=", 14) == 0
        || strncmp (variable, "BATON_REQUEST_SEQ=", 18) == 0
        || strncmp (variable, "BATON_ATTEMPT=", 14) == 0;
}

// Made before the fork: behind it, in a process with threads, nothing may allocate.
static enum baton_err
environment_init (struct child_environment *environment, const struct child_request *request)
{
    size_t count = 0, used = 0;

    while (environ[count]) {
        count++;
    }
    environment->variables = calloc (count + 4, sizeof *environment->variables);
    if (!environment->variables) return BATON_NO_MEMORY;
    snprintf (environment->session, sizeof environment->session, "BATON_SESSION=%s",
              request->session);
    snprintf (environment->seq, sizeof environment->seq, "BATON_REQUEST_SEQ=%" PRIu64,
              request->seq);
    snprintf (environment->attempt, sizeof environment->attempt, "BATON_ATTEMPT=%" PRIu32,
              request->attempt);
    environment->variables[used++] = environment->session;
    environment->variables[used++] = environment->seq;
    environment->variables[used++] = environment->attempt;
    // A server that is started by another one's child must not inherit that one's request.
    for (size_t i = 0; i < count; i++) {
        if (!is_ours (environ[i])) {
            environment->variables[used++] = environ[i];
        }
    }
    return BATON_OK;
}

static void
close_pipes (int pipes[PIPES][2])
{
    for (int i = 0; i < PIPES; i++) {
        for (int j = 0; j < 2; j++) {
            if (pipes[i][j] >= 0) {
                close (pipes[i][j]);
            }
        }
    }
}

static enum baton_err
open_pipes (int pipes[PIPES][2])
{
    memset (pipes, 0xff, sizeof (int[PIPES][2])); // all -1
    for (int i = 0; i < PIPES; i++) {
        if (pipe2 (pipes[i], O_CLOEXEC) != 0) {
            close_pipes (pipes);
            return BATON_BUSY;
        }
        // Our side never blocks; the child's side is its own business.
        int ours = pipes[i][i == 0 ? 1 : 0];
        fcntl (ours, F_SETFL, fcntl (ours, F_GETFL) | O_NONBLOCK);
    }
    return BATON_OK;
}

// The child's side of the fork. Only calls that are safe in a copy of one thread.
static _Noreturn void
become (const struct child_command *command, char **variables, int pipes[PIPES][2],
        pid_t parent)
{
    sigset_t none;

    setpgid (0, 0);
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    // Our process may have died before it said so.
    if (getppid () != parent) {
        _exit (EXIT_NOT_RUN);
    }
    signal (SIGPIPE, SIG_DFL);
    sigemptyset (&none);
    sigprocmask (SIG_SETMASK, &none, NULL);
    if (dup2 (pipes[0][0], STDIN_FILENO) >= 0 && dup2 (pipes[1][1], STDOUT_FILENO) >= 0
        && dup2 (pipes[2][1], STDERR_FILENO) >= 0) {
        execve (command->path, command->argv, variables);
    }
    static const char text[] = "baton serve: the command cannot be run\n";
    if (write (STDERR_FILENO, text, sizeof text - 1) < 0) {
        // The exit code says it as well.
    }
    _exit (EXIT_NOT_RUN);
}

static void
keep_our_sides (struct child *child, int pipes[PIPES][2])
{
    close (pipes[0][0]);
    close (pipes[1][1]);
    close (pipes[2][1]);
    child->input_fd = pipes[0][1];
    child->output_fd = pipes[1][0];
    child->errors_fd = pipes[2][0];
}

static enum baton_err
launch (struct child *child, const struct child_command *command, char **variables)
{
    int pipes[PIPES][2];
    enum baton_err error = open_pipes (pipes);
    if (error) return error;

    pid_t parent = getpid ();
    child->pid = fork ();
    if (child->pid == 0) {
        become (command, variables, pipes, parent);
    }
    child->pid_fd = child->pid > 0 ? pidfd_open (child->pid, 0) : -1;
    if (child->pid > 0 && child->pid_fd < 0) {
        kill (child->pid, SIGKILL);
        waitpid (child->pid, NULL, 0);
    }
    if (child->pid_fd < 0) {
        close_pipes (pipes);
        return BATON_BUSY;
    }
    keep_our_sides (child, pipes);
    return BATON_OK;
}

enum baton_err
child_launch (struct child *child, const struct child_command *command)
{
    struct child_environment environment;
    enum baton_err error = environment_init (&environment, &child->request);

    if (!error) {
        error = launch (child, command, environment.variables);
        free (environment.variables);
    }
    return error;
}

static enum baton_err
check_program (const char *path)
{
    struct stat status;

    if (stat (path, &status) != 0) return BATON_NOT_FOUND;
    return S_ISREG (status.st_mode) && access (path, X_OK) == 0 ? BATON_OK : BATON_DENIED;
}

enum baton_err
child_find_program (const char *name, char *path, size_t path_max_bytes)
{
    const char *search = getenv ("PATH");
    const char *at = strchr (name, '/') || !search ? "" : search;
    enum baton_err found = BATON_NOT_FOUND;

    for (;;) {
        size_t size = strcspn (at, ":");
        int used = snprintf (path, path_max_bytes, "%.*s%s%s", (int) size, at,
                             size > 0 ? "/" : "", name);
        if (used < 0 || (size_t) used >= path_max_bytes) return BATON_TOO_LARGE;
        enum baton_err error = check_program (path);
        if (!error) return BATON_OK;
        found = error == BATON_DENIED ? error : found;
        if (at[size] == '\0') return found;
        at += size + 1;
    }
}
