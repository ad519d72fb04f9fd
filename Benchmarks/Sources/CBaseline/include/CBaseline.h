// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

/// Looks up `count` HER-IDs one after the other by one prepared statement, and adds up the bytes of every column it reads.
/// Returns the seconds of processor time it took, or a negative SQLite result code.
double baseline_look_up(const char *path, const int32_t *her_ids, long count, int64_t *bytes);

/// Heap allocations of the calling thread so far; 0 where there is no glibc.
uint64_t baseline_allocations(void);

/// The calling thread's processor time, in seconds.
double baseline_thread_seconds(void);

/// The whole process's processor time, in seconds.
double baseline_process_seconds(void);
