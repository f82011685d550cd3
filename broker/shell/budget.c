// SPDX-License-Identifier: MPL-2.0
#include "broker/shell/budget.h"

#include "proto/assert.h"
#include "proto/limits.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// What the C heap adds to each block, so that many small blocks are not counted as nothing.
#define BLOCK_OVERHEAD_BYTES 16u
// One part in so many above the budget is left to finish what was begun: the rules refuse new work
// long before, but a step must not starve half way.
#define HARD_PART 16u
// Giving pages back costs a walk over the heap; below this it is not worth it.
#define TRIM_STEP_BYTES (16u * MIB)

static void *
budget_alloc (void *context, size_t size_bytes)
{
    struct budget *budget = context;
    const uint64_t bytes = size_bytes + BLOCK_OVERHEAD_BYTES;

    if (bytes < size_bytes || bytes > budget->hard_bytes - budget->used_bytes) {
        budget->refused_count++;
        return NULL;
    }
    void *data = malloc (size_bytes > 0 ? size_bytes : 1);
    if (!data) {
        budget->refused_count++;
        return NULL;
    }
    budget->used_bytes += bytes;
    if (budget->used_bytes > budget->most_bytes) {
        budget->most_bytes = budget->used_bytes;
    }
    return data;
}

static void
budget_release (void *context, void *data, size_t size_bytes)
{
    struct budget *budget = context;

    ASSERT (size_bytes + BLOCK_OVERHEAD_BYTES <= budget->used_bytes);
    budget->used_bytes -= size_bytes + BLOCK_OVERHEAD_BYTES;
    free (data);
}

void
budget_init (struct budget *budget, uint64_t total_bytes)
{
    memset (budget, 0, sizeof *budget);
    budget->memory = (struct memory) {
        .alloc = budget_alloc, .release = budget_release, .context = budget};
    budget->total_bytes = total_bytes;
    budget->hard_bytes = total_bytes + total_bytes / HARD_PART;
    // Fixed, or glibc raises it with each large block freed, and such blocks then fragment the
    // heap for ever instead of going back at once.
    mallopt (M_MMAP_THRESHOLD, 128 * 1024);
    mallopt (M_ARENA_MAX, 2);
}

void
budget_note (const struct budget *budget, struct capacity *capacity)
{
    capacity->memory_total_bytes = budget->total_bytes;
    capacity->memory_free_bytes = budget->used_bytes < budget->total_bytes
                                      ? budget->total_bytes - budget->used_bytes : 0;
}

void
budget_trim (struct budget *budget)
{
    if (budget->used_bytes > budget->trim_at_bytes) {
        budget->trim_at_bytes = budget->used_bytes;
    } else if (budget->trim_at_bytes - budget->used_bytes >= TRIM_STEP_BYTES) {
        malloc_trim (0);
        budget->trim_at_bytes = budget->used_bytes;
    }
}

static uint64_t
read_number (const char *path)
{
    unsigned long long number = 0;
    FILE *file = fopen (path, "r");

    if (!file) return UINT64_MAX;
    // "max", which is no limit, is not read as a number.
    if (fscanf (file, "%llu", &number) != 1) {
        number = UINT64_MAX;
    }
    fclose (file);
    return number;
}

// The limit of our own control group (version 2): "0::/path" in /proc/self/cgroup.
static uint64_t
control_group_bytes (void)
{
    char line[512], path[1024];
    uint64_t least = read_number ("/sys/fs/cgroup/memory.max");
    FILE *file = fopen ("/proc/self/cgroup", "r");

    if (!file) return least;
    while (fgets (line, sizeof line, file)) {
        if (strncmp (line, "0::/", 4) != 0) continue;
        line[strcspn (line, "\n")] = 0;
        snprintf (path, sizeof path, "/sys/fs/cgroup%s/memory.max", line + 3);
        const uint64_t own = read_number (path);
        least = own < least ? own : least;
    }
    fclose (file);
    return least;
}

uint64_t
budget_of_machine (void)
{
    const long pages = sysconf (_SC_PHYS_PAGES), page_bytes = sysconf (_SC_PAGESIZE);
    uint64_t bytes = 1024u * (uint64_t) MIB;

    if (pages > 0 && page_bytes > 0) {
        bytes = (uint64_t) pages * (uint64_t) page_bytes;
    }
    const uint64_t group = control_group_bytes ();
    return (group < bytes ? group : bytes) / 2;
}
