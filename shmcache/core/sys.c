/* The core's system calls: mapping, clocks, process identity. */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int sc_sys_size(int fd, uint64_t *bytes) {
    struct stat info;
    if (fstat(fd, &info) != 0) return -1;
    *bytes = (uint64_t)info.st_size;
    return 0;
}

void *sc_sys_map(int fd, uint64_t bytes, bool writable) {
    int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    void *base = mmap(NULL, bytes, protection, MAP_SHARED, fd, 0);
    return base == MAP_FAILED ? NULL : base;
}

void sc_sys_unmap(void *base, uint64_t bytes) {
    if (base) munmap(base, bytes);
}

static uint64_t clock_ms(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t sc_sys_now_ms(void) {
    return clock_ms(CLOCK_REALTIME);
}

uint64_t sc_sys_coarse_ms(void) {
    return clock_ms(CLOCK_REALTIME_COARSE);
}

uint64_t sc_sys_monotonic_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void sc_sys_sleep_us(uint64_t microseconds) {
    struct timespec pause = {.tv_sec = (time_t)(microseconds / 1000000),
                             .tv_nsec = (long)(microseconds % 1000000) * 1000};
    while (nanosleep(&pause, &pause) != 0 && errno == EINTR) {
    }
}

uint64_t sc_sys_random64(void) {
    uint64_t value = 0;
    if (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value) {
        value = sc_sys_monotonic_us() * UINT64_C(0x9E3779B97F4A7C15) ^ sc_sys_pid();
    }
    return value;
}

uint64_t sc_sys_pid(void) {
    return (uint64_t)getpid();
}

/* A field of /proc/PID/stat, counted from the end of the name, which is field 2. */
static uint64_t stat_field(const char *name_end, int field) {
    const char *cursor = name_end;
    for (int at = 2; at < field && cursor; at++)
        cursor = strchr(cursor + 1, ' ');
    return cursor ? strtoull(cursor + 1, NULL, 10) : 1;
}

/* Fields 22 and 20 of /proc/PID/stat (proc(5)). The command name, field 2, may hold anything, even
 * ") ", so fields are counted from the last parenthesis. */
uint64_t sc_sys_start_time(uint64_t pid) {
    char path[48], text[1024];
    snprintf(path, sizeof path, "/proc/%llu/stat", (unsigned long long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        /* Without /proc (or with it hidden) the pid alone has to do. */
        return kill((pid_t)pid, 0) == 0 || errno == EPERM ? SC_START_UNKNOWN : 0;
    }
    ssize_t length = read(fd, text, sizeof text - 1);
    int failure = errno;
    close(fd);
    if (length <= 0) return length < 0 && failure != ESRCH ? SC_START_UNKNOWN : 0;
    text[length] = 0;
    const char *name_end = strrchr(text, ')');
    if (!name_end) return SC_START_UNKNOWN;
    bool zombie = name_end[1] && (name_end[2] == 'Z' || name_end[2] == 'X');
    if (zombie && stat_field(name_end, 20) <= 1)
        return 0; /* with more threads, only the first ended */
    return stat_field(name_end, 22);
}

uint64_t sc_sys_pid_namespace(void) {
    struct stat info;
    return stat("/proc/self/ns/pid", &info) == 0 ? (uint64_t)info.st_ino : 0;
}

static uint32_t fork_generation;
static uint64_t image_nonce;
static pthread_once_t identity_once = PTHREAD_ONCE_INIT;

static void in_child(void) {
    fork_generation++;
    image_nonce = sc_sys_random64() | 1;
}

static void identity_start(void) {
    image_nonce = sc_sys_random64() | 1;
    pthread_atfork(NULL, NULL, in_child);
}

uint64_t sc_sys_nonce(void) {
    pthread_once(&identity_once, identity_start);
    return image_nonce;
}

uint32_t sc_sys_fork_generation(void) {
    return fork_generation;
}

bool sc_sys_is_dead(uint64_t pid, uint64_t started, uint64_t pid_namespace, uint64_t nonce) {
    if (!pid || pid_namespace != sc_sys_pid_namespace()) return false;
    uint64_t now = sc_sys_start_time(pid);
    if (now == 0) return true;
    if (started == 0 || now == SC_START_UNKNOWN || started == SC_START_UNKNOWN) return false;
    if (now != started) return true;
    /* Our own pid and start time, but another image: what we were before exec. */
    return pid == sc_sys_pid() && nonce != sc_sys_nonce();
}

bool sc_sys_pid_exists(uint64_t pid) {
    return kill((pid_t)pid, 0) == 0 || errno != ESRCH;
}

void sc_sys_futex_wait(const uint32_t *word, uint32_t value, uint32_t timeout_ms) {
    struct timespec limit = {.tv_sec = timeout_ms / 1000,
                             .tv_nsec = (long)(timeout_ms % 1000) * 1000000};
    syscall(SYS_futex, word, FUTEX_WAIT, value, &limit, NULL, 0);
}

void sc_sys_futex_wake(const uint32_t *word) {
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

#ifdef SC_KILL_SWITCH
#include "sc.h"
static uint64_t kill_at, kill_count;

void sc_kill_arm(uint64_t nth) {
    kill_at = nth;
    kill_count = 0;
}

uint64_t sc_kill_stores(void) {
    return kill_count;
}

void sc_sys_kill_point(void) {
    if (++kill_count == kill_at) kill(getpid(), SIGKILL);
}
#endif
