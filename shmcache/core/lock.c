/* Robust mutexes, stripe locks, the whole-arena lock, readers' patience. See lock.h. */
#include "lock.h"

#include <errno.h>
#include <time.h>

#include "slot.h"

#define SC_LOCK_SPINS 64
#define SC_LOCK_LIMIT_US 5000000
#define SC_EXCLUDED (-1) /* a whole-arena transaction is in force */
#define SC_READER_SPINS 256
#define SC_READER_LIMIT_US 1000000
#define SC_READER_NAP_US 20
#define SC_READER_LONGEST_NAP_US 2000

static inline void cpu_relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

int sc_mutex_init(pthread_mutex_t *mutex) {
    pthread_mutexattr_t attributes;
    if (pthread_mutexattr_init(&attributes) != 0) return SC_SYSTEM;
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    int failed = pthread_mutex_init(mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return failed ? SC_SYSTEM : SC_OK;
}

static int lock_result(int error, bool *died) {
    *died = error == EOWNERDEAD;
    if (error == 0 || error == EOWNERDEAD) return SC_OK;
    if (error == EBUSY || error == ETIMEDOUT) return SC_BUSY;
    return SC_CORRUPT; /* ENOTRECOVERABLE, EINVAL: overwritten bytes */
}

int sc_mutex_trylock(pthread_mutex_t *mutex, bool *died) {
    return lock_result(pthread_mutex_trylock(mutex), died);
}

static void writer_block(sc_writer *writer) {
    if (!writer->blocked && writer->arena->hooks.block_enter) {
        writer->block_state = writer->arena->hooks.block_enter();
        writer->blocked = true;
    }
}

void sc_writer_unblock(sc_writer *writer) {
    if (SC_UNLIKELY(writer->blocked)) {
        writer->blocked = false;
        writer->arena->hooks.block_leave(writer->block_state);
    }
}

int sc_mutex_lock_blocked(sc_writer *writer, pthread_mutex_t *mutex, bool *died) {
    int status = sc_mutex_trylock(mutex, died);
    for (int spin = 0; status == SC_BUSY && spin < SC_LOCK_SPINS; spin++) {
        cpu_relax();
        status = sc_mutex_trylock(mutex, died);
    }
    if (status != SC_BUSY) return status;
    writer_block(writer);
    /* Its owner may have been stopped: do not stop with it. */
    uint64_t limit_us = sc_sys_monotonic_us() + SC_LOCK_LIMIT_US;
    struct timespec limit = {.tv_sec = (time_t)(limit_us / 1000000),
                             .tv_nsec = (long)(limit_us % 1000000) * 1000};
    return lock_result(pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &limit), died);
}

/* The interpreter lock is taken back while the mutex is held: that cannot deadlock, since whoever
 * waits for a mutex has given the interpreter lock up, and nothing after it can forget to. */
int sc_mutex_lock(sc_writer *writer, pthread_mutex_t *mutex, bool *died) {
    int status = sc_mutex_lock_blocked(writer, mutex, died);
    sc_writer_unblock(writer);
    return status;
}

void sc_mutex_consistent(pthread_mutex_t *mutex) {
    pthread_mutex_consistent(mutex);
}

void sc_mutex_unlock(pthread_mutex_t *mutex) {
    pthread_mutex_unlock(mutex);
}

/* ---- stripes ----------------------------------------------------------------------------------*/

/* The mutex is ours; its last owner died in it, or whoever got it then could not recover that
 * owner. Undo what it left before anybody looks. The mutex is made consistent first: should
 * recovery fail now, `owner` still names the dead, and the next to lock comes here as well. */
static int stripe_inherit(sc_writer *writer, sc_stripe *stripe, bool died) {
    if (died) sc_mutex_consistent(&stripe->mutex);
    uint64_t dead = sc_load64(&stripe->owner);
    int status = dead && dead != writer->owner ? sc_slot_recover_owner(writer, dead) : SC_OK;
    /* Without an owner it had not opened the stripe: whoever has, is alive. */
    if (status == SC_OK) sc_put64(&stripe->owner, 0);
    return status;
}

static bool excluded(const sc_writer *writer) {
    /* Acquire: a zero stored by the end of a whole-arena transaction comes with all it wrote,
     * though it did not hold the mutex that we hold now. */
    uint64_t exclusive = sc_load64_acquire(&writer->arena->header->exclusive);
    return SC_UNLIKELY(exclusive != 0) && (exclusive & ~SC_IN_FORCE) != writer->owner;
}

static int stripe_acquired(sc_writer *writer, sc_stripe *stripe, bool died, bool holding) {
    if (SC_UNLIKELY(died || sc_load64(&stripe->owner))) {
        int status = stripe_inherit(writer, stripe, died);
        if (status != SC_OK) {
            sc_mutex_unlock(&stripe->mutex);
            return status;
        }
    }
    if (!holding && excluded(writer)) {
        sc_mutex_unlock(&stripe->mutex);
        return SC_EXCLUDED;
    }
    sc_put64(&stripe->owner, writer->owner);
    return SC_OK;
}

