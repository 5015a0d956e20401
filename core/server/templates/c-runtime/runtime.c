/* A small library in place of libc's. Every call of a policy gets a fresh instance, so memory is never given back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern unsigned char __heap_base;
static uintptr_t next;

_Noreturn void abort(void) { __builtin_trap(); }

void *malloc(size_t size) {
  if (next == 0) next = (uintptr_t)&__heap_base;
  /* The size lies before the block, for realloc. */
  uintptr_t block = ((next + 7) & ~(uintptr_t)7) + 8;
  uintptr_t end = block + size;
  uintptr_t have = (uintptr_t)__builtin_wasm_memory_size(0) << 16;
  if (end < block) abort();
  if (end > have && __builtin_wasm_memory_grow(0, (end - have + 0xffff) >> 16) == (size_t)-1) abort();
  *(size_t *)(block - 8) = size;
  next = end;
  return (void *)block;
}

void *calloc(size_t count, size_t size) {
  size_t all;
  if (__builtin_mul_overflow(count, size, &all)) abort();
  return memset(malloc(all), 0, all);
}

void *realloc(void *old, size_t size) {
  if (old == NULL) return malloc(size);
  size_t had = *(size_t *)((uintptr_t)old - 8);
  if (size <= had) return old;
  return memcpy(malloc(size), old, had);
}

void free(void *memory) { (void)memory; }

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  unsigned char *t = to;
  const unsigned char *f = from;
  for (size_t i = 0; i < size; i++) t[i] = f[i];
  return to;
}

void *memmove(void *to, const void *from, size_t size) {
  unsigned char *t = to;
  const unsigned char *f = from;
  if (t < f) {
    for (size_t i = 0; i < size; i++) t[i] = f[i];
  } else {
    for (size_t i = size; i > 0; i--) t[i - 1] = f[i - 1];
  }
  return to;
}

void *memset(void *to, int byte, size_t size) {
  unsigned char *t = to;
  for (size_t i = 0; i < size; i++) t[i] = (unsigned char)byte;
  return to;
}

int memcmp(const void *a, const void *b, size_t size) {
  const unsigned char *x = a, *y = b;
  for (size_t i = 0; i < size; i++) {
    if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
  }
  return 0;
}

size_t strlen(const char *text) {
  size_t size = 0;
  while (text[size]) size++;
  return size;
}
