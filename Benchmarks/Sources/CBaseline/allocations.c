// SPDX-License-Identifier: Apache-2.0
#include "CBaseline.h"
#include <stdatomic.h>
#include <stddef.h>

// Stand before the C library's own in the order in which symbols are looked up, count, and call it.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static atomic_ullong count;

void *malloc(size_t size) {
  atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
  return __libc_malloc(size);
}

void *calloc(size_t items, size_t size) {
  atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
  return __libc_calloc(items, size);
}

void *realloc(void *place, size_t size) {
  atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
  return __libc_realloc(place, size);
}

int posix_memalign(void **place, size_t alignment, size_t size) {
  atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
  *place = __libc_memalign(alignment, size);
  return *place ? 0 : 12;
}

uint64_t baseline_allocations(void) { return atomic_load(&count); }