/* Wait for the whole-arena transaction in force to end, finishing it if its owner died. */
static int exclusive_wait(sc_writer *writer) {
    int status = sc_exclusive_lock(writer);
    if (status == SC_OK) sc_exclusive_unlock(writer);
    return status;
}

int sc_stripe_lock(sc_writer *writer, uint64_t index, bool holding) {
    sc_stripe *stripe = &writer->arena->stripes[index];
    for (;;) {
        bool died;
        int status = sc_mutex_lock(writer, &stripe->mutex, &died);
        if (SC_LIKELY(status == SC_OK)) status = stripe_acquired(writer, stripe, died, holding);
        if (SC_LIKELY(status != SC_EXCLUDED)) return status;
        status = exclusive_wait(writer);
        if (status != SC_OK) return status;
    }
}

bool sc_stripe_trylock(sc_writer *writer, uint64_t index) {
    sc_stripe *stripe = &writer->arena->stripes[index];
    bool died;
    if (sc_mutex_trylock(&stripe->mutex, &died) != SC_OK) return false;
    return stripe_acquired(writer, stripe, died, false) == SC_OK;
}

void sc_stripe_unlock(sc_writer *writer, uint64_t index) {
    sc_stripe *stripe = &writer->arena->stripes[index];
    sc_put64(&stripe->owner, 0);
    sc_mutex_unlock(&stripe->mutex);
}

/* ---- the whole arena --------------------------------------------------------------------------*/

/* The right is ours; its last owner died with it. As with a stripe. */
static int exclusive_inherit(sc_writer *writer, bool died) {
    sc_header *header = writer->arena->header;
    if (died) sc_mutex_consistent(&header->exclusive_lock);
    uint64_t dead = sc_load64(&header->exclusive) & ~SC_IN_FORCE;
    int status = dead && dead != writer->owner ? sc_slot_recover_owner(writer, dead) : SC_OK;
    if (status == SC_OK) sc_put64_release(&header->exclusive, 0);
    return status;
}

void sc_exclusive_help(sc_writer *writer) {
    sc_header *header = writer->arena->header;
    bool died;
    if (sc_mutex_trylock(&header->exclusive_lock, &died) != SC_OK) return;
    if (died || sc_load64(&header->exclusive)) exclusive_inherit(writer, died);
    sc_mutex_unlock(&header->exclusive_lock);
}

static int stripe_drain(sc_writer *writer, sc_stripe *stripe) {
    bool died;
    int status = sc_mutex_lock(writer, &stripe->mutex, &died);
    if (status != SC_OK) return status;
    if (died || sc_load64(&stripe->owner)) status = stripe_inherit(writer, stripe, died);
    sc_mutex_unlock(&stripe->mutex);
    return status;
}

int sc_exclusive_lock(sc_writer *writer) {
    sc_header *header = writer->arena->header;
    bool died;
    int status = sc_mutex_lock(writer, &header->exclusive_lock, &died);
    if (status != SC_OK) return status;
    if (died || sc_load64(&header->exclusive)) {
        status = exclusive_inherit(writer, died);
        if (status != SC_OK) {
            sc_mutex_unlock(&header->exclusive_lock);
            return status;
        }
    }
    sc_put64(&header->exclusive, writer->owner);
    /* Whoever locked a stripe before seeing the word above finishes before we get its mutex;
     * whoever locks it after we had it, sees the word, since our unlock happens before its lock. */
    for (uint64_t i = 0; i <= writer->arena->stripe_mask && status == SC_OK; i++) {
        status = stripe_drain(writer, &writer->arena->stripes[i]);
    }
    if (status != SC_OK) {
        sc_exclusive_unlock(writer);
    } else {
        sc_put64(&header->exclusive, writer->owner | SC_IN_FORCE);
    }
    return status;
}

void sc_exclusive_unlock(sc_writer *writer) {
    sc_header *header = writer->arena->header;
    sc_put64_release(&header->exclusive, 0);
    sc_mutex_unlock(&header->exclusive_lock);
}

/* ---- readers ----------------------------------------------------------------------------------*/

int sc_reader_wait(sc_arena *arena, const sc_stripe *stripe, sc_patience *patience) {
    patience->tries++;
    if (patience->tries < SC_READER_SPINS) {
        cpu_relax();
        return SC_OK;
    }
    uint64_t now = sc_sys_monotonic_us();
    if (patience->started_us == 0) patience->started_us = now;
    uint64_t waited = now - patience->started_us;
    if (waited > SC_READER_LIMIT_US) return SC_BUSY;
    /* Odd for this long: its writer was descheduled or killed. A writer can look after the dead. */
    if (arena->writable && waited > SC_READER_LONGEST_NAP_US &&
        (sc_load64(&stripe->sequence) & 1)) {
        sc_slot_help_stripe(arena, (uint64_t)(stripe - arena->stripes));
    }
    uint64_t nap = SC_READER_NAP_US + waited / 8;
    if (nap > SC_READER_LONGEST_NAP_US) nap = SC_READER_LONGEST_NAP_US;
    void *state = arena->hooks.block_enter ? arena->hooks.block_enter() : NULL;
    sc_sys_sleep_us(nap);
    if (arena->hooks.block_leave) arena->hooks.block_leave(state);
    return SC_OK;
}
