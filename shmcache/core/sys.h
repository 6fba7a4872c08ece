/* Every system call the core makes, and nothing else. */
#ifndef SC_SYS_H
#define SC_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int sc_sys_size(int fd, uint64_t *bytes);
/* Map a whole shared segment; NULL with errno set. */
void *sc_sys_map(int fd, uint64_t bytes, bool writable);
void sc_sys_unmap(void *base, uint64_t bytes);

uint64_t sc_sys_now_ms(void);    /* CLOCK_REALTIME */
uint64_t sc_sys_coarse_ms(void); /* the same, up to SC_COARSE_LAG_MS behind, cheaper */
uint64_t sc_sys_monotonic_us(void);
#define SC_COARSE_LAG_MS 12 /* a tick of a 100 Hz kernel, and some */

void sc_sys_sleep_us(uint64_t microseconds);
uint64_t sc_sys_random64(void);

/* A process's identity: pids are reused, (pid, start time) pairs are not. */
uint64_t sc_sys_pid(void);
uint64_t sc_sys_start_time(uint64_t pid); /* clock ticks after boot; 0 = no such process */
#define SC_START_UNKNOWN 1                /* it lives, and /proc does not tell */
/* Pids mean something only within their namespace (containers that share /dev/shm). 0 = unknown. */
uint64_t sc_sys_pid_namespace(void);
/* A number that differs between process images, so before and after fork and exec. */
uint64_t sc_sys_nonce(void);
/* Grows by one in every fork's child. */
uint32_t sc_sys_fork_generation(void);
/* Is the process that called itself so surely gone? When in doubt it lives. A start time of 0 was
 * not stored yet. */
bool sc_sys_is_dead(uint64_t pid, uint64_t started, uint64_t pid_namespace, uint64_t nonce);

bool sc_sys_pid_exists(uint64_t pid); /* cheap, and a zombie does */

/* Sleep while *word is `value`, until a wake or the timeout; may return at any time. */
void sc_sys_futex_wait(const uint32_t *word, uint32_t value, uint32_t timeout_ms);
void sc_sys_futex_wake(const uint32_t *word); /* everybody */

#ifdef SC_KILL_SWITCH
void sc_sys_kill_point(void);
#endif
#endif
